"""What is worth knowing besides the cause, whatever the verdict. Pure."""

from __future__ import annotations

from .causes import Cause
from .snapshot import Snapshot, Task

_KILLED = 137


def findings(last: Snapshot) -> tuple[Cause, ...]:
    """A program that has to be killed: a deployment takes longer, and what it was doing is lost.

    Only tasks of the release before tell: one of ours may be stopped before its program can hear a signal.
    """
    stubborn = [task for task in last.others if _was_killed(task)]
    if not stubborn:
        return ()
    return (
        Cause(
            "ignores-sigterm",
            "The release before does not end on SIGTERM: ECS waits for stopTimeout (30 s), and kills it.",
            tuple(f"task {task.short}: {task.ending}" for task in stubborn),
            "write CMD in exec form (a JSON list), or begin its script with exec; then inv push-image and inv deploy",
        ),
    )


def _was_killed(task: Task) -> bool:
    """Stopped by ECS because another task took its place, and not by its own doing or its memory."""
    codes = {each.exit_code for each in task.containers}
    return task.ended and not task.failed and _KILLED in codes and "OutOfMemory" not in task.ending
