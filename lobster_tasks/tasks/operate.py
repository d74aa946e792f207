"""Tasks that operate what runs: its history, back to an earlier release, more tasks, a look inside."""

from __future__ import annotations

from .command import Run, command, number, required
from .following import accepting, busy_choice, finish, show_preview, watching

_BUSY = {"if-busy": "while another deployment is under way: wait, supersede or refuse"}


@command(json=True, help={"count": "how many, at most"})
def history(run: Run, count: str = "20") -> None:
    """Show the releases that the service has had.

    Read from the account alone: what was deployed when, how it ended, and which one serves now.
    """
    most = int(number("count", count, 1))

    from .. import report
    from ..rollout import history

    found = history(run.aws, run.settings, most)
    run.console.show(report.history(found))
    if run.json:
        run.console.json(found.as_json())


@command(
    json=True,
    changes=True,
    help={
        "to": "the number of the revision; the last one that was live where it is not given",
        "accept": "the code of a cause that it refuses no release for; may be repeated",
        **_BUSY,
    },
    iterable=["accept"],
)
def rollback(run: Run, to: str = "", if_busy: str = "supersede", accept: list[str] | None = None) -> int:
    """Bring an earlier release back to live.

    Its revision is deployed anew and followed to a verdict, as any other. Exit codes as those of inv deploy.
    """
    revision = int(number("to", to, 1)) if to else None
    busy = busy_choice(if_busy)
    run.settings = accepting(run, accept)

    from .. import report
    from ..rollout import preview_rollback, rollback

    what = f"back to {f'revision {revision}' if revision else 'the last release that was live'}"
    run.console.say(report.rollback_heading(run.settings, what))
    if run.dry_run:
        return show_preview(
            run, what, lambda observe: preview_rollback(run.aws, run.settings, revision, observe=observe)
        )
    return finish(
        run,
        f"{run.settings.service}, {what}",
        lambda observe: rollback(run.aws, run.settings, revision, if_busy=busy, observe=observe),
    )


@command(json=True, changes=True, help={"to": "how many tasks"})
def scale(run: Run, to: str = "") -> int:
    """Run another number of tasks.

    Exit code 1 where tasks do not come, 4 where they are still on their way when the time is up.
    """
    count = int(number("to", required("to", to, "inv scale --to 2"), 0))

    from .. import report
    from ..rollout import before_scaling, scale

    if run.dry_run:
        found = before_scaling(run.aws, run.settings, count)
        run.console.say(report.before_scaling(found))
        if run.json:
            run.console.json(found.as_json())
        return 0
    with watching(run) as observe:
        ended = scale(run.aws, run.settings, count, observe=observe)
    run.console.say(report.scaled(ended))
    if run.json:
        run.console.json(ended.as_json())
    return ended.exit_code


@command(
    help={
        "command": "what to run in the container",
        "task": "the task: its id, or the beginning of it; the newest where it is not given",
    }
)
def exec(run: Run, command: str = "/bin/sh", task: str = "") -> int:
    """Run a command inside a running task.

    Through the AWS CLI and its Session Manager plugin; says how to enable it where it is not.
    """
    import signal
    import subprocess

    from ..rollout import exec_command

    words = exec_command(run.aws, run.settings, command, task)
    # Ctrl-C is for what runs inside; a handler of ours, unlike SIG_IGN, is not handed on to it.
    signal.signal(signal.SIGINT, lambda *_: None)
    return subprocess.call(words)
