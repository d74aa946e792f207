"""Operations on task definitions: register, describe, list, deregister, delete."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import definition_rules
from .answers import client_error, invalid, page, some, tag_list, tags_of
from .model import EcsState, TaskDefinition, now
from .names import last_part


def register(state: EcsState, request: Mapping[str, Any]) -> dict[str, Any]:
    """RegisterTaskDefinition: always a new revision, even with the same content."""
    body = definition_rules.checked(request, state.account)
    revisions = state.families.setdefault(body["family"], [])
    name = f"{body['family']}:{len(revisions) + 1}"
    made = TaskDefinition(
        state.arn(f"task-definition/{name}"),
        body["family"],
        len(revisions) + 1,
        body,
        tags_of(request.get("tags")),
        now(),
        state.root,
    )
    revisions.append(made)
    return some(taskDefinition=view(made), tags=tag_list(made.tags) or None)


def describe(state: EcsState, request: Mapping[str, Any]) -> dict[str, Any]:
    """DescribeTaskDefinition; ClientException where it does not exist."""
    found = find(state, request["taskDefinition"], "Unable to describe task definition.")
    answer: dict[str, Any] = {"taskDefinition": view(found)}
    if "TAGS" in (request.get("include") or ()):
        answer["tags"] = tag_list(found.tags)
    return answer


def list_arns(state: EcsState, request: Mapping[str, Any]) -> dict[str, Any]:
    """ListTaskDefinitions: ``familyPrefix`` is a complete family name."""
    family, status = request.get("familyPrefix"), request.get("status") or "ACTIVE"
    found = [
        one.arn
        for name in sorted(state.families)
        for one in state.families[name]
        if one.status == status and family in (None, name)
    ]
    if request.get("sort") == "DESC":
        found.reverse()
    arns, more = page(found, request)
    return {"taskDefinitionArns": arns, **more}


def list_families(state: EcsState, request: Mapping[str, Any]) -> dict[str, Any]:
    """ListTaskDefinitionFamilies: ACTIVE ones have an ACTIVE revision; by default all."""
    prefix, status = request.get("familyPrefix") or "", request.get("status") or "ALL"
    active = {
        name for name, all_of in state.families.items() if any(one.status == "ACTIVE" for one in all_of)
    }
    chosen = {"ACTIVE": active, "INACTIVE": set(state.families) - active, "ALL": set(state.families)}[status]
    families, more = page(sorted(name for name in chosen if name.startswith(prefix)), request)
    return {"families": families, **more}


def deregister(state: EcsState, request: Mapping[str, Any]) -> dict[str, Any]:
    """DeregisterTaskDefinition: sets it INACTIVE; running tasks and services are not affected."""
    given = request["taskDefinition"]
    if ":" not in last_part(given):
        raise client_error("Revision is missing.")
    found = find(state, given, "The specified task definition does not exist.")
    if found.status == "ACTIVE":
        found.status, found.deregistered_at = "INACTIVE", now()
    return {"taskDefinition": view(found)}


def delete(state: EcsState, request: Mapping[str, Any]) -> dict[str, Any]:
    """DeleteTaskDefinitions: at most 10, INACTIVE ones only."""
    given = request["taskDefinitions"]
    if len(given) > 10:
        raise invalid("Too many task definitions. The maximum is 10.")
    deleted, failures = [], []
    for name in given:
        found = _by_revision(state, name)
        if found is None or found.status == "ACTIVE":
            failures.append({"arn": name, "reason": _why_not(found)})
        else:
            found.status, found.delete_requested_at = "DELETE_IN_PROGRESS", now()
            deleted.append(view(found))
    return {"taskDefinitions": deleted, "failures": failures}


def _why_not(found: TaskDefinition | None) -> str:
    if found is None:
        return "The specified task definition does not exist. Specify a valid account, family, revision and try again."
    return (
        "The specified task definition is still in ACTIVE status. Please deregister the target and try again."
    )


def find(state: EcsState, given: str, message: str) -> TaskDefinition:
    """By ARN, ``family:revision`` or ``family`` (its latest ACTIVE one); ClientException with ``message``."""
    if ":" in last_part(given):
        found = _by_revision(state, given)
    else:
        revisions = state.families.get(last_part(given), [])
        found = next((one for one in reversed(revisions) if one.status == "ACTIVE"), None)
    if found is None:
        raise client_error(message)
    return found


def find_active(state: EcsState, given: str) -> TaskDefinition:
    """The task definition for a service or task; ClientException when it is missing or INACTIVE."""
    found = find(state, given, "TaskDefinition not found.")
    if found.status != "ACTIVE":
        raise client_error("TaskDefinition is inactive")
    return found


def _by_revision(state: EcsState, given: str) -> TaskDefinition | None:
    family, _, revision = last_part(given).partition(":")
    if not revision.isdigit():
        raise invalid(f"Invalid revision number. Number: {revision}")
    revisions = state.families.get(family, [])
    return revisions[int(revision) - 1] if 1 <= int(revision) <= len(revisions) else None


def view(found: TaskDefinition) -> dict[str, Any]:
    """The member ``taskDefinition`` of answers."""
    return {
        **found.body,
        "taskDefinitionArn": found.arn,
        "revision": found.revision,
        "status": found.status,
        "registeredAt": found.registered_at,
        "registeredBy": found.registered_by,
        **some(deregisteredAt=found.deregistered_at, deleteRequestedAt=found.delete_requested_at),
    }
