"""Checks before a task is created: ECS must be able to assume its roles."""

from __future__ import annotations

from ..iam import roles
from ..moto.adapter import find_role
from . import texts
from .model import EcsState, TaskDefinition

PRINCIPAL = "ecs-tasks.amazonaws.com"


def refusal(state: EcsState, definition: TaskDefinition) -> str | None:
    """Why ECS cannot launch a task of ``definition`` (it cannot assume a role); None when it can."""
    for member in ("taskRoleArn", "executionRoleArn"):
        role = definition.body.get(member)
        if role and not _assumable(state, role):
            return texts.cannot_assume(role)
    return None


def _assumable(state: EcsState, arn: str) -> bool:
    role = find_role(arn.split(":")[4], arn)
    context = {"aws:SourceAccount": state.account, "aws:SourceArn": state.arn("*")}
    return role is not None and roles.trusts(role, PRINCIPAL, context) and roles.assumable(state.plane, arn)
