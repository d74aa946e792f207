"""Finds whom a plan lets in who was kept out before. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Any

from ..stack import Live, LiveResources, Resource, Stack
from ..stack.doors import Door, Range, Rule, doors, let_in, outside, shared, uncovered
from .planner import Change, Opening, Plan, Widening, is_of_the_stack

_MADE = ("create", "update", "adopt")
# The kinds that make a door.
_OF_DOORS = frozenset(
    {
        *("security-group", "load-balancer", "listener", "web-ACL-association"),
        *("IP-set", "web-ACL", "distribution"),
    }
)


def other_doors(stack: Stack, made: Plan) -> Stack:
    """What makes doors and is not in a slice, with its dependencies; nothing where the slice's plan changes no door.

    A slice is compared with all doors: visitors whom it lets in may be let in elsewhere, and a door that it leaves out
    may depend on what it changes.
    """
    if not any(each.resource.kind in _OF_DOORS for each in made.changes):
        return Stack(stack.name, ())
    return Stack(stack.name, stack.others).slice(_OF_DOORS)


def with_openings(made: Plan, others: Mapping[Resource, Live | None] | None = None) -> Plan:
    """The plan with its ``openings``, and with what the load balancer that another one replaces lets in.

    ``others`` is what there is of ``other_doors``, which the plan does not change.
    """
    whole = replace(made, live={**made.live, **(others or {})})
    before, after = _doors_before(whole), _doors_after(whole)
    opened = _openings(whole, before, after)
    told = {each.label for each in opened}
    widened = tuple(each for each in _widenings(made) if each.direction == "out" or each.label not in told)
    return replace(made, openings=opened, widenings=widened, former_lets_in_more=_keeps_more(after))


def _widenings(made: Plan) -> Iterator[Widening]:
    """What the plan lets through the security groups that there are, beyond what they let through now."""
    known = LiveResources(made.live)
    for change in made.changes:
        resource: Any = change.resource
        found = known.get(resource)
        if resource.kind != "security-group" or change.action not in _MADE or found is None:
            continue
        for direction, rules in resource.widened(found, change.changed, known).items():
            attribute = "egress" if direction == "out" else "ingress"
            yield Widening(resource.label, direction, rules, found.attributes[attribute])


def _openings(made: Plan, before: Collection[Door], after: Collection[Door]) -> tuple[Opening, ...]:
    """What the plan opens; empty where it creates the first door of all, which is there to be used."""
    if not before and _is_first(made):
        return ()
    there = {each.label for each, found in made.live.items() if found}
    there |= {each.resource.label for each in made.changes}
    found = (opening for door in after for opening in _reasons(door, before, there))
    return tuple({(each.rule, each.label): each for each in found}.values())


def _keeps_more(after: Collection[Door]) -> bool:
    """Whether the doors of a load balancer that another one replaces let in visitors whom the new doors keep out;
    not told of a slice in which the new ones are not."""
    new = [each for each in after if not each.former]
    return bool(new) and any(uncovered(each, new) for each in after if each.former)


def _doors_before(made: Plan) -> tuple[Door, ...]:
    """The doors that there are."""
    return doors(_known(made))


def _doors_after(made: Plan) -> tuple[Door, ...]:
    """The doors once the plan is carried out."""
    changes, live = {each.resource: each for each in made.changes}, LiveResources(made.live)
    known = _known(made).items()
    return doors({each: _afterwards(each, found, changes.get(each), live) for each, found in known})


def _reasons(door: Door, before: Collection[Door], there: Collection[str]) -> Iterator[Opening]:
    """Why a door lets in more than those before together; nothing where it does not. ``there``: the labels of what
    exists or will."""
    if not (more := uncovered(door, before)):
        return
    by_address = let_in(door, before, ("web-acl", "sign-in"))
    common = shared(door.ranges, by_address)
    ranges: dict[Rule, tuple[Range, ...]] = {
        "addresses": outside(door.ranges, by_address),
        "web-acl": outside(common, let_in(door, before, ("sign-in",))),
        "sign-in": outside(common, let_in(door, before, ("web-acl",))),
    }
    if not any(ranges.values()):  # either of them was enough to keep somebody out
        ranges = {"web-acl": more, "sign-in": more}
    for rule, its in ranges.items():
        if its:
            label = door.decided_by.get(rule, door.label)
            yield Opening(rule, label if label in there else door.label, door, its)


def _known(made: Plan) -> dict[Resource, Live | None]:
    """What makes doors; without what only has the name that a second load balancer would get."""
    known = LiveResources(made.live)
    return {
        each: None if each.former and found and not is_of_the_stack(each, known) else found
        for each, found in made.live.items()
        if each.kind in _OF_DOORS
    }


def _is_first(made: Plan) -> bool:
    """Whether the stack had no door so far: no listener, and no load balancer that another one replaces, whose
    distribution may be in another slice. Of a slice without load balancers, whether it had no security group for one.
    """
    known: Mapping[Any, Live | None] = _known(made)
    sliced = not any(each.kind == "load-balancer" for each in known)
    return not any(
        each.kind == "listener"
        or (each.kind == "load-balancer" and each.former)
        or (sliced and each.kind == "security-group" and each.source is None)
        for each, found in known.items()
        if found
    )


def _afterwards(resource: Any, found: Live | None, change: Change | None, live: LiveResources) -> Live | None:
    """A resource once the plan is carried out; None where it does not exist then.

    What is created has an empty id, as the desired attributes of others have it.
    """
    if change is None or change.action not in (*_MADE, "delete"):
        return found
    if change.action == "delete":
        return None
    now = found or Live("", {})
    wanted = _wanted(resource, found, live)
    made = replace(now, attributes={**now.attributes, **wanted})
    if resource.kind == "security-group" and (found is None or "ingress" in change.changed):
        return replace(made, raw={"IpPermissions": resource.permissions_afterwards(found)})
    return made


def _wanted(resource: Any, found: Live | None, live: LiveResources) -> Mapping[str, Any]:
    """The desired attributes that decide who is let in."""
    if resource.kind == "load-balancer" and found is None:  # its subnets may have to be refused
        return {"scheme": resource.scheme, "security-groups": (resource.security_group.name,)}
    is_shared = found is not None and resource.is_shared(found)
    wanted: Mapping[str, Any] = (
        resource.desired_when_adopted(found, live) if is_shared else resource.desired(live)
    )
    return wanted
