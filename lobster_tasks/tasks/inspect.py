"""Tasks that look at what runs."""

from __future__ import annotations

from .command import Run, command


@command(json=True)
def status(run: Run) -> None:
    """Show the service: deployments, tasks, targets, the last events and the address."""
    from .. import report
    from ..rollout import status

    now = status(run.aws, run.settings)
    run.console.show(report.status(now))
    if run.json:
        run.console.json(now.as_json())


@command(
    help={
        "task": "only this task: its id, or the beginning of it",
        "since": "minutes to look back",
        "follow": "go on with what is to come, until Ctrl-C",
    }
)
def logs(run: Run, task: str = "", since: int = 10, follow: bool = False) -> None:
    """Print what the tasks write."""
    from ..rollout import tail

    for line in tail(run.aws, run.settings, task or None, since * 60.0, follow):
        run.console.write(f"{line.at:%Y-%m-%d %H:%M:%S} {line.task[:8]} {line.message}\n")


@command(json=True)
def validate_fargate_setup(run: Run) -> int:
    """Check the whole set-up, from identity to WebSocket; each check with what it saw and how to mend it."""
    from pathlib import Path

    from .. import report
    from ..doctor import examine

    made = examine(run.aws, run.settings, Path.cwd())
    run.console.show(report.checks(made))
    if run.json:
        run.console.json(report.checks_json(made))
    return 0 if made.ok else 1
