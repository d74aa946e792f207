"""Read, plan, apply, verify: how an account is brought to what a stack says.

``read`` looks at the account, ``plan`` is the difference as frozen data, ``apply`` performs it along the
dependencies, and ``verify`` reads everything again: an empty plan is the proof. ``converge`` is the four of
them in order; a dry run stops after ``plan``.
"""

from .apply import apply
from .dependents import dependents
from .planner import Change, Difference, Plan, plan, plan_removal, refuse_impossible
from .read import read
from .verify import verify, verify_removal

__all__ = [
    "Change",
    "Difference",
    "Plan",
    "apply",
    "dependents",
    "plan",
    "plan_removal",
    "read",
    "refuse_impossible",
    "verify",
    "verify_removal",
]
