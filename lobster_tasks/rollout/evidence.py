"""What shows why a rollout is not live: stop reasons, target health, events, the last lines of the log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..aws import Aws
from ..errors import AwsCallError
from .judge import Verdict
from .logs import last_lines
from .outcome import Cause
from .snapshot import Snapshot, Target, Task

_LINES = 20


@dataclass(frozen=True)
class Evidence:
    """Everything that a diagnosis may look at.

    ``failed`` are our tasks that ended, newest first; ``sick`` the targets of ours that were seen unhealthy;
    ``log`` the last lines of the newest failed task, or of one that runs; ``gaps`` what could not be read, said.
    """

    verdict: Verdict
    last: Snapshot
    failed: tuple[Task, ...] = ()
    sick: tuple[Target, ...] = ()
    events: tuple[str, ...] = ()
    log: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()


def gather(aws: Aws, snapshots: Sequence[Snapshot], verdict: Verdict) -> Evidence:
    """Collect what the snapshots hold, and read the log of the task that tells most."""
    last = snapshots[-1]
    failed = sorted((task for task in last.ours if task.failed), key=_made, reverse=True)
    log: tuple[str, ...] = ()
    gaps: tuple[str, ...] = ()
    if telling := next(iter([*failed, *last.ours]), None):
        try:
            log = tuple(_log(aws, telling))
        except AwsCallError as refused:  # a diagnosis without the log is better than none
            gaps = (f"the log of task {telling.short} could not be read: {refused.why}",)
    return Evidence(verdict, last, tuple(failed), _sick(snapshots), _events(last), log, gaps)


def plain_cause(evidence: Evidence) -> Cause:
    """The cause as ECS and the load balancer state it, not interpreted."""
    shown = [*_stops(evidence.failed), *(f"target {target.ip}: {target.why}" for target in evidence.sick)]
    shown += [*evidence.events, *(f"log: {line}" for line in evidence.log[-5:]), *evidence.gaps]
    if evidence.failed:
        first = evidence.failed[0]
        return Cause(
            "task-failed",
            f"{_count(len(evidence.failed), 'task')} stopped: {first.ending}.",
            tuple(shown),
            f"inv logs --task {first.arn.rsplit('/', 1)[-1][:8]}",
        )
    if evidence.sick:
        why = evidence.sick[0].why
        return Cause("target-unhealthy", f"The new tasks' target is {why}.", tuple(shown), "inv logs")
    return Cause("deployment-failed", f"{_sentence(evidence.verdict.why)}", tuple(shown), "inv status")


def _log(aws: Aws, task: Task) -> list[str]:
    answer = aws.call("ecs:DescribeTaskDefinition", task.task_definition, taskDefinition=task.task_definition)
    return last_lines(aws, answer["taskDefinition"], task.arn.rsplit("/", 1)[-1], _LINES)


def _made(task: Task) -> float:
    return task.created_at.timestamp() if task.created_at else 0.0


def _sick(snapshots: Sequence[Snapshot]) -> tuple[Target, ...]:
    """The last unhealthy state of each of our targets; the targets of stopped tasks are no longer shown."""
    seen: dict[tuple[str, str], Target] = {}
    for snapshot in snapshots:
        for task in snapshot.ours:
            for target in snapshot.targets_of(task):
                if target.state == "unhealthy":
                    seen[target.group, target.ip] = target
                elif target.state == "healthy":
                    seen.pop((target.group, target.ip), None)
    return tuple(seen.values())


def _events(last: Snapshot) -> tuple[str, ...]:
    """Events since our deployment was made that tell of trouble, oldest first."""
    began = last.rollout.created_at
    words = ("unable", "fail", "unhealthy")
    return tuple(
        event.message
        for event in reversed(last.service.events)
        if began is not None and event.at >= began and any(word in event.message for word in words)
    )


def _stops(failed: Sequence[Task]) -> list[str]:
    """A line for each reason, with how many tasks it ended."""
    counts: dict[str, int] = {}
    for task in failed:
        key = f"{task.stop_code}: {task.ending}" if task.stop_code else task.ending
        counts[key] = counts.get(key, 0) + 1
    return [f"{_count(count, 'task')} stopped, {reason}" for reason, count in counts.items()]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}".rstrip(".") + "."
