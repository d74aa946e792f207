"""An account and region."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """An account, by its 12 digits, and a region."""

    account: str
    region: str
