"""Plan, Outcome, status and checks as what people read: rich renderables, or plain data for JSON. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from .converge import Change, Plan
from .cost import Cost
from .doctor.check import Report
from .errors import LobsterError
from .images.push import PushedImage
from .rehearsal import Rehearsal, Step
from .rollout.outcome import Outcome
from .rollout.status import ServiceStatus
from .settings import Settings
from .stack import Live, Resource

_SIGNS = {"create": "+", "update": "~", "replace": "!", "delete": "-", "adopt": "@"}
_STYLES = {"create": "green", "update": "yellow", "replace": "bold red", "delete": "red", "adopt": "cyan"}
_MARKS = {"pass": ("✔", "green"), "warn": ("!", "yellow"), "fail": ("✘", "bold red"), "skip": ("–", "dim")}
_VERDICTS = {
    "live": ("LIVE", "bold green"),
    "failed": ("FAILED", "bold red"),
    "rolled_back": ("ROLLED BACK", "bold yellow"),
    "superseded": ("SUPERSEDED", "bold yellow"),
    "out_of_time": ("OUT OF TIME", "bold yellow"),
    "refused": ("REFUSED", "bold red"),
}


def clock_time(seconds: float) -> str:
    """Seconds as ``1:12``."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def error(problem: LobsterError) -> RenderableType:
    """An error: what happened, why, the next step."""
    headline, *rest = problem.lines()
    lines: list[RenderableType] = [Text.assemble(("✘ ", "bold red"), headline)]
    lines += [_labelled(line) for line in rest]
    return Group(*lines)


def heading(account: str, region: str, settings: Settings, endpoint: str | None) -> RenderableType:
    """Where a plan looks."""
    where = f"Account {account} · {region} · stack {settings.name}"
    return Text(where + (f" · at {endpoint}" if endpoint else ""), style="bold")


def plan(made: Plan) -> RenderableType:
    """Every change with its reason, then what is kept, then the count."""
    table = _grid(3, flexible=2)
    for change in made.changes:
        sign = Text(_SIGNS[change.action], style=_STYLES[change.action])
        table.add_row(sign, _kind(change.resource), _what(change))
    for resource in made.kept:
        table.add_row(Text("=", style="dim"), _kind(resource), Text(f"{resource.name}  kept", style="dim"))
    return Group(table, Text(), counts(made))


def counts(made: Plan) -> Text:
    """How much there is to do, in a line."""
    parts = [
        (made.count("create"), "to create"),
        (made.count("update"), "to change"),
        (made.count("adopt"), "to adopt"),
        (made.count("replace"), "that cannot be changed in place"),
        (made.count("delete"), "to delete"),
        (len(made.kept), "kept"),
    ]
    return Text(", ".join(f"{count} {what}" for count, what in parts if count) + ".")


def change_done(change: Change) -> RenderableType:
    """One line when a change has been made."""
    past = {"create": "created", "update": "changed", "delete": "deleted", "adopt": "adopted"}
    verb = past.get(change.action, change.action)
    return Text.assemble(("✔ ", "green"), f"{verb} {change.resource.kind} {change.resource.name}")


def cost(before: float, after: Cost) -> RenderableType:
    """What it costs in a month, line by line, now and then."""
    table = Table.grid(padding=(0, 2))
    table.add_column(overflow="fold")
    table.add_column(justify="right", no_wrap=True)
    table.add_row(Text(after.title), Text("USD", style="dim"))
    for line in after.lines:
        table.add_row(Text(f"  {line.what}"), f"{line.monthly:.2f}")
    table.add_row(Text("  together"), Text(f"{after.total:.2f}", style="bold"))
    table.add_row(Text("  now", style="dim"), Text(f"{before:.2f}", style="dim"))
    cheaper = " · ".join(f"{variant.name} −{variant.saves:.2f}" for variant in after.cheaper)
    notes = [Text(f"  {note}", style="dim") for note in after.notes]
    return Group(table, *([Text(f"  cheaper: {cheaper}", style="dim")] if cheaper else []), *notes)


