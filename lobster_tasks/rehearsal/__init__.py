"""Rehearses a migration offline: creates, uses and deletes everything that a project's settings describe.

``rehearse`` runs on an embedded AWS at a given address, which ``embedded_process`` starts.
"""

from .scenario import rehearse
from .steps import Rehearsal, RehearsalStep

__all__ = ["Rehearsal", "RehearsalStep", "rehearse"]
