"""Read, plan, apply, verify: how an account is brought to what a stack says.

``read`` looks at the account, ``plan`` is the difference as frozen data, ``apply`` performs it along the
dependencies, and ``verify`` reads everything again: an empty plan is the proof. ``bring`` and ``remove`` are all of
it in order, and what everybody calls who changes an account; who shows a plan and asks for leave is handed in.
"""

from .apply import apply
from .cycle import Changes, Convergence, Dialogue, bring, carry_out, remove
from .dependents import dependents
from .planner import Change, Difference, Plan, plan, plan_removal, refuse_impossible
from .read import read
from .verify import verify, verify_removal

__all__ = [
    "Change",
    "Changes",
    "Convergence",
    "Dialogue",
    "Difference",
    "Plan",
    "apply",
    "bring",
    "carry_out",
    "dependents",
    "plan",
    "plan_removal",
    "read",
    "refuse_impossible",
    "remove",
    "verify",
    "verify_removal",
]
