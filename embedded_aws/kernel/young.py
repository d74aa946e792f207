"""A young account: nothing of AWS was used in it yet, and new resources are not known everywhere at once.

The first use of a feature is refused for a while, with AWS's errors; the durations are what people report, since AWS
guarantees none. Applies with ``DataPlane.young`` only: in any other account everything is known at once.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime

from ..moto.adapter import find_role
from .data_plane import DataPlane

ROLE_KNOWN = 15.0
"""AWS seconds until a service can assume a new role, including its service-linked one."""

CREDENTIALS_KNOWN = 30.0
"""AWS seconds until other services know the credentials of a service-linked role."""

MADE_KNOWN = 5.0
"""AWS seconds until a new resource of one service is known to another."""


def lets_assume(plane: DataPlane, role_arn: str, within: float = ROLE_KNOWN) -> bool:
    """Whether a role is old enough for its service to assume it, or, with more seconds, to use its credentials."""
    role = find_role(role_arn.split(":")[4], role_arn)
    return role is None or knows(plane, role.created.timestamp(), within)


def knows(plane: DataPlane, made_at: float | datetime, within: float = MADE_KNOWN) -> bool:
    """Whether a resource created at that time (seconds since 1970, or a datetime) is known by now."""
    made = made_at.astimezone(UTC).timestamp() if isinstance(made_at, datetime) else made_at
    return not plane.young or time.time() - made >= plane.pace.real(within)