def plan_json(made: Plan, *, applied: bool, url: str | None, before: float, after: float) -> dict[str, Any]:
    """The object of ``plan``, ``setup-fargate`` and ``teardown`` with ``--json``."""
    changes = [
        {"action": change.action, "resource": change.resource.label, "reason": change.reason}
        for change in made.changes
    ]
    return {
        "changes": changes,
        "applied": applied,
        "url": url,
        "cost": {"before": round(before, 2), "after": round(after, 2)},
    }


def outcome(ended: Outcome) -> RenderableType:
    """The verdict, its cause with evidence and remedy, and the address last."""
    word, style = _VERDICTS[ended.verdict]
    lines: list[RenderableType] = [Text.assemble((word, style), f"   {_verdict_words(ended)}")]
    if ended.cause:
        lines += [Text(), *_cause(ended)]
    if ended.verdict == "live" and ended.url:
        lines.append(Text(ended.url, style="bold"))
    return Group(*lines)


def status(now: ServiceStatus) -> RenderableType:
    """The service in a few lines."""
    head = Text(f"{now.service} · revision {now.revision} · {now.image or 'no image'}", style="bold")
    count = Text(
        f"{now.running} running, {now.pending} pending of {now.desired} wanted; {now.healthy} healthy"
    )
    table = _grid(4, flexible=3)
    for each in now.tasks:
        targets = ", ".join(target.state for target in each.targets) or "no target"
        mark = "current" if each.current else "old"
        table.add_row(f"task {each.task.arn.rpartition('/')[2][:8]}", each.task.status.lower(), targets, mark)
    deployments = [
        Text(f"deployment {each.id} {each.status} {each.rollout} {each.running}/{each.desired}")
        for each in now.deployments
    ]
    events = [Text(f"{event.at:%H:%M:%S}  {event.message}", style="dim") for event in now.events]
    return Group(head, count, *deployments, table, *events, Text(now.url or "no address", style="bold"))


def checks(made: Report) -> RenderableType:
    """Every check with what it saw and how to mend it, and the count."""
    table = _grid(3, flexible=2)
    group = ""
    for check in made.checks:
        sign, style = _MARKS[check.status]
        first = check.group if check.group != group else ""
        group = check.group
        table.add_row(Text(first), Text(sign, style=style), Text(_saw(check.status, check.saw)))
        if check.fix:
            table.add_row("", "", Text(f"→ {check.fix}", style="dim"))
    words = {"pass": "pass", "warn": "warning", "fail": "failure", "skip": "not checked"}
    counted = [(made.count(status), word) for status, word in words.items()]  # type: ignore[arg-type]
    line = ", ".join(f"{count} {word}{_plural(count, word)}" for count, word in counted)
    return Group(table, Text(), Text(line, style="bold"))


def checks_json(made: Report) -> dict[str, Any]:
    """The object of ``validate-fargate-setup --json``."""
    return {
        "ok": made.ok,
        "checks": [
            {"id": check.id, "status": check.status, "saw": check.saw, "fix": check.fix}
            for check in made.checks
        ],
    }


def pushed(image: PushedImage) -> RenderableType:
    """What the repository holds now."""
    verb = "pushed" if image.pushed else "already there:"
    size = f"{image.size_bytes / 1024 / 1024:.1f} MiB"
    lines = [Text.assemble(("✔ ", "green"), f"{verb} {image.reference} · {image.digest[:19]}… · {size}")]
    lines += [Text(f"  {note}", style="dim") for note in image.notes]
    return Group(*lines)


def pushed_json(image: PushedImage) -> dict[str, Any]:
    """The object of ``push-image --json``."""
    return {
        "reference": image.reference,
        "digest": image.digest,
        "size_bytes": image.size_bytes,
        "pushed": image.pushed,
        "notes": list(image.notes),
    }


