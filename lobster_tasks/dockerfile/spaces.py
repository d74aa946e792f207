"""White space as BuildKit has it, which is less than Python's, and digits that are ASCII's.

Source: moby/buildkit, ``parser.go`` (``reWhitespace``, between the words of most instructions) and
``line_parsers.go`` (``unicode.IsSpace`` of Go, between those that may be in quotes, and around lines).
"""

from __future__ import annotations

import re

SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
"""The characters of Go's ``unicode.IsSpace``. Python also counts the ASCII separators (U+001C to U+001F)."""
_BETWEEN = re.compile(r"[\t\v\f\r ]")
_MOST_DIGITS = 18  # of a 64-bit number, which Go's ``strconv`` takes


def trimmed(text: str) -> str:
    """As ``strings.TrimSpace``."""
    return text.strip(SPACE)


def fields(text: str) -> list[str]:
    """The words that ``reWhitespace`` leaves."""
    return [word for word in _BETWEEN.split(text) if word]


def head_and_rest(text: str) -> tuple[str, str]:
    """The first of the ``fields``, and what is behind it; the text has no white space around it."""
    found = _BETWEEN.search(text)
    return (text[: found.start()], trimmed(text[found.end() :])) if found else (text, "")


def upper(word: str) -> str:
    """A keyword in capitals; a letter that only looks like one of ASCII's is none ("ſhell")."""
    lowered = word.lower()
    return lowered.upper() if lowered.isascii() else word


def is_number(text: str) -> bool:
    """Whether it is ASCII's digits, as many as a builder takes for a number."""
    return text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS
