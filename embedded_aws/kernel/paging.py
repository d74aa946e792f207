"""Tokens that stand for a place in a listing; to clients they are opaque."""

from __future__ import annotations

import base64


def token(offset: int) -> str:
    """What stands for the item at ``offset``."""
    return base64.urlsafe_b64encode(f"from:{offset}".encode()).decode()


def offset(given: str | None) -> int:
    """The place that a token of ours stands for, 0 without one."""
    return int(base64.urlsafe_b64decode(given).decode().removeprefix("from:")) if given else 0
