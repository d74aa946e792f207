"""Operations on tasks: run, stop, describe, list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..moto.adapter import AwsError
from . import clusters, launch, names, network, service_rules, task_definitions, texts, views
from .answers import client_error, invalid, page, tags_of
from .model import EcsState, Placement, Task, TaskDefinition
from .scheduler import Fargate

ID_LENGTHS = (32, 36)
"""Characters of a task's id, new and old."""


def run(fargate: Fargate, state: EcsState, request: Mapping[str, Any]) -> dict[str, Any]:
    """RunTask: at most 10 at once."""
    count = request.get("count") or 1
    if not 1 <= count <= 10:
        raise invalid("count must be between 1 and 10.")
    cluster = clusters.active(state, request.get("cluster"))
    definition = task_definitions.find_active(state, request["taskDefinition"])
    launch_type, strategy = service_rules.launch(request, cluster, definition)
    version = service_rules.platform_version(request.get("platformVersion"))
    placement = Placement(network.awsvpc(state, request), (), launch_type, strategy, version)
    overrides = _overrides(request.get("overrides") or {}, definition)
    if state.plane.faults.holds("fargate"):
        raise AwsError("BlockedException", texts.BLOCKED)
    refused = launch.refusal(state, definition) or fargate.capacity.refusal(
        state, definition, placement, count
    )
    if refused:
        raise client_error(refused)
    more = {
        "overrides": overrides,
        "started_by": request.get("startedBy"),
        "exec_enabled": bool(request.get("enableExecuteCommand")),
        "tags": _tags(request, definition, cluster.name),
        "group": request.get("group") or f"family:{definition.family}",
    }
    made = [fargate.start_alone(state, cluster, definition, placement, more) for _ in range(count)]
    return {"tasks": [views.task(task, ("TAGS",)) for task in made], "failures": []}


def _overrides(given: Mapping[str, Any], definition: TaskDefinition) -> dict[str, Any]:
    known = {container["name"] for container in definition.containers}
    for item in given.get("containerOverrides", ()):
        if item.get("name") not in known:
            raise client_error(
                f"Override for container named {item.get('name')} is not a container in the TaskDefinition."
            )
    return dict(given)


def _tags(request: Mapping[str, Any], definition: TaskDefinition, cluster: str) -> dict[str, str]:
    own = definition.tags if request.get("propagateTags") == "TASK_DEFINITION" else {}
    managed = {"aws:ecs:clusterName": cluster} if request.get("enableECSManagedTags") else {}
    return {**own, **tags_of(request.get("tags")), **managed}


def stop(_fargate: Fargate, state: EcsState, request: Mapping[str, Any]) -> dict[str, Any]:
    """StopTask: the task stops as UserInitiated; a service starts another."""
    cluster = clusters.find(state, request.get("cluster"))
    _check_id(request["task"])
    task = state.tasks.get(names.last_part(request["task"]))
    if task is None or task.cluster is not cluster:
        raise invalid("The referenced task was not found.")
    task.stop("UserInitiated", request.get("reason") or "Task stopped by user")
    return {"task": views.task(task, ("TAGS",))}


def describe(state: EcsState, request: Mapping[str, Any]) -> dict[str, Any]:
    """DescribeTasks: at most 100; missing ones are failures."""
    cluster = clusters.find(state, request.get("cluster"))
    requested = request.get("tasks") or []
    if not requested:
        raise invalid("Tasks cannot be empty.")
    if len(requested) > 100:
        raise invalid("Tasks cannot have more than 100 elements.")
    for given in requested:
        _check_id(given)
    found, failures = [], []
    for given in requested:
        task = state.tasks.get(names.last_part(given))
        if task is None or task.cluster is not cluster:
            arn = given if given.startswith("arn:") else state.arn(f"task/{cluster.name}/{given}")
            failures.append({"arn": arn, "reason": "MISSING"})
        else:
            found.append(views.task(task, request.get("include") or ()))
    return {"tasks": found, "failures": failures}


def _check_id(given: str) -> None:
    """Refuse a task's id or ARN whose id is not as long as one."""
    if len(names.last_part(given)) not in ID_LENGTHS:
        raise invalid(f"taskId length should be one of [{','.join(map(str, ID_LENGTHS))}]")


def list_arns(state: EcsState, request: Mapping[str, Any]) -> dict[str, Any]:
    """ListTasks: by desired status (by default RUNNING), service, family, startedBy, launch type."""
    cluster = clusters.find(state, request.get("cluster"))
    if request.get("serviceName") and request.get("startedBy"):
        raise invalid("cannot specify both serviceName and startedBy")
    name = request.get("serviceName")
    if name and (cluster.name, names.last_part(name)) not in state.services:
        raise AwsError("ServiceNotFoundException", "Service not found.")
    found = [task.arn for task in state.tasks.values() if task.cluster is cluster and _matches(task, request)]
    arns, more = page(found, request)
    return {"taskArns": arns, **more}


def _matches(task: Task, request: Mapping[str, Any]) -> bool:
    desired = "RUNNING" if task.order is None else "STOPPED"
    if desired != (request.get("desiredStatus") or "RUNNING"):
        return False
    actual = {
        "serviceName": task.service.name if task.service else None,
        "family": task.definition.family,
        "startedBy": task.started_by,
        "launchType": "FARGATE",
    }
    filters = {member: request.get(member) for member in actual}
    return all(
        not value or names.last_part(value) == names.last_part(actual[m] or "")
        for m, value in filters.items()
    )
