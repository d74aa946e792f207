"""AWS's wildcards: ``*`` is any number of characters, ``?`` exactly one; the whole text must match."""

from __future__ import annotations

import re
from fnmatch import translate
from functools import lru_cache

STAR, QUESTION_MARK = "\0a", "\0q"
"""Escapes of these characters where they are literal."""


@lru_cache(maxsize=4096)
def wildcard(pattern: str, ignore_case: bool = False) -> re.Pattern[str]:
    """A pattern for ``fullmatch``. Python's translation of several asterisks does not backtrack."""
    plain = pattern.replace("[", "[[]").replace(STAR, "[*]").replace(QUESTION_MARK, "[?]")
    return re.compile(translate(plain), re.IGNORECASE if ignore_case else 0)
