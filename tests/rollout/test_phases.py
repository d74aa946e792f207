"""What a rollout is about at each moment."""

from __future__ import annotations

import pytest

from lobster_tasks.clock import Clock
from lobster_tasks.rollout.observation.phases import TITLES, Phase, phase_of
from lobster_tasks.rollout.observation.snapshot import Snapshot
from lobster_tasks.rollout.observation.timeline import Progress, Timeline

from .shapes import NEW, deployment, record, service, snapshot, stopped, target, task

a, b = task("a"), task("b")
moving = service(deployment(2, NEW, rollout="IN_PROGRESS"))
going = record("IN_PROGRESS")
starting = snapshot(moving, record=going, tasks=(task("a", status="PENDING"),))
checking = snapshot(moving, record=going, tasks=(a,), targets=(target(a, "initial"),))
well = snapshot(moving, record=going, tasks=(a,), targets=(target(a),))


@pytest.mark.parametrize(
    ("seen", "phase"),
    [
        (snapshot(moving), "start"),
        (starting, "start"),
        (snapshot(moving, tasks=(stopped("a", "Essential container in task exited", 1),)), "start"),
        (checking, "health"),
        (well, "drain"),
        (snapshot(service(*moving.deployments, desired=2), tasks=(a, b), targets=(target(a),)), "health"),
        (
            snapshot(moving, record=record("ROLLBACK_IN_PROGRESS"), tasks=(a,), targets=(target(a),)),
            "rollback",
        ),
        (snapshot(moving, record=record("ROLLBACK_SUCCESSFUL")), "rollback"),
    ],
)
def test_phases(seen: Snapshot, phase: Phase) -> None:
    assert phase_of(seen) == phase


def test_a_phase_that_is_over_does_not_come_back() -> None:
    told: list[Progress] = []
    timeline = Timeline(Clock(), told.append)
    timeline.say("looking")
    timeline.enter("update")
    timeline.saw(starting, [])
    timeline.saw(checking, [])
    timeline.saw(starting, [])
    timeline.enter("ask")
    timeline.say("GET / 200")
    assert [each.phase for each in told] == ["check", "start", "health", "health", "ask"]


def test_every_phase_has_a_title() -> None:
    assert all(TITLES.values())
