"""Formats releases: the progress, the result, and the state of the service. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from rich.console import Group, RenderableType
from rich.text import Text

from ..task_names import Exact, Verbatim, verbatim
from .layout import clock_time, labelled, page, rows
from .live import bar, clock_line

if TYPE_CHECKING:
    from ..images import PlannedPush, PushedImage, Transfer
    from ..rollout import (
        Cause,
        Deployment,
        Hop,
        Moment,
        Outcome,
        Preview,
        Progress,
        ServiceStatus,
        Snapshot,
        Task,
        TaskStatus,
    )
    from ..settings import Settings

_MIB = 1024 * 1024
_STYLES = {
    "live": "bold green",
    "failed": "bold red",
    "rolled_back": "bold yellow",
    "superseded": "bold yellow",
    "out_of_time": "bold yellow",
    "refused": "bold red",
}


def release_heading(settings: Settings, what: str) -> RenderableType:
    """The heading of a release; ``what`` is a tag, a digest, a reference or a task definition."""
    named = what if any(sign in what for sign in ":/@") else f"{settings.repository}:{what}"
    return Text(f"{settings.service} · {named}", style="bold")


def rollback_heading(settings: Settings, what: str) -> RenderableType:
    """The heading of a rollback; ``what`` names the release to roll back to."""
    return Text(f"{settings.service} · {what}", style="bold")


def preview(found: Preview) -> RenderableType:
    """What a release would change."""
    revision = found.task_definition.rpartition(":")[2]
    if not found.changes:
        return Text(f"Nothing would differ from revision {revision}.")
    return Group(
        Text(f"It would differ from revision {revision}:"),
        *(Text(f"  {change}") for change in found.changes),
    )


def preview_json(found: Preview) -> dict[str, Any]:
    """The object of ``deploy --dry-run --json``."""
    return {
        "applied": False,
        "image": found.image,
        "task_definition": found.task_definition,
        "changes": verbatim(found.changes),
    }


def moment(at: float, what: str) -> RenderableType:
    """One line of a timeline."""
    return rows((f" {clock_time(at):>5}", what))


def timeline_json(moments: Iterable[Moment]) -> list[dict[str, Any]]:
    """The events of a timeline, with seconds since its start."""
    return [{"at": round(each.at, 1), "what": each.what} for each in moments]


def movement(progress: Progress) -> RenderableType:
    """The current state of a rollout: tasks and targets of the new revision and of the old ones."""
    seen = progress.snapshot
    if seen is None:
        return Text()
    header = (Text(word, style="dim") for word in ("", "revision", "tasks", "targets"))
    lines: list[tuple[str | Text, ...]] = [tuple(header)]
    lines += [("", *_side(seen, seen.ours, "new"))] if seen.ours or not seen.others else []
    lines += [("", *_side(seen, seen.others, "old"))] if seen.others else []
    return Group(Text(), rows(*lines), clock_line(progress))


def outcome(ended: Outcome) -> RenderableType:
    """The verdict, its cause with evidence and remedy; finally the exit code, unless the release is live."""
    verdict = ended.words.upper(), _STYLES[ended.verdict]
    lines: list[RenderableType] = [Text.assemble(verdict, f"   {_why(ended)}")]
    for cause in (ended.cause, *ended.also):
        lines += [Text(), *_cause(cause)] if cause else []
    for finding in ended.findings:
        lines += [labelled("note", finding.message), *_more(finding)]
    if ended.verdict != "live":
        lines += [Text(), Text(f"exit {ended.exit_code} after {clock_time(ended.seconds)}", style="dim")]
    return Group(*lines)


def outcome_json(ended: Outcome) -> dict[str, Any]:
    """The object of ``deploy --json``."""
    return {
        "verdict": ended.verdict,
        "cause": ended.cause and cause_json(ended.cause),
        "also": [cause_json(each) for each in ended.also],
        "findings": [cause_json(each) for each in ended.findings],
        "url": ended.url,
        "task_definition": ended.task_definition,
        "previous_task_definition": ended.previous_task_definition,
        "image": ended.image,
        "seconds": round(ended.seconds, 1),
        "timeline": timeline_json(ended.timeline),
        "calls": {"total": ended.calls, "per_minute": round(ended.calls_per_minute, 1)},
    }


def cause_json(cause: Cause) -> dict[str, Any]:
    """A cause; the changes of the release are evidence too."""
    changed = [f"changed: {line}" for line in cause.changed]
    return {
        "code": cause.code,
        "message": cause.message,
        "evidence": verbatim([*cause.evidence, *changed]),
        "remedy": cause.remedy,
    }


def status(now: ServiceStatus) -> RenderableType:
    """The service, the way to its tasks, its deployments, tasks, web ACL, sign-in and last events; the address last."""
    head = Text(f"{now.service} · revision {now.revision} · {now.image or 'no image'}", style="bold")
    count = f"{now.running} running, {now.pending} pending of {now.desired} desired; {now.healthy} healthy"
    way = [(hop.kind, hop.name, hop.state) for hop in now.way]
    deployments = [
        (
            "deployment",
            each.id,
            f"{each.status.lower()}, {each.rollout.lower()}, {each.running} of {each.desired}",
        )
        for each in now.deployments
    ]
    tasks = [
        ("task", each.task.short, f"{each.task.status.lower()}, {_targets(each.targets)}{_age(each.current)}")
        for each in now.tasks
    ]
    events = [(f"{event.at:%H:%M:%S}", Verbatim(event.message)) for event in now.events]
    parts: list[RenderableType] = [rows(*way, *deployments, *tasks, *_web_acl(now), *_sign_in(now))]
    parts += _troubles(now)
    parts += [Text(), labelled("next", now.former.next_step)] if now.former else []
    parts += [Text(), rows(*events)] if events else []
    return Group(head, Text(count), Text(), *parts, Text(), Text(now.url or "no address", style="bold"))


def _troubles(now: ServiceStatus) -> list[RenderableType]:
    """What keeps visitors away, hop by hop, each with the command that repairs it."""
    lines: list[RenderableType] = []
    for found in [each.trouble for each in now.way if each.trouble]:
        lines += [Text(), labelled("cause", found.code), labelled("", found.message)]
        lines += [labelled("next", found.remedy), *page(found.page)]
    return lines


def _web_acl(now: ServiceStatus) -> list[tuple[str, str, str]]:
    if now.web_acl_unknown:
        return [("web ACL", "not known", now.web_acl_unknown)]
    return [("web ACL", now.web_acl.split("/")[-2], "protects the load balancer")] if now.web_acl else []


def _sign_in(now: ServiceStatus) -> list[tuple[str, str, str]]:
    if not now.sign_in:
        return []
    return [("sign-in", urlsplit(now.sign_in).netloc, "visitors sign in there before they reach the app")]


def status_json(now: ServiceStatus) -> dict[str, Any]:
    """The object of ``status --json``; the names and ARNs that other programs take are exact."""
    return {
        "cluster": Exact(now.cluster),
        "service": Exact(now.service),
        "url": now.url,
        "way": [_hop_json(each) for each in now.way],
        "web_acl": Exact(now.web_acl) if now.web_acl else None,
        "web_acl_unknown": now.web_acl_unknown or None,
        "sign_in": now.sign_in,
        "former_load_balancer": _former_json(now),
        "task_definition": Exact(now.task_definition),
        "image": now.image,
        "desired": now.desired,
        "running": now.running,
        "pending": now.pending,
        "healthy": now.healthy,
        "deployments": [_deployment_json(each) for each in now.deployments],
        "tasks": [_task_json(each) for each in now.tasks],
        "events": [{"at": event.at.isoformat(), "message": Verbatim(event.message)} for event in now.events],
    }


def _hop_json(hop: Hop) -> dict[str, str | None]:
    """A hop; ``cause``, ``message`` and ``remedy`` where it lets nobody through."""
    trouble = hop.trouble
    return {
        "kind": hop.kind,
        "name": hop.name,
        "state": hop.state or None,
        "cause": trouble.code if trouble else None,
        "message": trouble.message if trouble else None,
        "remedy": trouble.remedy if trouble else None,
    }


def _former_json(now: ServiceStatus) -> dict[str, str] | None:
    if now.former is None:
        return None
    return {
        "name": Exact(now.former.name),
        "target_group": Exact(now.former.target_group),
        "next": now.former.next_step,
    }


def _deployment_json(deployment: Deployment) -> dict[str, Any]:
    return {
        "id": deployment.id,
        "status": deployment.status,
        "task_definition": Exact(deployment.task_definition),
        "desired": deployment.desired,
        "running": deployment.running,
        "failed": deployment.failed,
        "rollout": deployment.rollout,
        "reason": deployment.reason,
    }


def _task_json(status: TaskStatus) -> dict[str, Any]:
    task = status.task
    return {
        "task": task.arn.rsplit("/", 1)[-1],
        "status": task.status,
        "task_definition": Exact(task.task_definition),
        "current": status.current,
        "targets": [{"state": target.state, "reason": target.reason or None} for target in status.targets],
    }


def planned_push(planned: PlannedPush) -> RenderableType:
    """What would be built and pushed."""
    now = f"names {planned.named} now" if planned.named else "is a new tag"
    stage = f", stage {planned.target}," if planned.target else ""
    what = f"Would build {planned.dockerfile}{stage} for {planned.platform} ({planned.builder}) and push it"
    return Group(
        Text(f"{what} as {planned.reference}, which {now}."),
        _builder(planned.builder, planned.builder_reason),
    )


def _builder(name: str, reason: str) -> Text:
    """Which builder builds, why, and what that means."""
    why = f" ({reason})" if reason else ""
    if name == "process":
        means = "needs no container engine, and does not execute RUN: the app runs with this machine's own programs"
        return Text(f"  builder: process{why}, which {means}", style="dim")
    return Text(f"  builder: {name}{why}, which executes every instruction of the Dockerfile", style="dim")


def planned_push_json(planned: PlannedPush) -> dict[str, Any]:
    """The object of ``push-image --dry-run --json``."""
    return {"applied": False, **asdict(planned), "builder_reason": planned.builder_reason or None}


def transfer(now: Transfer) -> RenderableType:
    """The progress of an image as a bar."""
    drawn = bar(now.done / now.total) if now.total else ""
    return Text(f"  {now.verb} {now.what}  {drawn}  {_how_far(now)}", style="dim")


def transferred(now: Transfer) -> RenderableType:
    """The progress of an image in one line."""
    return Text(f"{now.verb} {now.what}: {_how_far(now)}")


def _how_far(now: Transfer) -> str:
    return f"{now.done / _MIB:.0f} of {now.total / _MIB:.0f} MiB"


def pushed(image: PushedImage) -> RenderableType:
    """The image in the repository after the push."""
    verb = "pushed" if image.pushed else "already there:"
    size = f"{image.size_bytes / _MIB:.1f} MiB"
    lines = [Text.assemble(("✔ ", "green"), f"{verb} {image.reference} · {image.digest} · {size}")]
    lines += [_builder(image.builder, image.builder_reason)] if image.builder else []
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
        "builder": image.builder,
        "builder_reason": image.builder_reason or None,
    }


def _side(seen: Snapshot, tasks: Iterable[Task], word: str) -> tuple[str, str, str]:
    alive = [task for task in tasks if not task.ended]
    statuses = Counter(task.status.lower() for task in alive)
    states = Counter(target.state for task in alive for target in seen.targets_of(task))
    revisions = sorted({task.task_definition.rsplit(":", 1)[-1] for task in alive or tasks})
    ours = seen.rollout.task_definition.rsplit(":", 1)[-1]
    name = ", ".join(revisions) if word == "old" else ours
    return f"{name} {word}", _counted(statuses) or "none", _counted(states) or "none"


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {what}" for what, count in counts.items())


def _targets(targets: Iterable[Any]) -> str:
    return ", ".join(f"target {target.why}" for target in targets) or "no target"


def _age(current: bool) -> str:
    return "" if current else ", of an older revision"


def _why(ended: Outcome) -> str:
    if ended.verdict != "live":
        return ended.why
    said = [answer.said for answer in ended.probe.answers] if ended.probe else ["no load balancer"]
    return f"revision {ended.revision} in {clock_time(ended.seconds)} · " + " · ".join([ended.why, *said])


def _cause(cause: Cause) -> Iterator[RenderableType]:
    yield labelled("cause", cause.code)
    yield labelled("", cause.message)
    yield from _more(cause)
    yield from page(cause.page)


def _more(cause: Cause) -> Iterator[RenderableType]:
    """The evidence, the changes of the release, and the remedy."""
    for label, lines in (("evidence", cause.evidence), ("changed", cause.changed)):
        yield from (labelled("" if number else label, Verbatim(line)) for number, line in enumerate(lines))
    if cause.remedy:
        yield labelled("next", cause.remedy)
