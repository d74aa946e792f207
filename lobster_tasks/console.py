"""The only place that prints and asks: data on stdout, talk on stderr.

Colour carries nothing that a word or a sign does not: NO_COLOR, pipes and narrow terminals lose nothing.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console as Rich
    from rich.console import RenderableType

_PIPED_WIDTH = 100


class Console:
    """``quiet`` (for ``--json``) keeps talk to errors; data is then one JSON object."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self._lock = threading.Lock()

    def say(self, what: RenderableType = "") -> None:
        """Talk: a line or a table on stderr, in order whichever thread speaks."""
        if not self.quiet:
            with self._lock:
                self._talk.print(what)

    def show(self, what: RenderableType) -> None:
        """Data that the person came for, on stdout."""
        if not self.quiet:
            with self._lock:
                self._data.print(what)

    def json(self, result: Mapping[str, Any]) -> None:
        """The one object of ``--json``, on stdout."""
        sys.stdout.write(json.dumps(result, indent=2, default=str) + "\n")

    def write(self, text: str) -> None:
        """Data as it is, without wrapping."""
        sys.stdout.write(text)
        sys.stdout.flush()

    def error(self, what: RenderableType) -> None:
        """An error, on stderr even when quiet."""
        with self._lock:
            self._talk.print(what)

    @property
    def interactive(self) -> bool:
        """Whether somebody is there to answer."""
        return sys.stdin is not None and sys.stdin.isatty() and sys.stderr.isatty()

    def confirm(self, question: str) -> bool:
        """Ask, with no as the default."""
        self._talk.print(f"{question} \\[y/N] ", end="")
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    @cached_property
    def _talk(self) -> Rich:
        return _rich(stderr=True)

    @cached_property
    def _data(self) -> Rich:
        return _rich(stderr=False)


def _rich(*, stderr: bool) -> Rich:
    from rich.console import Console as Rich

    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else _PIPED_WIDTH
    return Rich(file=stream, width=width, highlight=False, soft_wrap=False)
