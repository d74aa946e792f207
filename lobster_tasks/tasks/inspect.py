"""Tasks that look at what runs."""

from __future__ import annotations

from ..foreign import visible
from .command import Run, command, number


@command(json=True)
def settings(run: Run) -> None:
    """Show the settings that count.

    Those of invoke.yaml, the environment and --set together, and the defaults for the rest; not the values of the
    container's variables. Asks nobody.
    """
    from .. import report

    found = report.settings_json(run.settings.model_dump(mode="json"))
    run.console.show(report.settings(found))
    if run.json:
        run.console.json(found)


@command(json=True, help={"watch": "go on showing it as it changes, until Ctrl-C"})
def status(run: Run, watch: bool = False) -> None:
    """Show the service as it stands.

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
        run.console.json(now.as_json())


def _watch(run: Run) -> None:
    """Drawn again and again on a terminal; elsewhere printed whenever something is different."""
    from .. import report
    from ..rollout import watched

    before = None
    with run.console.live() as redraw:
        for now in watched(run.aws, run.settings):
            if run.console.is_drawing:
                redraw(report.status(now))
            elif now.as_json() != before:
                run.console.show(report.status(now))
            before = now.as_json()


@command(
    help={
        "task": "only this task: its id, or the beginning of it",
        "since": "minutes to look back",
        "follow": "go on with what is to come, until Ctrl-C",
        "raw": "as it is, with what a terminal obeys (colours, and whatever else an app may send)",
    }
)
def logs(run: Run, task: str = "", since: str = "10", follow: bool = False, raw: bool = False) -> None:
    """Print what the tasks write.

    What another container than the app's has written has its name in front. Characters that a terminal would obey are
    shown as \\x1b and the like, and what belongs to one event is indented below its first line.
    """
    seconds = number("since", since, of="minutes") * 60

    from ..rollout import tail

    for line in tail(run.aws, run.settings, task or None, seconds, follow):
        other = "" if line.container in ("", run.settings.container.name) else f"{visible(line.container)}: "
        head = f"{line.at:%Y-%m-%d %H:%M:%S} {line.task[:8]} {other}"
        message = line.message if raw else visible(line.message).replace("\n", "\n" + " " * len(head))
        run.console.write(f"{head}{message}\n", raw=raw)


@command(json=True)
def validate_fargate_setup(run: Run) -> int:
    """Check everything, and say how to mend it.

    From who is asking to the WebSocket through the load balancer: what each check saw. Exit code 1 where one
    fails; what cannot be checked is said and is no failure.
    """
    from pathlib import Path

    from .. import report
    from ..doctor import examine

    made = examine(run.aws, run.settings, Path.cwd())
    run.console.show(report.checks(made))
    if run.json:
        run.console.json(report.checks_json(made))
    return 0 if made.ok else 1
