"""AWS Secrets Manager."""

from __future__ import annotations

from ..moto.adapter import SecretsManagerResponse
from . import store

__all__ = ["SecretsManager", "store"]


class SecretsManager(SecretsManagerResponse):
    """Secrets with versions; deleted secrets are first scheduled for deletion."""
