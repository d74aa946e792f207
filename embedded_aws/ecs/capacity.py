"""Whether Fargate has room for one more task, and on which capacity provider it will run.

Room is lacking where a fault rule says so (``faults``), and where this machine has none. Source of the texts:
Developer Guide, "Viewing Amazon ECS service event messages" and "Amazon ECS API failure reasons".
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from ..kernel.world import current
from . import texts
from .model import Placement, Room, Task, TaskDefinition

log = logging.getLogger(__name__)

ON_DEMAND = "FARGATE"
QUOTA, QUOTA_OF_A_YOUNG_ACCOUNT = 4000.0, 6.0
"""vCPUs at once: what accounts have that have been used for long, and what they begin with."""
MOST_TASKS = 250
"""Of all accounts at once: each is at least one process of this machine, with its threads and memory."""


def provider(room: Room, strategy: Sequence[Mapping[str, Any]]) -> str | None:
    """The capacity provider of the next task: bases first, then by weight; None where no strategy is given."""
    if not strategy:
        return None
    using = [task.capacity_provider for task in room.tasks.values() if task.live]
    for item in strategy:
        if using.count(item["capacityProvider"]) < item.get("base", 0):
            return str(item["capacityProvider"])
    weighted = [item for item in strategy if item.get("weight", 0) > 0] or list(strategy)
    return str(
        min(weighted, key=lambda i: using.count(i["capacityProvider"]) / max(1, i.get("weight", 0)))[
            "capacityProvider"
        ]
    )


def refusal(room: Room, definition: TaskDefinition, placement: Placement, count: int = 1) -> str | None:
    """Why Fargate cannot take ``count`` more tasks now; None when it can."""
    world = current()
    if world.faults.holds("fargate"):
        return texts.BLOCKED
    wanted = provider(room, placement.strategy) or ON_DEMAND
    if world.faults.lacks_capacity(wanted, world.pace.speed):
        return texts.NO_CAPACITY
    made = [task.created_at.timestamp() for task in room.tasks.values() if _provider(task) == wanted]
    if count > world.faults.capacity_left(wanted, made):
        return texts.NO_CAPACITY
    if _used(room, wanted) + count * _vcpus(definition) > quota(wanted):
        return texts.VCPU_LIMIT
    if world.fargate.count_tasks() + count > MOST_TASKS:
        log.warning("no more than %d tasks are run on this machine at once", MOST_TASKS)
        return texts.NO_CAPACITY
    return None


def quota(wanted: str) -> float:
    """How many vCPUs the tasks of a capacity provider may have at once."""
    world = current()
    return min(world.faults.vcpu_quota(wanted), QUOTA_OF_A_YOUNG_ACCOUNT if world.young else QUOTA)


def _used(room: Room, wanted: str) -> float:
    return sum(_vcpus(task.definition) for task in room.tasks.values() if _counts(task, wanted))


def _counts(task: Task, wanted: str) -> bool:
    return task.last_status != "STOPPED" and _provider(task) == wanted


def _provider(task: Task) -> str:
    return task.capacity_provider or ON_DEMAND


def _vcpus(definition: TaskDefinition) -> float:
    return int(definition.body["cpu"]) / 1024
