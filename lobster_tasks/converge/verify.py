"""Reads everything again: an empty plan is the proof."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..aws import Aws
from ..errors import AwsCallError, LobsterError
from ..stack import Resource, Stack
from .planner import Plan, plan, plan_removal
from .read import read

# How long AWS may take until a read shows what was written (IAM is the slowest).
_SETTLED_WITHIN_SECONDS = 60.0
_NOT_YET = ("NotFound", "NotFoundException", "NoSuchEntity")


def verify(aws: Aws, stack: Stack) -> Plan:
    """The empty plan; raises LobsterError naming what still differs when it does not get empty."""
    again = _settled(aws, lambda: plan(stack, read(aws, stack), adopt=True))
    if again.changes:
        raise _not_as_planned(again)
    return again


def verify_removal(
    aws: Aws, stack: Stack, others: Mapping[Resource, tuple[str, ...]] | None = None, *, keep_data: bool
) -> Plan:
    """The plan of a removal that is over: no changes, and what is kept.

    Raises LobsterError naming what is still there: IAM shows for some seconds what has been deleted
    ("Changes that I make are not always immediately visible", IAM User Guide).
    """
    left = _settled(aws, lambda: plan_removal(stack, read(aws, stack), others, keep_data=keep_data))
    if left.changes:
        names = ", ".join(change.resource.label for change in left.changes)
        raise LobsterError(f"{names}: not deleted by the teardown.", next_step="inv teardown")
    return left


def _settled(aws: Aws, look: Callable[[], Plan]) -> Plan:
    """What ``look`` sees once that has no changes, or when the time is up."""
    return aws.clock.poll(
        look, _SETTLED_WITHIN_SECONDS, 2, until=lambda seen: not seen.changes, passes=_is_not_yet
    )


def _is_not_yet(error: BaseException) -> bool:
    """AWS may know one half of what was changed, and the other half not yet."""
    return isinstance(error, AwsCallError) and error.code.endswith(_NOT_YET)


def _not_as_planned(again: Plan) -> LobsterError:
    left = "; ".join(f"{change.resource.label}: {change.reason}" for change in again.changes)
    return LobsterError(
        "The account differs from the plan after all changes were applied.",
        left,
        "find out what else changes it, then run the same command again",
    )
