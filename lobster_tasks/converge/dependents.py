"""Who else uses what the stack would delete."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..aws import Aws
from ..stack import Known, Live, Neighbours, Resource, Stack
from ..together import together


def dependents(
    aws: Aws, stack: Stack, live: Mapping[Resource, Live | None]
) -> dict[Resource, tuple[str, ...]]:
    """What others have in each resource of the stack's own, or use it for, in words; nothing for most of them."""
    known = Known(live)
    ours = [each for each in known if each.taggable and each.is_ours(known[each]) and not known[each].adopted]
    families = [each.name for each in stack.resources if each.kind == "task definition"]
    neighbours = Neighbours.of(aws, *families) if ours else Neighbours(aws)

    def looking_at(resource: Resource) -> Callable[[], tuple[str, ...]]:
        return lambda: resource.others(neighbours, known[resource], known)

    found = together(*map(looking_at, ours))
    return {resource: words for resource, words in zip(ours, found, strict=True) if words}
