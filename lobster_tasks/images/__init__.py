"""Images: built from the Dockerfile, with or without a container engine, and pushed to ECR."""

from .engines import Engine, engine_for
from .options import BuildOptions, options_of
from .push import PlannedPush, PushedImage, plan_push, push_image
from .transfer import Observer, Transfer, unobserved

__all__ = [
    "BuildOptions",
    "Engine",
    "Observer",
    "PlannedPush",
    "PushedImage",
    "Transfer",
    "engine_for",
    "options_of",
    "plan_push",
    "push_image",
    "unobserved",
]
