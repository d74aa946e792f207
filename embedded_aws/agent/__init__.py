"""What the Fargate agent does for a task before it runs: images, secrets, logs, and in whose name."""
