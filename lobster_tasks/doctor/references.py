"""The parts of ARNs and image references. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def secret_arn(source: str) -> str:
    """A secret's ARN without JSON key, version stage and version id."""
    return ":".join(source.split(":")[:7])


def is_secret(source: str) -> bool:
    """Whether a source is in Secrets Manager; otherwise it is an SSM parameter."""
    return ":secretsmanager:" in source


def parameter_name(source: str) -> str:
    """A parameter's name for GetParameters, with a leading slash if it is a path."""
    name = source.partition(":parameter/")[2] or source
    return f"/{name}" if "/" in name and not name.startswith("/") else name


def region_of(arn: str) -> str:
    """The region in an ARN; empty for other text."""
    parts = arn.split(":")
    return parts[3] if len(parts) > 5 and parts[0] == "arn" else ""


def account_of(arn: str) -> str:
    """The account in an ARN; empty for other text, and for an ARN without one."""
    parts = arn.split(":")
    return parts[4] if len(parts) > 5 and parts[0] == "arn" else ""


def as_list(value: Any) -> list[Any]:
    """A list; a policy may contain a single value in place of a list."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def is_here(source: str, account: str, region: str) -> bool:
    """Whether a name or an ARN refers to this account and region."""
    parts = source.split(":")
    return len(parts) <= 5 or (parts[3], parts[4]) == (region, account)


def place_of(arn: str) -> str:
    """Region and account of an ARN, in words."""
    parts = arn.split(":")
    return f"{parts[3]} of account {parts[4]}"


def who(arn: str) -> str:
    """A caller's ARN in words: ``role deploy``, ``user jo``, ``the root user``."""
    kind, _, name = arn.rpartition(":")[2].partition("/")
    if kind == "root":
        return "the root user"
    return f"role {name.partition('/')[0]}" if kind == "assumed-role" else f"{kind} {name}"


def network_of(service: Mapping[str, Any]) -> Mapping[str, Any]:
    """A service's subnets, securityGroups and assignPublicIp; empty for one that is not on Fargate."""
    return dict(service.get("networkConfiguration", {}).get("awsvpcConfiguration", {}))
