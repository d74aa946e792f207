"""The story of a rehearsal: from App Runner, or from nothing, to Fargate."""

from __future__ import annotations

import time
from pathlib import Path

from .. import converge
from ..aws import Aws
from ..settings import Settings
from . import migration
from .releases import broken_release, first_release, second_release
from .stand_in import stand_in
from .steps import BrokenOffError, Rehearsal, Stage, step


def rehearse(
    aws: Aws, settings: Settings, folder: Path, rehearsal: Rehearsal, *, from_apprunner: bool, keep: bool
) -> None:
    """The way to Fargate, of an app on App Runner or of one that is nowhere yet, and a teardown unless ``keep``.

    ``aws`` must be an embedded AWS. What fails is a step that did not hold; nothing is raised for it but
    InterruptedRunError.
    """
    stage = Stage(aws, settings, folder, rehearsal)
    try:
        _stand_in(stage)
        if from_apprunner:
            _migrate(stage)
        else:
            _arrive(stage)
        if not keep:
            _tear_down(stage)
    except BrokenOffError:
        return


def _stand_in(stage: Stage) -> None:
    with step(stage.rehearsal, "stand-ins"):
        stage.settings, notes = stand_in(stage.aws, stage.settings)
    for note in notes:
        stage.rehearsal.add("stand-in", note)


def _migrate(stage: Stage) -> None:
    """People visit the app's domain all the while."""
    before = migration.on_app_runner(stage)
    with migration.visited(stage, before):
        migration.imported(stage, before)
        _arrive(stage)
        migration.compared(stage)
        migration.moved(stage)
        migration.cleaned_up(stage)


def _arrive(stage: Stage) -> None:
    """On Fargate, with releases that are live and one that is not."""
    _set_up(stage)
    first_release(stage)
    second_release(stage)
    broken_release(stage)


def _set_up(stage: Stage) -> None:
    """What is there already, such as the repository of an app on App Runner, is adopted."""
    started = time.monotonic()
    with step(stage.rehearsal, "setup-fargate"):
        made = converge.bring(stage.aws, stage.stack, adopt=True).plan
    seconds = time.monotonic() - started
    adopted = [change.resource.label for change in made.changes if change.action == "adopt"]
    count = f"{len(made.changes) - len(adopted)} resources"
    kept = f", {', '.join(adopted)} adopted" if adopted else ""
    stage.rehearsal.add("setup-fargate", f"{count}{kept} in {seconds:.1f} s, verified")


def _tear_down(stage: Stage) -> None:
    with step(stage.rehearsal, "teardown"):
        converge.remove(stage.aws, stage.stack, keep_data=False)
    stage.rehearsal.add("teardown", "nothing is left of the stack")
