"""A program that does not end on SIGTERM is told of, and others are not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from lobster_tasks.rollout.diagnosis.findings import findings
from lobster_tasks.rollout.observation.snapshot import Container, Task

from .shapes import NEW, NOON, OLD, THIRD, deployment, service, snapshot, stopped

REPLACED = "Scaling activity initiated by (deployment ecs-svc/2)"


def old(reason: str, exit_code: int, said: str = "") -> Task:
    """A task of the release before that has ended."""
    container = Container("lobster-streamlit", "STOPPED", exit_code, said)
    return stopped("c", reason, task_definition=OLD, started_by="ecs-svc/1", containers=(container,))


@pytest.mark.parametrize(
    ("task", "told"),
    [
        (old(REPLACED, 137), True),
        (old(REPLACED, 143), False),
        (old(REPLACED, 0), False),
        (old("Task failed ELB health checks in (target-group x)", 137), False),
        (old(REPLACED, 137, "OutOfMemoryError: Container killed due to memory usage"), False),
        (stopped("a", REPLACED, 137), False),
        (replace(old(REPLACED, 137), task_definition=THIRD), False),
        (replace(old(REPLACED, 137), stopped_at=NOON - timedelta(minutes=5)), False),
    ],
    ids=[
        "killed",
        "by the signal",
        "by itself",
        "unhealthy",
        "its memory",
        "ours, which may have been too young",
        "of an older release, which may be mended",
        "before our deployment",
    ],
)
def test_programs_that_have_to_be_killed(task: Task, told: bool) -> None:
    found = findings(snapshot(service(deployment(2, NEW)), tasks=(task,)))
    assert [each.code for each in found] == (["ignores-sigterm"] if told else [])


def test_it_is_named_for_the_release_and_the_container_that_it_is_true_of() -> None:
    sidecar = Container("agent", "STOPPED", 137)
    app = Container("lobster-streamlit", "STOPPED", 0)
    task = replace(old(REPLACED, 0), containers=(app, sidecar))
    [found] = findings(snapshot(service(deployment(2, NEW)), tasks=(task,)))
    assert found.message.startswith("Revision 1, which was replaced, did not end on SIGTERM")
    assert "stopTimeout of agent" in found.message
