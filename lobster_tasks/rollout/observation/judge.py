"""Judges what has become of a rollout, from its snapshots and by its identity. Pure.

A rollout is live only if ECS calls our own deployment successful, and all desired tasks are ours, running and
healthy targets. "One deployment, running equals desired" also holds after a rollback, for a service without tasks,
and before an update is visible, so it is not used.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from .snapshot import FINAL_STATUSES, Deployment, Snapshot, revision_of

Kind = Literal["live", "failed", "rolled_back", "superseded", "moving"]

_ROLLING_BACK = ("ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS")


@dataclass(frozen=True)
class Verdict:
    """``kind``, and ``why`` in a sentence; ``reason`` is AWS's own, if it gives one."""

    kind: Kind
    why: str
    reason: str = ""

    @property
    def final(self) -> bool:
        """Whether there is nothing more to wait for."""
        return self.kind != "moving"


def judge(snapshots: Sequence[Snapshot]) -> Verdict:
    """The verdict on the last of ``snapshots``; earlier ones show what ECS no longer returns."""
    last = snapshots[-1]
    if last.service.status != "ACTIVE":
        return Verdict("failed", f"the service is {last.service.status}")
    if last.record is None:
        return _judge_by_deployments(snapshots)
    return _judge_by_record(snapshots, last.record.status)


def _judge_by_record(snapshots: Sequence[Snapshot], status: str) -> Verdict:
    last = snapshots[-1]
    assert last.record is not None
    if last.rollout.is_first and status in (*_ROLLING_BACK, "ROLLBACK_SUCCESSFUL"):
        return Verdict("failed", "there is no previous release to roll back to")
    if status == "ROLLBACK_SUCCESSFUL":
        return _back(last, last.record.reason or "ECS rolled the deployment back", last.record.reason)
    if status == "ROLLBACK_FAILED":
        why = f"the rollback failed: {last.record.reason or 'ECS gives no reason'}"
        return Verdict("failed", why, last.record.reason)
    if status in _ROLLING_BACK:
        return Verdict("moving", "ECS rolls back")
    if other := _newer_primary(last):
        return _displaced(snapshots, other, is_over=status in FINAL_STATUSES)
    if status == "STOPPED":
        return _stopped(snapshots, last.record.reason)
    return (
        _settled(last) if status == "SUCCESSFUL" else Verdict("moving", _missing(last) or "ECS completes it")
    )


def _judge_by_deployments(snapshots: Sequence[Snapshot]) -> Verdict:
    """The verdict without a record: from DescribeServices' deployments, which ECS removes when they end."""
    last = snapshots[-1]
    ours, primary = last.deployment, last.service.primary
    if ours is not None and ours.status == "PRIMARY":
        if ours.rollout == "FAILED":
            return _failed_in_place(last, ours)
        done = ours.rollout == "COMPLETED" and ours.task_definition == last.rollout.task_definition
        return _settled(last) if done else Verdict("moving", _missing(last) or "ECS completes it")
    if primary is None:
        return Verdict("moving", "ECS shows no primary deployment")
    if any(_shows_rollback(each) for each in snapshots):
        return _rolling_back(last, primary)
    if ours is None and any(each.deployment is not None for each in snapshots):
        return _gone(last, primary)
    if other := _newer_primary(last):
        return _superseded(other)
    return Verdict("moving", "ECS does not show the deployment yet")


def _settled(last: Snapshot) -> Verdict:
    """The verdict once ECS has completed the deployment: it is live only if the tasks serve."""
    if last.service.desired == 0:
        return Verdict("failed", "the service's desired count is 0, so nothing runs")
    if missing := _missing(last):
        return Verdict("moving", missing)
    return Verdict("live", f"{len(last.healthy)}/{last.service.desired} healthy")


