"""Path patterns as Docker reads them: .dockerignore, COPY's wildcards and ``--exclude``. Pure."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Sequence
from functools import cache


class Ignore:
    """The patterns of a .dockerignore; the last one that matches a path, or a folder above it, decides."""

    def __init__(self, lines: Iterable[str]) -> None:
        written = [rule for line in lines if (rule := _rule(line))]
        self._rules = [(compiled(path), ignored) for path, ignored in written]
        self._exceptions = [path.split("/") for path, ignored in written if not ignored]

    def __call__(self, path: str) -> bool:
        """Whether ``path``, relative and with slashes, is left out."""
        parents = path.split("/")
        paths = ["/".join(parents[:end]) for end in range(1, len(parents) + 1)]
        decision = False
        for pattern, ignored in self._rules:
            if decision != ignored and any(pattern.fullmatch(each) for each in paths):
                decision = ignored
        return decision

    def reaches_below(self, folder: str) -> bool:
        """Whether something below a folder that is left out may be kept all the same."""
        return any(_may_match_below(folder.split("/"), exception) for exception in self._exceptions)


def has_wildcard(pattern: str) -> bool:
    """Whether a source is a pattern rather than a path."""
    return any(char in pattern for char in "*?[")


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """Go's filepath.Match, with ``**`` for any number of folders."""
    return re.compile("".join(_translated(token) for token in _TOKENS.findall(pattern)))


_TOKENS = re.compile(r"\*\*/|\*\*|\*|\?|\[\^?\]?[^\]]{0,500}\]|\\.|.", re.DOTALL)
_WILD = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


def _translated(token: str) -> str:
    if token in _WILD:
        return _WILD[token]
    if token.startswith("[") and len(token) > 1:
        inner = token[1:-1].replace("\\", r"\\").replace("[", r"\[")
        return f"[{inner}]"
    return re.escape(token[-1] if token.startswith("\\") else token)


def _may_match_below(folder: Sequence[str], pattern: Sequence[str]) -> bool:
    for name, part in zip(folder, pattern, strict=False):
        if "**" in part:
            return True
        if not compiled(part).fullmatch(name):
            return False
    return len(pattern) > len(folder)


def _rule(line: str) -> tuple[str, bool] | None:
    """A line's path, and whether it leaves that out."""
    text = line.strip()
    if not text or line.startswith("#"):
        return None
    ignored = not text.startswith("!")
    path = posixpath.normpath(text.lstrip("!").strip()).lstrip("/")
    return (path, ignored) if path not in ("", ".") else None
