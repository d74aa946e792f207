"""Page tokens for a position in a listing; they are opaque to clients."""

from __future__ import annotations

import base64


def token(offset: int) -> str:
    """The token for the item at ``offset``."""
    return base64.urlsafe_b64encode(f"from:{offset}".encode()).decode()


def offset(given: str | None) -> int:
    """The position of a token, 0 without one."""
    return int(base64.urlsafe_b64decode(given).decode().removeprefix("from:")) if given else 0
