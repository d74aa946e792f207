"""The interface to moto, which holds some resources and provides the protocols of requests and answers."""

from . import patches

__all__ = ["patches"]
