"""The HTTP endpoint for tasks: metadata (version 4), and the task role's credentials.

Source: Developer Guide, "Amazon ECS task metadata endpoint version 4" and "Amazon ECS task IAM role". On
Fargate both are at 169.254.170.2; here they are below ``/_embedded/tasks/<task id>``, and environment variables of
each container contain the URLs.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ..moto.adapter import sts_backends
from .model import ContainerState, EcsState, Task

SESSION = 6 * 3600
"""Seconds for which credentials are valid."""


def environment(url: str, task: Task, container: ContainerState) -> dict[str, str]:
    """The environment variables with a container's endpoint URLs."""
    base = f"{url}/_embedded/tasks/{task.id}"
    found = {"ECS_CONTAINER_METADATA_URI_V4": f"{base}/v4/{container.name}"}
    if _role(task):
        found["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = f"{base}/credentials"
    return found


def answer(state: EcsState, task: Task, path: str) -> Mapping[str, Any] | None:
    """The answer for ``path`` (below the task); None for an unknown path."""
    kind, _, rest = path.partition("/")
    if kind == "credentials":
        role = _role(task)
        return role_credentials(state.account, state.region, role, task.id) if role else None
    name, _, what = rest.partition("/")
    container = next((one for one in task.containers if one.name == name), None)
    if kind != "v4" or container is None or what not in ("", "task"):
        return None
    return _task(task) if what == "task" else _container(task, container)


def _role(task: Task) -> str | None:
    role: str | None = task.overrides.get("taskRoleArn") or task.definition.body.get("taskRoleArn")
    return role


def role_credentials(account: str, region: str, role: str, session: str) -> dict[str, Any]:
    """Temporary credentials of a role, in the shape for containers."""
    made = sts_backends[account]["aws"].assume_role(
        region_name=region,
        role_session_name=session,
        role_arn=role,
        policy="",
        duration=SESSION,
        external_id="",
    )
    return {
        "RoleArn": role,
        "AccessKeyId": made.access_key_id,
        "SecretAccessKey": made.secret_access_key,
        "Token": made.session_token,
        "Expiration": made.expiration.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _task(task: Task) -> dict[str, Any]:
    body = task.definition.body
    return {
        "Cluster": task.cluster.arn,
        "TaskARN": task.arn,
        "Family": task.definition.family,
        "Revision": str(task.definition.revision),
        "DesiredStatus": "RUNNING" if task.order is None else "STOPPED",
        "KnownStatus": task.last_status,
        "Limits": {"CPU": int(body["cpu"]) / 1024, "Memory": int(body["memory"])},
        "PullStartedAt": _time(task.times.get("pullStartedAt")),
        "PullStoppedAt": _time(task.times.get("pullStoppedAt")),
        "AvailabilityZone": task.interface.zone if task.interface else None,
        "LaunchType": "FARGATE",
        "Containers": [_container(task, container) for container in task.containers],
        **({"ServiceName": task.service.name} if task.service else {}),
    }


def _container(task: Task, container: ContainerState) -> dict[str, Any]:
    labels = {
        "com.amazonaws.ecs.cluster": task.cluster.arn,
        "com.amazonaws.ecs.container-name": container.name,
        "com.amazonaws.ecs.task-arn": task.arn,
        "com.amazonaws.ecs.task-definition-family": task.definition.family,
        "com.amazonaws.ecs.task-definition-version": str(task.definition.revision),
    }
    logs = container.definition.get("logConfiguration", {})
    return {
        "DockerId": container.runtime_id,
        "Name": container.name,
        "DockerName": container.name,
        "Image": container.definition["image"],
        "ImageID": container.digest,
        "Labels": labels,
        "DesiredStatus": "RUNNING" if task.order is None else "STOPPED",
        "KnownStatus": container.last_status,
        "Limits": {"CPU": container.definition["cpu"]},
        "CreatedAt": _time(task.times.get("pullStoppedAt")),
        "StartedAt": _time(task.times.get("pullStoppedAt")),
        "Type": "NORMAL",
        "LogDriver": logs.get("logDriver"),
        "LogOptions": logs.get("options"),
        "ContainerARN": container.arn,
        "Networks": _networks(task),
    }


def _networks(task: Task) -> list[dict[str, Any]]:
    if task.interface is None:
        return []
    return [
        {
            "NetworkMode": "awsvpc",
            "IPv4Addresses": [task.interface.private_ip],
            "MACAddress": task.interface.mac,
            "PrivateDNSName": task.interface.private_dns,
        }
    ]


def _time(at: datetime | None) -> str | None:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if at else None
