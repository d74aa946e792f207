"""Tasks for the migration from App Runner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..cli.command import Run, command

if TYPE_CHECKING:
    from ..apprunner.cleanup import CleanupPlan

_SERVICE = {"service": "the App Runner service, by name or ARN (default: apprunner.service)"}


@command(json=True, help=_SERVICE)
def compare_apprunner(run: Run, service: str = "") -> int:
    """Compare App Runner and Fargate.

    Status codes, headers, the health check's body, latency, the WebSocket, a large upload, a slow answer. Exit code 1
    if Fargate is worse in anything. The requests count as visitors in inv cleanup-apprunner.
    """
    from .. import report
    from ..apprunner.parity import compare

    made = compare(run.aws, run.settings, service)
    run.console.show(report.parity(made))
    if run.json:
        run.console.json(report.parity_json(made))
    return 0 if made.ok else 1


@command(
    json=True,
    changes=True,
    help={
        **_SERVICE,
        "delete": "delete it, and what only it used, instead of pausing it",
        "accept": "pass a gate despite this code, such as firewall-lost or dns-unknown; may be repeated",
    },
    iterable=["accept"],
)
def cleanup_apprunner(
    run: Run, service: str = "", delete: bool = False, accept: list[str] | None = None
) -> None:
    """Pause App Runner if all gates pass.

    The gates: live for the soak time, no visitors left, DNS moved, answers compared. Saves a description first.
    --delete deletes the service and what only it used. Exit code 5 if a gate fails, also with --dry-run.
    """
    from pathlib import Path

    from .. import report
    from ..apprunner import cleanup, cutover, firewalls, gates
    from ..converge import Dialogue

    firewalls.check_codes(accept or (), gates.CODES)
    dialogue: Dialogue[CleanupPlan, str] = Dialogue(
        show=lambda found: run.console.show(report.cleanup_plan(found)),
        ask=lambda found: run.ask(report.cleanup_question(found), destroys=True),
        done=run.console.say,
    )
    done = cleanup.clean_up(
        *(run.aws, run.located_settings, service, Path.cwd(), dialogue),
        compared=lambda found: run.console.say(report.last_gate(found)),
        delete=delete,
        accept=tuple(accept or ()),
        look_up=cutover.public_lookup(run.aws),
        dry_run=run.dry_run,
    )
    if run.json:
        run.console.json(
            report.cleanup_plan_json(done.plan, applied=done.applied, description=done.description)
        )
    _conclude(run, done.plan, done.applied)


def _conclude(run: Run, found: CleanupPlan, applied: bool) -> None:
    from .. import report
    from ..apprunner import cleanup

    if found.action == "none":
        run.console.say(report.nothing_to_clean(found))
    elif applied:
        run.console.say(report.cleaned(found))
    else:
        cleanup.refuse_failed_gates(found)
