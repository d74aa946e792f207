"""The work of the Fargate agent before a task runs: images, secrets, logs, and the roles it uses."""
