"""Validates the containers of a task definition: names of variables, memory and CPU units.

Sources are in ``tests/embedded/test_conformance_ecs_task_definitions.py``. Texts that are not AWS's own are marked
(own words).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .answers import client_error

Container = Mapping[str, Any]


def check_variables(container: Container) -> None:
    """Raise ClientException for invalid names of variables, and for secrets with the same name."""
    variables = [each.get("name") or "" for each in container.get("environment") or ()]
    secrets = [each["name"] for each in container.get("secrets") or ()]
    for name in (*variables, *secrets):
        if not name or "=" in name or "\0" in name:
            raise client_error(f"Environment variable name '{name}' is not valid.")  # (own words)
    shared = next((each for each in secrets if each in variables or secrets.count(each) > 1), None)
    if shared is not None:
        raise client_error(
            "The secret name must be unique and not shared with any new or existing environment variables set on "
            f"the container, such as '{shared}'."
        )


def check_sizes(body: Mapping[str, Any]) -> None:
    """Raise ClientException where a container's memory, or the sum of all, exceeds the task's."""
    containers: list[Container] = body["containerDefinitions"]
    for each in containers:
        _check_memory(each, body.get("memory"))
    if "cpu" in body and sum(each["cpu"] for each in containers) > int(body["cpu"]):
        raise client_error(
            "The sum of all container 'cpu' values cannot be greater than the value of the task 'cpu'."
        )
    if "memory" in body and sum(map(_reserved, containers)) > int(body["memory"]):
        raise client_error(
            "The sum of all container 'memory' values cannot be greater than the value of the task 'memory'."
        )  # (own words)


def _check_memory(container: Container, of_task: str | None) -> None:
    hard, soft = container.get("memory"), container.get("memoryReservation")
    if min(container["cpu"], hard or 0, soft or 0) < 0:
        raise client_error(f"Invalid setting for container '{container['name']}'.")  # (own words)
    if of_task is None and not hard and not soft:
        raise client_error(
            f"Invalid setting for container '{container['name']}'. At least one of 'memory' or 'memoryReservation' "
            "must be specified."
        )
    if of_task is not None and max(hard or 0, soft or 0) > int(of_task):
        raise client_error(
            f"The 'memory' setting for container '{container['name']}' is greater than for the task."
        )
    if hard and soft and soft > hard:
        raise client_error(
            f"Invalid setting for container '{container['name']}'. 'memory' must be greater than 'memoryReservation'."
        )  # (own words)


def _reserved(container: Container) -> int:
    return int(container.get("memoryReservation") or container.get("memory") or 0)
