"""AWS Secrets Manager."""

from __future__ import annotations

from ..moto_door import SecretsManagerResponse
from . import secretsmanager_store

__all__ = ["SecretsManager", "secretsmanager_store"]


class SecretsManager(SecretsManagerResponse):
    """Secrets with versions, marked for deletion before they go."""
