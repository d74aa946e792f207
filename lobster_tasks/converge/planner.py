"""Compares a stack with the account; the difference is frozen data. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ..errors import NotOursError, RefusedError
from ..settings import REGION_TAG
from ..stack import STACK_TAG, Attributes, Live, LiveResources, Resource, Stack
from ..stack.doors import EVERYBODY, Door, Range, Rule
from ..stack.network import Direction

MOST_TAGS = 50  # of a resource, in every service ("Tagging your AWS resources")
Action = Literal["create", "update", "replace", "delete", "adopt", "release"]
_ABSENT = object()


@dataclass(frozen=True)
class Difference:
    """One attribute that is not as desired, by its code; the other members are words, and empty ones are not
    shown."""

    attribute: str
    words: str
    now: str
    then: str

    def __str__(self) -> str:
        if self.now == self.then:  # the values look the same in words, or must not be shown
            return f"{self.words} differs"
        if not self.then:
            return f"{self.words} is added"
        if not self.now:
            return f"{self.words} is removed"
        return f"{self.words}: {self.now} → {self.then}"


@dataclass(frozen=True)
class Change:
    """One change to one resource, and its reason. ``withdraws``: additions to an adopted resource are removed on
    release.

    ``obstacle`` is why a ``replace`` cannot be made in place.
    """

    action: Action
    resource: Resource
    reason: str
    differences: tuple[Difference, ...] = ()
    withdraws: bool = False
    obstacle: str = ""

    @property
    def changed(self) -> frozenset[str]:
        """The attributes that are not as desired."""
        return frozenset(each.attribute for each in self.differences)


@dataclass(frozen=True)
class Lockout:
    """A plan limits visitors to address ranges that do not contain ``address``, this machine's own; or that could not
    be found out, and ``why``."""

    code: Literal["own-address-not-allowed", "own-address-not-checked"]
    address: str = ""
    why: str = ""


@dataclass(frozen=True)
class Opening:
    """A door lets in more visitors than all doors did before: because of its address ranges, its web ACL or its
    sign-in.

    ``label`` is the resource that decides the ``rule``. ``ranges`` are those from which visitors are let in who
    were kept out.
    """

    rule: Rule
    label: str
    door: Door
    ranges: tuple[Range, ...]

    @property
    def to_everybody(self) -> bool:
        """Whether the ranges are all addresses there are."""
        return bool(EVERYBODY & frozenset(self.ranges))


@dataclass(frozen=True)
class Widening:
    """Rules of a security group (``label``) that somebody has taken away or narrowed, and that the plan adds again.

    ``rules`` and ``before`` are in words: what is added, and what there is in that direction.
    """

    label: str
    direction: Direction
    rules: tuple[str, ...]
    before: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """All changes in the order of the dependencies, what is kept, and the live state.

    ``remarks`` say why a resource is kept, or in which attributes it stays as it was. ``lockout`` is None where this
    machine may use the app as before, or where the plan was made without asking for its address. ``openings`` tell
    whom the plan lets in who was kept out before; ``widenings`` what else gets through a security group.
    ``former_lets_in_more``: a load balancer that another one replaces
    goes on letting in visitors whom the new one keeps out.
    """

    stack: str
    changes: tuple[Change, ...]
    kept: tuple[Resource, ...]
    live: Mapping[Resource, Live | None] = field(compare=False, repr=False)
    remarks: Mapping[Resource, tuple[str, ...]] = field(default_factory=dict, compare=False)
    lockout: Lockout | None = None
    openings: tuple[Opening, ...] = ()
    widenings: tuple[Widening, ...] = ()
    former_lets_in_more: bool = False

    @property
    def impossible(self) -> tuple[Change, ...]:
        """The changes that AWS cannot make in place."""
        return tuple(change for change in self.changes if change.action == "replace")

    @property
    def afterwards(self) -> Mapping[Resource, Live | None]:
        """The live resources without those that the plan deletes."""
        deleted = {change.resource for change in self.changes if change.action == "delete"}
        return {each: None if each in deleted else found for each, found in self.live.items()}

    def count(self, *actions: Action) -> int:
        """The number of changes with these actions."""
        return sum(change.action in actions for change in self.changes)

    def creates(self, kind: str) -> bool:
        """Whether the plan creates a resource of this kind."""
        return any(change.action == "create" and change.resource.kind == kind for change in self.changes)

    def alters(self, attribute: str) -> bool:
        """Whether the plan changes this attribute of some resource."""
        return any(attribute in change.changed for change in self.changes)


def plan(
    stack: Stack,
    live: Mapping[Resource, Live | None],
    others: Mapping[Resource, tuple[str, ...]] | None = None,
    *,
    adopt: bool = False,
) -> Plan:
    """The changes that bring ``live`` to ``stack``.

    Existing resources without a stack's tag are adopted if ``adopt``; otherwise NotOursError names them all.
    Resources of another stack, or of a stack in another region, are never adopted. What belongs to a former load
    balancer is deleted once the service has left it, except what others use (``others``, as for ``plan_removal``).
    """
    known = LiveResources(live)
    own = tuple(each for each in stack.resources if not each.former)
    foreign = _foreign(own, known)
    _refuse_foreign(foreign, known, adopt)
    changes = [change for each in own for change in _changes(each, live[each], known, foreign)]
    changes += [change for each in reversed(own) for change in _removal(each, live[each], known)]
    leaving = _without_former(stack, live, others)
    changes += leaving.changes
    touched = {change.resource for change in changes}
    kept = tuple(
        each
        for each in stack.resources
        if each not in touched and each in known and (not each.former or is_of_the_stack(each, known))
    )
    refused = {each.resource for each in changes if each.action == "replace"}
    stays = {
        each: (
            *each.remarks(found, known),
            *(map(_stays, _left(each, found, known)) if each not in refused else ()),
        )
        for each, found in known.items()
    }
    return Plan(stack.name, tuple(changes), kept, live, {**stays, **leaving.remarks})


def _foreign(own: tuple[Resource, ...], known: LiveResources) -> list[Resource]:
    """The desired resources that exist and are not the stack's."""
    return [
        each
        for each in own
        if each in known and each.presence(known) == "present" and not each.is_ours(known[each])
    ]


