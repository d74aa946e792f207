"""The only place that prints and asks: data on stdout, messages on stderr.

Whatever is printed may contain text from others. Text that looks like a secret is masked in all of it, except what
``write`` and ``documents`` write, which other programs take or which is the app's own log. Control sequences other than
Rich's own colours do not reach the terminal, and in a GitHub Actions job only lines given to ``command`` are commands
for the runner.

Colour adds nothing that a word or a sign does not say: with NO_COLOR, in pipes and in narrow terminals nothing is
lost. Text that goes into a pipe is not wrapped, so that it can be searched and copied, unless COLUMNS sets a width.
"""

from __future__ import annotations

import codecs
import json
import os
import re
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from io import TextIOWrapper
from typing import IO, TYPE_CHECKING, Any, Protocol, TextIO, runtime_checkable

from . import github
from .foreign import powerless, visible
from .masking import mask_shapes
from .task_names import Exact, Verbatim, all_as_called, as_called, places, with_texts

if TYPE_CHECKING:
    from rich.console import Console as Rich
    from rich.console import ConsoleOptions, RenderableType, RenderResult
    from rich.segment import Segment
    from rich.text import Text

_UNWRAPPED = 10_000  # columns
# A size of a terminal that Rich would take from the environment; with none, or no columns, it prints nothing or fails.
_SIZES, _SIZE = ("COLUMNS", "LINES"), re.compile(r"0{0,4}[1-9][0-9]{0,3}")
# Replacements for our signs where a terminal's encoding does not have them.
_PLAIN = {
    **dict(zip("✔✘→–−·…×", ("ok", "FAILED", "->", "-", "-", "-", "...", "x"), strict=True)),
    "└": "`-",
}
_IN_PLAIN = "lobster-plain"


class Redraw(Protocol):
    """What ``Console.live`` yields: draws its argument in place of what it drew before."""

    def __call__(self, what: RenderableType) -> None:
        """Draw ``what``."""


class Console:
    """``quiet`` (for ``--json``) suppresses messages other than errors; the data is then one JSON object.

    ``names`` maps the tasks' names to their names in the project: everything printed uses the project's, except what
    ``write`` and ``documents`` write, and what is ``Verbatim``.
    """

    def __init__(self, *, quiet: bool = False, names: Mapping[str, str] | None = None) -> None:
        self.quiet = quiet
        self._names = names or {}
        self._lock = threading.Lock()
        self._answered = False
        self._drawing = False
        self._stop_commands = github.StopCommands() if github.is_here() else None
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream, TextIOWrapper):
                stream.reconfigure(errors=_IN_PLAIN)

    def say(self, what: RenderableType = "") -> None:
        """Print a message on stderr, a line or a table; messages of several threads do not interleave."""
        if not self.quiet:
            self._print(self._talk, what)

    def show(self, what: RenderableType) -> None:
        """Print data on stdout."""
        if not self.quiet:
            self._print(self._data, what)

    def json(self, result: Mapping[str, Any], *, exact: bool = False) -> None:
        """Write the one object of ``--json`` to stdout; further calls do nothing.

        ``exact`` is for what AWS takes as it is, in which nothing is masked.
        """
        if not self._answered:
            shown = result if exact else with_texts(result, _masked)
            self.write(json_document(all_as_called(shown, self._names)))
        self._answered = True

    def documents(self, documents: Iterable[Mapping[str, Any]]) -> None:
        """Write JSON documents to stdout, with an empty line between two of them."""
        self.write("\n".join(map(json_document, documents)))

    def write(self, text: str, *, raw: bool = False) -> None:
        """Write data without wrapping; ``raw`` keeps control characters. JSON is written by ``documents``."""
        _write(sys.stdout, self._harmless(text if raw else visible(text)))

    def command(self, line: str) -> None:
        """Give the GitHub Actions runner a command, on stderr even when quiet; elsewhere nothing is printed."""
        if self._stop_commands:
            with self._lock:
                _write(sys.stderr, self._stop_commands.passing(as_called(line, self._names)))

    def close(self) -> None:
        """Let the runner interpret commands again in what other programs print later."""
        if self._stop_commands:
            _write(sys.stderr, self._stop_commands.closed())

    def error(self, what: RenderableType) -> None:
        """An error, on stderr even when quiet."""
        self._print(self._talk, what)

    @property
    def interactive(self) -> bool:
        """Whether a person can answer questions."""
        return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()

    def confirm(self, question: str) -> bool:
        """Ask, with no as the default."""
        shown = visible(as_called(_masked(question), self._names))
        _write(sys.stderr, self._harmless(f"{shown} [y/N] "))
        answer = sys.stdin.readline()
        if not answer.endswith("\n"):  # the input has ended without a line
            _write(sys.stderr, "\n")
        return answer.strip().lower() in ("y", "yes")

    @contextmanager
    def live(self) -> Iterator[Redraw]:
        """A region at the end of the messages that is redrawn in place and removed at the end.

        Only a terminal has one: elsewhere, and when quiet, drawing does nothing.
        """
        if self.quiet or not self._talk.is_terminal or self._talk.color_system is None:
            yield lambda what: None
            return
        from rich.live import Live

        with Live(
            console=self._talk,
            transient=True,
            auto_refresh=False,
            redirect_stdout=False,
            redirect_stderr=False,
        ) as region:
            self._drawing = True
            try:
                yield lambda what: region.update(self._printable(what), refresh=True)
            finally:
                self._drawing = False

    @property
    def is_drawing(self) -> bool:
        """Whether such a region is active."""
        return self._drawing

    def _print(self, to: Rich, what: RenderableType) -> None:
        with self._lock:
            if self._drawing:
                to.print(self._printable(what), crop=False)
                return
            with to.capture() as captured:
                to.print(self._printable(what), crop=False)
            _write(to.file, self._harmless(captured.get(), fenced=to is self._talk))

    def _printable(self, what: RenderableType) -> _Harmless:
        shown = _changed(what, _masked_text, others=True)
        return _Harmless(_called(shown, self._names) if self._names else shown)

    def _harmless(self, text: str, *, fenced: bool = False) -> str:
        """Text without commands for the runner; where a pipe reads it, there is no fence around it."""
        if self._stop_commands is None:
            return text
        return (self._stop_commands.opened() if fenced else "") + powerless(text)

    @cached_property
    def _talk(self) -> Rich:
        return _rich(sys.stderr)

    @cached_property
    def _data(self) -> Rich:
        return _rich(sys.stdout)


