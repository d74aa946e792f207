"""What GitHub Actions shows of a release: groups in the log, annotations, and the summary of the step.

"Workflow commands for GitHub Actions": a command is a line, in which ``%`` and line breaks are escaped, and in its
properties ``:`` and ``,`` too. Between ``::stop-commands::token`` and ``::token::`` no line is a command.
GITHUB_STEP_SUMMARY names a file that takes Markdown, up to a mebibyte.
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
ANNOTATIONS_FILE = "LOBSTER_ANNOTATIONS_FILE"
FILES = ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", ANNOTATIONS_FILE)
_LONGEST = 4000  # characters of an annotation, of which more would be cut off
# "actions/runner", FileCommandManager.cs, CreateStepSummaryCommand: a larger file is not shown at all.
_LARGEST = 1024 * 1024  # bytes
_MARKS = re.compile(r"[\\`*_\[\]<>#~&$|]")
_AT_THE_START = re.compile(r"^(\d{0,9})([-+=.)])")
# What GitHub makes a link, a mention or a picture of, wherever it stands in a word, and whether or not it is escaped:
# "GitHub Flavored Markdown Spec", Autolinks (extension); GitHub Docs, "Autolinked references and URLs", and "Basic
# writing and formatting syntax" for people, teams and emoji. In code none of this counts.
_LINKED = re.compile(
    r"@|://|www\.|:[\w+-]{1,100}:|#\d|\bGH-\d|(?<![0-9a-z])[0-9a-f]{7,40}(?![0-9a-z])", re.IGNORECASE
)


def is_here(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether this is a job of GitHub Actions."""
    return environ.get("GITHUB_ACTIONS") == "true"


class WorkflowCommand(str):
    """A line that the runner is to take for a command."""

    __slots__ = ()


@dataclass
class Fence:
    """Keeps the runner from taking what is printed for commands of its own: what goes out before, between and after.

    Nobody can guess the token. The runner forgets about it with the step, in case that nobody closes it
    ("actions/runner", Handlers/HandlerFactory.cs: a manager of commands for each).
    """

    token: str = field(default_factory=lambda: os.urandom(16).hex())
    is_open: bool = field(default=False, init=False)

    def opened(self) -> str:
        """What has to go out before text; nothing where it has."""
        if self.is_open:
            return ""
        self.is_open = True
        return f"::stop-commands::{self.token}\n"

    def closed(self) -> str:
        """What lets commands through again."""
        if not self.is_open:
            return ""
        self.is_open = False
        return f"::{self.token}::\n"

    def passing(self, command: str) -> str:
        """A command that the runner hears; text is not heard after it either."""
        return f"{self.closed()}{command}\n{self.opened()}"


@dataclass
class Groups:
    """Puts what is said into a group per phase: ``lines`` are what the log takes next, commands among them."""

    titles: Mapping[Any, str]
    phase: str = field(default="", init=False)

    def lines(self, progress: Progress) -> Iterator[str]:
        """For one step of a rollout; nothing where nothing is said."""
        if not progress.said:
            return
        if progress.phase != self.phase:
            yield from self.end()
            self.phase = progress.phase
            yield WorkflowCommand(f"::group::{_data(self.titles[progress.phase])}")
        yield from (powerless(f"{_clock(progress.at):>6}  {one_line(said)}") for said in progress.said)

    def end(self) -> Iterator[WorkflowCommand]:
        """Close the group that is open."""
        if self.phase:
            self.phase = ""
            yield WorkflowCommand("::endgroup::")


@dataclass(frozen=True)
class Annotation:
    """What a job shows beside its log; ``kind`` is error, warning or notice."""

    kind: str
    title: str
    told: str

    def command(self) -> WorkflowCommand:
        """As the runner takes it."""
        return WorkflowCommand(f"::{self.kind} title={_property(self.title)}::{_data(self.told[:_LONGEST])}")

    def line(self) -> str:
        """As whoever has asked for a file of annotations takes it: an object of JSON in a line."""
        return json.dumps(vars(self))


def check_files(environ: Mapping[str, str] = os.environ) -> None:
    """UsageError for a file of the runner's that cannot be written: at the end it would be too late for that."""
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
    """An error with the cause, where the release is not live, and a warning for each finding."""
    if ended.verdict != "live":
        yield from (_annotation("error", cause) for cause in (ended.cause, *ended.also) if cause)
    yield from (_annotation("warning", finding) for finding in ended.findings)


def annotate(ended: Outcome) -> Iterator[WorkflowCommand]:
    """The same as commands."""
    yield from (each.command() for each in annotations_of(ended))


def hand_over(annotation: Annotation, environ: Mapping[str, str] = os.environ) -> bool:
    """Leave an annotation to the program that started this one, where that asks for it; whether it does."""
    file = environ.get(ANNOTATIONS_FILE)
    if not file:
        return False
    try:
        with Path(file).open("a", encoding="utf-8") as annotations:
            annotations.write(annotation.line() + "\n")
    except OSError:  # which ``check_files`` has told, or tells now
        return False
    return True


def summary(ended: Outcome, title: str) -> str:
    """The release as Markdown: verdict, cause, evidence, what to do, timeline."""
    parts = [f"### {_VERDICTS[ended.verdict]}: {_inline(title)}", _inline(ended.why)]
    if ended.url:
        parts.append(f"<{quote(cut(ended.url), safe=':/?&=%[]', errors='replace')}>")
    for cause in (ended.cause, *ended.also):
        parts += _cause(cause) if cause else []
    parts += [f"**Note.** {_inline(each.message)}" for each in ended.findings]
    if ended.timeline:
        parts.append(_timeline(ended))
    return "\n\n".join(parts) + "\n"


def write_summary(text: str, environ: Mapping[str, str] = os.environ) -> None:
    """Append to the step's summary; outside of GitHub Actions nothing is written."""
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
    """As it is, in a fence longer than any in it."""
    text = "\n".join(cut(visible(line)) for line in lines)
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}text\n{text}\n{fence}"


def _inline(text: str) -> str:
    """Text in which nothing is Markdown, HTML, mathematics, a link, a mention or an emoji; in a table, too."""
    words = cut(" ".join(visible(text).split())).split(" ")
    shown = " ".join(_code(word) if _LINKED.search(word) else _MARKS.sub(r"\\\g<0>", word) for word in words)
    return _AT_THE_START.sub(r"\1\\\2", shown)


def _code(word: str) -> str:
    """As it is; the bars in it, at which a table would end a cell even in code, stay outside."""
    return r"\|".join(_fenced(piece) if piece else "" for piece in word.split("|"))


def _fenced(text: str) -> str:
    """In a fence longer than any in it."""
    fence = "`" * (1 + max(map(len, re.findall(r"`{1,4000}", text)), default=0))
    space = " " if text[:1] == "`" or text[-1:] == "`" else ""
    return f"{fence}{space}{text}{space}{fence}"


def _data(text: str) -> str:
    return visible(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
