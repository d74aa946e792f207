"""How soon the next look comes."""

from __future__ import annotations

import pytest

from lobster_tasks.rollout.observation.snapshot import Snapshot
from lobster_tasks.rollout.observation.watch import LATER, SOON, pace

from .shapes import NEW, OLD, deployment, record, service, snapshot, target, task

a, old = task("a"), task("c", started_by=1, task_definition=OLD)
moving = service(deployment(2, NEW, rollout="IN_PROGRESS"))
seen = record("IN_PROGRESS")
draining = snapshot(moving, record=seen, tasks=(a, old), targets=(target(a), target(old, "draining")))


@pytest.mark.parametrize(
    ("latest", "drains_for", "seconds"),
    [
        (None, 30, SOON),
        (snapshot(moving), 30, SOON),
        (snapshot(moving, record=seen), 30, SOON),
        (snapshot(moving, record=seen, tasks=(a,), targets=(target(a, "initial"),)), 30, SOON),
        (draining, 30, LATER),
        (draining, 4, SOON),
        (draining, -10, SOON),
        (snapshot(moving, record=seen, tasks=(a,), targets=(target(a),)), 30, SOON),
    ],
    ids=[
        "nothing",
        "no record yet",
        "no task yet",
        "not healthy yet",
        "old targets drain",
        "old targets are about to have drained",
        "old targets should have drained",
        "about to be done",
    ],
)
def test_pace(latest: Snapshot | None, drains_for: float, seconds: float) -> None:
    assert pace(latest, drains_for) == seconds
