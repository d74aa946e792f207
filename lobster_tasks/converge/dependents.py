"""Finds other users of the resources that the stack would delete."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..aws import Aws
from ..in_parallel import in_parallel
from ..stack import Live, LiveResources, Neighbours, Resource, Stack


def dependents(
    aws: Aws, stack: Stack, live: Mapping[Resource, Live | None]
) -> dict[Resource, tuple[str, ...]]:
    """For each resource of the stack's own, what others have in it or use it for, in words; mostly empty."""
    known = LiveResources(live)
    ours = [each for each in known if each.taggable and each.is_ours(known[each]) and not known[each].adopted]
    neighbours = Neighbours.of(aws, stack.names) if ours else Neighbours(aws)

    def looking_at(resource: Resource) -> Callable[[], tuple[str, ...]]:
        return lambda: resource.used_by(neighbours, known[resource], known)

    found = in_parallel(*map(looking_at, ours))
    return {resource: words for resource, words in zip(ours, found, strict=True) if words}
