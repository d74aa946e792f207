"""Reads everything again: an empty plan is the proof."""

from __future__ import annotations

from ..aws import Aws
from ..errors import LobsterError
from ..stack import Stack
from .planner import Plan, plan
from .read import read

# How long AWS may take until a read shows what was written (IAM is the slowest).
_SETTLED_WITHIN_SECONDS = 60.0


def verify(aws: Aws, stack: Stack) -> Plan:
    """The empty plan; raises LobsterError naming what still differs when it does not get empty."""
    deadline = aws.clock.now() + _SETTLED_WITHIN_SECONDS
    while True:
        again = plan(stack, read(aws, stack), adopt=True)
        if not again.changes:
            return again
        if aws.clock.now() > deadline:
            left = "; ".join(f"{change.resource.label}: {change.reason}" for change in again.changes)
            raise LobsterError(
                "The account is not as planned after everything was applied.",
                left,
                "see what changes it meanwhile, then run the same command again",
            )
        aws.clock.sleep(2)