def _refuse_foreign(foreign: list[Resource], known: LiveResources, adopt: bool) -> None:
    """Raise NotOursError unless all of ``foreign`` can be adopted, and are to be."""
    if elsewhere := [each for each in foreign if _is_of_another_region(each, known[each])]:
        raise _elsewhere(elsewhere, known)
    owners = {owner: None for each in foreign if (owner := known[each].stack)}
    if owners or (foreign and not adopt):
        raise _not_ours(foreign, known, tuple(owners))
    if full := [each for each in foreign if _tags_after(each, known[each]) > MOST_TAGS]:
        raise _no_room_for_tags(full[0], known[full[0]])


def _without_former(
    stack: Stack, live: Mapping[Resource, Live | None], others: Mapping[Resource, tuple[str, ...]] | None
) -> Plan:
    """The removal of what belongs to a former load balancer; nothing while the service is behind it."""
    known = LiveResources(live)
    former = tuple(each for each in stack.former if each in known and is_of_the_stack(each, known))
    if stack.keeps_former(known):
        former = ()
    made = plan_removal(Stack(stack.name, former), live, others, keep_data=False)
    why = "another load balancer has taken its place"
    changes = tuple(replace(each, reason=why) if each.action == "delete" else each for each in made.changes)
    return replace(made, changes=changes)


def is_of_the_stack(resource: Resource, known: LiveResources) -> bool:
    """Whether it is ours; what has no tags belongs to the owner of what it is part of."""
    owner = resource if resource.taggable else resource.part_of
    return owner is not None and owner in known and owner.is_ours(known[owner])


def plan_removal(
    stack: Stack,
    live: Mapping[Resource, Live | None],
    others: Mapping[Resource, tuple[str, ...]] | None = None,
    *,
    keep_data: bool = True,
) -> Plan:
    """The deletions that remove the resources with the stack's tag, in their order.

    Resources with data (images, logs) stay if ``keep_data``. Never deleted are resources without our tag, resources
    that others use (``others``, in words, by resource), and the dependencies of both. Adopted resources are released.
    """
    others = others or {}
    known, changes, remarks = LiveResources(live), list[Change](), dict[Resource, tuple[str, ...]]()
    needed, relied = dict[Resource, str](), dict[Resource, str]()
    for resource in reversed(stack.resources):
        current = live[resource]
        if current is not None and resource.former and not is_of_the_stack(resource, known):
            continue  # it only has the name that a second load balancer would get
        if current is None or not resource.taggable:
            if current is not None and _goes_with(resource, known, needed, relied, others):
                changes.append(Change("delete", resource, "the stack created it"))
            continue
        if resource.is_ours(current) and current.adopted:
            held = dict.fromkeys(resource.dependencies_when_released(current, known), resource.label)
            changes.append(_release(resource, current, relied))
            needed |= held
            relied |= held if resource.relies_on_additions(current) or resource in relied else {}
            continue
        why = _why_kept(resource, current, needed, others.get(resource, ()))
        if why is None and not (resource.holds_data and keep_data):
            changes.append(Change("delete", resource, f"carries the tag {STACK_TAG}={stack.name}"))
            continue
        remarks[resource] = (why,) if why else ()
        needed |= dict.fromkeys(resource.dependencies, resource.label)
        relied |= dict.fromkeys(resource.dependencies, resource.label)
    return Plan(stack.name, tuple(changes), tuple(remarks), live, remarks)


