"""The common part of tasks that follow a rollout: progress display and outcome."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..task_names import as_called
from . import project
from .command import Run

_LINE_BYTES = 100 * 1024 * 1024

if TYPE_CHECKING:
    from ..errors import RefusedError
    from ..images import Observer, Transfer
    from ..rollout import IfBusy, Outcome, Preview, Progress


@contextmanager
def transferring(run: Run) -> Iterator[Observer]:
    """An observer of an image transfer: a redrawn region on a terminal, elsewhere a line per 100 MiB."""
    from .. import report

    told = ("", 0)
    with run.console.live() as redraw:

        def observe(now: Transfer) -> None:
            nonlocal told
            reached = (now.verb, now.done // _LINE_BYTES)
            if run.console.is_drawing:
                redraw(report.transfer(now))
            elif reached[1] and reached != told:
                run.console.say(report.transferred(now))
            told = reached

        yield observe


@contextmanager
def watching(run: Run) -> Iterator[Callable[[Progress], None]]:
    """An observer of a rollout: a redrawn region on a terminal, groups in GitHub Actions, elsewhere a line per
    change."""
    from .. import github, report

    if github.is_here() and not run.json:
        yield from _grouped(run)
        return
    with run.console.live() as redraw:

        def observe(progress: Progress) -> None:
            for said in progress.said:
                run.console.say(report.moment(progress.at, said))
            redraw(report.movement(progress))

        yield observe


def _grouped(run: Run) -> Iterator[Callable[[Progress], None]]:
    from .. import github
    from ..rollout import PHASE_TITLES

    groups = github.Groups(PHASE_TITLES)

    def observe(progress: Progress) -> None:
        for line in groups.lines(progress):
            (run.console.command if isinstance(line, github.WorkflowCommand) else run.console.say)(line)

    try:
        yield observe
    finally:
        for line in groups.end():
            run.console.command(line)


def finish(run: Run, what: str, follow: Callable[[Callable[[Progress], None]], Outcome]) -> int:
    """Follow a rollout of ``what`` to its outcome and report it; returns the exit code."""
    from .. import report
    from ..errors import RefusedError

    try:
        with watching(run) as observe:
            ended = follow(observe)
    except RefusedError as refusal:
        ended = refused(run, what, refusal)
        if not run.json:
            raise
    else:
        _tell_github(run, ended, what)
    run.console.say()
    run.console.say(report.outcome(ended))
    if run.json:
        run.console.json(report.outcome_json(ended))
    elif ended.verdict == "live" and ended.url:
        run.console.show(ended.url)
    return ended.exit_code


def show_preview(run: Run, what: str, look: Callable[[Callable[[Progress], None]], Preview]) -> int:
    """Report what a release of ``what`` would do, after all checks; returns the exit code."""
    from .. import report
    from ..errors import RefusedError

    try:
        with watching(run) as observe:
            found = look(observe)
    except RefusedError as refusal:
        refused(run, f"{run.settings.service}, {what}", refusal)
        raise
    run.console.say(report.preview(found))
    if run.json:
        run.console.json(report.preview_json(found))
    return 0


def refused(run: Run, what: str, refusal: RefusedError) -> Outcome:
    """The outcome of a release that was refused; also annotates it in GitHub Actions."""
    from ..rollout import Outcome

    ended = Outcome.refused(refusal)
    _tell_github(run, ended, what)
    return ended


def busy_choice(given: str) -> IfBusy:
    """The value of ``--if-busy``; raises UsageError."""
    from ..errors import UsageError
    from ..rollout import IF_BUSY

    chosen = next((each for each in IF_BUSY if each == given), None)
    if chosen is None:
        raise UsageError(f"--if-busy {given} is none of {', '.join(IF_BUSY)}.")
    return chosen


def _tell_github(run: Run, ended: Outcome, what: str) -> None:
    from .. import github, step_outputs

    step_outputs.write(step_outputs.of_outcome(ended))
    if not github.is_here():
        return
    for annotation in github.annotations_of(ended):
        run.annotate(annotation)
    github.write_summary(as_called(github.summary(ended, what), project.names()))
