"""Presents a release in GitHub Actions: groups in the log, annotations, and the job summary. Text that looks like a
secret is masked in all of them.

"Workflow commands for GitHub Actions": a command is a line, in which ``%`` and line breaks are escaped, and in its
properties ``:`` and ``,`` too. Between ``::stop-commands::token`` and ``::token::`` no line is a command.
GITHUB_STEP_SUMMARY names a file for Markdown, up to one mebibyte.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from .errors import UsageError
from .foreign import cut, one_line, powerless, visible
from .masking import mask_shapes

if TYPE_CHECKING:
    from .rollout import Cause, Outcome, Progress

_SIGNS = {
    "live": "✅",
    "failed": "❌",
    "rolled_back": "↩️",
    "superseded": "⏭️",
    "out_of_time": "⏳",
    "refused": "⛔",
}
ANNOTATIONS_FILE = "LOBSTER_ANNOTATIONS_FILE"
FILES = ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", ANNOTATIONS_FILE)
_LONGEST = 4000  # characters of an annotation; GitHub cuts longer ones
# "actions/runner", FileCommandManager.cs, CreateStepSummaryCommand: a larger file is not shown at all.
_LARGEST = 1024 * 1024  # bytes
_MARKS = re.compile(r"[\\`*_\[\]<>#~&$|]")
_AT_THE_START = re.compile(r"^(\d{0,9})([-+=.)])")
# Text that GitHub turns into a link, a mention or an emoji anywhere in a word, escaped or not: "GitHub Flavored
# Markdown Spec", Autolinks (extension); GitHub Docs, "Autolinked references and URLs", and "Basic writing and
# formatting syntax" for people, teams and emoji. Not in code.
_LINKED = re.compile(
    r"@|://|www\.|:[\w+-]{1,100}:|#\d|\bGH-\d|(?<![0-9a-z])[0-9a-f]{7,40}(?![0-9a-z])", re.IGNORECASE
)


def is_here(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether this process runs in a GitHub Actions job."""
    return environ.get("GITHUB_ACTIONS") == "true"


class WorkflowCommand(str):
    """A line that is a command for the runner."""

    __slots__ = ()


@dataclass
class StopCommands:
    """Keeps the runner from interpreting printed text: returns the lines to print before, between and after it.

    The token is random. The runner forgets it at the end of the step, in case it is never closed ("actions/runner",
    Handlers/HandlerFactory.cs: each handler has its own command manager).
    """

    token: str = field(default_factory=lambda: os.urandom(16).hex())
    is_open: bool = field(default=False, init=False)

    def opened(self) -> str:
        """The line to print before text; empty where commands are stopped already."""
        if self.is_open:
            return ""
        self.is_open = True
        return f"::stop-commands::{self.token}\n"

    def closed(self) -> str:
        """The line that lets the runner interpret commands again."""
        if not self.is_open:
            return ""
        self.is_open = False
        return f"::{self.token}::\n"

    def passing(self, command: str) -> str:
        """A command that the runner interprets; text around it stays uninterpreted."""
        return f"{self.closed()}{command}\n{self.opened()}"


@dataclass
class Groups:
    """Groups messages by phase; ``lines`` are the next lines of the log, commands among them."""

    titles: Mapping[Any, str]
    phase: str = field(default="", init=False)

    def lines(self, progress: Progress) -> Iterator[str]:
        """The lines for one step of a rollout; none where there is nothing to say."""
        if not progress.said:
            return
        if progress.phase != self.phase:
            yield from self.end()
            self.phase = progress.phase
            yield WorkflowCommand(f"::group::{_data(self.titles[progress.phase])}")
        shown = [one_line(mask_shapes(said)) for said in progress.said]
        yield from (powerless(f"{_clock(progress.at):>6}  {each}") for each in shown)

    def end(self) -> Iterator[WorkflowCommand]:
        """Close the group that is open."""
        if self.phase:
            self.phase = ""
            yield WorkflowCommand("::endgroup::")


@dataclass(frozen=True)
class Annotation:
    """An annotation of a job; ``kind`` is error, warning or notice."""

    kind: str
    title: str
    told: str

    def command(self) -> WorkflowCommand:
        """The annotation as a workflow command."""
        told = mask_shapes(self.told)[:_LONGEST]
        return WorkflowCommand(f"::{self.kind} title={_property(mask_shapes(self.title))}::{_data(told)}")

    def line(self) -> str:
        """The annotation as a line of JSON, for a file of annotations."""
        return json.dumps({name: mask_shapes(text) for name, text in vars(self).items()})


