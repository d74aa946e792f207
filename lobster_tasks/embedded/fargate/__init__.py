"""Amazon ECS on Fargate: services, deployments and tasks, and the scheduler that moves them."""
