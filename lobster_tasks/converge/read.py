"""Reads a stack's resources from the account, in parallel."""

from __future__ import annotations

from collections.abc import Mapping

from ..aws import Aws
from ..stack import Live, LiveResources, Resource, Stack
from . import graph


def read(
    aws: Aws, stack: Stack, before: Mapping[Resource, Live | None] | None = None
) -> dict[Resource, Live | None]:
    """Every resource as it is now; None for one that does not exist. Changes nothing.

    ``before`` are resources that were read already.
    """
    found: dict[Resource, Live | None] = dict(before or {})

    def look(resource: Resource) -> None:
        found[resource] = resource.read(aws, LiveResources(found))

    graph.run(
        stack.resources,
        lambda each: each.dependencies,
        look,
        lambda each: each.label,
        aws.clock,
        changes=False,
    )
    return {resource: found[resource] for resource in stack.resources}
