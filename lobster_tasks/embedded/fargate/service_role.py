"""The service-linked role of Amazon ECS."""

from __future__ import annotations

from ..moto_door import iam_backends

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


def ensure(account: str) -> None:
    """Make it unless it is there, as CreateCluster does the first time."""
    iam = iam_backends[account]["aws"]
    if any(role.name == NAME for role in list(iam.roles.values())):
        return
    iam.create_role(
        NAME,
        TRUST,
        PATH,
        permissions_boundary=None,
        description=DESCRIPTION,
        tags=[],
        max_session_duration="3600",
        linked_service="ecs.amazonaws.com",
    )
