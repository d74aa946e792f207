"""Text that others wrote (logs, reasons, tags, names), made harmless where a line or a byte means something. Pure.

A terminal obeys control characters, and a runner of GitHub Actions obeys lines: "actions/runner",
src/Runner.Common/ActionCommand.cs, takes ``::command::`` at the start of a line, after any blanks, and ``##[command]``
anywhere in one; in both it compares as .NET does, which passes over characters that have no width.
"""

from __future__ import annotations

import re
import unicodedata

LONGEST = 4096  # characters of one line that anybody reads, or that anything is looked for in
_LAID_OUT = "\n\t"
# Those that join letters and signs of people's languages do nothing else.
_JOINERS = "\u200c\u200d"
# Control characters, signs of direction and no width, halves of characters, breaks of lines and paragraphs.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# What a comparison may pass over is never printable ASCII.
_ANYWHERE = re.compile(r"(#[^ -~\r\n]*+#[^ -~\r\n]*+)\[")


def visible(text: str) -> str:
    """Its line breaks and tabs as they are; what a terminal would obey, or nobody sees, as ``\\x1b`` and the like."""
    text = text.replace("\r\n", "\n")
    if text.isprintable():
        return text
    return "".join(map(_shown, text))


def one_line(text: str) -> str:
    """The same, line breaks too: ``\\n``."""
    return visible(text).replace("\n", "\\n")


def cut(text: str, longest: int = LONGEST) -> str:
    """Its beginning, and how much more there is."""
    if len(text) <= longest:
        return text
    return f"{text[:longest]}… ({len(text) - longest:,} more characters)"


def powerless(text: str) -> str:
    """Lines that no runner takes for a command of its own: a backslash stands in the middle of the sign of one."""
    return "".join(_ANYWHERE.sub(r"\1\\[", _begun_otherwise(line)) for line in text.splitlines(keepends=True))


def _begun_otherwise(line: str) -> str:
    start = next((index for index, character in enumerate(line) if "!" <= character <= "~"), 0)
    return f"{line[:start]}\\{line[start:]}" if line.startswith(":", start) else line


def _shown(character: str) -> str:
    if character.isprintable() or character in _LAID_OUT or character in _JOINERS:
        return character
    return _escaped(ord(character)) if unicodedata.category(character) in _UNSEEN else character


def _escaped(code: int) -> str:
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