def _goes_with(
    resource: Resource,
    known: LiveResources,
    needed: Mapping[Resource, str],
    relied: Mapping[Resource, str],
    others: Mapping[Resource, tuple[str, ...]],
) -> bool:
    """Whether a resource without tags is removed: only if what it is part of is deleted, or loses what was added."""
    owner = resource.part_of
    if owner is None or owner not in known or resource.presence(known) != "present":
        return False
    found = known[owner]
    if resource.is_shared(known[resource]) or resource in needed or not owner.is_ours(found):
        return False
    return owner not in relied if found.adopted else owner not in needed and not others.get(owner)


def _release(resource: Resource, found: Live, relied: Mapping[Resource, str]) -> Change:
    told = "existed before the stack: stays, without the stack's tags"
    if parting := resource.release_note(found):
        told += f"; {parting}"
    if resource in relied:
        told += f"; {relied[resource]} still needs what was added to it"
    return Change("release", resource, told, withdraws=resource not in relied)


def _why_kept(
    resource: Resource, found: Live, needed: Mapping[Resource, str], others: tuple[str, ...]
) -> str | None:
    """Why a resource is not deleted; None where it can be."""
    if not resource.is_ours(found):
        return _owner(resource, found)
    if others:
        return f"others use it: {', '.join(others)}"
    return f"{needed[resource]} needs it" if resource in needed else None


def refuse_impossible(made: Plan) -> None:
    """Raise RefusedError where a resource would have to be replaced."""
    if not made.impossible:
        return
    first = made.impossible[0]
    found = made.live[first.resource]
    instead = first.resource.instead(found) if found else ""
    raise RefusedError(
        first.resource.impossible,
        first.reason,
        f"{instead} ({len(made.impossible)} of {len(made.changes)} changes are of this kind)",
    )


def _removal(resource: Resource, found: Live | None, known: LiveResources) -> list[Change]:
    """The deletion of a resource that is ours and no longer desired, after everything that depends on it."""
    if found is None or resource.presence(known) != "absent" or not resource.is_ours(found) or found.adopted:
        return []
    return [Change("delete", resource, "the settings no longer contain it")]


def _changes(
    resource: Resource, found: Live | None, known: LiveResources, foreign: list[Resource]
) -> list[Change]:
    presence = resource.presence(known)
    if found is None:
        return [Change("create", resource, "does not exist")] if presence == "present" else []
    if presence == "absent":
        return []
    differing = tuple(differences(resource, found, known))
    reason = "; ".join(map(str, differing))
    if refused := _refused(resource, found, known, differing):
        return [refused]
    if resource in foreign:
        told = f"gets the tag {STACK_TAG}={resource.stack}" + (f"; {reason}" if reason else "")
        return [Change("adopt", resource, told, differing)]
    return [Change("update", resource, reason, differing)] if differing else []


def _refused(
    resource: Resource, found: Live, known: LiveResources, differing: tuple[Difference, ...]
) -> Change | None:
    """The change that AWS cannot make in place, or that would break other users of an adopted resource; None
    without one."""
    left = _left(resource, found, known)
    if any(each.attribute in resource.fixed for each in (*differing, *left)):
        return _obstructed(resource, (*differing, *left), resource.fixed_because)
    wrong = tuple(each for each in left if each.attribute in resource.decisive)
    if not wrong:
        return None
    return _obstructed(resource, wrong, "it existed before, and others may depend on it")


def _obstructed(resource: Resource, differing: tuple[Difference, ...], obstacle: str) -> Change:
    reason = "; ".join([*map(str, differing), obstacle])
    return Change("replace", resource, reason, differing, obstacle=obstacle)


def differences(resource: Resource, found: Live, known: LiveResources) -> list[Difference]:
    """Desired against live; an attribute that is not desired is ignored, except where the resource is ``exact``.

    An adopted resource differs only in what is missing.
    """
    shared = resource.is_shared(found)
    return _compare(
        resource, found, resource.desired_when_adopted(found, known) if shared else resource.desired(known)
    )


