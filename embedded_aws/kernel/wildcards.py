"""AWS's wildcards: ``*`` is any number of characters, ``?`` exactly one; the whole text must match."""

from __future__ import annotations

import re
from fnmatch import translate
from functools import lru_cache

STAR, QUESTION_MARK = "\0a", "\0q"
"""How these two are written where they are meant as they are."""


@lru_cache(maxsize=4096)
def wildcard(pattern: str, ignore_case: bool = False) -> re.Pattern[str]:
    """A pattern for ``fullmatch``. What Python makes of several asterisks never goes back."""
    plain = pattern.replace("[", "[[]").replace(STAR, "[*]").replace(QUESTION_MARK, "[?]")
    return re.compile(translate(plain), re.IGNORECASE if ignore_case else 0)
