"""The whole way, offline: everything that a project's settings describe, made, used and removed again.

``rehearse`` tells the story on an AWS that answers at a given address; ``embedded`` starts one as a process.
"""

from .steps import Rehearsal, Step
from .story import rehearse

__all__ = ["Rehearsal", "Step", "rehearse"]
