"""Formats a service's history and its number of tasks. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.text import Text

from ..foreign import visible
from .layout import clock_time, labelled, page, plural, rows
from .releases import cause_json, timeline_json

if TYPE_CHECKING:
    from ..rollout import History, LogLine, Release, ScaleChange, Scaled

_DIGEST = re.compile(r"(sha256:[0-9a-f]{4})[0-9a-f]{56}([0-9a-f]{4})")


def log_line(line: LogLine, main: str, *, raw: bool = False) -> str:
    """One log event, with its container unless that is the ``main`` one; ``raw`` leaves the message unchanged."""
    other = "" if line.container in ("", main) else f"{visible(line.container)}: "
    head = f"{line.at:%Y-%m-%d %H:%M:%S} {line.task[:8]} {other}"
    message = line.message if raw else visible(line.message).replace("\n", "\n" + " " * len(head))
    return f"{head}{message}\n"


def history(found: History) -> RenderableType:
    """One line per release, newest first, and how to roll back."""
    header = [Text(word, style="dim") for word in ("", "revision", "at", "took", "ended", "image")]
    lines = [tuple(_line(each)) for each in found.releases]
    parts: list[RenderableType] = [Text(found.service, style="bold"), Text()]
    parts += [rows(tuple(header), *lines)] if lines else [Text("There is no release yet.")]
    if found.note:
        parts += [Text(), Text(found.note, style="dim")]
    serving = {each.revision for each in found.releases if each.current}
    if any(each.live and each.revision not in serving for each in found.releases):
        parts += [Text(), Text("Roll back to one of them:  inv rollback --to N", style="dim")]
    return Group(*parts)


def history_json(found: History) -> dict[str, Any]:
    """The object of ``history --json``."""
    releases = [_release_json(each) for each in found.releases]
    return {"service": found.service, "releases": releases, "note": found.note or None}


def _release_json(release: Release) -> dict[str, Any]:
    return {
        "revision": int(release.revision),
        "task_definition": release.task_definition,
        "status": release.status or None,
        "reason": release.reason or None,
        "at": release.at.isoformat() if release.at else None,
        "seconds": None if release.seconds is None else round(release.seconds, 1),
        "tasks": release.tasks,
        "image": release.image,
        "tags": list(release.tags),
        "live": release.live,
        "current": release.current,
        "image_gone": release.gone,
    }


def before_scaling(found: ScaleChange) -> RenderableType:
    """The changes that would be made."""
    return Text("\n".join(found.says))


def before_scaling_json(found: ScaleChange) -> dict[str, Any]:
    """The object of ``scale --dry-run --json``."""
    return {"applied": False, "before": found.before, "desired": found.desired, "says": list(found.says)}


def scaled(ended: Scaled) -> RenderableType:
    """The number of tasks now."""
    if ended.reached:
        what = f"{ended.healthy} healthy" if ended.desired else "no task runs"
        return Text(
            f"\n{plural(ended.desired, 'task')} in {clock_time(ended.seconds)} · {what}", style="bold"
        )
    count = f"{ended.running} of {ended.desired} running, {ended.healthy} healthy after {clock_time(ended.seconds)}"
    lines: list[RenderableType] = [Text(), Text(count, style="bold red")]
    if ended.cause:
        lines += [labelled("cause", ended.cause.code), labelled("", ended.cause.message)]
        lines += [
            labelled("" if number else "evidence", each) for number, each in enumerate(ended.cause.evidence)
        ]
        lines += [labelled("next", ended.cause.remedy), *page(ended.cause.page)]
    return Group(*lines)


def scaled_json(ended: Scaled) -> dict[str, Any]:
    """The object of ``scale --json``."""
    return {
        "service": ended.service,
        "before": ended.before,
        "desired": ended.desired,
        "running": ended.running,
        "healthy": ended.healthy,
        "reached": ended.reached,
        "cause": ended.cause and cause_json(ended.cause),
        "seconds": round(ended.seconds, 1),
        "timeline": timeline_json(ended.timeline),
    }


def _line(release: Release) -> Iterator[str | Text]:
    yield Text("▸" if release.current else " ")
    yield release.revision
    yield f"{release.at:%Y-%m-%d %H:%M}" if release.at else ""
    yield clock_time(release.seconds) if release.seconds is not None else ""
    yield _ending(release)
    name = _DIGEST.sub(r"\1…\2", (release.image or "").rpartition("/")[2])
    yield f"{', '.join(release.tags)}  {name}" if release.tags else name


def _ending(release: Release) -> Text:
    if release.live:
        word = "live" if release.current else "was live"
        return Text(f"{word}, image gone", style="yellow") if release.gone else Text(word, style="green")
    words = {"SUCCESSFUL": "no tasks", "": "registered"}
    word = words.get(release.status, release.status.lower().replace("_", " "))
    return Text(word, style="red" if "rollback" in word or word == "stopped" else "")
