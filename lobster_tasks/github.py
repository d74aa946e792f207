"""What GitHub Actions shows of a release: groups in the log, annotations, and the summary of the step.

"Workflow commands for GitHub Actions": a command is a line, in which ``%`` and line breaks are escaped, and in its
properties ``:`` and ``,`` too. GITHUB_STEP_SUMMARY names a file that takes Markdown.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .rollout import Cause, Outcome, Progress

_VERDICTS = {
    "live": "✅ Live",
    "failed": "❌ Failed",
    "rolled_back": "↩️ Rolled back",
    "superseded": "⏭️ Superseded",
    "out_of_time": "⏳ Out of time",
    "refused": "⛔ Refused",
}
_LONGEST = 4000  # characters of an annotation, of which more would be cut off


def is_here(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether this is a job of GitHub Actions."""
    return environ.get("GITHUB_ACTIONS") == "true"


@dataclass
class Groups:
    """Puts what is said into a group per phase: ``lines`` are what the log takes next."""

    titles: Mapping[Any, str]
    phase: str = field(default="", init=False)

    def lines(self, progress: Progress) -> Iterator[str]:
        """For one step of a rollout; nothing where nothing is said."""
        if not progress.said:
            return
        if progress.phase != self.phase:
            yield from self.end()
            self.phase = progress.phase
            yield f"::group::{_data(self.titles[progress.phase])}"
        yield from (f"{_clock(progress.at):>6}  {said}" for said in progress.said)

    def end(self) -> Iterator[str]:
        """Close the group that is open."""
        if self.phase:
            self.phase = ""
            yield "::endgroup::"


def annotate(ended: Outcome) -> Iterator[str]:
    """An error with the cause, where the release is not live, and a warning for each finding."""
    if ended.verdict != "live":
        for cause in (ended.cause, *ended.also):
            if cause:
                yield _annotation("error", cause)
    yield from (_annotation("warning", finding) for finding in ended.findings)


def summary(ended: Outcome, title: str) -> str:
    """The release as Markdown: verdict, cause, evidence, what to do, timeline."""
    parts = [f"### {_VERDICTS[ended.verdict]}: {_inline(title)}", _inline(ended.why)]
    if ended.url:
        parts.append(f"<{ended.url}>")
    for cause in (ended.cause, *ended.also):
        parts += _cause(cause) if cause else []
    parts += [f"**Note.** {_inline(each.message)}" for each in ended.findings]
    if ended.timeline:
        parts.append(_timeline(ended))
    return "\n\n".join(parts) + "\n"


def write_summary(text: str, environ: Mapping[str, str] = os.environ) -> None:
    """Append to the step's summary; outside of GitHub Actions nothing is written."""
    if file := environ.get("GITHUB_STEP_SUMMARY"):
        with Path(file).open("a", encoding="utf-8") as summaries:
            summaries.write(text)


def _annotation(kind: str, cause: Cause) -> str:
    told = "\n".join(
        [cause.message, *cause.evidence[:3], *(["Next: " + cause.remedy] if cause.remedy else [])]
    )
    return f"::{kind} title={_property(cause.code)}::{_data(told[:_LONGEST])}"


def _cause(cause: Cause) -> list[str]:
    shown = [*cause.evidence, *(f"changed: {line}" for line in cause.changed)]
    parts = [f"**Cause:** `{cause.code}`. {_inline(cause.message)}"]
    if shown:
        parts.append(_block(shown))
    return [*parts, f"**Next:** {_inline(cause.remedy)}"] if cause.remedy else parts


def _timeline(ended: Outcome) -> str:
    rows = [f"| {_clock(moment.at)} | {_cell(moment.what)} |" for moment in ended.timeline]
    calls = f"{ended.calls} calls to AWS, {ended.calls_per_minute:.0f} a minute while it was watched"
    return "\n".join([f"Took {_clock(ended.seconds)}, {calls}.", "", "| at | what |", "|---:|---|", *rows])


def _block(lines: list[str]) -> str:
    """As it is, in a fence longer than any in it."""
    text = "\n".join(lines)
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}text\n{text}\n{fence}"


def _cell(text: str) -> str:
    return _inline(text).replace("|", "\\|")


def _inline(text: str) -> str:
    """Text in which nothing is Markdown or HTML."""
    for sign in ("\\", "`", "*", "_", "[", "]", "<", ">", "#"):
        text = text.replace(sign, f"\\{sign}")
    return " ".join(text.split())


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
