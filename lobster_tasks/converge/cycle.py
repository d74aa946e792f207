"""Brings an account from its live state to the desired one: read, plan, show, ask, apply, verify."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from ..aws import Aws
from ..denials import ACCESS_DENIED
from ..errors import AwsCallError
from ..stack import Live, Resource, Stack
from .apply import apply
from .dependents import dependents
from .lockout import with_lockout
from .openings import other_doors, with_openings
from .planner import Change, Plan, plan, plan_removal, refuse_impossible
from .read import read
from .verify import verify, verify_removal

Planned = TypeVar("Planned")
Done = TypeVar("Done")


def _nothing(_: Any) -> None:
    """The default of a ``Dialogue``: does nothing."""


@dataclass(frozen=True)
class Dialogue(Generic[Planned, Done]):
    """Shows a plan and asks for confirmation; by default it does nothing.

    ``show`` gets every plan, including one that is refused. ``ask`` gets a plan that is about to be applied, and
    raises an error without a confirmation. ``done`` is called after each change, from any thread.
    """

    show: Callable[[Planned], None] = _nothing
    ask: Callable[[Planned], None] = _nothing
    done: Callable[[Done], None] = _nothing


Changes = Dialogue[Plan, Change]
"""The dialogue about a stack."""


@dataclass(frozen=True)
class Convergence:
    """The original plan, and the plan of the account as it is now: without changes if ``applied``."""

    plan: Plan
    now: Plan
    applied: bool


def bring(
    aws: Aws, stack: Stack, dialogue: Changes | None = None, *, adopt: bool = False, dry_run: bool = False
) -> Convergence:
    """Bring the account to the stack; a ``dry_run`` ends after the plan is shown.

    Raises NotOursError (see ``plan``), RefusedError where a resource would have to be replaced, whatever
    ``dialogue.ask`` raises, and LobsterError where the account is not as planned afterwards.
    """
    live = read(aws, stack)
    made = plan(stack, live, adopt=adopt)
    others: dict[Resource, tuple[str, ...]] = {}
    if any(each.resource.former for each in made.changes):
        others = dependents(aws, stack, live)
        made = plan(stack, live, others, adopt=adopt)
    made = with_lockout(aws, with_openings(made, _other_doors(aws, stack, made)))
    return _carry_out(aws, made, lambda: verify(aws, stack, others), dialogue, dry_run)


def _other_doors(aws: Aws, stack: Stack, made: Plan) -> dict[Resource, Live | None]:
    """The doors that a slice leaves out, as they are; none where they must not be read."""
    try:
        return read(aws, other_doors(stack, made), made.live)
    except AwsCallError as refused:
        if refused.code not in ACCESS_DENIED:
            raise
        return {}


def remove(
    aws: Aws, stack: Stack, dialogue: Changes | None = None, *, keep_data: bool = True, dry_run: bool = False
) -> Convergence:
    """Remove the stack's resources that nobody else uses; a ``dry_run`` ends after the plan is shown.

    Resources with data stay if ``keep_data``. Raises whatever ``dialogue.ask`` raises, and LobsterError where
    something still exists afterwards.
    """
    live = read(aws, stack)
    others = dependents(aws, stack, live)
    made = plan_removal(stack, live, others, keep_data=keep_data)
    return _carry_out(
        aws, made, lambda: verify_removal(aws, stack, others, keep_data=keep_data), dialogue, dry_run
    )


def carry_out(aws: Aws, stack: Stack, made: Plan) -> Plan:
    """Apply a plan that was shown before, and verify the account; returns the plan without changes."""
    return _carry_out(aws, made, lambda: verify(aws, stack)).now


def _carry_out(
    aws: Aws,
    made: Plan,
    verified: Callable[[], Plan],
    dialogue: Changes | None = None,
    dry_run: bool = False,
) -> Convergence:
    dialogue = dialogue or Changes()
    dialogue.show(made)
    refuse_impossible(made)
    if dry_run or not made.changes:
        return Convergence(made, made, applied=False)
    dialogue.ask(made)
    apply(aws, made, dialogue.done)
    return Convergence(made, verified(), applied=True)
