"""Formats a cut-over: its steps and how to undo them, the result, and what others must do. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.text import Text

from .layout import clock_time, labelled, rows
from .releases import timeline_json

if TYPE_CHECKING:
    from ..apprunner.cutover import CutoverResult
    from ..settings import Settings

_ENDS = {
    "cut_over": ("CUT OVER", "bold green"),
    "partly": ("ON THE WAY", "bold green"),
    "stepped_back": ("WENT BACK", "bold yellow"),
    "back": ("BACK", "bold green"),
    "instructions": ("READY", "bold green"),
}
_NEXT = {
    "cut_over": "leave App Runner running until it gets no requests; to go back: inv cutover --back",
    "partly": "continue: inv cutover; go back: inv cutover --back",
    "stepped_back": "inv validate-fargate-setup   then   inv cutover",
    "back": "start again: inv cutover",
}
_NEXT_OF_ADDRESS = "end the former address: inv remove-old-load-balancer; to go back: inv cutover --back"


def cutover_heading(planned: CutoverResult, settings: Settings) -> RenderableType:
    """The heading of a cut-over: which domains move where."""
    names = ", ".join(name for name, _ in planned.shares)
    to = "CloudFront" if settings.is_fronted else settings.load_balancer.name
    return Text(f"{names} · to {to}", style="bold")


def cutover_steps(planned: CutoverResult) -> RenderableType:
    """Every step, whether it is done already, and how to undo it."""
    if not planned.steps:
        return Text("Nothing to do.")
    lines: list[tuple[str | Text, ...]] = []
    for step in planned.steps:
        sign = Text("✔", style="green") if step.done else Text("+", style="yellow")
        lines.append((sign, step.name, step.what))
        lines += [] if step.done else [("", "", Text(f"undo: {step.undo}", style="dim"))]
    if planned.records:
        lines.append((Text("–", style="dim"), "by hand", f"{_names(planned)}: DNS that is hosted elsewhere"))
    return Group(Text(), rows(*lines), Text())


def cut_over(ended: CutoverResult) -> RenderableType:
    """The result, the reason if it was rolled back, the records that others must create, and the next step."""
    parts: list[RenderableType] = []
    if ended.verdict != "planned":
        word, style = _ENDS[ended.verdict]
        parts += [Text(), Text.assemble((f"{word:10} ", style), _headline(ended))]
    parts += [labelled("cause", ended.cause)] if ended.cause else []
    parts += _records(ended)
    if ended.verdict == "cut_over" and ended.replaces_address:
        parts.append(labelled("next", _NEXT_OF_ADDRESS))
    elif told := _NEXT.get(ended.verdict):
        parts.append(labelled("next", told))
    elif ended.verdict == "planned" and ended.todo:
        parts.append(Text("Nothing was changed."))
    return Group(*parts)


def cut_over_json(ended: CutoverResult) -> dict[str, Any]:
    """The object of ``cutover --json``."""
    return {
        "verdict": ended.verdict,
        "domains": [{"name": name, "share": share} for name, share in ended.shares],
        "steps": [
            {"step": each.name, "what": each.what, "undo": each.undo, "done": each.done}
            for each in ended.steps
        ],
        "records": [
            {"name": each.name, "type": each.kind, "value": each.value, "why": each.why}
            for each in ended.records
        ],
        "cause": ended.cause or None,
        "url": ended.url,
        "seconds": round(ended.seconds, 1),
        "timeline": timeline_json(ended.timeline),
    }


def _headline(ended: CutoverResult) -> str:
    known = [f"{name} {_whom(ended, share)}" for name, share in ended.shares if share is not None]
    said = [", ".join(known) or "HTTPS is on", clock_time(ended.seconds), ended.seen]
    return " · ".join(filter(None, said))


def _whom(ended: CutoverResult, share: int) -> str:
    return {0: f"→ {ended.source}", 100: f"→ {ended.goal}"}.get(share, f"{share} % → {ended.goal}")


def _names(ended: CutoverResult) -> str:
    return ", ".join(record.name.rstrip(".") for record in ended.records)


def _records(ended: CutoverResult) -> Iterator[RenderableType]:
    if not ended.records:
        return
    yield Text(
        f"{_names(ended)}: in no public hosted zone of this account. Change these records at the DNS provider:"
    )
    yield rows(
        ("1", "write down the current record: to undo, restore it"),
        ("2", "lower its TTL to 60 s, and wait for the old TTL to pass"),
        *(("3", f"{record.name} {record.kind} {record.value}") for record in ended.records),
        ("", Text(ended.records[0].why, style="dim")),
    )
