"""A verdict cannot lie: what is live, and what only looks like it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lobster_tasks.rollout.observation.judge import judge
from lobster_tasks.rollout.observation.snapshot import Snapshot, Target, Task

from .shapes import (
    NEW,
    NOON,
    OLD,
    ROLLOUT,
    THIRD,
    deployment,
    record,
    service,
    snapshot,
    stopped,
    target,
    task,
)

ours = deployment(2, NEW)
moving = deployment(2, NEW, rollout="IN_PROGRESS")
old_beside = deployment(1, OLD, status="ACTIVE")
a, b, old = task("a"), task("b"), task("c", started_by=1, task_definition=OLD)
live = snapshot(service(ours), tasks=(a,), targets=(target(a),))
# After a rollback: one deployment, running equals desired, everything healthy. Of the old revision.
rolled_back = snapshot(service(deployment(3, OLD)), tasks=(old,), targets=(target(old),))
rolling_back = snapshot(
    service(
        deployment(
            3,
            OLD,
            rollout="IN_PROGRESS",
            reason="ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/3.",
        ),
        deployment(
            2,
            NEW,
            status="ACTIVE",
            rollout="FAILED",
            reason="ECS deployment circuit breaker: tasks failed to start.",
        ),
    ),
    tasks=(old,),
)
FALSE_GREEN_REASON = "Service deployment rolled back because the circuit breaker threshold was exceeded."

BY_RECORD = {
    "successful, running, healthy": ("live", live, "SUCCESSFUL", ""),
    "successful, and old tasks still drain": (
        "live",
        snapshot(service(ours, old_beside), tasks=(a, old), targets=(target(a), target(old, "draining"))),
        "SUCCESSFUL",
        "",
    ),
    "successful, but the target is not healthy": (
        "moving",
        snapshot(service(ours), tasks=(a,), targets=(target(a, "unhealthy", "Target.Timeout"),)),
        "SUCCESSFUL",
        "",
    ),
    "successful, but the target is not registered": (
        "moving",
        snapshot(service(ours), tasks=(a,)),
        "SUCCESSFUL",
        "",
    ),
    "successful, but of two wanted tasks one runs": (
        "moving",
        snapshot(service(ours, desired=2), tasks=(a,), targets=(target(a),)),
        "SUCCESSFUL",
        "",
    ),
    "successful, but the running task is another deployment's": (
        "moving",
        snapshot(service(ours), tasks=(task("d", started_by=1),), targets=(target(task("d")),)),
        "SUCCESSFUL",
        "",
    ),
    "successful at zero tasks": ("failed", snapshot(service(ours, desired=0)), "SUCCESSFUL", ""),
    "all healthy, but ECS has not finished": ("moving", live, "IN_PROGRESS", ""),
    "rolled back, and as good as new by the counts": (
        "rolled_back",
        rolled_back,
        "ROLLBACK_SUCCESSFUL",
        FALSE_GREEN_REASON,
    ),
    "on the way back": ("moving", rolling_back, "ROLLBACK_IN_PROGRESS", ""),
    "the record is read before it says that ECS goes back": ("moving", rolling_back, "IN_PROGRESS", ""),
    "the first release fails": (
        "failed",
        snapshot(
            service(deployment(2, NEW, rollout="FAILED"), running=0),
            tasks=(stopped("a", "Essential container in task exited", 1),),
        ),
        "ROLLBACK_FAILED",
        "No rollback candidate was found to run the rollback.",
    ),
    "stopped by somebody's newer deployment": (
        "superseded",
        snapshot(service(deployment(3, THIRD, rollout="IN_PROGRESS"), replace(moving, status="ACTIVE"))),
        "STOPPED",
        "",
    ),
    "live for a moment, then replaced by somebody": (
        "superseded",
        snapshot(service(deployment(3, THIRD, rollout="IN_PROGRESS"), replace(ours, status="ACTIVE"))),
        "SUCCESSFUL",
        "",
    ),
    "the service is being deleted": ("failed", snapshot(service(ours, status="DRAINING")), "IN_PROGRESS", ""),
}


@pytest.mark.parametrize(("kind", "seen", "status", "reason"), BY_RECORD.values(), ids=BY_RECORD.keys())
def test_by_the_service_deployment(kind: str, seen: Snapshot, status: str, reason: str) -> None:
    verdict = judge([replace(seen, record=record(status, reason=reason))])
    assert verdict.kind == kind
    assert verdict.why.endswith(reason)


failed_primary = service(deployment(2, NEW, rollout="FAILED"))
in_progress = snapshot(service(moving, old_beside), tasks=(task("a", status="PENDING"), old))
stale = snapshot(service(deployment(1, OLD)), tasks=(old,), targets=(target(old),))

BY_DEPLOYMENTS: dict[str, tuple[str, list[Snapshot]]] = {
    "completed, running, healthy": ("live", [live]),
    "running equals desired, but it goes on": ("moving", [in_progress]),
    "all healthy, but ECS has not finished": (
        "moving",
        [snapshot(service(moving), tasks=(a,), targets=(target(a),))],
    ),
    "completed, but the target is not healthy": (
        "moving",
        [snapshot(service(ours), tasks=(a,), targets=(target(a, "initial"),))],
    ),
    "completed at zero tasks": ("failed", [snapshot(service(ours, desired=0))]),
    "the update is not visible yet": ("moving", [stale]),
    "on the way back": ("moving", [in_progress, rolling_back]),
    "rolled back, seen all the way": ("rolled_back", [in_progress, rolling_back, rolled_back]),
    "rolled back between two looks": ("rolled_back", [in_progress, rolled_back]),
    "rolled back to the deployment that was there before": ("rolled_back", [in_progress, stale]),
    "the first release fails": ("failed", [snapshot(failed_primary)]),
    "failed, without a way back": (
        "failed",
        [snapshot(service(deployment(2, NEW, rollout="FAILED"), old_beside))],
    ),
    "failed, before the way back is seen": (
        "moving",
        [snapshot(service(deployment(2, NEW, rollout="FAILED"), old_beside, rolls_back=True))],
    ),
    "the way back fails too": (
        "failed",
        [rolling_back, snapshot(service(deployment(3, OLD, rollout="FAILED")))],
    ),
    "superseded": (
        "superseded",
        [in_progress, snapshot(service(deployment(3, THIRD), replace(moving, status="ACTIVE")))],
    ),
    "superseded between two looks": ("superseded", [in_progress, snapshot(service(deployment(3, THIRD)))]),
    "nothing is shown": ("moving", [snapshot(service())]),
}


@pytest.mark.parametrize(("kind", "seen"), BY_DEPLOYMENTS.values(), ids=BY_DEPLOYMENTS.keys())
def test_where_no_service_deployment_answers(kind: str, seen: list[Snapshot]) -> None:
    assert judge(seen).kind == kind


@pytest.mark.parametrize(
    ("tasks", "targets", "desired"),
    [
        ((), (), 1),
        ((old,), (target(old, "initial"),), 1),
        ((old,), (target(old),), 2),
        ((a,), (target(a),), 1),
        ((old,), (target(old),), 0),
    ],
    ids=["nothing runs", "not healthy yet", "one of two", "ours, not theirs", "nothing is wanted"],
)
def test_rolled_back_is_only_what_serves_again(
    tasks: tuple[Task, ...], targets: tuple[Target, ...], desired: int
) -> None:
    back = snapshot(service(deployment(3, OLD), desired=desired), tasks=tasks, targets=targets)
    assert judge([replace(back, record=record("ROLLBACK_SUCCESSFUL"))]).kind == "moving"
    assert judge([in_progress, back]).kind == "moving"


@pytest.mark.parametrize("status", ["ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS", "ROLLBACK_SUCCESSFUL"])
def test_a_first_release_has_nothing_to_go_back_to(status: str) -> None:
    """The revision before stands for no release: going back to it is going on trying."""
    first = replace(rolling_back, rollout=replace(ROLLOUT, is_first=True))
    assert judge([replace(first, record=record(status))]).kind == "failed"
    assert judge([first]).kind == "failed"


def test_a_revision_that_stands_may_have_been_started_by_any_deployment() -> None:
    """After a rollback ECS keeps the tasks of the deployment before."""
    as_it_stands = replace(ROLLOUT, started=False, recorded=False)
    adopted = task("d", started_by=1)
    assert (
        judge([replace(live, rollout=as_it_stands, tasks=(adopted,), targets=(target(adopted),))]).kind
        == "live"
    )


def test_a_deployment_that_was_gone_when_we_came_is_judged_by_its_record() -> None:
    gone = replace(ROLLOUT, deployment=None, started=False, created_at=NOON)
    after = replace(rolled_back, rollout=gone)
    assert judge([replace(after, record=record("ROLLBACK_SUCCESSFUL"))]).kind == "rolled_back"
    assert judge([replace(after, record=record("SUCCESSFUL"))]).kind == "superseded"


def test_a_record_older_than_the_deployments_beside_it_supersedes_nothing() -> None:
    """ECS went back, and was done with it, between the two calls of one look."""
    torn = replace(rolled_back, record=record("IN_PROGRESS"))
    told = replace(rolled_back, record=record("ROLLBACK_SUCCESSFUL"))
    assert judge([live, torn]).kind == "moving"
    assert judge([live, torn, told]).kind == "rolled_back"


def test_a_stop_is_somebodys_once_a_second_look_shows_no_newer_deployment() -> None:
    """The deployments of the first look may be older than the record beside them."""
    alone = snapshot(service(moving), record=record("STOPPED", reason="Stopped by a user."))
    newer = service(deployment(3, THIRD, rollout="IN_PROGRESS"), replace(moving, status="ACTIVE"))
    assert judge([live, alone]).kind == "moving"
    assert judge([alone, replace(alone, service=newer)]).kind == "superseded"
    told = judge([alone, alone])
    assert (told.kind, told.why) == ("failed", "Stopped by a user.")


def test_somebody_elses_deployment_supersedes_once_a_second_look_shows_it() -> None:
    """Here somebody forces the same revision again."""
    forced = service(deployment(3, NEW, rollout="IN_PROGRESS"), replace(moving, status="ACTIVE"))
    seen = snapshot(forced, record=record("IN_PROGRESS"))
    assert judge([seen, seen]).kind == "superseded"
    another = snapshot(service(deployment(4, THIRD), *forced.deployments), record=record("IN_PROGRESS"))
    assert judge([seen, another]).kind == "moving"


def test_every_wanted_task_has_to_be_a_healthy_target() -> None:
    two = snapshot(service(ours, desired=2), tasks=(a, b), targets=(target(a), target(b, "initial")))
    done = record("SUCCESSFUL")
    assert judge([replace(two, record=done)]).why == "1 of 2 healthy; target initial"
    assert judge([replace(two, record=done, targets=(target(a), target(b)))]).why == "2/2 healthy"
