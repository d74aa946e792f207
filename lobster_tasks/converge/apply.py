"""Makes the changes of a plan in the order of the dependencies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from ..aws import Aws
from ..errors import AwsCallError
from ..settings import ADOPTED_TAG
from ..stack import Live, LiveResources, Resource
from . import graph
from .planner import Change, Plan, differences, refuse_impossible

# AWS's answers for a name that exists already: error codes, and a text that the message contains.
_TAKEN = {
    "DistributionAlreadyExists": "",
    "DuplicateListener": "",
    "DuplicateLoadBalancerName": "",
    "DuplicateTargetGroupName": "",
    "EntityAlreadyExists": "",
    "InvalidGroup.Duplicate": "",
    "InvalidParameterException": "Creation of service was not idempotent",
    "RepositoryAlreadyExistsException": "",
    "ResourceAlreadyExistsException": "",
    "WAFDuplicateItemException": "",
}


def apply(aws: Aws, made: Plan, done: Callable[[Change], None]) -> None:
    """Make every change of the plan; ``done`` is called after each change, from any thread.

    Resources that AWS may deny to the account come first, because only creating them shows it.
    Raises RefusedError before anything is changed where a resource would have to be replaced.
    """
    refuse_impossible(made)
    by_resource = {change.resource: change for change in made.changes}
    going = ("delete", "release")
    removed = [resource for resource, change in by_resource.items() if change.action in going]
    kept = [resource for resource in by_resource if resource not in removed]
    live = dict(made.live)

    def perform(resource: Resource) -> None:
        change = by_resource[resource]
        live[resource] = _perform(aws, change, live)
        done(change)

    for part in _parts(kept):
        graph.run(part, lambda each: each.all_dependencies, perform, lambda each: each.label, aws.clock)
    graph.run(removed, _needed_by(removed), perform, lambda resource: resource.label, aws.clock)


def _parts(kept: Sequence[Resource]) -> tuple[list[Resource], list[Resource]]:
    """The resources that AWS may deny to the account with all their dependencies, and the others."""
    held = [each for each in kept if each.may_be_denied]
    first = {*held, *(needed for each in held for needed in each.all_dependencies)}
    return [each for each in kept if each in first], [each for each in kept if each not in first]


def _perform(aws: Aws, change: Change, live: dict[Resource, Live | None]) -> Live | None:
    resource, found, known = change.resource, live[change.resource], LiveResources(live)
    if change.action == "create" or found is None:
        return _create(aws, resource, known)
    if change.action == "delete":
        resource.delete(aws, found)
        return None
    if change.action == "release":
        if change.withdraws:
            resource.withdraw(aws, found, known)
        resource.release(aws, found)
        return found
    if change.action == "adopt":
        resource.adopt(aws, found)
        found = replace(found, tags={**found.tags, **resource.tags, ADOPTED_TAG: resource.stack})
    return resource.update(aws, found, change.changed, known) if change.changed else found


def _create(aws: Aws, resource: Resource, known: LiveResources) -> Live:
    """Create a resource. One that exists by now and has our tag is used: an answer was lost, or it was created
    meanwhile."""
    try:
        return resource.create(aws, known)
    except AwsCallError as refused:
        found = resource.read(aws, known) if _is_taken(refused) else None
        if found is None or not resource.is_ours(found):
            raise
    missing = frozenset(each.attribute for each in differences(resource, found, known))
    return resource.update(aws, found, missing, known) if missing else found


def _is_taken(refused: AwsCallError) -> bool:
    return refused.code in _TAKEN and _TAKEN[refused.code] in refused.why


def _needed_by(resources: Sequence[Resource]) -> Callable[[Resource], tuple[Resource, ...]]:
    """The reversed graph: the resources that depend on one are removed before it."""
    return lambda resource: tuple(other for other in resources if resource in other.all_dependencies)
