"""One question to IAM."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from . import stored


@dataclass(frozen=True)
class AuthorizationQuery:
    """May an action be done on a resource (an ARN, or ``*``), given what ``context`` says about it?

    ``allowed`` is the answer, once there is one.
    """

    action: str
    resource: str
    context: Mapping[str, str | list[str]] = field(default_factory=dict)
    allowed: bool | None = None


def linked_role(account: str, service: str) -> AuthorizationQuery:
    """The question whether a service's own role may be made."""
    arn = stored.linked_role_arn(account, service)
    return AuthorizationQuery("iam:CreateServiceLinkedRole", arn, {"iam:AWSServiceName": service})
