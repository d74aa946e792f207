"""Validates RegisterTaskDefinition's input, and fills in defaults.

Sources: Amazon ECS API Reference, RegisterTaskDefinition; Developer Guide, "Amazon ECS task definition
differences for Fargate". Texts marked (own words) are used where AWS's are not known.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from ..agent.image_pull import ECR_IMAGE
from . import container_rules, dependencies, volume_rules
from .answers import client_error
from .volume_rules import NAME

ROLE = re.compile(r"^(arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+|[\w+=,.@-]{1,64})$")

_STEP = 1024
FARGATE_SIZES: dict[int, frozenset[int]] = {
    256: frozenset({512, 1024, 2048}),
    512: frozenset(range(1024, 4096 + 1, _STEP)),
    1024: frozenset(range(2048, 8192 + 1, _STEP)),
    2048: frozenset(range(4096, 16384 + 1, _STEP)),
    4096: frozenset(range(8192, 30720 + 1, _STEP)),
    8192: frozenset(range(16384, 61440 + 1, 4 * _STEP)),
    16384: frozenset(range(32768, 122880 + 1, 8 * _STEP)),
}
HEALTH_BOUNDS = {"interval": (5, 300), "timeout": (2, 60), "retries": (1, 10), "startPeriod": (0, 300)}
HEALTH_DEFAULTS = {"interval": 30, "timeout": 5, "retries": 3}
NOT_ON_FARGATE = (
    "privileged",
    "links",
    "dockerSecurityOptions",
    "disableNetworking",
    "extraHosts",
    "dnsServers",
)
ECHOED = (
    "family",
    "taskRoleArn",
    "executionRoleArn",
    "networkMode",
    "volumes",
    "placementConstraints",
    "requiresCompatibilities",
    "cpu",
    "memory",
    "pidMode",
    "ipcMode",
    "proxyConfiguration",
    "inferenceAccelerators",
    "ephemeralStorage",
    "runtimePlatform",
    "enableFaultInjection",
    "trustedExecutionConfiguration",
)


CONTAINERS_MOST = 10
"""Containers per task definition (Amazon ECS service quotas: 'Maximum number of containers … 10')."""

LARGEST = 65_536
"""Bytes per task definition (Amazon ECS service quotas: 'Task definition size limit 64 KB')."""


def checked(request: Mapping[str, Any], account: str) -> dict[str, Any]:
    """The task definition of ``request``, in the shape of DescribeTaskDefinition; ClientException for an invalid
    one."""
    if not NAME.match(request.get("family") or ""):
        raise client_error("Family contains invalid characters.")
    body = {name: request[name] for name in ECHOED if request.get(name) not in (None, "")}
    body["containerDefinitions"] = _containers(request.get("containerDefinitions") or [])
    body.setdefault("volumes", [])
    body.setdefault("placementConstraints", [])
    for role in ("taskRoleArn", "executionRoleArn"):
        if role in body:
            body[role] = _role(body[role], account)
    for name, convert in (("cpu", cpu_units), ("memory", memory_mib)):
        if name in body:
            body[name] = str(convert(body[name]))
    volume_rules.check_volumes(body)
    if "FARGATE" in body.get("requiresCompatibilities", ()):
        _check_fargate(body)
    container_rules.check_sizes(body)
    _check_secrets(body)
    _check_size(body)
    body["compatibilities"] = _compatibilities(body)
    body["requiresAttributes"] = [{"name": name} for name in _attributes(body)]
    return body


def cpu_units(given: str) -> int:
    """``"512"`` or ``"0.5 vCPU"`` as CPU units."""
    return _quantity(given, "vcpu", "cpu")


def memory_mib(given: str) -> int:
    """``"1024"`` or ``"1 GB"`` as MiB."""
    return _quantity(given, "gb", "memory")


def _quantity(given: str, unit: str, name: str) -> int:
    text = str(given).strip().lower()
    try:
        if text.endswith(unit):
            return round(float(text.removesuffix(unit)) * 1024)
        return int(text)
    except ValueError as error:
        raise client_error(f"Invalid '{name}' setting for task.") from error  # (own words)


def _role(given: str, account: str) -> str:
    if not ROLE.match(given):
        raise client_error("Role is not valid")
    return given if given.startswith("arn:") else f"arn:aws:iam::{account}:role/{given}"


def _containers(given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if not given:
        raise client_error("Container list cannot be empty.")
    if len(given) > CONTAINERS_MOST:
        raise client_error("Too many containers.")
    made = [_container(container) for container in given]
    names = [container["name"] for container in made]
    if len(set(names)) != len(names):
        raise client_error("Container.name contains duplicate values.")  # (own words)
    if not any(container["essential"] for container in made):
        raise client_error("A task definition must have at least one essential container.")  # (own words)
    volume_rules.check_sources(made)
    if problem := dependencies.problem(made):
        raise client_error(problem)  # (own words)
    return made


def _container(given: Mapping[str, Any]) -> dict[str, Any]:
    if not given.get("name"):
        raise client_error("Container.name should not be null or empty.")
    if not NAME.match(given["name"]):
        raise client_error("Container.name contains invalid characters.")
    if not given.get("image"):
        raise client_error("Container.image should not be null or empty.")
    empty: dict[str, Any] = {"environment": [], "mountPoints": [], "volumesFrom": [], "systemControls": []}
    made = {"cpu": 0, "portMappings": [], "essential": True, **empty, **given}
    container_rules.check_variables(made)
    if "healthCheck" in made:
        made["healthCheck"] = _health_check(made["healthCheck"])
    if not 0 <= made.get("stopTimeout", 30) <= 120:
        raise client_error("The Stop Timeout value must be between 0 and 120 seconds.")  # (own words)
    return made


def _health_check(given: Mapping[str, Any]) -> dict[str, Any]:
    made = {**HEALTH_DEFAULTS, **given}
    if not made["command"] or made["command"][0] not in ("CMD", "CMD-SHELL", "NONE"):
        raise client_error("The health check command must start with CMD or CMD-SHELL.")  # (own words)
    for name, (least, most) in HEALTH_BOUNDS.items():
        if not least <= made.get(name, least) <= most:
            raise client_error(f"The health check {name} must be between {least} and {most}.")  # (own words)
    return made


def _check_fargate(body: dict[str, Any]) -> None:
    if body.setdefault("networkMode", "awsvpc") != "awsvpc":
        raise client_error("Fargate only supports network mode ‘awsvpc’.")
    for name in ("cpu", "memory"):
        if name not in body:
            raise client_error(f"Fargate requires that '{name}' be defined at the task level.")
    cpu, memory = int(body["cpu"]), int(body["memory"])
    if memory not in FARGATE_SIZES.get(cpu, ()):
        raise client_error(
            f"No Fargate configuration exists for given values: {cpu} CPU, {memory} memory. See the Amazon ECS "
            "documentation for the valid values."
        )
    if body["placementConstraints"]:
        raise client_error("Fargate does not support placement constraints.")  # (own words)
    if not 21 <= body.get("ephemeralStorage", {}).get("sizeInGiB", 21) <= 200:
        raise client_error("Ephemeral storage must be between 21 and 200 GiB.")  # (own words)
    volume_rules.check_fargate(body)
    for container in body["containerDefinitions"]:
        _check_fargate_container(container, body)


def _check_fargate_container(container: dict[str, Any], body: Mapping[str, Any]) -> None:
    for name in NOT_ON_FARGATE:
        if container.get(name):
            raise client_error(f"Fargate does not support '{name}' on container '{container['name']}'.")
    container["portMappings"] = [_port_mapping(mapping) for mapping in container["portMappings"]]
    if "executionRoleArn" in body:
        return
    driver = container.get("logConfiguration", {}).get("logDriver")
    if ECR_IMAGE.match(container["image"]):
        raise client_error(
            "Fargate requires task definition to have execution role ARN to support ECR images."
        )
    if driver == "awslogs":
        raise client_error(
            "Fargate requires task definition to have execution role ARN to support log driver awslogs."
        )


def _port_mapping(given: Mapping[str, Any]) -> dict[str, Any]:
    port = given.get("containerPort")
    if port is None or not 1 <= port <= 65535:
        raise client_error("Invalid 'containerPort' setting for container.")  # (own words)
    if given.get("hostPort") not in (None, port):
        raise client_error(
            "When networkMode=awsvpc, the host ports and container ports in port mappings must match."
        )
    return {"protocol": "tcp", **given, "hostPort": port}


def _check_secrets(body: Mapping[str, Any]) -> None:
    if "executionRoleArn" not in body and any(c.get("secrets") for c in body["containerDefinitions"]):
        raise client_error(
            "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'."
        )


def _check_size(body: Mapping[str, Any]) -> None:
    """Check the size; how AWS serialises it is unknown, and compact JSON is the minimum."""
    size = len(json.dumps(body, ensure_ascii=False, separators=(",", ":"), default=str).encode())
    if size > LARGEST:
        raise client_error(f"Actual length: '{size}'. Max allowed length is '{LARGEST}' bytes.")


def _compatibilities(body: Mapping[str, Any]) -> list[str]:
    sized = "cpu" in body and "memory" in body
    fits = sized and int(body["memory"]) in FARGATE_SIZES.get(int(body["cpu"]), ())
    return ["EC2", "FARGATE"] if fits and body.get("networkMode") == "awsvpc" else ["EXTERNAL", "EC2"]


def _attributes(body: Mapping[str, Any]) -> Iterable[str]:
    """The attributes that a container instance would need (requiresAttributes)."""
    containers = body["containerDefinitions"]
    secret_sources = {
        "asm" if ":secretsmanager:" in secret["valueFrom"] else "ssm"
        for container in containers
        for secret in container.get("secrets", ())
    }
    agent, docker = "ecs.capability", "com.amazonaws.ecs.capability"
    attributes = {
        f"{docker}.logging-driver.awslogs": _logs(containers),
        f"{agent}.execution-role-awslogs": _logs(containers) and "executionRoleArn" in body,
        f"{docker}.ecr-auth": any(ECR_IMAGE.match(c["image"]) for c in containers),
        f"{docker}.docker-remote-api.1.19": _logs(containers),
        f"{agent}.secrets.asm.environment-variables": "asm" in secret_sources,
        f"{agent}.secrets.ssm.environment-variables": "ssm" in secret_sources,
        f"{docker}.task-iam-role": "taskRoleArn" in body,
        f"{agent}.container-health-check": any("healthCheck" in c for c in containers),
        f"{agent}.execution-role-ecr-pull": "executionRoleArn" in body,
        f"{docker}.docker-remote-api.1.18": True,
        f"{agent}.task-eni": body.get("networkMode") == "awsvpc",
        f"{agent}.extensible-ephemeral-storage": "ephemeralStorage" in body,
    }
    return (name for name, needed in attributes.items() if needed)


def _logs(containers: Iterable[Mapping[str, Any]]) -> bool:
    return any(c.get("logConfiguration", {}).get("logDriver") == "awslogs" for c in containers)
