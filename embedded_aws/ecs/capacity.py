"""Decides whether Fargate has capacity for a task, and on which capacity provider it runs.

Capacity is missing where a fault rule says so (``faults``), and where this machine has none. Source of the texts:
Developer Guide, "Viewing Amazon ECS service event messages" and "Amazon ECS API failure reasons".
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..kernel.data_plane import DataPlane
from . import texts
from .model import EcsState, Placement, Task, TaskDefinition

log = logging.getLogger(__name__)

ON_DEMAND = "FARGATE"
QUOTA, QUOTA_OF_A_YOUNG_ACCOUNT = 4000.0, 6.0
"""vCPUs at once: the quota of established accounts, and that of new ones."""
MOST_TASKS = 250
"""Tasks of all accounts at once: each is at least one process of this machine, with threads and memory."""


def provider(state: EcsState, strategy: Sequence[Mapping[str, Any]]) -> str | None:
    """The capacity provider of the next task: bases first, then by weight; None without a strategy."""
    if not strategy:
        return None
    using = [task.capacity_provider for task in state.tasks.values() if task.live]
    for item in strategy:
        if using.count(item["capacityProvider"]) < item.get("base", 0):
            return str(item["capacityProvider"])
    weighted = [item for item in strategy if item.get("weight", 0) > 0] or list(strategy)
    return str(
        min(weighted, key=lambda i: using.count(i["capacityProvider"]) / max(1, i.get("weight", 0)))[
            "capacityProvider"
        ]
    )


class Capacity:
    """Fargate's remaining capacity; ``count_tasks`` returns the number of tasks of all accounts that have not
    stopped."""

    def __init__(self, plane: DataPlane, count_tasks: Callable[[], int]) -> None:
        self._plane = plane
        self._count_tasks = count_tasks

    def refusal(
        self, state: EcsState, definition: TaskDefinition, placement: Placement, count: int = 1
    ) -> str | None:
        """Why Fargate cannot run ``count`` more tasks now; None when it can."""
        faults = self._plane.faults
        if faults.holds("fargate"):
            return texts.BLOCKED
        capacity_provider = provider(state, placement.strategy) or ON_DEMAND
        if faults.lacks_capacity(capacity_provider, self._plane.pace.speed):
            return texts.NO_CAPACITY
        made = [
            task.created_at.timestamp()
            for task in state.tasks.values()
            if _provider(task) == capacity_provider
        ]
        if count > faults.capacity_left(capacity_provider, made):
            return texts.NO_CAPACITY
        if _used(state, capacity_provider) + count * _vcpus(definition) > self.quota(capacity_provider):
            return texts.VCPU_LIMIT
        if self._count_tasks() + count > MOST_TASKS:
            log.warning("no more than %d tasks are run on this machine at once", MOST_TASKS)
            return texts.NO_CAPACITY
        return None

    def quota(self, capacity_provider: str) -> float:
        """How many vCPUs the tasks of a capacity provider may use at once."""
        most = QUOTA_OF_A_YOUNG_ACCOUNT if self._plane.young else QUOTA
        return min(self._plane.faults.vcpu_quota(capacity_provider), most)


def _used(state: EcsState, capacity_provider: str) -> float:
    return sum(_vcpus(task.definition) for task in state.tasks.values() if _counts(task, capacity_provider))


def _counts(task: Task, capacity_provider: str) -> bool:
    return task.last_status != "STOPPED" and _provider(task) == capacity_provider


def _provider(task: Task) -> str:
    return task.capacity_provider or ON_DEMAND


def _vcpus(definition: TaskDefinition) -> float:
    return int(definition.body["cpu"]) / 1024
