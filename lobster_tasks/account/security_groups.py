"""Reads the rules of security groups. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def covers_port(rule: Mapping[str, Any], port: int) -> bool:
    """Whether a rule, in the shape of IpPermissions, is about a TCP port."""
    if rule["IpProtocol"] == "-1":
        return True
    return rule["IpProtocol"] in ("tcp", "6") and rule.get("FromPort", 0) <= port <= rule.get("ToPort", 65535)
