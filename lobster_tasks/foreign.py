"""Neutralises text from others (logs, reasons, tags, names) for terminals and GitHub Actions runners. Pure.

A terminal interprets control characters, and a runner of GitHub Actions interprets lines: "actions/runner",
src/Runner.Common/ActionCommand.cs, accepts ``::command::`` at the start of a line, after any blanks, and
``##[command]`` anywhere in one; both comparisons are .NET's, which ignore characters without a width.
"""

from __future__ import annotations

import json
import re
import unicodedata
from itertools import pairwise
from typing import Any

LONGEST = 4096  # characters of one line that are shown or searched
_LAID_OUT = "\n\t"
# They join letters and signs of natural languages, and are harmless.
_JOINERS = "\u200c\u200d"
# Categories of control and format characters, surrogates, line and paragraph separators.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# What a comparison may ignore: no printable ASCII, and no letters and numbers but the fillers of Hangul.
_WEIGHTLESS = r"[^ -~\w\r\n]*+"
_FILLERS = dict.fromkeys((0x115F, 0x1160, 0x3164, 0xFFA0), "\u200b")
_ANYWHERE = re.compile(rf"#{_WEIGHTLESS}#{_WEIGHTLESS}(?=\[)")
# Control sequences of terminals: colours, and titles and links, which end in BEL or ST (ECMA-48, 5.4 and 8.3.89).
_COLOURS = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]{0,64}[ -/]{0,8}[@-~]|\x1b\][^\x07\x1b]{0,2048}(?:\x07|\x1b\\)|\x1b[()][0-9A-Za-z]"
)
# What may be before the two colons of a command, blanks and what is ignored; and the colons.
_BEFORE, _COLONS = re.compile(r"[^!-~\w\r\n]*+"), re.compile(f":{_WEIGHTLESS}:")


def visible(text: str) -> str:
    """The text with line breaks and tabs as they are, and control and invisible characters as ``\\x1b`` and the
    like."""
    text = text.replace("\r\n", "\n")
    if text.isprintable():
        return text
    return "".join(map(_shown, text))


def one_line(text: str) -> str:
    """The same, with line breaks as ``\\n``."""
    return visible(text).replace("\n", "\\n")


def without_colours(text: str) -> str:
    """The text without the control sequences by which programs colour what they write: they stand within words."""
    return _COLOURS.sub("", text)


def cut(text: str, longest: int = LONGEST) -> str:
    """The beginning of the text, and how much more there is."""
    if len(text) <= longest:
        return text
    return f"{text[:longest]}… ({len(text) - longest:,} more characters)"


def parsed(text: str | bytes, **converters: Any) -> Any:
    """The value of a JSON text; ``converters`` are arguments of ``json.loads``.

    Raises ValueError for every text that cannot be read: also where it is nested too deeply, or contains a number that
    is too long.
    """
    try:
        return json.loads(text, **converters)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def parsed_object(text: str | bytes) -> dict[str, Any]:
    """The JSON object in a text; ValueError for every other text."""
    found = parsed(text)
    if not isinstance(found, dict):
        raise ValueError("it is not a JSON object")
    return found


def powerless(text: str) -> str:
    """The text without commands for a runner: a backslash in the middle of a command's sign disables it."""
    return "".join(map(_disabled, text.splitlines(keepends=True)))


def _disabled(line: str) -> str:
    seen = line.translate(_FILLERS)
    before = _BEFORE.match(seen)
    start = before.end() if before else 0
    places = [start] if _COLONS.match(seen, start) else []
    places += [found.end() for found in _ANYWHERE.finditer(seen)]
    return "\\".join(line[begin:end] for begin, end in pairwise([0, *places, len(line)]))


def _shown(character: str) -> str:
    if character.isprintable() or character in _LAID_OUT or character in _JOINERS:
        return character
    return _escaped(ord(character)) if unicodedata.category(character) in _UNSEEN else character


def _escaped(code: int) -> str:
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
