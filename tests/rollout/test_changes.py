"""Two snapshots become sentences for the timeline."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lobster_tasks.rollout.observation.changes import changes
from lobster_tasks.rollout.observation.snapshot import Snapshot

from .shapes import (
    NEW,
    NOON,
    OLD,
    ROLLOUT,
    deployment,
    event,
    record,
    service,
    snapshot,
    stopped,
    target,
    task,
)

moving = service(deployment(2, NEW, rollout="IN_PROGRESS"))
nothing = snapshot(moving)
a = task("a")
old = task("c", started_by=1, task_definition=OLD)
starting = task("a", status="PROVISIONING")
pending = task("a", status="PENDING")
pulled = replace(pending, pulled_at=NOON)


def seen(*tasks: object, targets: tuple = (), **members: object) -> Snapshot:  # type: ignore[type-arg]
    """The moving service with some tasks and targets."""
    return snapshot(moving, tasks=tasks, targets=targets, **members)


TABLE: dict[str, tuple[Snapshot | None, Snapshot, list[str]]] = {
    "the first look": (None, nothing, ["deployment ecs-svc/2 started"]),
    "the first look at what stands": (
        None,
        seen(a, targets=(target(a),), rollout=replace(ROLLOUT, started=False), record=record("SUCCESSFUL")),
        [],
    ),
    "nothing new": (seen(a, targets=(target(a),)), seen(a, targets=(target(a),)), []),
    "a task appears": (nothing, seen(starting), ["task aaaa… provisioning"]),
    "a task goes on": (seen(starting), seen(pending), ["task aaaa… pending"]),
    "an image is pulled": (seen(pending), seen(pulled), ["task aaaa… image pulled"]),
    "an image is pulled, with its size": (
        seen(pending),
        seen(pulled, rollout=replace(ROLLOUT, image_mib=214)),
        ["task aaaa… image pulled (214 MiB)"],
    ),
    "pulled and running between two looks": (
        seen(starting),
        seen(replace(a, pulled_at=NOON)),
        ["task aaaa… image pulled", "task aaaa… running"],
    ),
    "a target is registered": (
        seen(a),
        seen(a, targets=(target(a, "initial"),)),
        ["task aaaa… target initial"],
    ),
    "a target becomes healthy": (
        seen(a, targets=(target(a, "initial"),)),
        seen(a, targets=(target(a),)),
        ["task aaaa… target healthy"],
    ),
    "a target becomes unhealthy": (
        seen(a, targets=(target(a, "initial"),)),
        seen(a, targets=(target(a, "unhealthy", "Target.Timeout", "Request timed out"),)),
        ["task aaaa… target unhealthy (Target.Timeout: Request timed out)"],
    ),
    "a task fails": (
        seen(a),
        seen(stopped("a", "Essential container in task exited", 1)),
        ["task aaaa… stopped: Essential container in task exited, exit code 1"],
    ),
    "a task fails unseen": (
        nothing,
        seen(stopped("a", "CannotPullContainerError: not found")),
        ["task aaaa… stopped: CannotPullContainerError: not found"],
    ),
    "a task is being stopped": (
        seen(a),
        seen(
            replace(
                a,
                status="DEACTIVATING",
                desired_status="STOPPED",
                stopped_reason="Task failed ELB health checks",
            )
        ),
        ["task aaaa… stopping: Task failed ELB health checks"],
    ),
    "the target of a failed task drains": (
        seen(a, targets=(target(a),)),
        seen(replace(a, status="DEACTIVATING", desired_status="STOPPED"), targets=(target(a, "draining"),)),
        ["task aaaa… stopping"],
    ),
    "a stopping task goes on stopping": (
        seen(replace(a, status="DEACTIVATING", desired_status="STOPPED")),
        seen(replace(a, status="STOPPING", desired_status="STOPPED")),
        [],
    ),
    "an old task drains": (
        seen(old, targets=(target(old),)),
        seen(replace(old, status="DEACTIVATING"), targets=(target(old, "draining"),)),
        ["old task cccc… draining"],
    ),
    "an old task stops": (
        seen(replace(old, status="STOPPING")),
        seen(replace(old, status="STOPPED")),
        ["old task cccc… stopped"],
    ),
    "an old task that had stopped before": (seen(), seen(replace(old, status="STOPPED")), []),
    "the deployment completes": (
        seen(record=record("IN_PROGRESS")),
        seen(record=record("SUCCESSFUL")),
        ["deployment completed"],
    ),
    "the deployment completes without a record": (
        nothing,
        snapshot(service(deployment(2, NEW))),
        ["deployment completed"],
    ),
    "the circuit breaker counts": (
        seen(record=record("IN_PROGRESS", failures=1, threshold=3)),
        seen(record=record("IN_PROGRESS", failures=2, threshold=3)),
        ["circuit breaker: 2 of 3 failures"],
    ),
    "ECS rolls back": (
        seen(record=record("IN_PROGRESS")),
        seen(record=record("ROLLBACK_IN_PROGRESS", reason="The threshold was exceeded.")),
        ["rolling back: The threshold was exceeded."],
    ),
    "somebody scales": (
        nothing,
        snapshot(replace(moving, desired=2)),
        ["desired count 1 → 2"],
    ),
    "an event that tells of trouble": (
        nothing,
        snapshot(
            replace(
                moving,
                events=(
                    event("(service s) was unable to place a task."),
                    event("(service s) has started 1 tasks"),
                ),
            )
        ),
        ["event: (service s) was unable to place a task."],
    ),
}


@pytest.mark.parametrize(("before", "after", "told"), TABLE.values(), ids=TABLE.keys())
def test_what_is_told(before: Snapshot | None, after: Snapshot, told: list[str]) -> None:
    assert changes(before, after) == told
