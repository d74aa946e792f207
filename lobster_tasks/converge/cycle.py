"""The one way from what an account has to what it should have: read, plan, show, ask, apply, verify."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from ..aws import Aws
from ..stack import Stack
from .apply import apply
from .dependents import dependents
from .planner import Change, Plan, plan, plan_removal, refuse_impossible
from .read import read
from .verify import verify, verify_removal

Planned = TypeVar("Planned")
Done = TypeVar("Done")


def _nothing(_: Any) -> None:
    """Nobody is there to be told, or asked."""


@dataclass(frozen=True)
class Dialogue(Generic[Planned, Done]):
    """Who is told of a plan and asked for leave: nobody, unless it is said.

    ``show`` gets every plan, also one that is refused. ``ask`` gets one that is about to be applied, and raises where
    there is no leave. ``done`` is told of each change as it is finished, from any thread.
    """

    show: Callable[[Planned], None] = _nothing
    ask: Callable[[Planned], None] = _nothing
    done: Callable[[Done], None] = _nothing


Changes = Dialogue[Plan, Change]
"""The one about a stack."""


@dataclass(frozen=True)
class Convergence:
    """What was planned, and what a plan says now: it has no changes where ``applied``."""

    plan: Plan
    now: Plan
    applied: bool


def bring(
    aws: Aws, stack: Stack, dialogue: Changes | None = None, *, adopt: bool = False, dry_run: bool = False
) -> Convergence:
    """Bring the account to the stack; a ``dry_run`` ends once the plan is shown.

    Raises NotOursError (see ``plan``), RefusedError where a resource would have to be replaced, whatever
    ``dialogue.ask`` raises, and LobsterError where the account is not as planned afterwards.
    """
    made = plan(stack, read(aws, stack), adopt=adopt)
    return _carry_out(aws, made, lambda: verify(aws, stack), dialogue, dry_run)


def remove(
    aws: Aws, stack: Stack, dialogue: Changes | None = None, *, keep_data: bool = True, dry_run: bool = False
) -> Convergence:
    """Remove what is the stack's and nobody else uses; a ``dry_run`` ends once the plan is shown.

    What holds data stays when ``keep_data``. Raises whatever ``dialogue.ask`` raises, and LobsterError where
    something is still there afterwards.
    """
    live = read(aws, stack)
    others = dependents(aws, stack, live)
    made = plan_removal(stack, live, others, keep_data=keep_data)
    return _carry_out(
        aws, made, lambda: verify_removal(aws, stack, others, keep_data=keep_data), dialogue, dry_run
    )


def carry_out(aws: Aws, stack: Stack, made: Plan) -> Plan:
    """Apply a plan that was shown before, and verify the account; the plan without changes."""
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
