"""How soon the next look comes."""

from __future__ import annotations

import pytest

from lobster_tasks.rollout.snapshot import Snapshot
from lobster_tasks.rollout.watch import LATER, SOON, pace

from .shapes import NEW, OLD, deployment, record, service, snapshot, target, task

a, old = task("a"), task("c", started_by=1, task_definition=OLD)
moving = service(deployment(2, NEW, rollout="IN_PROGRESS"))
seen = record("IN_PROGRESS")


@pytest.mark.parametrize(
    ("latest", "seconds"),
    [
        (None, SOON),
        (snapshot(moving), SOON),
        (snapshot(moving, record=seen), SOON),
        (snapshot(moving, record=seen, tasks=(a,), targets=(target(a, "initial"),)), SOON),
        (snapshot(moving, record=seen, tasks=(a, old), targets=(target(a), target(old, "draining"))), LATER),
        (snapshot(moving, record=seen, tasks=(a,), targets=(target(a),)), SOON),
    ],
    ids=["nothing", "no record yet", "no task yet", "not healthy yet", "old tasks drain", "about to be done"],
)
def test_pace(latest: Snapshot | None, seconds: float) -> None:
    assert pace(latest) == seconds
