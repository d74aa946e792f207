"""What differs between a stack and the account, as frozen data; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ..errors import NotOursError, RefusedError
from ..stack import STACK_TAG, Known, Live, Resource, Stack

Action = Literal["create", "update", "replace", "delete", "adopt", "release"]
_ABSENT = object()


@dataclass(frozen=True)
class Difference:
    """One attribute that is not as wanted, both sides in words; empty words are not to be shown."""

    attribute: str
    now: str
    then: str

    def __str__(self) -> str:
        if self.now == self.then:  # the words do not tell them apart, or must not
            return f"{self.attribute} differs"
        if not self.then:
            return f"{self.attribute} is added"
        if not self.now:
            return f"{self.attribute} is removed"
        return f"{self.attribute}: {self.now} → {self.then}"


@dataclass(frozen=True)
class Change:
    """One change to one resource, and why."""

    action: Action
    resource: Resource
    reason: str
    differences: tuple[Difference, ...] = ()

    @property
    def changed(self) -> frozenset[str]:
        """The attributes that are not as wanted."""
        return frozenset(each.attribute for each in self.differences)


@dataclass(frozen=True)
class Plan:
    """All changes in the order of the dependencies, what is kept, and what was found."""

    stack: str
    changes: tuple[Change, ...]
    kept: tuple[Resource, ...]
    live: Mapping[Resource, Live | None] = field(compare=False, repr=False)

    @property
    def impossible(self) -> tuple[Change, ...]:
        """The changes that AWS cannot make in place."""
        return tuple(change for change in self.changes if change.action == "replace")

    def count(self, *actions: Action) -> int:
        """How many changes are of these actions."""
        return sum(change.action in actions for change in self.changes)


def plan(stack: Stack, live: Mapping[Resource, Live | None], *, adopt: bool = False) -> Plan:
    """The changes that bring ``live`` to ``stack``.

    What exists without the stack's tag is adopted when ``adopt``; otherwise NotOursError names all of it.
    """
    known = Known(live)
    foreign = [each for each in known if each.presence(known) == "wanted" and not _is_ours(each, known[each])]
    if foreign and not adopt:
        raise _not_ours(foreign, live)
    changes = [change for each in stack.resources for change in _changes(each, live[each], known, foreign)]
    changes += [change for each in reversed(stack.resources) for change in _removal(each, live[each], known)]
    touched = {change.resource for change in changes}
    kept = tuple(each for each in stack.resources if each not in touched and live[each] is not None)
    return Plan(stack.name, tuple(changes), kept, live)


def plan_removal(stack: Stack, live: Mapping[Resource, Live | None], *, keep_data: bool = True) -> Plan:
    """The deletions that remove what carries the stack's tag, in the order in which they have to happen.

    What holds data (images, logs) stays when ``keep_data``. What is not ours is never deleted, nor is what it
    needs; what was adopted is let go.
    """
    changes, kept, needed = [], list[Resource](), set[Resource]()
    for resource in reversed(stack.resources):
        found = live[resource]
        if found is None or not resource.taggable:
            continue
        ours = _is_ours(resource, found)
        if ours and found.adopted:
            changes.append(Change("release", resource, "was there before the stack: stays, without our tags"))
        elif ours and resource not in needed and not (resource.holds_data and keep_data):
            changes.append(Change("delete", resource, f"carries the tag {STACK_TAG}={stack.name}"))
            continue
        else:
            kept.append(resource)
        needed.update(resource.needs)
    return Plan(stack.name, tuple(changes), tuple(kept), live)


def refuse_impossible(made: Plan) -> None:
    """Raise RefusedError where something would have to be replaced."""
    if not made.impossible:
        return
    first = made.impossible[0]
    raise RefusedError(
        f"{first.resource.label} cannot be changed in place.",
        first.reason,
        f"give it another name in the settings, which makes a new one beside it, or remove it: "
        f"inv teardown ({len(made.impossible)} of {len(made.changes)} changes are of this kind)",
    )


def _removal(resource: Resource, found: Live | None, known: Known) -> list[Change]:
    """What is ours and no longer wanted goes when nothing leads to it any more."""
    if found is None or resource.presence(known) != "unwanted" or not _is_ours(resource, found):
        return []
    return [Change("delete", resource, "the settings do not ask for it any more")]


def _changes(resource: Resource, found: Live | None, known: Known, foreign: list[Resource]) -> list[Change]:
    presence = resource.presence(known)
    if found is None:
        return [Change("create", resource, "not there")] if presence == "wanted" else []
    if presence == "unwanted":
        return []
    differing = tuple(differences(resource, found, known))
    reason = "; ".join(map(str, differing))
    if any(each.attribute in resource.fixed for each in differing):
        return [Change("replace", resource, f"{reason}; AWS cannot change this in place", differing)]
    if resource in foreign:
        told = f"gets the tag {STACK_TAG}={resource.stack}" + (f"; {reason}" if reason else "")
        return [Change("adopt", resource, told, differing)]
    return [Change("update", resource, reason, differing)] if differing else []


def differences(resource: Resource, found: Live, known: Known) -> list[Difference]:
    """Wanted against live; an attribute that nobody wants is left alone, unless it is one of a set."""
    wanted = resource.wanted(known)
    differing = []
    for attribute in sorted({*wanted, *_owned(resource, found)}):
        now, then = found.attributes.get(attribute, _ABSENT), wanted.get(attribute, _ABSENT)
        if now != then:
            words = (_words(resource, attribute, value) for value in (now, then))
            differing.append(Difference(attribute, *words))
    return differing


def _owned(resource: Resource, found: Live) -> set[str]:
    return set(found.attributes) if resource.exact else set()


def _words(resource: Resource, attribute: str, value: Any) -> str:
    return "none" if value is _ABSENT else resource.describe(attribute, value)


def _is_ours(resource: Resource, found: Live) -> bool:
    return not resource.taggable or found.stack == resource.stack


def _not_ours(foreign: list[Resource], live: Mapping[Resource, Live | None]) -> NotOursError:
    def words(resource: Resource) -> str:
        found = live[resource]
        owner = found.stack if found else None
        return f"{resource.label} ({f'belongs to the stack {owner}' if owner else 'has no stack tag'})"

    return NotOursError(
        f"{', '.join(map(words, foreign))}: not ours to change.",
        f"what carries our name but not the tag {STACK_TAG}={foreign[0].stack} may be somebody else's",
        "choose another name in invoke.yaml, or take it over: the same command with --adopt",
    )
