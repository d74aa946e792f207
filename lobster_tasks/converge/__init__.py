"""Brings an account to what a stack describes: read, plan, apply, verify.

``read`` reads the account, ``plan`` returns the difference as frozen data, ``apply`` makes the changes in the order
of the dependencies, and ``verify`` reads everything again: the plan must then be empty. ``bring`` and ``remove`` do
all of it and are what callers use; they get a ``Dialogue`` that shows the plan and asks for confirmation.
"""

from .apply import apply
from .cycle import Changes, Convergence, Dialogue, bring, carry_out, remove
from .dependents import dependents
from .openings import other_doors, with_openings
from .planner import (
    Change,
    Difference,
    Lockout,
    Opening,
    Plan,
    Widening,
    plan,
    plan_removal,
    refuse_impossible,
)
from .read import read
from .replacement import refuse_unready
from .verify import verify, verify_removal

__all__ = [
    "Change",
    "Changes",
    "Convergence",
    "Dialogue",
    "Difference",
    "Lockout",
    "Opening",
    "Plan",
    "Widening",
    "apply",
    "bring",
    "carry_out",
    "dependents",
    "other_doors",
    "plan",
    "plan_removal",
    "read",
    "refuse_impossible",
    "refuse_unready",
    "remove",
    "verify",
    "verify_removal",
    "with_openings",
]
