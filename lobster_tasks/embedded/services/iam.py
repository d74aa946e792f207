"""AWS Identity and Access Management."""

from __future__ import annotations

from ..moto_door import IamResponse
from . import iam_store

__all__ = ["Iam", "iam_store"]


class Iam(IamResponse):
    """AWS Identity and Access Management."""
