"""Tokens that stand for a place in a listing; to clients they are opaque."""

from __future__ import annotations

import base64
import binascii


def token(offset: int) -> str:
    """What stands for the item at ``offset``."""
    return base64.urlsafe_b64encode(f"from:{offset}".encode()).decode()


def offset(given: str | None) -> int:
    """The place that a token stands for, 0 without one; ValueError where it is none of ours."""
    if not given:
        return 0
    try:
        return int(base64.urlsafe_b64decode(given).decode().removeprefix("from:"))
    except binascii.Error as error:
        raise ValueError(given) from error
