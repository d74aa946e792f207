"""What a rollout is about at the moment. Pure."""

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
    """Of a deployment that is under way."""
    if seen.record is not None and seen.record.status.startswith("ROLLBACK"):
        return "rollback"
    if len(seen.healthy) >= max(1, seen.service.desired):
        return "drain"
    return "health" if seen.running else "start"


def later(one: Phase, other: Phase) -> Phase:
    """The later of two: tasks that fail and start again do not take a rollout back to where it was."""
    return max(one, other, key=_ORDER.index)