def _left(resource: Resource, found: Live, known: LiveResources) -> list[Difference]:
    """The attributes in which an adopted resource stays as it was, whatever the settings say."""
    if resource.former or not resource.is_shared(found) or resource.presence(known) != "present":
        return []
    added = resource.desired_when_adopted(found, known)
    rest = {name: value for name, value in resource.desired(known).items() if name not in added}
    return [each for each in _compare(resource, found, rest) if each.attribute not in added]


def _stays(difference: Difference) -> str:
    return f"{difference.words} stays {difference.now}; the settings say {difference.then}"


def _compare(resource: Resource, found: Live, desired: Attributes) -> list[Difference]:
    differing = []
    for attribute in sorted({*desired, *_owned(resource, found)}, key=resource.words):
        now, then = found.attributes.get(attribute, _ABSENT), desired.get(attribute, _ABSENT)
        if now != then:
            values = (_words(resource, attribute, value) for value in (now, then))
            differing.append(Difference(attribute, resource.words(attribute), *values))
    return differing


def _owned(resource: Resource, found: Live) -> set[str]:
    return set(found.attributes) if resource.exact else set()


def _words(resource: Resource, attribute: str, value: Any) -> str:
    return "none" if value is _ABSENT else resource.describe(attribute, value)


def _is_of_another_region(resource: Resource, found: Live) -> bool:
    """Whether a stack of another, or an unknown, region owns the resource."""
    return resource.is_global and found.stack is not None and found.region != resource.region


def _owner(resource: Resource, found: Live) -> str:
    if not found.stack:
        return "has no stack tag"
    if not resource.is_global or found.region == resource.region:
        return f"belongs to the stack {found.stack}"
    return f"belongs to the stack {found.stack} in {found.region or 'an unknown region'}"


def _elsewhere(foreign: list[Resource], known: LiveResources) -> NotOursError:
    """The error for account-wide resources of another region's stack: two such stacks need different names."""
    named = ", ".join(f"{each.label} ({_owner(each, known[each])})" for each in foreign)
    region = foreign[0].region
    names = " ".join(f"--set {each.setting}={each.name}-{region}" for each in foreign if each.setting)
    ways = [f"give them other names in the settings of {region}: {names}"]
    if untold := [each for each in foreign if not known[each].region and known[each].stack == each.stack]:
        ways.append(f"or, if this stack created it, tag it: {_tag_command(untold[0])}")
    return NotOursError(
        f"{named}: cannot be changed from {region}.",
        "roles are the same in all regions of an account, and a change here would change them there",
        "; ".join(ways),
    )


def _tag_command(role: Resource) -> str:
    return f"aws iam tag-role --role-name {role.name} --tags Key={REGION_TAG},Value={role.region}"


def _tags_after(resource: Resource, found: Live) -> int:
    """How many tags a resource has once it is adopted; AWS's own tags do not count."""
    own = [tag for tag in found.tags if not tag.lower().startswith("aws:")]
    return len({*own, *resource.tags_when_adopted}) if resource.taggable else 0


def _no_room_for_tags(resource: Resource, found: Live) -> RefusedError:
    more = len({*resource.tags_when_adopted} - {*found.tags})
    return RefusedError(
        f"{resource.label} has {len(found.tags)} tags, and would get {more} more; AWS takes {MOST_TAGS} of a resource.",
        "without the stack's tags it cannot be told apart from other resources",
        "remove some of its tags, set fewer in tags, or choose another name in invoke.yaml",
    )


def _not_ours(foreign: list[Resource], known: LiveResources, owners: tuple[str, ...]) -> NotOursError:
    """The error for resources that are not ours; those of another stack cannot be adopted, because it would lose
    them."""
    what = ", ".join(f"{each.label} ({_owner(each, known[each])})" for each in foreign)
    if owners:
        return NotOursError(
            f"{what}: not ours to change.",
            f"the stack {owners[0]} depends on it, and could not be deployed, repaired or torn down without it",
            "choose other names in invoke.yaml; if this stack had that name before, go back to it: "
            f"--set name={owners[0]}; if that stack was torn down and kept this resource, remove its tag "
            f"{STACK_TAG} first",
        )
    tagging = [command for each in foreign if (command := each.tagging(known[each]))]
    ways = ["choose another name in invoke.yaml"] if len(tagging) < len(foreign) else []
    ways += [f"if this stack created it, put its tags back: {each}" for each in tagging]
    return NotOursError(
        f"{what}: not ours to change.",
        f"a resource without the tag {STACK_TAG}={foreign[0].stack} may belong to somebody else",
        f"{'; '.join(ways)}, or adopt it: the same command with --adopt",
    )
