"""The service-linked role of Amazon ECS."""

from __future__ import annotations

from ..iam.access.call_context import may
from ..iam.access.query import linked_role
from ..kernel import young
from ..kernel.data_plane import DataPlane
from ..moto.adapter import iam_backends

NAME = "AWSServiceRoleForECS"
PATH = "/aws-service-role/ecs.amazonaws.com/"
DESCRIPTION = "Role to enable Amazon ECS to manage your cluster."
TRUST = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ecs.amazonaws.com"},'
    '"Action":"sts:AssumeRole"}]}'
)


def arn(account: str) -> str:
    """Its ARN in an account."""
    return f"arn:aws:iam::{account}:role{PATH}{NAME}"


def exists(account: str) -> bool:
    """Whether it exists."""
    return any(role.name == NAME for role in list(iam_backends[account]["aws"].roles.values()))


def assumable(plane: DataPlane, account: str) -> bool:
    """Whether ECS can assume it: it exists, and is old enough."""
    return exists(account) and young.lets_assume(plane, arn(account))


def ensure(account: str) -> None:
    """Create it if it does not exist, as CreateCluster does the first time.

    "If the user that makes the call doesn't have permissions to create the service-linked role, it isn't created"
    (ECS API Reference, CreateCluster).
    """
    if exists(account) or not may(linked_role(account, "ecs.amazonaws.com")):
        return
    iam_backends[account]["aws"].create_role(
        NAME,
        TRUST,
        PATH,
        permissions_boundary=None,
        description=DESCRIPTION,
        tags=[],
        max_session_duration="3600",
        linked_service="ecs.amazonaws.com",
    )
