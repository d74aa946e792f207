"""The migration in a rehearsal: reads the App Runner service, compares, cuts over and cleans up."""

from __future__ import annotations

import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..account import find_authority
from ..apprunner import cleanup, cutover, discover, mapping, parity
from ..probe import PublicEndpoint, probe
from .app_runner import AppRunnerApp, deploy_app
from .steps import RehearsalContext, step
from .traffic import Traffic, TrafficByName

# In reality a day and an hour; here all visitors have moved after a minute.
_SOAK_HOURS, _QUIET_MINUTES = 0.0, 1.0
_QUIET_SECONDS = 130.0  # the quiet minute, and the one in which App Runner reports the minute before
_HOLD_SECONDS = 20.0
# Visitors are there all the while, and not to measure how much the machine can bear: the gates compare the latency of
# both sides, in which a queue of visitors on one of them would show.
_THINKING_SECONDS = 0.2  # real ones
_THINKING_RATIO = 9.0


def on_app_runner(context: RehearsalContext) -> AppRunnerApp:
    """Create the app on App Runner, and name it in the settings."""
    aws, settings = context.aws, context.settings.probe
    with step(context.rehearsal, "App Runner"):
        with context.rehearsal.watching() as observe:
            app = deploy_app(aws, context.settings, context.folder, observe, context.builder)
        found = probe(aws.clock, PublicEndpoint(app.address), settings.path, settings.websocket)
    said = [found.page.said]
    said += ["no WebSocket"] if found.websocket and not found.websocket.ok else []
    saw = f"{app.name} serves {app.domain or app.address}: {' · '.join(said)}"
    context.rehearsal.add("App Runner", saw, ok=found.page.ok)
    known = {"service": app.name, "soak_hours": _SOAK_HOURS, "quiet_minutes": _QUIET_MINUTES}
    apprunner = context.settings.apprunner.model_copy(update=known)
    domains = (app.domain,) if app.domain else ()
    context.settings = context.settings.model_copy(update={"domains": domains, "apprunner": apprunner})
    return app


@contextmanager
def visited(context: RehearsalContext, app: AppRunnerApp) -> Iterator[Traffic]:
    """Send visitors' requests to the domain, or to App Runner's address, for the duration of the block; none may
    fail."""
    visitors = _visitors(context, app)
    # Around the threads, not in them: warning filters apply to all threads.
    with warnings.catch_warnings(action="ignore"), visitors:
        yield visitors
    context.rehearsal.count(visitors, context.aws.clock.speed)


def _visitors(context: RehearsalContext, app: AppRunnerApp) -> Traffic:
    aws, path = context.aws, context.settings.probe.path
    if app.domain:
        url, name = f"http://{app.domain}", f"visits to {app.domain}"
        visitors: Traffic = TrafficByName(url, path, name=name, aws=aws, zone=app.zone)
    else:
        visitors = Traffic(app.address, path, name="visits", authority=find_authority(aws, app.address))
    visitors.thinking_seconds, visitors.thinking_ratio = _THINKING_SECONDS, _THINKING_RATIO
    return visitors


def imported(context: RehearsalContext, app: AppRunnerApp) -> None:
    """Import the service as `inv import-apprunner` does."""
    with step(context.rehearsal, "import-apprunner"):
        mapped = mapping.map_service(discover.discover(context.aws, app.name, context.folder))
    classes = ", ".join(f"{mapped.count(kind)} {kind.replace('_', ' ')}" for kind in mapping.CLASSES)
    saw = f"{len(mapped.rows)} settings: {classes}; {len(mapped.undecided)} to decide"
    context.rehearsal.add("import-apprunner", saw)


def compared(context: RehearsalContext) -> None:
    """Compare the new service with the old one."""
    with step(context.rehearsal, "compare-apprunner"):
        made = parity.compare(context.aws, context.settings)
    counts = f"{made.count('same')} the same, {made.count('better')} better, {made.count('differs')} differ"
    context.rehearsal.add("compare-apprunner", counts, ok=made.ok)
    for row in made.rows:
        if row.verdict in ("better", "differs"):
            saw = f"{row.what}: {row.old} → {row.new}"
            context.rehearsal.add(row.verdict, saw, ok=row.verdict == "better")


def told(context: RehearsalContext, visitors: Traffic) -> None:
    """Tell visitors the new address: without a domain, nothing else leads them to it."""
    assert context.rehearsal.url is not None
    visitors.url = context.rehearsal.url
    context.rehearsal.add("new address", f"visitors go to {visitors.url}: there is no domain to cut over")


def moved(context: RehearsalContext) -> None:
    """Move the domain, share by share."""
    with step(context.rehearsal, "cutover"):
        ended = cutover.cut_over(context.aws, context.settings, hold=_HOLD_SECONDS)
    done = ended.verdict == "cut_over"
    shares = " → ".join(str(share) for share in cutover.STAGES)
    context.rehearsal.add("cutover", f"{shares} % · {ended.seen}" if done else ended.cause, ok=done)
    if context.rehearsal.url:
        context.rehearsal.url = context.rehearsal.url.replace("http://", "https://")


def cleaned_up(context: RehearsalContext) -> None:
    """Pause App Runner, then delete it, each after all gates pass."""
    aws, settings = context.aws, context.settings
    aws.clock.sleep(_QUIET_SECONDS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for delete in (False, True):
            with step(context.rehearsal, "cleanup-apprunner"):
                found = cleanup.clean_up(aws, settings, "", folder, delete=delete).plan
                cleanup.refuse_failed_gates(found)
            context.rehearsal.add("cleanup-apprunner", _cleaned(found))


def _cleaned(found: cleanup.CleanupPlan) -> str:
    if found.action == "pause":
        return f"{sum(gate.status == 'pass' for gate in found.gates)} gates passed; {found.name} paused"
    kinds = Counter(thing.noun for thing in found.going)
    counts = (f"{count} {noun}{'s' if count > 1 else ''}" for noun, count in kinds.items())
    return f"deleted {', '.join(counts)}"
