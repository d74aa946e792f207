"""Verifies the account: reads everything again and expects an empty plan."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..aws import Aws
from ..errors import AwsCallError, LobsterError
from ..stack import Resource, Stack
from .planner import Plan, plan, plan_removal
from .read import read

# How long a read may return the state from before a write (longest in IAM).
_SETTLED_WITHIN_SECONDS = 60.0
_NOT_YET = ("NotFound", "NotFoundException", "NoSuchEntity")


def verify(aws: Aws, stack: Stack, others: Mapping[Resource, tuple[str, ...]] | None = None) -> Plan:
    """The empty plan; raises LobsterError with the remaining differences when it does not become empty."""
    again = _settled(aws, lambda: plan(stack, read(aws, stack), others, adopt=True))
    if again.changes:
        raise _not_as_planned(again)
    return again


def verify_removal(
    aws: Aws, stack: Stack, others: Mapping[Resource, tuple[str, ...]] | None = None, *, keep_data: bool
) -> Plan:
    """The plan after a removal: no changes, and what is kept.

    Raises LobsterError with what still exists. IAM still returns deleted resources for some seconds
    ("Changes that I make are not always immediately visible", IAM User Guide).
    """
    left = _settled(aws, lambda: plan_removal(stack, read(aws, stack), others, keep_data=keep_data))
    if left.changes:
        names = ", ".join(change.resource.label for change in left.changes)
        raise LobsterError(f"{names}: not deleted by the teardown.", next_step="inv teardown")
    return left


def _settled(aws: Aws, look: Callable[[], Plan]) -> Plan:
    """The first plan of ``look`` without changes, or the last one when the time is up."""
    return aws.clock.poll(
        look, _SETTLED_WITHIN_SECONDS, 2, until=lambda seen: not seen.changes, passes=_is_not_yet
    )


def _is_not_yet(error: BaseException) -> bool:
    """Whether AWS knows only a part of the changes yet."""
    return isinstance(error, AwsCallError) and error.code.endswith(_NOT_YET)


def _not_as_planned(again: Plan) -> LobsterError:
    left = "; ".join(f"{change.resource.label}: {change.reason}" for change in again.changes)
    return LobsterError(
        "The account differs from the plan after all changes were applied.",
        left,
        "find out what else changes it, then run the same command again",
    )
