"""One cycle: what is shown, asked and told when, and where it ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import pytest

from lobster_tasks.aws import Aws
from lobster_tasks.converge import Changes, Dialogue, bring, carry_out, plan, read
from lobster_tasks.errors import RefusedError
from lobster_tasks.settings import STACK_TAG
from lobster_tasks.stack import Live, LiveResources, Resource, Stack


@dataclass(frozen=True)
class Shelf(Resource):
    """A resource that is in a mapping, by its name, instead of an account."""

    kind: ClassVar[str] = "shelf"
    fixed: ClassVar[frozenset[str]] = frozenset({"width"})
    account: dict[str, Live] = field(default_factory=dict, hash=False, compare=False)
    width: int = 1

    def read(self, aws: Aws, known: LiveResources) -> Live | None:
        return self.account.get(self.name)

    def desired(self, known: LiveResources) -> Mapping[str, Any]:
        return {"width": self.width}

    def create(self, aws: Aws, known: LiveResources) -> Live:
        self.account[self.name] = Live(self.name, {"width": self.width}, {STACK_TAG: self.stack})
        return self.account[self.name]

    def update(self, aws: Aws, live: Live, changed: frozenset[str], known: LiveResources) -> Live:
        raise NotImplementedError

    def delete(self, aws: Aws, live: Live) -> None:
        del self.account[self.name]

    def tag(self, aws: Aws, live: Live, tags: Mapping[str, str]) -> None:
        raise NotImplementedError

    def untag(self, aws: Aws, live: Live, names: tuple[str, ...]) -> None:
        raise NotImplementedError


@pytest.fixture
def account() -> dict[str, Live]:
    return {}


@pytest.fixture
def aws() -> Aws:
    return Aws("us-east-2")


def stack_of(account: dict[str, Live], width: int = 1) -> Stack:
    return Stack("mine", (Shelf("one", "mine", account, width), Shelf("two", "mine", account, width)))


def heard(heard: list[str], ask: Callable[[Any], None] = lambda _: None) -> Changes:
    """Somebody who notes what was said, and answers as ``ask`` does."""

    def answer(made: Any) -> None:
        heard.append(f"asked for {len(made.changes)}")
        ask(made)

    return Dialogue(
        show=lambda made: heard.append(f"shown {len(made.changes)}"),
        ask=answer,
        done=lambda change: heard.append(f"{change.action} {change.resource.name}"),
    )


def test_a_plan_is_shown_then_asked_for_then_applied(aws: Aws, account: dict[str, Live]) -> None:
    told: list[str] = []
    done = bring(aws, stack_of(account), heard(told))
    assert told[:2] == ["shown 2", "asked for 2"]
    assert sorted(told[2:]) == ["create one", "create two"]
    assert done.applied
    assert (len(done.plan.changes), done.now.changes) == (2, ())
    assert {each.name for each, live in done.now.live.items() if live} == {"one", "two"}


def test_a_dry_run_ends_once_the_plan_is_shown(aws: Aws, account: dict[str, Live]) -> None:
    told: list[str] = []
    done = bring(aws, stack_of(account), heard(told), dry_run=True)
    assert told == ["shown 2"]
    assert not done.applied
    assert done.now is done.plan
    assert not account


def test_nobody_is_asked_where_there_is_nothing_to_do(aws: Aws, account: dict[str, Live]) -> None:
    told: list[str] = []
    bring(aws, stack_of(account))
    done = bring(aws, stack_of(account), heard(told))
    assert told == ["shown 0"]
    assert not done.applied


def test_a_plan_that_is_refused_is_shown_and_not_asked_for(aws: Aws, account: dict[str, Live]) -> None:
    told: list[str] = []
    bring(aws, stack_of(account))
    with pytest.raises(RefusedError, match="cannot be changed in place"):
        bring(aws, stack_of(account, width=2), heard(told))
    assert told == ["shown 2"]


def test_without_leave_nothing_is_made(aws: Aws, account: dict[str, Live]) -> None:
    def no(made: Any) -> None:
        raise RefusedError("Nothing was changed.")

    told: list[str] = []
    with pytest.raises(RefusedError, match="Nothing was changed"):
        bring(aws, stack_of(account), heard(told, no))
    assert told == ["shown 2", "asked for 2"]
    assert not account


def test_a_plan_that_was_shown_before_is_carried_out(aws: Aws, account: dict[str, Live]) -> None:
    stack = stack_of(account)
    made = plan(stack, read(aws, stack))
    assert carry_out(aws, stack, made).changes == ()
    assert set(account) == {"one", "two"}
