"""The scenario of a rehearsal: from App Runner, or from an empty account, to Fargate."""

from __future__ import annotations

import time
from pathlib import Path

from .. import converge
from ..aws import Aws
from ..settings import Settings
from . import migration
from .releases import broken_release, first_release, second_release
from .stand_in import patient, stand_in
from .steps import Rehearsal, RehearsalContext, RehearsalStoppedError, step


def rehearse(
    aws: Aws,
    settings: Settings,
    folder: Path,
    rehearsal: Rehearsal,
    *,
    from_apprunner: bool,
    keep: bool,
    builder: str = "process",
) -> None:
    """Rehearse the setup on Fargate, of an app on App Runner or of a new one, and a teardown unless ``keep``.

    ``aws`` must be an embedded AWS. ``builder`` makes the images: process, docker or podman. A failure is a failed
    step; only InterruptedRunError is raised.
    """
    context = RehearsalContext(aws, settings, folder, rehearsal, builder)
    try:
        _stand_in(context)
        if from_apprunner:
            _migrate(context)
        else:
            _arrive(context)
        if not keep:
            _tear_down(context)
    except RehearsalStoppedError:
        return


def _stand_in(context: RehearsalContext) -> None:
    with step(context.rehearsal, "stand-ins"):
        settings, notes = stand_in(context.aws, context.settings)
        context.settings = patient(settings, context.aws.clock.speed)
    for note in notes:
        context.rehearsal.add("stand-in", note)


def _migrate(context: RehearsalContext) -> None:
    """Migrate while visitors send requests to the app's domain, or to its address where it has none."""
    app = migration.on_app_runner(context)
    with migration.visited(context, app) as visitors:
        migration.imported(context, app)
        _arrive(context)
        migration.compared(context)
        if app.domain:
            migration.moved(context)
        else:
            migration.told(context, visitors)
        migration.cleaned_up(context)


def _arrive(context: RehearsalContext) -> None:
    """Set up on Fargate, with live releases and a failing one."""
    _set_up(context)
    first_release(context)
    second_release(context)
    broken_release(context)


def _set_up(context: RehearsalContext) -> None:
    """Set up the stack; existing resources, such as the repository of an App Runner app, are adopted."""
    started = time.monotonic()
    with step(context.rehearsal, "setup-fargate"):
        made = converge.bring(context.aws, context.stack, adopt=True).plan
    seconds = time.monotonic() - started
    adopted = [change.resource.label for change in made.changes if change.action == "adopt"]
    count = f"{len(made.changes) - len(adopted)} resources"
    kept = f", {', '.join(adopted)} adopted" if adopted else ""
    context.rehearsal.add("setup-fargate", f"{count}{kept} in {seconds:.1f} s, verified")


def _tear_down(context: RehearsalContext) -> None:
    with step(context.rehearsal, "teardown"):
        done = converge.remove(context.aws, context.stack, keep_data=False)
    left = ", ".join(each.label for each in done.plan.kept)
    context.rehearsal.add(
        "teardown", f"left: {left}" if left else "nothing is left of the stack", ok=not left
    )
