"""A young account: nothing of AWS was used in it yet, and what has just been made is not known everywhere.

Each first thing is refused for a while, as AWS refuses it; how long is what people report, and AWS promises nothing.
Asked with ``DataPlane.young`` only: in any other account everything is known at once.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime

from ..moto.adapter import find_role
from .data_plane import DataPlane

ROLE_KNOWN = 15.0
"""AWS seconds until a service can assume a role, its own service-linked one too."""

CREDENTIALS_KNOWN = 30.0
"""AWS seconds until other services know the credentials of a service-linked role."""

MADE_KNOWN = 5.0
"""AWS seconds until what one service has made is known to another."""


def lets_assume(plane: DataPlane, role_arn: str, within: float = ROLE_KNOWN) -> bool:
    """Whether a role is so old that its service can assume it, or, with more seconds, use its credentials."""
    role = find_role(role_arn.split(":")[4], role_arn)
    return role is None or knows(plane, role.created.timestamp(), within)


def knows(plane: DataPlane, made_at: float | datetime, within: float = MADE_KNOWN) -> bool:
    """Whether what was made then (seconds since 1970, or a time) is known by now."""
    made = made_at.astimezone(UTC).timestamp() if isinstance(made_at, datetime) else made_at
    return not plane.young or time.time() - made >= plane.pace.real(within)
