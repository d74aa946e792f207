"""Reads everything again: an empty plan is the proof."""

from __future__ import annotations

from ..aws import Aws
from ..errors import AwsCallError, LobsterError
from ..stack import Stack
from .planner import Plan, plan
from .read import read

# How long AWS may take until a read shows what was written (IAM is the slowest).
_SETTLED_WITHIN_SECONDS = 60.0
_NOT_YET = ("NotFound", "NotFoundException", "NoSuchEntity")


def verify(aws: Aws, stack: Stack) -> Plan:
    """The empty plan; raises LobsterError naming what still differs when it does not get empty."""
    deadline = aws.clock.now() + _SETTLED_WITHIN_SECONDS
    while True:
        in_time = aws.clock.now() <= deadline
        try:
            again = plan(stack, read(aws, stack), adopt=True)
        except AwsCallError as refused:
            # AWS may know one half of what is new, and the other half not yet.
            if not (in_time and refused.code.endswith(_NOT_YET)):
                raise
        else:
            if not again.changes:
                return again
            if not in_time:
                raise _not_as_planned(again)
        aws.clock.sleep(2)


def _not_as_planned(again: Plan) -> LobsterError:
    left = "; ".join(f"{change.resource.label}: {change.reason}" for change in again.changes)
    return LobsterError(
        "The account is not as planned after everything was applied.",
        left,
        "see what changes it meanwhile, then run the same command again",
    )
