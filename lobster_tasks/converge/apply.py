"""Performs a plan along its dependencies."""

from __future__ import annotations

from collections.abc import Callable

from ..aws import Aws
from ..stack import Known, Live, Resource
from . import graph
from .planner import Change, Plan, refuse_impossible


def apply(aws: Aws, made: Plan, done: Callable[[Change], None]) -> None:
    """Make every change of the plan; ``done`` is told of each as it is finished, from any thread.

    Raises RefusedError before anything is changed where a resource would have to be replaced.
    """
    refuse_impossible(made)
    removing = any(change.action == "delete" for change in made.changes)
    by_resource = {change.resource: change for change in made.changes}
    live = dict(made.live)

    def perform(resource: Resource) -> None:
        change = by_resource[resource]
        live[resource] = _perform(aws, change, live)
        done(change)

    needs = _needed_by(by_resource) if removing else lambda resource: resource.needs
    graph.run(by_resource, needs, perform, lambda resource: resource.label, aws.clock)


def _perform(aws: Aws, change: Change, live: dict[Resource, Live | None]) -> Live | None:
    resource, found, known = change.resource, live[change.resource], Known(live)
    if change.action == "create" or found is None:
        return resource.create(aws, known)
    if change.action == "delete":
        resource.delete(aws, found)
        return None
    if change.action == "adopt":
        resource.adopt(aws, found)
    if change.changed:
        resource.update(aws, found, change.changed, known)
    return found


def _needed_by(resources: dict[Resource, Change]) -> Callable[[Resource], tuple[Resource, ...]]:
    """The graph upside down: what needs a resource goes before it."""
    return lambda resource: tuple(other for other in resources if resource in other.needs)
