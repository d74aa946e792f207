"""The part of the story that leaves App Runner: what is read of it, compared, cut over and cleaned up."""

from __future__ import annotations

import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..apprunner import cleanup, cutover, discover, mapping, parity
from ..probe import Door, probe
from .before import Before, stand_up
from .steps import Stage, step
from .traffic import TrafficByName

# Real ones take a day and an hour; here everybody is known to be gone after a minute.
_SOAK_HOURS, _QUIET_MINUTES = 0.0, 1.0
_QUIET_SECONDS = 130.0  # the minute that counts, and the one in which App Runner reports the one before
_HOLD_SECONDS = 20.0
_THINKING_SECONDS = (
    0.2  # real ones: they are there all the while, and not to measure how much the machine can bear
)


def on_app_runner(stage: Stage) -> Before:
    """The app on App Runner, of which the settings know from now on."""
    aws, wanted = stage.aws, stage.settings.probe
    with step(stage.rehearsal, "App Runner"):
        with stage.rehearsal.watching() as observe:
            before = stand_up(aws, stage.settings, stage.folder, observe)
        found = probe(aws.clock, Door(before.address), wanted.path, wanted.websocket)
    said = [found.page.said]
    said += ["no WebSocket"] if found.websocket and not found.websocket.ok else []
    saw = f"{before.name} serves {before.domain}: {' · '.join(said)}"
    stage.rehearsal.add("App Runner", saw, ok=found.page.ok)
    known = {"service": before.name, "soak_hours": _SOAK_HOURS, "quiet_minutes": _QUIET_MINUTES}
    apprunner = stage.settings.apprunner.model_copy(update=known)
    stage.settings = stage.settings.model_copy(update={"domains": (before.domain,), "apprunner": apprunner})
    return before


@contextmanager
def visited(stage: Stage, before: Before) -> Iterator[None]:
    """People visit the domain for as long as the block lasts, wherever it leads; none may be turned away."""
    url, path = f"http://{before.domain}", stage.settings.probe.path
    visitors = TrafficByName(
        url,
        path,
        name=f"visits to {before.domain}",
        thinking_seconds=_THINKING_SECONDS,
        aws=stage.aws,
        zone=before.zone,
    )
    # Around their threads, and not in them: what is ignored is so for all.
    with warnings.catch_warnings(action="ignore"), visitors:
        yield
    stage.rehearsal.count(visitors, stage.aws.clock.speed)


def imported(stage: Stage, before: Before) -> None:
    """What `inv import-apprunner` reads of the service."""
    with step(stage.rehearsal, "import-apprunner"):
        mapped = mapping.map_service(discover.discover(stage.aws, before.name, stage.folder))
    classes = ", ".join(f"{mapped.count(kind)} {kind.replace('_', ' ')}" for kind in mapping.CLASSES)
    saw = f"{len(mapped.rows)} settings: {classes}; {len(mapped.undecided)} to decide"
    stage.rehearsal.add("import-apprunner", saw)


def compared(stage: Stage) -> None:
    """The new service beside the old one."""
    with step(stage.rehearsal, "compare-apprunner"):
        made = parity.compare(stage.aws, stage.settings)
    counts = f"{made.count('same')} the same, {made.count('better')} better, {made.count('differs')} differ"
    stage.rehearsal.add("compare-apprunner", counts, ok=made.ok)
    for row in made.rows:
        if row.verdict in ("better", "differs"):
            saw = f"{row.what}: {row.old} → {row.new}"
            stage.rehearsal.add(row.verdict, saw, ok=row.verdict == "better")


def moved(stage: Stage) -> None:
    """The domain, share by share."""
    with step(stage.rehearsal, "cutover"):
        ended = cutover.cut_over(stage.aws, stage.settings, hold=_HOLD_SECONDS)
    done = ended.verdict == "cut_over"
    shares = " → ".join(str(share) for share in cutover.STAGES)
    stage.rehearsal.add("cutover", f"{shares} % · {ended.seen}" if done else ended.cause, ok=done)
    if stage.rehearsal.url:
        stage.rehearsal.url = stage.rehearsal.url.replace("http://", "https://")


def cleaned_up(stage: Stage) -> None:
    """App Runner paused, and then deleted, both behind the gates."""
    aws, settings = stage.aws, stage.settings
    aws.clock.sleep(_QUIET_SECONDS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for delete in (False, True):
            with step(stage.rehearsal, "cleanup-apprunner"):
                found = cleanup.survey(aws, settings, "", folder, delete=delete)
                found = cleanup.proven(aws, settings, found)
                cleanup.refuse_shut(found)
                cleanup.carry_out(aws, settings, found, folder, lambda _: None)
            stage.rehearsal.add("cleanup-apprunner", _cleaned(found))


def _cleaned(found: cleanup.Survey) -> str:
    if found.action == "pause":
        return f"{sum(gate.status == 'pass' for gate in found.gates)} gates passed; {found.name} paused"
    kinds = Counter(thing.noun for thing in found.going)
    counts = (f"{count} {noun}{'s' if count > 1 else ''}" for noun, count in kinds.items())
    return f"deleted {', '.join(counts)}"