def url_of(live: Mapping[Resource, Live | None]) -> str | None:
    """The address of the stack's load balancer, HTTPS where it listens for it."""
    dns = [found.raw["DNSName"] for found in live.values() if found and found.raw.get("DNSName")]
    secure = any(found and found.raw.get("Protocol") == "HTTPS" for found in live.values())
    return f"{'https' if secure else 'http'}://{dns[0]}" if dns else None


def moment(at: float, what: str) -> RenderableType:
    """One line of a timeline."""
    return Text(f" {clock_time(at):>5}  {what}")


def rehearsal_heading(name: str, speed: float) -> RenderableType:
    """What is about to happen."""
    return Text(
        f"Rehearsing {name} on an embedded AWS (nothing leaves this machine; time runs {speed:g} × faster)\n",
        style="bold",
    )


def step(each: Step) -> RenderableType:
    """One line of a rehearsal, when the step is over."""
    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(width=24, overflow="fold")
    table.add_column(overflow="fold")
    sign, style = ("✔", "green") if each.ok else ("✘", "bold red")
    left = Text.assemble(" ", (sign, style), f" {clock_time(each.at):>5}")
    table.add_row(left, Text(each.name), Text(each.saw))
    return table


def rehearsal_end(rehearsal: Rehearsal) -> RenderableType:
    """The verdict of a rehearsal."""
    if rehearsal.passed:
        return Text(f"\nPASSED in {rehearsal.seconds:.0f} s", style="bold green")
    broken = next((each.name for each in rehearsal.steps if not each.ok), "nothing was done")
    return Text(f"\nFAILED after {rehearsal.seconds:.0f} s: {broken}", style="bold red")


def kept(endpoint: str, app: str | None) -> RenderableType:
    """How to go on by hand with what a rehearsal left running."""
    lines = ["", "It runs until Ctrl-C. In another terminal:", f"  export AWS_ENDPOINT_URL={endpoint}"]
    lines += ["  export AWS_ACCESS_KEY_ID=rehearsal AWS_SECRET_ACCESS_KEY=rehearsal", "  inv status"]
    return Text("\n".join([*lines, "The app:", f"  {app or 'is not up'}"]))


def fixed(what: str) -> str:
    """Text in which square brackets mean themselves."""
    return escape(what)


def _grid(columns: int, flexible: int) -> Table:
    table = Table.grid(padding=(0, 2))
    for column in range(columns):
        table.add_column(overflow="fold", no_wrap=column != flexible)
    return table


def _kind(resource: Resource) -> Text:
    return Text(resource.kind)


def _what(change: Change) -> Text:
    reasons = change.reason.split("; ")
    lines = [f"{change.resource.name}  {reasons[0]}", *(f"  {reason}" for reason in reasons[1:])]
    return Text("\n".join(lines))


def _labelled(line: str) -> RenderableType:
    label, _, rest = line.partition("  ")
    if label in ("why", "next"):
        return _hanging(label, rest.strip())
    return Padding(Text(line.strip()), (0, 0, 0, 2))


def _hanging(label: str, text: str) -> RenderableType:
    table = Table.grid(padding=(0, 1))
    table.add_column(width=9, no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row(Text(label, style="dim"), Text(text))
    return table


def _verdict_words(ended: Outcome) -> str:
    if ended.verdict != "live":
        return f"{ended.why} (after {clock_time(ended.seconds)})"
    said = [answer.said for answer in ended.probe.answers] if ended.probe else ["no load balancer to ask"]
    return f"revision {ended.revision} in {clock_time(ended.seconds)} · " + " · ".join([ended.why, *said])


def _cause(ended: Outcome) -> Iterable[RenderableType]:
    assert ended.cause is not None
    yield _hanging("cause", ended.cause.code)
    yield _hanging("", ended.cause.message)
    for number, line in enumerate(ended.cause.evidence):
        yield _hanging("" if number else "evidence", line)
    if ended.cause.remedy:
        yield _hanging("next", ended.cause.remedy)


def _saw(status: str, saw: str) -> str:
    return f"not checked: {saw}" if status == "skip" else saw


def _plural(count: int, word: str) -> str:
    return "s" if count != 1 and word in ("warning", "failure") else ""
