"""The patterns in the models, which have Java's syntax."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterator
from functools import cache
from itertools import groupby

LONGEST_MATCHED = 1000
"""Longer texts are matched only against patterns of a single character class, which never backtrack."""

_PART = re.compile(r"\\p\{(\w{1,20})\}|\\.|.", re.DOTALL)
_ONE_CLASS = re.compile(r"\^?\(?\[(?:[^\[\]\\]|\\.){1,2000}\][*+]?\)?[*+]?\$?")
_NAMED = {"Graph": "!-~", "Print": " -~", "ASCII": r"\x00-\x7f", "Alnum": "A-Za-z0-9", "Alpha": "A-Za-z"}


def matches(pattern: str, text: str) -> bool:
    """Whether a pattern matches the whole text; also true where Python cannot tell."""
    compiled = _compiled(pattern)
    if compiled is None or (len(text) > LONGEST_MATCHED and not _ONE_CLASS.fullmatch(pattern)):
        return True
    return compiled.fullmatch(text) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    try:
        return re.compile("".join(_parts(pattern)), re.ASCII)
    except (KeyError, re.error):
        return None


def _parts(pattern: str) -> Iterator[str]:
    inside = False
    for part in _PART.finditer(pattern):
        if part[0] in ("[", "]"):
            inside = part[0] == "["
        ranges = _in_class(part[1]) if part[1] else part[0]
        yield f"[{ranges}]" if part[1] and not inside else ranges


@cache
def _in_class(name: str) -> str:
    """The inside of a character class for ``\\p{name}``; KeyError."""
    return _NAMED.get(name) or _of_category()[name]


@cache
def _of_category() -> dict[str, str]:
    """The character ranges of each Unicode category, by names such as ``L`` and ``Lu``."""
    found: dict[str, list[str]] = {}
    code = 0
    for category, run in groupby(map(unicodedata.category, map(chr, range(sys.maxunicode + 1)))):
        first, code = code, code + sum(1 for _ in run)
        for name in {category, category[0]}:
            found.setdefault(name, []).append(f"\\U{first:08x}-\\U{code - 1:08x}")
    return {name: "".join(ranges) for name, ranges in found.items()}
