"""moto, which holds the resources that are not ours, and the form of requests and answers."""

from . import patches

__all__ = ["patches"]
