"""Findings besides the cause, whatever the verdict. Pure."""

from __future__ import annotations

from ..cause_code import CauseCode
from ..observation.snapshot import Snapshot, Task, revision_of
from .causes import Cause

_KILLED = 137


def findings(last: Snapshot) -> tuple[Cause, ...]:
    """The finding that a program ignores SIGTERM: deployments take longer, and its running work is lost.

    Only tasks that this deployment replaced are considered: tasks of ours may be stopped before their program handles
    signals, and tasks of older releases, which ECS shows for an hour, may have a problem that is fixed by now.
    """
    stubborn = [task for task in last.others if _was_replaced(last, task) and _killed(task)]
    if not stubborn:
        return ()
    names = sorted({name for task in stubborn for name in _killed(task)})
    return (
        Cause(
            CauseCode.IGNORES_SIGTERM,
            f"Revision {revision_of(stubborn[0].task_definition)}, which was replaced, did not end on SIGTERM: ECS "
            f"waited for the stopTimeout of {', '.join(names)} (30 s, where the definition has none), and killed it.",
            tuple(f"task {task.short}: {task.why_stopped}" for task in stubborn),
            "if the new release has the same command: write CMD in exec form (a JSON list), or begin its script with "
            "exec; then inv push-image and inv deploy",
        ),
    )


def _was_replaced(last: Snapshot, task: Task) -> bool:
    """Whether a task is of the previous release, and ended after our deployment was created."""
    began = last.rollout.created_at
    since = began is None or (task.stopped_at is not None and task.stopped_at >= began)
    return task.ended and task.task_definition == last.rollout.previous and since


def _killed(task: Task) -> list[str]:
    """The containers that ECS had to kill, without a failure of the task or a lack of memory."""
    if task.failed or any("OutOfMemory" in each.reason for each in task.containers):
        return []
    return [each.name for each in task.containers if each.exit_code == _KILLED]
