"""The task that brings the app's own domains from App Runner to Fargate."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from ..cli.command import Run, command, number
from ..cli.following import watching

if TYPE_CHECKING:
    from ..apprunner.cutover import CutoverResult

_MINUTE = 60


@command(
    json=True,
    changes=True,
    help={
        "back": "move every domain back to where it was",
        "to": "stop at this percentage of the visitors",
        "hold": "minutes to monitor each share",
        "wait": "minutes to wait for the certificate",
        "accept": "go on despite this code, such as firewall-lost; may be repeated",
    },
    iterable=["accept"],
)
def cutover(
    run: Run,
    back: bool = False,
    to: str = "100",
    hold: str = "1",
    wait: str = "30",
    accept: list[str] | None = None,
) -> int:
    """Move the app's domains to Fargate.

    Requests a certificate, turns HTTPS on, and moves 10, 50 and 100 % of the visitors by weighted DNS records.
    Monitors each step; the first wrong answer moves all visitors back.
    Continues where an earlier run stopped. Exit code 3 if it went back, 4 if the certificate is still pending.
    """
    share, accepted = _share(to), tuple(accept or ())

    from .. import report
    from ..apprunner import cutover as work
    from ..apprunner.firewalls import check_codes

    check_codes(accepted, work.CODES)
    watched, patience = number("hold", hold) * _MINUTE, number("wait", wait) * _MINUTE
    ask, settings = work.public_dns(run.aws), run.located_settings
    planned = work.preview(run.aws, settings, to=share, back=back, name_servers=ask, accept=accepted)
    run.console.say(report.cutover_heading(planned, settings))
    run.console.say(report.cutover_steps(planned))
    if run.dry_run:
        return _told(run, planned)
    if planned.todo:
        run.ask(f"Take these {len(planned.todo)} steps?")
    lead = partial(work.cut_over, to=share, hold=watched, wait=patience, name_servers=ask, accept=accepted)
    with watching(run) as observe:
        ended = (work.go_back if back else lead)(run.aws, settings, observe=observe)
    return _told(run, ended)


def _share(given: str) -> int:
    """The value of ``--to``; raises UsageError."""
    from ..errors import UsageError

    share = int(number("to", given, 1))
    if share > 100:
        raise UsageError(f"--to {given} is more than 100 per cent.")
    return share


def _told(run: Run, ended: CutoverResult) -> int:
    """Say how it ended; the exit code."""
    from .. import report

    run.console.say(report.cut_over(ended))
    if run.json:
        run.console.json(report.cut_over_json(ended))
    elif ended.verdict == "cut_over":
        run.console.show(ended.url)
    return ended.exit_code
