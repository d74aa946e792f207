"""Tasks that operate what runs: its history, back to an earlier release, more tasks, a look inside."""

from __future__ import annotations

from ..cli.command import Run, command, number, required
from ..cli.following import busy_choice, finish, show_preview, watching

_BUSY = {"if-busy": "if another deployment is in progress: wait, supersede or refuse"}


@command(json=True, help={"count": "the maximum number to show"})
def history(run: Run, count: str = "20") -> None:
    """Show the service's releases.

    When each was deployed, how it ended, and which one serves now, as read from the account.
    """
    most = int(number("count", count, 1))

    from .. import report
    from ..rollout import history

    found = history(run.aws, run.settings, most)
    run.console.show(report.history(found))
    if run.json:
        run.console.json(report.history_json(found))


@command(
    json=True,
    changes=True,
    help={
        "to": "the revision's number (default: the last one that was live)",
        "accept": "do not refuse for this cause's code; may be repeated",
        **_BUSY,
    },
    iterable=["accept"],
)
def rollback(run: Run, to: str = "", if_busy: str = "supersede", accept: list[str] | None = None) -> int:
    """Roll back to an earlier release.

    Deploys its revision again and follows the deployment to its verdict. Exit codes as for inv deploy.
    """
    revision = int(number("to", to, 1)) if to else None
    busy = busy_choice(if_busy)
    run.settings = run.settings.accepting(accept or ())

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


@command(json=True, changes=True, help={"to": "the number of tasks"})
def scale(run: Run, to: str = "") -> int:
    """Change the number of tasks.

    Exit code 1 if tasks do not start, 4 if they are still starting when the time is up.
    """
    count = int(number("to", required("to", to, "inv scale --to 2"), 0))

    from .. import report
    from ..rollout import before_scaling, scale

    if run.dry_run:
        found = before_scaling(run.aws, run.settings, count)
        run.console.say(report.before_scaling(found))
        if run.json:
            run.console.json(report.before_scaling_json(found))
        return 0
    with watching(run) as observe:
        ended = scale(run.aws, run.settings, count, observe=observe)
    run.console.say(report.scaled(ended))
    if run.json:
        run.console.json(report.scaled_json(ended))
    return ended.exit_code


@command(
    help={
        "command": "what to run in the container",
        "task": "the task, by its id or the start of it (default: the newest)",
    }
)
def exec(run: Run, command: str = "/bin/sh", task: str = "") -> int:
    """Run a command inside a running task.

    Uses the AWS CLI and its Session Manager plugin, or the container engine of an embedded AWS. If ECS Exec is off,
    it says how to turn it on.
    """
    import signal
    import subprocess

    from ..rollout import exec_command

    words = exec_command(run.aws, run.settings, command, task)
    # Ctrl-C is for what runs inside; a handler of ours, unlike SIG_IGN, is not handed on to it.
    signal.signal(signal.SIGINT, lambda *_: None)
    return subprocess.call(words)
