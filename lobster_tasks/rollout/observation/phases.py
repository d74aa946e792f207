"""The phases of a rollout. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from .snapshot import Snapshot

Phase = Literal["check", "update", "start", "health", "drain", "rollback", "ask"]
TITLES: Mapping[Phase, str] = {
    "check": "Check the prerequisites",
    "update": "Register and update",
    "start": "Start the tasks",
    "health": "Wait for health",
    "drain": "Stop the old tasks",
    "rollback": "Roll back",
    "ask": "Probe the app",
}
_ORDER: tuple[Phase, ...] = tuple(TITLES)


def phase_of(seen: Snapshot) -> Phase:
    """The phase of a deployment in progress."""
    if seen.record is not None and seen.record.status.startswith("ROLLBACK"):
        return "rollback"
    if len(seen.healthy) >= max(1, seen.service.desired):
        return "drain"
    return "health" if seen.running else "start"


def later(one: Phase, other: Phase) -> Phase:
    """The later of two phases: failing tasks do not take a rollout back to an earlier one."""
    return max(one, other, key=_ORDER.index)
