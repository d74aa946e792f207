"""Finds the container that ended a task. Pure.

ECS says that an essential container exited, but not which one; the exit codes of the others result from being
stopped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ...definition import containers
from ..observation.snapshot import Container, Task

# SIGKILL and SIGTERM, with which ECS stops the remaining containers.
_TOLD = (137, 143)
_OUT_OF_MEMORY = "OutOfMemoryError"


def culprit(definition: Mapping[str, Any], task: Task) -> Container | None:
    """The container that ended ``task``; None where none did.

    In this order: one that ran out of memory, one that others depend on, an essential one; of several, the first that
    failed by itself.
    """
    for likely in (_out_of_memory, _awaited, _essential, _any):
        if found := _worst(likely(definition, task)):
            return found
    return None


def _worst(ended: Iterable[Container]) -> Container | None:
    every = list(ended)
    failed = [each for each in every if each.exit_code]
    by_itself = [each for each in every if each.exit_code not in _TOLD]
    ranked = ([each for each in failed if each in by_itself], by_itself, every)
    return next((group[0] for group in ranked if group), None)


def _out_of_memory(_: Mapping[str, Any], task: Task) -> list[Container]:
    return [each for each in task.containers if _OUT_OF_MEMORY in each.reason]


def _awaited(definition: Mapping[str, Any], task: Task) -> list[Container]:
    """Containers that had to succeed, or be healthy, before others could start, and did not."""
    needs = [need for each in containers(definition) for need in each.get("dependsOn") or ()]
    success = {need["containerName"] for need in needs if need["condition"] == "SUCCESS"}
    health = {need["containerName"] for need in needs if need["condition"] == "HEALTHY"}
    never_started = any(each.exit_code is None for each in task.containers)
    return [
        each
        for each in _any(definition, task)
        if (each.name in success and each.exit_code) or (each.name in health and never_started)
    ]


def _essential(definition: Mapping[str, Any], task: Task) -> list[Container]:
    optional = {each["name"] for each in containers(definition) if each.get("essential") is False}
    return [each for each in _any(definition, task) if each.name not in optional]


def _any(_: Mapping[str, Any], task: Task) -> list[Container]:
    return [each for each in task.containers if each.exit_code is not None]
