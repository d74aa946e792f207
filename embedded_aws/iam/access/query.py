"""One authorization query."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from . import stored


@dataclass(frozen=True)
class AuthorizationQuery:
    """Whether an action is allowed on a resource (an ARN, or ``*``), with the condition keys in ``context``.

    ``allowed`` is the decision, once there is one.
    """

    action: str
    resource: str
    context: Mapping[str, str | list[str]] = field(default_factory=dict)
    allowed: bool | None = None


def linked_role(account: str, service: str) -> AuthorizationQuery:
    """The query whether a service-linked role may be created."""
    arn = stored.linked_role_arn(account, service)
    return AuthorizationQuery("iam:CreateServiceLinkedRole", arn, {"iam:AWSServiceName": service})
