"""Images: built from the Dockerfile, with or without a container engine, and pushed to ECR."""

from .push import PlannedPush, PushedImage, is_embedded, plan_push, push_image

__all__ = ["PlannedPush", "PushedImage", "is_embedded", "plan_push", "push_image"]
