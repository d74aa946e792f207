"""The whole way, offline: everything that a project's settings describe, made, used and removed again.

``rehearse`` tells the story on an AWS that answers at a given address; ``embedded`` starts one as a process.
"""

from .scenario import rehearse
from .steps import Rehearsal, RehearsalStep

__all__ = ["Rehearsal", "RehearsalStep", "rehearse"]
