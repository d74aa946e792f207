"""ECS Exec: its agent in the containers of a task, and ExecuteCommand.

Sources: Developer Guide, "Monitor Amazon ECS containers with ECS Exec"; API Reference, ExecuteCommand. The
embedded AWS has no Systems Manager sessions. Where tasks are containers of an engine, the session's ``streamUrl`` is
``exec:`` with a JSON list, percent-encoded: the words that open the session on a terminal of this machine. Where they
are processes, the session cannot be used.
"""

from __future__ import annotations

import json
import secrets
import shlex
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from ..iam import roles
from ..moto.adapter import AwsError
from . import clusters, names
from .answers import invalid
from .model import ContainerState, EcsState, Task

AGENT = "ExecuteCommandAgent"
ACTIONS = (
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
)
"""The agent's actions, with the task role."""

NOT_ENABLED = (
    "The execute command failed because execute command was not enabled when the task was run or the execute command "
    "agent isn’t running. Wait and try again or run a new task with execute command enabled and try again."
)
NOT_CONNECTED = "The execute command failed due to an internal error. Try again later."


def run(state: EcsState, request: Mapping[str, Any]) -> dict[str, Any]:
    """ExecuteCommand: a session in a container whose agent is running and may call Systems Manager."""
    cluster = clusters.active(state, request.get("cluster"))
    task = state.tasks.get(names.last_part(request["task"]))
    if task is None or task.cluster is not cluster:
        raise invalid("The referenced task was not found.")
    container = _container(task, request.get("container"))
    if not request["interactive"]:
        raise invalid("Interactive is the only mode supported currently.")
    if not task.exec_enabled or container.last_status != "RUNNING":
        raise invalid(NOT_ENABLED)
    if not _reaches_systems_manager(state, task):
        raise AwsError("TargetNotConnectedException", NOT_CONNECTED)
    return {
        "clusterArn": cluster.arn,
        "taskArn": task.arn,
        "containerArn": container.arn,
        "containerName": container.name,
        "interactive": True,
        "session": _session(state, container, request["command"]),
    }


def agents(task: Task, container: ContainerState) -> dict[str, Any]:
    """The member ``managedAgents`` of a container, if its task was started with execute command."""
    if not task.exec_enabled:
        return {}
    agent = {"name": AGENT, "lastStatus": container.last_status}
    started = {"lastStartedAt": task.times["startedAt"]} if "startedAt" in task.times else {}
    return {"managedAgents": [agent | started]}


def _container(task: Task, name: str | None) -> ContainerState:
    if name is None and len(task.containers) > 1:
        raise invalid("A container name must be specified for a task with several containers.")  # (own words)
    found = next((each for each in task.containers if name in (None, each.name)), None)
    if found is None:
        raise invalid("The referenced container was not found.")  # (own words)
    return found


def _reaches_systems_manager(state: EcsState, task: Task) -> bool:
    role = task.overrides.get("taskRoleArn") or task.definition.body.get("taskRoleArn")
    return role is not None and all(
        roles.role_allows(state.account, role, action).allowed for action in ACTIONS
    )


def _session(state: EcsState, container: ContainerState, command: str) -> dict[str, str]:
    name = f"ecs-execute-command-{secrets.token_hex(13)}"
    url = f"wss://ssmmessages.{state.region}.amazonaws.com/v1/data-channel/{name}?role=publish_subscribe"
    if words := container.process and container.process.terminal(shlex.split(command)):
        url = f"exec:{quote(json.dumps(words))}"
    return {"sessionId": name, "streamUrl": url, "tokenValue": secrets.token_urlsafe(48)}