def check_files(environ: Mapping[str, str] = os.environ) -> None:
    """Raise UsageError for a runner's file that cannot be written, before the work begins."""
    for name in FILES:
        if file := environ.get(name):
            path = Path(file)
            try:
                is_new = not path.exists()
                path.open("ab").close()
                if is_new:
                    path.unlink()
            except OSError as error:
                raise UsageError(
                    f"{name} names a file that cannot be written: {file:.200}.",
                    str(error.strerror),
                    f"unset {name}, or set it to a writable file",
                ) from None


def annotations_of(ended: Outcome) -> Iterator[Annotation]:
    """An error for each cause, where the release is not live, and a warning for each finding."""
    if ended.verdict != "live":
        yield from (_annotation("error", cause) for cause in (ended.cause, *ended.also) if cause)
    yield from (_annotation("warning", finding) for finding in ended.findings)


def annotate(ended: Outcome) -> Iterator[WorkflowCommand]:
    """The same as workflow commands."""
    yield from (each.command() for each in annotations_of(ended))


def hand_over(annotation: Annotation, environ: Mapping[str, str] = os.environ) -> bool:
    """Append an annotation to the file that the calling program asked for; returns whether it did."""
    file = environ.get(ANNOTATIONS_FILE)
    if not file:
        return False
    try:
        with Path(file).open("a", encoding="utf-8") as annotations:
            annotations.write(annotation.line() + "\n")
    except OSError:  # check_files reports it
        return False
    return True


def summary(ended: Outcome, title: str) -> str:
    """The release as Markdown: verdict, cause, evidence, next steps, timeline."""
    verdict = f"{_SIGNS[ended.verdict]} {ended.words.capitalize()}"
    parts = [f"### {verdict}: {_inline(title)}", _inline(ended.why)]
    if ended.url:
        parts.append(f"<{quote(cut(mask_shapes(ended.url)), safe=':/?&=%[]', errors='replace')}>")
    for cause in (ended.cause, *ended.also):
        parts += _cause(cause) if cause else []
    parts += [f"**Note.** {_inline(each.message)}" for each in ended.findings]
    if ended.timeline:
        parts.append(_timeline(ended))
    return "\n\n".join(parts) + "\n"


def write_summary(text: str, environ: Mapping[str, str] = os.environ) -> None:
    """Append to the job summary; outside GitHub Actions nothing is written."""
    if file := environ.get("GITHUB_STEP_SUMMARY"):
        with Path(file).open("ab") as summaries:
            summaries.write(text.encode(errors="replace")[:_LARGEST])


def _annotation(kind: str, cause: Cause) -> Annotation:
    told = [cause.message, *cause.evidence[:3], *(["Next: " + cause.remedy] if cause.remedy else [])]
    return Annotation(kind, cause.code, "\n".join(told))


def _cause(cause: Cause) -> list[str]:
    shown = [*cause.evidence, *(f"changed: {line}" for line in cause.changed)]
    parts = [f"**Cause:** `{cause.code}`. {_inline(cause.message)}"]
    if shown:
        parts.append(_block(shown))
    return [*parts, f"**Next:** {_inline(cause.remedy)}"] if cause.remedy else parts


def _timeline(ended: Outcome) -> str:
    rows = [f"| {_clock(moment.at)} | {_inline(moment.what)} |" for moment in ended.timeline]
    calls = f"{ended.calls} calls to AWS, {ended.calls_per_minute:.0f} a minute during the deployment"
    return "\n".join([f"Took {_clock(ended.seconds)}, {calls}.", "", "| at | what |", "|---:|---|", *rows])


def _block(lines: list[str]) -> str:
    """Lines as a code block, whose fence is longer than any in it."""
    text = "\n".join(cut(visible(mask_shapes(line))) for line in lines)
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}text\n{text}\n{fence}"


def _inline(text: str) -> str:
    """Text without Markdown, HTML, mathematics, links, mentions and emoji, also for a table."""
    words = cut(" ".join(visible(mask_shapes(text)).split())).split(" ")
    shown = " ".join(_code(word) if _LINKED.search(word) else _MARKS.sub(r"\\\g<0>", word) for word in words)
    return _AT_THE_START.sub(r"\1\\\2", shown)


def _code(word: str) -> str:
    """A word as code; its bars stay outside, because they end a table's cell even in code."""
    return r"\|".join(_fenced(piece) if piece else "" for piece in word.split("|"))


def _fenced(text: str) -> str:
    """Text as inline code, whose fence is longer than any in it."""
    fence = "`" * (1 + max(map(len, re.findall(r"`{1,4000}", text)), default=0))
    space = " " if text[:1] == "`" or text[-1:] == "`" else ""
    return f"{fence}{space}{text}{space}{fence}"


def _data(text: str) -> str:
    return visible(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
