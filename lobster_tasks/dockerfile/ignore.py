"""Docker's path patterns: .dockerignore, COPY's wildcards and ``--exclude``. Pure, but for the reading of the file."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from .. import text_file
from .globs import BadPatternError, Glob, of_paths
from .spaces import trimmed


class BadLineError(BadPatternError):
    """A line with a pattern that Docker refuses: its number, from 1, and ``why``."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(f"line {line}: {why}")
        self.line, self.why = line, why


class DockerIgnore:
    """The patterns of a .dockerignore; the last one that matches a path, or a folder above it, decides.

    Raises BadLineError for a pattern that Docker refuses.
    """

    def __init__(self, lines: Iterable[str]) -> None:
        self._rules = [rule for number, line in enumerate(lines, 1) if (rule := _rule(line, number))]
        self._exceptions = [pattern for pattern, ignored in self._rules if not ignored]

    def __call__(self, path: str) -> bool:
        """Whether ``path``, relative and with slashes, is excluded."""
        decision = False
        for pattern, ignored in self._rules:
            if decision != ignored and _matches(pattern, path):
                decision = ignored
        return decision

    def reaches_below(self, folder: str) -> bool:
        """Whether something in an excluded folder may still be included."""
        return any(exception.may_go_on(f"{folder}/") for exception in self._exceptions)


def ignore_file(folder: Path, dockerfile: str) -> Path | None:
    """The .dockerignore of a build context, which one named after the Dockerfile replaces; None without any."""
    candidates = (folder / f"{dockerfile}.dockerignore", folder / ".dockerignore")
    return next((path for path in candidates if os.path.lexists(path)), None)


def read_ignore(path: Path | None) -> DockerIgnore:
    """The patterns of that file; none without one.

    Raises OSError, EncodingError, and BadLineError for a pattern that Docker refuses.
    """
    return DockerIgnore(text_file.read(path, any_bytes=True).split("\n") if path else ())


def has_wildcard(pattern: str) -> bool:
    """Whether a source is a pattern rather than a path."""
    return any(char in pattern for char in "*?[")


@cache
def compiled(pattern: str) -> Glob:
    """Go's filepath.Match, with ``**`` for any number of folders. Raises BadPatternError."""
    return of_paths(pattern)


def _matches(pattern: Glob, path: str) -> bool:
    """Whether the pattern matches a path, or a folder above it."""
    return any(end == len(path) or path[end] == "/" for end in pattern.ends(path))


def _rule(line: str, number: int) -> tuple[Glob, bool] | None:
    """A line's pattern, and whether it excludes what matches."""
    text = trimmed(line)
    if not text or line.startswith("#"):
        return None
    ignored = not text.startswith("!")
    written = text if ignored else trimmed(text[1:])
    path = posixpath.normpath(written).lstrip("/") if written else ""
    try:
        if not written:
            raise BadPatternError("a ! needs a pattern after it")
        return (compiled(path), ignored) if path not in ("", ".") else None
    except BadPatternError as error:
        raise BadLineError(number, str(error)) from None
