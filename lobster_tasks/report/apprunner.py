"""Formats the move from App Runner: the comparison, the gates, what is deleted and what stays. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.text import Text

from .checks import findings
from .layout import plural, rows

if TYPE_CHECKING:
    from pathlib import Path

    from ..apprunner.cleanup import CleanupPlan
    from ..apprunner.comparison import ComparisonRow
    from ..apprunner.parity import Parity

_VERDICTS = {
    "same": ("✔", "green"),
    "better": ("+", "bold green"),
    "differs": ("✘", "bold red"),
    "skip": ("–", "dim"),
}


def parity(made: Parity) -> RenderableType:
    """Each comparison with its verdict, and the count."""
    header = [Text(word, style="dim") for word in ("", "asked for", "App Runner", "Fargate")]
    lines = [cells for row in made.rows for cells in _compared(row)]
    counted = ", ".join(
        (
            f"{made.count('same')} the same",
            f"{made.count('better')} better",
            f"{made.count('differs')} {'differs' if made.count('differs') == 1 else 'differ'}",
            f"{made.count('skip')} not compared",
        )
    )
    return Group(
        Text(f"{made.old}  →  {made.new}", style="bold"),
        Text(),
        rows(header, *lines),
        Text(),
        Text(f"{counted}.", style="bold"),
    )


def parity_json(made: Parity) -> dict[str, Any]:
    """The object of ``compare-apprunner --json``."""
    rows = [
        {"what": row.what, "old": row.old, "new": row.new, "verdict": row.verdict, "note": row.note}
        for row in made.rows
    ]
    return {"service": made.service, "old": made.old, "new": made.new, "ok": made.ok, "rows": rows}


def _compared(row: ComparisonRow) -> Iterator[tuple[str | Text, ...]]:
    sign, style = _VERDICTS[row.verdict]
    yield Text(sign, style=style), row.what, row.old, row.new
    if row.note:
        yield "", Text(f"  {row.note}", style="dim")


def cleanup_plan(found: CleanupPlan) -> RenderableType:
    """The gates with their evidence, then what would be deleted and what stays."""
    parts: list[RenderableType] = [Text(f"{found.name} · App Runner · {found.status}", style="bold"), Text()]
    if found.gates:
        parts += [findings(found.gates), Text()]
    lines = [
        (
            Text("~", style="yellow"),
            "record",
            f"{each.domain} {each.kind} · keeps one record, which does not lead to App Runner",
        )
        for each in found.routes
    ]
    lines += [(Text("-", style="red"), each.noun, each.name) for each in found.going]
    lines += [
        (Text("=", style="dim"), each.thing.noun, f"{each.thing.name} · {each.why}") for each in found.kept
    ]
    if found.action == "pause":
        lines = [
            (Text("~", style="yellow"), "service", f"{found.name} · would be paused, and can be resumed")
        ]
    return Group(*parts, rows(*lines)) if lines else Group(*parts[:-1])


def cleanup_question(found: CleanupPlan) -> str:
    """The question before the service is paused or deleted."""
    if found.action == "pause":
        return f"Compare once more, then pause {found.name}? It answers no requests until it is resumed."
    return f"Delete these {len(found.going)}? This cannot be undone."


def cleanup_plan_json(
    found: CleanupPlan, *, applied: bool = False, description: Path | None = None
) -> dict[str, Any]:
    """The object of ``cleanup-apprunner --json``."""
    return {
        "service": found.arn or None,
        "status": found.status,
        "action": found.action,
        "ok": not found.failed,
        "gates": [
            {"id": each.id, "status": each.status, "saw": each.saw, "fix": each.fix} for each in found.gates
        ],
        "deletes": [each.label for each in found.going],
        "records": [f"{each.domain} {each.kind}" for each in found.routes],
        "keeps": [{"resource": each.thing.label, "why": each.why} for each in found.kept],
        "applied": applied,
        "description": str(description) if description else None,
    }


def last_gate(found: CleanupPlan) -> RenderableType:
    """The result of the comparison, which is the last gate."""
    return findings(found.gates[-1:])


def nothing_to_clean(found: CleanupPlan) -> RenderableType:
    """Why there is nothing to do, or what the deleted service has left."""
    if found.status == "PAUSED":
        return Group(
            Text(f"Nothing to do: {found.name} is paused and costs nothing except its log."),
            Text("Resume it:  aws apprunner resume-service --service-arn " + found.arn, style="dim"),
            Text("Delete it:  inv cleanup-apprunner --delete", style="dim"),
        )
    left = len(found.owned.going)
    if left:
        return Text(f"{found.name} is gone; it left {plural(left, 'thing')}:  inv cleanup-apprunner --delete")
    return Text(f"Nothing to do: {found.name} is gone, and so is everything that only it used.")


def cleaned(found: CleanupPlan) -> RenderableType:
    """The conclusion, with the way back if there is one."""
    if found.action == "pause":
        return Group(
            Text(f"{found.name} is paused.", style="bold"),
            Text("Resume it:  aws apprunner resume-service --service-arn " + found.arn, style="dim"),
            Text("Delete it later:  inv cleanup-apprunner --delete", style="dim"),
        )
    others = sum(each.kind != "service" for each in found.going)
    beside = f", and {plural(others, 'thing')} with it" if others else ""
    return Text(f"{found.name} is gone{beside}.", style="bold")
