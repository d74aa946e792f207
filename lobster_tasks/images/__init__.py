"""Images: built from the Dockerfile, with or without a container engine, and pushed to ECR."""

from .push import PushedImage, is_embedded, push_image

__all__ = ["PushedImage", "is_embedded", "push_image"]
