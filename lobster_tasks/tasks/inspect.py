"""Tasks that show the current state."""

from __future__ import annotations

from ..cli.command import Run, command, number


@command(json=True)
def settings(run: Run) -> None:
    """Show the settings in effect.

    From invoke.yaml, the environment, --set and the defaults together; without the values of the
    container's variables. Makes no call to AWS.
    """
    from .. import report

    found = report.settings_json(run.settings.model_dump(mode="json"))
    run.console.show(report.settings(found))
    if run.json:
        run.console.json(found)


@command(json=True, help={"watch": "show every change until Ctrl-C"})
def status(run: Run, watch: bool = False) -> None:
    """Show the state of the service.

    Deployments, tasks, targets and the last events; the address last.
    """
    from .. import report
    from ..errors import UsageError
    from ..rollout import status

    if watch and run.json:
        raise UsageError("inv status takes --watch or --json.", "--json prints one object")
    if watch:
        _watch(run)
        return
    now = status(run.aws, run.settings)
    run.console.show(report.status(now))
    if run.json:
        run.console.json(report.status_json(now))


def _watch(run: Run) -> None:
    """Redraw the state on a terminal; elsewhere print it whenever something changes."""
    from .. import report
    from ..rollout import watched

    before = None
    with run.console.live() as redraw:
        for now in watched(run.aws, run.settings):
            if run.console.is_drawing:
                redraw(report.status(now))
            elif report.status_json(now) != before:
                run.console.show(report.status(now))
            before = report.status_json(now)


@command(
    help={
        "task": "only this task, by its id or the start of it",
        "since": "minutes to look back",
        "follow": "follow new events until Ctrl-C",
        "raw": "print the log unchanged, with colours and any other control characters",
    }
)
def logs(run: Run, task: str = "", since: str = "10", follow: bool = False, raw: bool = False) -> None:
    """Print the log of the tasks.

    A line of another container than the app's begins with that container's name. Control characters are
    shown as \\x1b and the like; further lines of one event are indented below its first line.
    """
    seconds = number("since", since, of="minutes") * 60

    from .. import report
    from ..rollout import tail

    for line in tail(run.aws, run.settings.logs.group, task or None, seconds, follow):
        run.console.write(report.log_line(line, run.settings.container.name, raw=raw), raw=raw)


@command(json=True)
def validate_fargate_setup(run: Run) -> int:
    """Check everything, and say how to fix it.

    From the AWS identity to the WebSocket as visitors open it. Exit code 1 if a check
    fails; a check that cannot be made is reported and is not a failure.
    """
    from pathlib import Path

    from .. import report
    from ..doctor import examine

    made = examine(run.aws, run.settings, Path.cwd())
    run.console.show(report.checks(made))
    if run.json:
        run.console.json(report.checks_json(made))
    return 0 if made.ok else 1
