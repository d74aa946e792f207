"""Lays out text in columns for any width."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.text import Text

from ..documentation import place
from ..foreign import one_line, visible
from ..task_names import Verbatim

_GAP = 2
# The minimum width of the last column beside the others; with less space it goes below them.
_ROOM = 24
_INDENT = 4
_LABEL = 10


def clock_time(seconds: float) -> str:
    """Seconds as ``1:12``."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


def plural(count: int, word: str) -> str:
    """``1 task``, ``2 tasks``."""
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def listed(names: Sequence[str], most: int = 3) -> str:
    """The first names, separated by commas, and the number of the others."""
    shown = ", ".join(names[:most])
    return f"{shown} and {len(names) - most} more" if len(names) > most else shown


class _Others(Text):
    """A cell with a ``Verbatim`` text."""

    @classmethod
    def of(cls, text: Text) -> _Others:
        """The text as such a cell."""
        return cls(text.plain, text.style, no_wrap=text.no_wrap, spans=text.spans)


@dataclass(frozen=True)
class Rows:
    """Rows of cells: side by side while the last one has enough space, otherwise the last one below the others.

    A column is as wide as its widest cell; only the last cell of a row is wrapped, and it may begin in an
    earlier column than in other rows.
    """

    rows: Sequence[Sequence[Text]]

    def with_texts(self, change: Callable[[Text], Text], *, others: bool) -> Rows:
        """The same rows, with each cell changed; those with a text of others only with ``others``."""

        def changed(cell: Text) -> Text:
            if not isinstance(cell, _Others):
                return change(cell)
            return _Others.of(change(cell)) if others else cell

        return Rows([list(map(changed, row)) for row in self.rows])

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Called by rich."""
        widths = self._widths()
        stacked = options.max_width - sum(widths) < _ROOM
        for *before, last in self.rows:
            if stacked:
                yield from _below(console, before, last, options.max_width)
            else:
                yield from _beside(console, before, last, widths, options.max_width)

    def _widths(self) -> list[int]:
        """The width of every column but the last, with the gap after it."""
        widths: list[int] = []
        for *before, _ in self.rows:
            widths += [0] * (len(before) - len(widths))
            for column, cell in enumerate(before):
                widths[column] = max(widths[column], cell.cell_len + _GAP)
        return widths


def _beside(
    console: Console, before: Sequence[Text], last: Text, widths: Sequence[int], room: int
) -> Iterator[Text]:
    head = Text()
    for cell, width in zip(before, widths, strict=False):
        head.append_text(cell).append(" " * (width - cell.cell_len))
    indent = head.cell_len
    for number, line in enumerate(last.wrap(console, room - indent, overflow="fold") or [Text()]):
        yield Text(" " * indent).append_text(line) if number else head.append_text(line)


def _below(console: Console, before: Sequence[Text], last: Text, room: int) -> Iterator[Text]:
    yield Text(" ").join(cell for cell in before if cell.plain.strip())
    for line in last.wrap(console, room - _INDENT, overflow="fold") if last.plain else ():
        yield Text(" " * _INDENT).append_text(line)


def rows(*given: Iterable[str | Text]) -> Rows:
    """Rows of texts; a line break in a cell is shown as a sign, so that it does not look like a new row."""
    return Rows([[_cell(each) for each in row] for row in given])


def _cell(given: str | Text) -> Text:
    if isinstance(given, Text):
        return given
    return (_Others if isinstance(given, Verbatim) else Text)(one_line(given))


def shell(line: str) -> Text:
    """A line to paste into a shell; only the terminal wraps it, so that it stays one line."""
    return Text(line, no_wrap=True, overflow="ignore")


def labelled(label: str, text: str) -> RenderableType:
    """A label and a text with a hanging indent beside it."""
    return rows((_label(label), text))


def page(name: str) -> Iterator[RenderableType]:
    """The path of a documentation page; empty if it does not exist."""
    if found := place(name):
        yield rows((_label("docs"), shell(found)))


def hanging(label: str, text: str) -> RenderableType:
    """The same for a text of several lines, each beside the label."""
    lines = visible(text).split("\n")
    return rows(*((_label("" if number else label), line) for number, line in enumerate(lines)))


def _label(label: str) -> Text:
    return Text(f"{label:{_LABEL - _GAP}}", style="dim")