@runtime_checkable
class TextRenderable(Protocol):
    """A renderable of this library that consists of texts; those that are ``Verbatim`` do not change."""

    def with_texts(self, change: Callable[[Text], Text], *, others: bool) -> RenderableType:
        """The same, with each text changed; with ``others``, also those of others."""


def _changed(what: RenderableType, change: Callable[[Text], Text], *, others: bool = False) -> RenderableType:
    """The same with each text changed; done before the layout, because the texts then differ in length.

    With ``others``, also the texts of others.
    """
    from rich.console import Group
    from rich.text import Text

    if isinstance(what, Verbatim):
        return Text(what) if not others else Verbatim(change(Text(what)).plain)
    if isinstance(what, str):
        return change(Text(what))
    if isinstance(what, Text):
        return change(what)
    if isinstance(what, Group):
        return Group(*(_changed(each, change, others=others) for each in what.renderables))
    if isinstance(what, TextRenderable):
        return what.with_texts(change, others=others)
    return what


def _masked(text: str) -> str:
    """A text with what looks like a secret masked; a text of others stays one, and a name as it is."""
    if isinstance(text, Exact):
        return text
    return type(text)(mask_shapes(text)) if isinstance(text, Verbatim) else mask_shapes(text)


def _masked_text(text: Text) -> Text:
    """The same with its style, and without the styles of its parts where something is masked."""
    shown = mask_shapes(text.plain)
    if shown == text.plain:
        return text
    return text.blank_copy(shown)


def _called(what: RenderableType, names: Mapping[str, str]) -> RenderableType:
    """The same with the project's task names."""
    return _changed(what, lambda text: _called_text(text, names))


def _called_text(text: Text, names: Mapping[str, str]) -> Text:
    """The same with its styles; a replaced name keeps the style of the original."""
    from rich.text import Span, Text

    is_whole = text.no_wrap
    for start, end, name in reversed(list(places(text.plain, names))):
        before, there, after = text.divide([start, end])
        styles = [span.style for span in there.spans]
        text = before + Text(name, there.style, spans=[Span(0, len(name), style) for style in styles]) + after
    text.no_wrap = is_whole
    return text


class _Harmless:
    """Renders its content without control characters and without blanks at the ends of lines."""

    def __init__(self, what: RenderableType) -> None:
        from rich.text import Text

        self._what = Text(what) if isinstance(what, str) else what

    def __rich_console__(self, console: Rich, options: ConsoleOptions) -> RenderResult:
        """The segments for Rich."""
        from rich.segment import Segment

        for line in Segment.split_lines(console.render(self._what, options)):
            yield from _trimmed([_shown(segment) for segment in line])
            yield Segment.line()


def _shown(segment: Segment) -> Segment:
    return segment if segment.control else segment._replace(text=visible(segment.text))


def _trimmed(line: list[Segment]) -> list[Segment]:
    while line and not line[-1].text.rstrip(" \t"):
        line.pop()
    return [*line[:-1], line[-1]._replace(text=line[-1].text.rstrip(" \t"))] if line else line


def json_document(result: Mapping[str, Any]) -> str:
    """A JSON document in which the GitHub Actions runner finds no command either."""
    text = json.dumps(result, indent=2, default=str).replace("\x7f", "\\u007f")
    return text.replace("##[", "#\\u0023[") + "\n"


def _rich(stream: TextIO) -> Rich:
    from rich.console import Console as Rich

    environ = {
        name: value for name, value in os.environ.items() if name not in _SIZES or _SIZE.fullmatch(value)
    }
    wraps = stream.isatty() or "COLUMNS" in environ
    return Rich(
        file=stream,
        width=None if wraps else _UNWRAPPED,
        _environ=environ,
        color_system=None if os.environ.get("NO_COLOR") else "auto",
        highlight=False,
        markup=False,
        emoji=False,
    )


def _write(stream: IO[str], text: str) -> None:
    stream.write(text)
    stream.flush()


def _in_plain(error: UnicodeError) -> tuple[str, int]:
    """A codec's error handler: replacements for characters that an encoding does not have."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = error.object[error.start : error.end]
    return "".join(_PLAIN.get(character, "?") for character in missing), error.end


codecs.register_error(_IN_PLAIN, _in_plain)
