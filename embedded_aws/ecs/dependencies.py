"""The order in which a task's containers start (API Reference, ContainerDependency).

They all stop at the same time; ECS stops them in reverse order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .model import ContainerState


def problem(containers: Sequence[Mapping[str, Any]]) -> str | None:
    """Why the containers could never all start: a dependency is missing, circular or impossible."""
    dependencies = {one["name"]: _needs(one) for one in containers}
    checks = {one["name"] for one in containers if "healthCheck" in one}
    for name, needs in dependencies.items():
        for need in needs:
            if need["containerName"] not in dependencies:
                return f"Container '{name}' depends on '{need['containerName']}', which is not in the task."
            if need["condition"] == "HEALTHY" and need["containerName"] not in checks:
                return f"Container '{need['containerName']}' must have a health check to become HEALTHY."
    return _circle(dependencies)


def _circle(dependencies: Mapping[str, Sequence[Mapping[str, Any]]]) -> str | None:
    left = dict(dependencies)
    while ready := [
        name for name, needs in left.items() if not {n["containerName"] for n in needs} & set(left)
    ]:
        for name in ready:
            del left[name]
    return f"Circular dependency among containers: {', '.join(sorted(left))}." if left else None


def ready(container: ContainerState, all_of: Sequence[ContainerState]) -> bool:
    """Whether all of a container's dependencies are met."""
    by_name = {one.name: one for one in all_of}
    return all(
        _is_met(by_name[need["containerName"]], need["condition"]) for need in _needs(container.definition)
    )


def impossible(container: ContainerState, all_of: Sequence[ContainerState]) -> str | None:
    """Why a container will never start: a container that had to succeed has failed."""
    by_name = {one.name: one for one in all_of}
    for need in container.definition.get("dependsOn", ()):
        other = by_name[need["containerName"]]
        if need["condition"] == "SUCCESS" and other.exit_code not in (None, 0):
            return f"Dependency failed: container {other.name} exited with {other.exit_code}"
        if need["condition"] == "HEALTHY" and other.exit_code is not None:
            return f"Dependency failed: container {other.name} exited before it was healthy"
    return None


def _needs(definition: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """dependsOn; a container whose volumes another one mounts starts before it, for they have what is in its image."""
    sources = (each["sourceContainer"] for each in definition["volumesFrom"])
    started = [{"containerName": name, "condition": "START"} for name in sources]
    return [*definition.get("dependsOn", ()), *started]


def _is_met(other: ContainerState, condition: str) -> bool:
    if condition == "START":
        return other.process is not None
    if condition == "HEALTHY":
        return other.health == "HEALTHY"
    return other.exit_code is not None if condition == "COMPLETE" else other.exit_code == 0
