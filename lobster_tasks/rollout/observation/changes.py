"""Describes in sentences what changed between two snapshots, for the timeline. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from .aws_words import without_names
from .snapshot import ServiceDeployment, Snapshot, Target, Task

# Events with information beyond tasks and targets (Amazon ECS, "Service event messages").
_TELLING = (
    "unable to",
    "failed to launch",
    "could not",
    "not healthy in",
    "throttled",
    "misconfigured",
    "Timed out",
)
_STARTING = ("PROVISIONING", "PENDING", "ACTIVATING")


def changes(before: Snapshot | None, after: Snapshot) -> list[str]:
    """What is new in ``after``; for a deployment that existed before, the first snapshot has nothing new."""
    if before is None and not after.rollout.started:
        return []
    told = [
        *_service(before, after),
        *_our_tasks(before, after),
        *_our_targets(before, after),
        *_other_tasks(before, after),
        *_deployment(before, after),
        *_record(before.record if before else None, after.record),
        *_events(before, after),
    ]
    return told if before else [f"deployment {after.rollout.deployment} started", *told]


def _service(before: Snapshot | None, after: Snapshot) -> Iterator[str]:
    if before is not None and before.service.desired != after.service.desired:
        yield f"desired count {before.service.desired} → {after.service.desired}"


def _our_tasks(before: Snapshot | None, after: Snapshot) -> Iterator[str]:
    known = {task.arn: task for task in before.ours} if before else {}
    for task in sorted(after.ours, key=lambda task: task.arn):
        yield from _task(known.get(task.arn), task, after.rollout.image_mib)


def _task(before: Task | None, after: Task, image_mib: int | None) -> Iterator[str]:
    name = f"task {after.short}"
    if after.pulled_at and not (before and before.pulled_at):
        yield f"{name} image pulled" + (f" ({image_mib} MiB)" if image_mib else "")
    if before is not None and before.status == after.status:
        return
    if after.status == "STOPPED":
        yield f"{name} stopped: {after.why_stopped}" if after.why_stopped else f"{name} stopped"
    elif after.status in _STARTING or after.running:
        yield f"{name} {after.status.lower()}"
    elif before is None or before.running or before.status in _STARTING:
        yield f"{name} stopping: {after.stopped_reason}" if after.stopped_reason else f"{name} stopping"


def _our_targets(before: Snapshot | None, after: Snapshot) -> Iterator[str]:
    for task in sorted(after.ours, key=lambda task: task.arn):
        known = {_place(target): target.state for target in before.targets_of(task)} if before else {}
        for target in after.targets_of(task) if task.desired_status == "RUNNING" else ():
            if target.state != known.get(_place(target)):
                yield f"task {task.short} target {target.why if target.state == 'unhealthy' else target.state}"


def _place(target: Target) -> tuple[str, int]:
    return target.group, target.port


def _other_tasks(before: Snapshot | None, after: Snapshot) -> Iterator[str]:
    if before is None:
        return
    known = {task.arn: task for task in before.others}
    for task in sorted(after.others, key=lambda task: task.arn):
        name = f"old task {task.short}"
        if _draining(after, task) and not _draining(before, task):
            yield f"{name} draining"
        was = known.get(task.arn)
        if task.ended and was is not None and not was.ended:
            yield f"{name} stopped"


def _draining(snapshot: Snapshot, task: Task) -> bool:
    return not task.ended and any(target.state == "draining" for target in snapshot.targets_of(task))


def _deployment(before: Snapshot | None, after: Snapshot) -> Iterator[str]:
    """Changes of the deployment, where there is no record."""
    ours, was = after.deployment, before.deployment if before else None
    if after.record is not None or ours is None or (was is not None and was.rollout == ours.rollout):
        return
    if ours.rollout == "COMPLETED":
        yield "deployment completed"
    elif ours.rollout == "FAILED":
        yield f"deployment failed: {ours.reason}"


def _record(before: ServiceDeployment | None, after: ServiceDeployment | None) -> Iterator[str]:
    if after is None:
        return
    failures = before.failures if before else 0
    if after.threshold and after.failures > failures:
        yield f"circuit breaker: {after.failures} of {after.threshold} failures"
    if before is not None and before.status == after.status:
        return
    words = {
        "SUCCESSFUL": "deployment completed",
        "ROLLBACK_REQUESTED": "rollback requested",
        "ROLLBACK_IN_PROGRESS": "rolling back",
        "ROLLBACK_SUCCESSFUL": "rollback completed",
        "ROLLBACK_FAILED": "rollback failed",
        "STOP_REQUESTED": "stop requested",
        "STOPPED": "deployment stopped",
    }
    if word := words.get(after.status):
        yield f"{word}: {after.reason}" if after.reason and after.status != "SUCCESSFUL" else word


def _events(before: Snapshot | None, after: Snapshot) -> Iterator[str]:
    if before is None:
        return
    known = {event.id for event in before.service.events}
    for event in reversed(after.service.events):
        if event.id not in known and any(word in without_names(event.message) for word in _TELLING):
            yield f"event: {event.message}"
