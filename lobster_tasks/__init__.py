"""Invoke tasks that move a containerised web app to ECS on Fargate."""

__version__ = "0.1.0"
