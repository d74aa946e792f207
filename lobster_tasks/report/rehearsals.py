"""Formats a rehearsal. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType
from rich.text import Text

from .layout import clock_time, rows

if TYPE_CHECKING:
    from ..rehearsal import Rehearsal, RehearsalStep

_NAME_WIDTH = 24


def rehearsal_heading(name: str, speed: float) -> RenderableType:
    """The announcement of a rehearsal."""
    return Text(
        f"Rehearsing {name} on an embedded AWS (nothing leaves this machine; time runs {speed:g} × faster)\n",
        style="bold",
    )


def step(each: RehearsalStep) -> RenderableType:
    """One line about a completed step of a rehearsal."""
    sign, style = ("✔", "green") if each.ok else ("✘", "bold red")
    return rows(
        (
            Text.assemble(" ", (sign, style)),
            f"{clock_time(each.at):>5}",
            f"{each.name:{_NAME_WIDTH}}",
            each.saw,
        )
    )


def rehearsal_end(rehearsal: Rehearsal) -> RenderableType:
    """The verdict of a rehearsal."""
    if rehearsal.passed:
        return Text(f"\nPASSED in {rehearsal.seconds:.0f} s", style="bold green")
    broken = next((each.name for each in rehearsal.steps if not each.ok), "nothing was done")
    return Text(f"\nFAILED after {rehearsal.seconds:.0f} s: {broken}", style="bold red")


def rehearsal_json(rehearsal: Rehearsal, addresses: Mapping[str, str | None]) -> dict[str, Any]:
    """The object of ``rehearse --json``; ``addresses`` are those of what keeps running."""
    return {
        "verdict": "passed" if rehearsal.passed else "failed",
        "requests": {"sent": rehearsal.sent, "failed": rehearsal.failed},
        "seconds": round(rehearsal.seconds, 1),
        "timeline": [
            {"at": round(step.at, 1), "what": f"{step.name}: {step.saw}", "ok": step.ok}
            for step in rehearsal.steps
        ],
        **addresses,
    }


def kept(endpoint: str, region: str, app: str | None, authority: str = "") -> RenderableType:
    """How to continue by hand with what a rehearsal left running.

    ``authority`` is the file with the certificate of who signed the app's; empty where nobody did.
    """
    lines = [
        "",
        "The embedded AWS runs until Ctrl-C. In another terminal:",
        f"  export AWS_ENDPOINT_URL={endpoint} AWS_DEFAULT_REGION={region}",
        "  export AWS_ACCESS_KEY_ID=rehearsal AWS_SECRET_ACCESS_KEY=rehearsal",
        "  inv status",
        "The app:",
        f"  {app or 'is not up'}",
        *_about_certificate(app or "", authority),
    ]
    return Text("\n".join(lines))


def _about_certificate(app: str, authority: str) -> list[str]:
    if not app.startswith("https://"):
        return []
    lines = ["Your browser warns that it does not know who signed the certificate; continue to the page."]
    if authority:
        lines += [
            "Or let a client trust the authority of the embedded AWS; its certificate is in a file until Ctrl-C:",
            f"  curl --cacert {authority} {app}",
        ]
    return lines
