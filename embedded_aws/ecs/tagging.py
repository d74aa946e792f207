"""Tags of clusters, services, tasks and task definitions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..moto.adapter import AwsError
from . import clusters, names, services
from .answers import check_count, invalid, tag_list, tags_of
from .model import EcsState


def add(state: EcsState, request: Mapping[str, Any]) -> dict[str, Any]:
    """TagResource: replaces the values of existing keys."""
    there = tags_of_arn(state, request["resourceArn"])
    check_count({**there, **tags_of(request["tags"])})
    there.update(tags_of(request["tags"]))
    return {}


def remove(state: EcsState, request: Mapping[str, Any]) -> dict[str, Any]:
    """UntagResource."""
    tags = tags_of_arn(state, request["resourceArn"])
    for key in request["tagKeys"]:
        tags.pop(key, None)
    return {}


def listing(state: EcsState, request: Mapping[str, Any]) -> dict[str, Any]:
    """ListTagsForResource."""
    return {"tags": tag_list(tags_of_arn(state, request["resourceArn"]))}


def tags_of_arn(state: EcsState, arn: str) -> dict[str, str]:
    """The tags of the resource with this ARN, as a dict to read or change; AwsError where it does not exist."""
    parts = arn.split(":", 5)
    if len(parts) < 6 or parts[0] != "arn" or parts[2] != "ecs":
        raise invalid("Invalid arn syntax.")
    kind, _, path = parts[5].partition("/")
    if kind == "cluster":
        return clusters.find(state, path).tags
    if kind == "service":
        return services.find(state, path.split("/")[0] if "/" in path else None, path).tags
    return _others(state, kind, path)


def _others(state: EcsState, kind: str, path: str) -> dict[str, str]:
    if kind == "task" and names.last_part(path) in state.tasks:
        return state.tasks[names.last_part(path)].tags
    if kind == "task-definition":
        family, _, revision = path.partition(":")
        found = [one for one in state.families.get(family, []) if str(one.revision) == revision]
        if found:
            return found[0].tags
    raise AwsError("ResourceNotFoundException", "The specified resource is not found.")
