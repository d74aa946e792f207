"""Desired against live makes a plan; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from lobster_tasks.aws import Aws
from lobster_tasks.converge import Plan, plan, plan_removal, refuse_impossible
from lobster_tasks.errors import NotOursError, RefusedError
from lobster_tasks.settings import ADOPTED_TAG, STACK_TAG
from lobster_tasks.stack import Live, LiveResources, Resource, Stack
from lobster_tasks.stack.resource import Presence


@dataclass(frozen=True)
class Thing(Resource):
    """A resource that is nowhere but in this file."""

    kind: ClassVar[str] = "odd-thing"
    fixed: ClassVar[frozenset[str]] = frozenset({"shape"})
    decisive: ClassVar[frozenset[str]] = frozenset({"mode"})
    want: tuple[tuple[str, Any], ...] = ()
    need: Thing | None = None

    def read(self, aws: Aws, known: LiveResources) -> Live | None:
        raise NotImplementedError

    def desired(self, known: LiveResources) -> Mapping[str, Any]:
        return dict(self.want)

    def create(self, aws: Aws, known: LiveResources) -> Live:
        raise NotImplementedError

    def update(self, aws: Aws, live: Live, changed: frozenset[str], known: LiveResources) -> Live:
        raise NotImplementedError

    def delete(self, aws: Aws, live: Live) -> None:
        raise NotImplementedError

    def tag(self, aws: Aws, live: Live, tags: Mapping[str, str]) -> None:
        raise NotImplementedError

    def untag(self, aws: Aws, live: Live, names: tuple[str, ...]) -> None:
        raise NotImplementedError


@dataclass(frozen=True)
class Exact(Thing):
    """One of which every attribute is ours."""

    exact: ClassVar[bool] = True


@dataclass(frozen=True)
class Additive(Thing):
    """One to which something may be added."""

    additions: ClassVar[frozenset[str]] = frozenset({"size"})

    def desired_when_adopted(self, live: Live, known: LiveResources) -> Mapping[str, Any]:
        return {"size": 3}


@dataclass(frozen=True)
class Running(Thing):
    """One that goes on when the stack lets go of it."""

    def relies_on_additions(self, live: Live) -> bool:
        return True


@dataclass(frozen=True)
class Worldly(Thing):
    """One that an account has once for all regions."""

    kind: ClassVar[str] = "worldly-thing"
    is_global: ClassVar[bool] = True


@dataclass(frozen=True)
class Bare(Thing):
    """One that carries no tag."""

    taggable: ClassVar[bool] = False


@dataclass(frozen=True)
class Store(Thing):
    """One that holds data."""

    holds_data: ClassVar[bool] = True


@dataclass(frozen=True)
class Unwanted(Thing):
    """One that should not be there."""

    def presence(self, known: LiveResources) -> Presence:
        return "absent"


@dataclass(frozen=True)
class Lent(Thing):
    """One that is used where it is there."""

    def presence(self, known: LiveResources) -> Presence:
        return "as-found"


@dataclass(frozen=True)
class Secretive(Thing):
    """One whose values are not to be shown."""

    def describe(self, attribute: str, value: Any) -> str:
        return ""


def thing(name: str = "x", of: type[Thing] = Thing, need: Thing | None = None, **want: Any) -> Thing:
    """A thing of the stack ``s``."""
    return of(name, "s", tuple(want.items()), need)


def live(stack: str | None = "s", **attributes: Any) -> Live:
    """A thing that is there."""
    return Live("id", attributes, {STACK_TAG: stack} if stack else {})


ADOPTED = Live("id", {}, {STACK_TAG: "s", ADOPTED_TAG: "s"})


def planned(*pairs: tuple[Thing, Live | None], adopt: bool = False) -> Plan:
    """The plan for things and what there is of each."""
    return plan(Stack("s", tuple(each for each, _ in pairs)), dict(pairs), adopt=adopt)


def removal(*pairs: tuple[Thing, Live | None], keep_data: bool = True) -> Plan:
    """The plan for removing them."""
    return plan_removal(Stack("s", tuple(each for each, _ in pairs)), dict(pairs), keep_data=keep_data)


@pytest.mark.parametrize(
    ("desired", "found", "action", "reason"),
    [
        (thing(size=1), None, "create", "does not exist"),
        (thing(size=1), live(size=1), None, ""),
        (thing(size=1), live(size=2), "update", "size: 2 → 1"),
        (thing(size=1, on=True), live(size=2, on=False), "update", "on: no → yes; size: 2 → 1"),
        (thing(size=1), live(), "update", "size: none → 1"),
        (thing(size=1), live(size=1, color="red"), None, ""),  # nobody wants a color: it is left alone
        (thing(color=None), live(color="red"), "update", "color: red → none"),
        (thing(ports=(80, 443)), live(ports=()), "update", "ports: none → 80, 443"),
        (thing(of=Exact, size=1), live(size=1, color="red"), "update", "color: red → none"),
        (thing(of=Secretive, size=1), live(size=2), "update", "size differs"),
        (thing(of=Secretive, size=1), live(), "update", "size is added"),
        (thing(size=1), live(size="1"), "update", "size differs"),  # what words do not tell apart
        (thing(shape="a"), live(shape="b"), "replace", "shape: b → a; AWS cannot change this in place"),
        (thing(of=Bare, size=1), live(None, size=2), "update", "size: 2 → 1"),
        (thing(of=Bare, size=1), live("other", size=1), None, ""),
    ],
)
def test_a_difference_is_a_change_with_its_reason(
    desired: Thing, found: Live | None, action: str | None, reason: str
) -> None:
    made = planned((desired, found))
    if action is None:
        assert made.changes == ()
        assert made.kept == (desired,)
    else:
        (change,) = made.changes
        assert (change.action, change.resource, change.reason) == (action, desired, reason)
        assert made.kept == ()


def test_a_change_names_the_attributes() -> None:
    (change,) = planned((thing(size=1, on=True, color="red"), live(size=2, on=True))).changes
    assert change.changed == {"size", "color"}


def test_changes_are_in_the_order_of_the_stack() -> None:
    first, second = thing("a", size=1), thing("b", size=1)
    third = thing("c", need=second, size=1)
    made = planned((first, live(size=2)), (second, live(size=1)), (third, None))
    assert [change.resource for change in made.changes] == [first, third]
    assert made.kept == (second,)
    assert (made.count("create"), made.count("update"), made.count("create", "update")) == (1, 1, 2)


@pytest.mark.parametrize(("owner", "adopt"), [(None, False), ("other", False), ("other", True)])
def test_what_is_not_ours_is_named_all_of_it_and_nothing_is_planned(owner: str | None, adopt: bool) -> None:
    pairs = (
        (thing("a", size=1), live(owner, size=1)),
        (thing("b"), live()),
        (thing("c", shape="a"), live(owner, shape="b")),
        (thing("d"), None),
    )
    with pytest.raises(NotOursError) as refused:
        planned(*pairs, adopt=adopt)
    assert "odd-thing/a" in refused.value.what
    assert "odd-thing/c" in refused.value.what
    assert "odd-thing/b" not in refused.value.what
    assert (f"belongs to the stack {owner}" if owner else "has no stack tag") in refused.value.what
    assert (f"the stack {owner} depends on it" if owner else "lobster:stack=s") in refused.value.why
    assert ("--adopt" in refused.value.next_step) is (owner is None)
    assert ("--set name=other" in refused.value.next_step) is (owner is not None)
    assert refused.value.exit_code == 5


@pytest.mark.parametrize(
    ("desired", "found", "action", "reason"),
    [
        (thing(size=1), live(None, size=1), "adopt", "gets the tag lobster:stack=s"),
        (
            thing(of=Additive, size=1),
            live(None, size=2),
            "adopt",
            "gets the tag lobster:stack=s; size: 2 → 3",
        ),
        (
            thing(mode="a"),
            live(None, mode="b"),
            "replace",
            "mode: b → a; it existed before, and others may depend on it",
        ),
        (thing(shape="a"), live(None, shape="b"), "replace", "shape: b → a; AWS cannot change this in place"),
        (thing(size=1), live(size=2), "update", "size: 2 → 1"),
    ],
)
def test_it_is_adopted_when_asked(desired: Thing, found: Live, action: str, reason: str) -> None:
    (change,) = planned((desired, found), adopt=True).changes
    assert (change.action, change.reason) == (action, reason)


def test_what_is_not_wanted_goes_last_where_it_is_ours() -> None:
    first, second = thing("a", of=Unwanted), thing("b", of=Unwanted)
    made = planned((first, live()), (second, live()), (thing("c", size=1), None))
    assert [(change.action, change.resource.name) for change in made.changes] == [
        ("create", "c"),
        ("delete", "b"),
        ("delete", "a"),
    ]
    left_alone = planned((first, None), (second, live("other")))
    assert (left_alone.changes, left_alone.kept) == ((), (second,))


@pytest.mark.parametrize("found", [None, live(None), live()])
def test_what_is_used_as_it_is_found_is_never_made_or_taken_over(found: Live | None) -> None:
    lent = thing(of=Lent)
    made = planned((lent, found), adopt=True)
    assert (made.changes, made.kept) == ((), (lent,) if found else ())


def test_what_cannot_be_changed_in_place_is_refused() -> None:
    made = planned((thing("a", size=1), live(size=2)), (thing("b", shape="a"), live(shape="b")))
    assert [change.resource.name for change in made.impossible] == ["b"]
    with pytest.raises(RefusedError) as refused:
        refuse_impossible(made)
    assert refused.value.what == "odd-thing/b cannot be changed in place."
    assert "shape: b → a" in refused.value.why
    assert "another name" in refused.value.next_step
    refuse_impossible(planned((thing(size=1), live(size=2))))


def test_a_removal_deletes_ours_in_reverse_and_keeps_the_rest() -> None:
    first, second = thing("a"), thing("b", need=thing("a"))
    foreign, unmarked, absent = thing("c"), thing("d"), thing("e")
    data, bare = thing("f", of=Store), thing("g", of=Bare)
    made = removal(
        (first, live()),
        (second, live(size=9)),
        (foreign, live("other")),
        (unmarked, live(None)),
        (absent, None),
        (data, live()),
        (bare, live(None)),
    )
    assert [(change.action, change.resource.name) for change in made.changes] == [
        ("delete", "b"),
        ("delete", "a"),
    ]
    assert {each.name for each in made.kept} == {"c", "d", "f"}


def test_data_goes_when_told_and_only_ours() -> None:
    made = removal((thing("a", of=Store), live()), (thing("b", of=Store), live(None)), keep_data=False)
    assert [change.resource.name for change in made.changes] == ["a"]
    assert [each.name for each in made.kept] == ["b"]


def test_what_was_adopted_is_let_go_and_what_it_needs_stays() -> None:
    role, cluster, lonely = thing("role"), thing("cluster"), thing("lonely")
    service, on_top = thing("service", need=cluster), thing("on top", need=role)
    made = removal((role, ADOPTED), (cluster, live()), (lonely, live()), (service, ADOPTED), (on_top, live()))
    assert [(change.action, change.resource.name) for change in made.changes] == [
        ("delete", "on top"),
        ("release", "service"),
        ("delete", "lonely"),
        ("release", "role"),
    ]
    assert made.kept == (cluster,)


def test_what_somebody_else_has_put_on_ours_holds_it_too() -> None:
    balancer, group = thing("balancer"), thing("group")
    middle = thing("middle", need=balancer)
    made = removal(
        (balancer, live()), (group, live()), (middle, live()), (thing("top", need=middle), live(None))
    )
    assert [change.resource for change in made.changes] == [group]
    assert {each.name for each in made.kept} == {"balancer", "middle", "top"}


def test_of_an_adopted_thing_only_what_is_missing_is_repaired() -> None:
    made = planned((thing(size=1), Live("id", {"size": 2}, ADOPTED.tags)))
    assert made.changes == ()
    assert made.remarks[thing(size=1)] == ("size stays 2; the settings say 1",)
    (change,) = planned((thing(of=Additive, size=1), Live("id", {"size": 2}, ADOPTED.tags))).changes
    assert (change.action, change.reason) == ("update", "size: 2 → 3")


def test_an_adopted_thing_is_not_removed_where_it_is_no_longer_wanted() -> None:
    assert planned((thing(of=Unwanted), ADOPTED)).changes == ()


HERE, THERE = "us-east-2", "eu-west-1"


def worldly(stack: str | None, region: str) -> tuple[Thing, Live]:
    """A thing that the account has once, wanted in ``HERE``, and there of the stack of a region."""
    tags = {STACK_TAG: stack} if stack else {}
    return Worldly("x", "s", (), region=HERE, setting="task.role"), Live("id", {}, tags, region=region)


@pytest.mark.parametrize("adopt", [False, True])
@pytest.mark.parametrize(
    ("stack", "region", "told"),
    [
        ("s", THERE, "belongs to the stack s in eu-west-1"),
        ("other", THERE, "belongs to the stack other in eu-west-1"),
        ("s", "", "belongs to the stack s in an unknown region"),
    ],
)
def test_what_is_of_a_stack_in_another_region_is_never_changed(
    stack: str, region: str, told: str, adopt: bool
) -> None:
    with pytest.raises(NotOursError) as refused:
        planned(worldly(stack, region), adopt=adopt)
    assert f"worldly-thing/x ({told})" in refused.value.what
    assert "--set task.role=x-us-east-2" in refused.value.next_step
    assert ("aws iam tag-role" in refused.value.next_step) is (region == "")


def test_what_an_account_has_once_is_ours_where_stack_and_region_are() -> None:
    assert planned(worldly("s", HERE)).changes == ()
    assert [change.action for change in planned(worldly(None, ""), adopt=True).changes] == ["adopt"]


@pytest.mark.parametrize("region", [THERE, ""])
def test_a_removal_keeps_what_is_of_a_stack_in_another_region(region: str) -> None:
    desired, found = worldly("s", region)
    made = removal((desired, found))
    assert (made.changes, made.kept) == ((), (desired,))
    assert made.remarks[desired] == (f"belongs to the stack s in {region or 'an unknown region'}",)


def test_what_others_use_stays_with_all_that_it_needs() -> None:
    group, balancer, listener = thing("group"), thing("balancer", need=thing("group")), thing("lonely")
    live_of: dict[Resource, Live | None] = {group: live(), balancer: live(), listener: live()}
    made = plan_removal(Stack("s", tuple(live_of)), live_of, {balancer: ("listener HTTP:8080",)})
    assert [change.resource for change in made.changes] == [listener]
    assert made.remarks == {
        balancer: ("others use it: listener HTTP:8080",),
        group: ("odd-thing/balancer needs it",),
    }


def test_what_was_added_is_taken_back_unless_something_that_stays_needs_it() -> None:
    role, service = thing("role"), thing("service", of=Running, need=thing("role"))
    alone = removal((role, ADOPTED), (service, live()))
    assert [change.withdraws for change in alone.changes if change.action == "release"] == [True]
    together = removal((role, ADOPTED), (service, ADOPTED))
    assert [(each.resource.name, each.withdraws) for each in together.changes] == [
        ("service", True),
        ("role", False),
    ]
