"""Reads ECS task definitions."""

from __future__ import annotations

from typing import Any

from ..aws import Aws

_ABSENT = ("ClientException",)


def find_task_definition(aws: Aws, task_definition: str, about: str = "") -> dict[str, Any] | None:
    """DescribeTaskDefinition by ARN, by ``family:revision``, or by family for its newest ACTIVE revision."""
    answer = aws.find(
        "ecs:DescribeTaskDefinition", _ABSENT, about or task_definition, taskDefinition=task_definition
    )
    return answer["taskDefinition"] if answer else None