def _missing(last: Snapshot) -> str:
    """What is still missing; empty when every desired task is ours, running and healthy."""
    desired, primary = last.service.desired, last.service.primary
    if primary is None or primary.task_definition != last.rollout.task_definition:
        return "the service's primary deployment has another revision"
    if len(last.running) != desired:
        return f"{len(last.running)} of {desired} running"
    if len(last.healthy) == desired:
        return ""
    states = {target.why for task in last.running for target in last.targets_of(task)} - {"healthy"}
    return f"{len(last.healthy)} of {desired} healthy; target {', '.join(sorted(states)) or 'not registered yet'}"


def _newer_primary(last: Snapshot) -> Deployment | None:
    """A primary deployment that is newer than ours, and not ECS's rollback of ours."""
    primary, created_at = last.service.primary, last.rollout.created_at
    if primary is None or primary.id == last.rollout.deployment or created_at is None:
        return None
    return primary if primary.created_at > created_at and not _shows_rollback(last) else None


def _displaced(snapshots: Sequence[Snapshot], other: Deployment, *, is_over: bool) -> Verdict:
    """Superseded, once the record is final or the next snapshot confirms it.

    A snapshot's record may be older than its deployments, and not show yet that ECS rolled back.
    """
    before = [seen.service.primary for seen in snapshots[-2:-1]]
    if is_over or any(primary is not None and primary.id == other.id for primary in before):
        return _superseded(other)
    return Verdict("moving", "another deployment is the primary one, and ECS gives no reason yet")


def _stopped(snapshots: Sequence[Snapshot], reason: str) -> Verdict:
    """Failed, once the next snapshot confirms that there is no newer deployment."""
    before = [seen.record.status for seen in snapshots[-2:-1] if seen.record is not None]
    if "STOPPED" not in before:
        return Verdict("moving", "the deployment was stopped, and ECS shows no newer one yet")
    told = reason or _reason(snapshots[-1])
    return Verdict("failed", told or "the deployment was stopped", told)


def _shows_rollback(seen: Snapshot) -> bool:
    ours, primary = seen.deployment, seen.service.primary
    if ours is not None and ours.rollout == "FAILED":
        return True
    return primary is not None and primary is not ours and "rolling back" in primary.reason


def _rolling_back(last: Snapshot, primary: Deployment) -> Verdict:
    if last.rollout.is_first:
        return Verdict("failed", "there is no previous release to roll back to")
    if primary.rollout == "COMPLETED":
        return _back(last, f"revision {revision_of(primary.task_definition)} is back")
    if primary.rollout == "FAILED":
        return Verdict("failed", primary.reason or "the rollback failed", primary.reason)
    return Verdict("moving", "ECS rolls back")


def _back(last: Snapshot, why: str, reason: str = "") -> Verdict:
    """Rolled back, if the previous release serves again: all its desired tasks are healthy targets."""
    primary, desired = last.service.primary, last.service.desired
    before = [task for task in last.others if primary and task.task_definition == primary.task_definition]
    healthy = sum(task.running and last.is_healthy(task) for task in before)
    if 0 < desired <= healthy:
        return Verdict("rolled_back", why, reason)
    return Verdict("moving", f"rolled back, and {healthy} of {desired} healthy of the previous release")


def _failed_in_place(last: Snapshot, ours: Deployment) -> Verdict:
    """Failed and still the primary: final unless ECS is about to roll back."""
    if last.service.rolls_back and len(last.service.deployments) > 1:
        return Verdict("moving", "ECS is about to roll back")
    return Verdict("failed", ours.reason or "the deployment failed", ours.reason)


def _gone(last: Snapshot, primary: Deployment) -> Verdict:
    if primary.task_definition == last.rollout.previous:
        return _rolling_back(last, primary)
    return _superseded(primary)


def _superseded(other: Deployment) -> Verdict:
    return Verdict(
        "superseded",
        f"deployment {other.id} of revision {revision_of(other.task_definition)} took its place",
    )


def _reason(last: Snapshot) -> str:
    return last.deployment.reason if last.deployment is not None else ""
