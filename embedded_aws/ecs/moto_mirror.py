"""Mirrors ECS's resources into moto, for its tagging and auto scaling services.

These read moto's own ECS, which is otherwise empty; before they answer, it gets a copy of each resource.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..moto.adapter import ecs_backends
from .answers import tag_list
from .model import Cluster, EcsState, Service, Task, TaskDefinition


@dataclass
class MirroredResource:
    """One resource, with the attributes that moto reads and writes."""

    source: Cluster | Service | Task | TaskDefinition
    name: str = ""

    @property
    def arn(self) -> str:
        """The resource's ARN, under each of moto's names."""
        return self.source.arn

    physical_resource_id = task_arn = arn

    @property
    def tags(self) -> list[dict[str, str]]:
        """The resource's tags, in AWS's list form."""
        return tag_list(self.source.tags)

    @tags.setter
    def tags(self, given: list[dict[str, str]]) -> None:
        self.source.tags = {tag["key"]: tag["value"] for tag in given}


def reflect(state: EcsState) -> None:
    """Mirror all resources into moto's ECS of this account and region; call it with the lock held."""
    moto = ecs_backends[state.account][state.region]
    moto.clusters = {name: MirroredResource(one, name) for name, one in state.clusters.items()}
    moto.services = {
        f"{cluster}:{name}": MirroredResource(one, name)
        for (cluster, name), one in state.services.items()
        if one.status != "INACTIVE"
    }
    moto.tasks = {"": {one.arn: MirroredResource(one) for one in state.tasks.values()}}
    moto.task_definitions = {
        family: {one.revision: MirroredResource(one) for one in revisions if one.status == "ACTIVE"}
        for family, revisions in state.families.items()
    }
