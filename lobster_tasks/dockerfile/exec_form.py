"""The exec form of an instruction, a JSON list of texts, and what keeps a text from being one. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Literal

from ..foreign import parsed
from .commands import is_path_with_blanks

Mistake = Literal[
    "single-quotes",
    "typographic-quotes",
    "a-comma-too-many",
    "a-comma-missing",
    "text-behind-the-list",
    "a-quote-missing",
    "a-bracket-missing",
    "a-single-backslash",
    "no-quotes",
    "no-brackets",
    "other-brackets",
    "quotes-around-the-list",
    "text-before-the-list",
    "several-mistakes",
]

_HOME = re.compile(r"\$(?:\w{1,99}|\{\w{1,99}\})(?=/)")
_TEST = re.compile(r"""\A\[\[?[ ]{1,99}(?:[-!$\w]|[^,]{0,999}?[ ]\]\]?[ ]{0,99}(?:&&|\|\||[;\n]))""")
_OTHER_BRACKETS = ("\uff3b", "\u3010", "\u3014")  # of the full width, and those of East Asian texts
# A list behind a sign that the instruction does not have, and one that is a text.
_AROUND: Mapping[Mistake, re.Pattern[str]] = {
    "text-before-the-list": re.compile(r"[=:-]\s{0,99}\[\s{0,99}[\"'][^\n]{0,9999}\]"),
    "quotes-around-the-list": re.compile(r"""(['"])\s{0,99}\[\s{0,99}['"][^\n]{0,9999}\]\s{0,99}\1"""),
}
_TYPOGRAPHIC = re.compile("[\u2018-\u201f\u00ab\u00bb\u2032\u2033\uff02]")


class NotTextError(ValueError):
    """A JSON list that has something else than texts: BuildKit refuses it (``errDockerfileNotStringArray``)."""


def exec_form(text: str) -> tuple[str, ...] | None:
    """The words; None where BuildKit takes the shell form, which is anything but a JSON list.

    Raises NotTextError.
    """
    words = _json(text) if text.startswith("[") else None
    if not isinstance(words, list):
        return None
    if not all(isinstance(word, str) for word in words):
        raise NotTextError
    return tuple(words)


def mistake(text: str) -> Mistake | None:
    """Why ``text``, which looks like the exec form, is none; None where it is, or was not meant to be."""
    if _has_no_brackets(text):
        return "no-brackets"
    if text.endswith("]") and _has_no_brackets(text[:-1].rstrip()):
        return "a-bracket-missing"
    if text.startswith(_OTHER_BRACKETS):
        return "other-brackets"
    if before := next((name for name, pattern in _AROUND.items() if pattern.fullmatch(text)), None):
        return before
    if text.startswith(("(", "{")) and len(_words(re.sub(r"[)}\]]$", "", text[1:]))) > 1:
        return "other-brackets"
    if not text.startswith("[") or isinstance(_json(text), list) or _is_test(text):
        return None
    return next(
        (name for name, mend in _MENDS.items() if isinstance(_json(mend(text)), list)), "several-mistakes"
    )


def _has_no_brackets(text: str) -> bool:
    """Whether these are the words of a list, or all of a command in quotes, which a shell takes for one name."""
    words = _words(text)
    return len(words) > 1 or (
        len(words) == 1 and " " in words[0] and not is_path_with_blanks(_HOME.sub("", words[0]))
    )


def _words(text: str) -> list[str]:
    """The words of a list without its brackets, in quotes of any kind; none for any other text."""
    if not text.lstrip()[:1] or not (text.lstrip()[0] in "'\"" or _TYPOGRAPHIC.match(text.lstrip())):
        return []
    found = _json(f"[{_TYPOGRAPHIC.sub(chr(34), text).replace(chr(39), chr(34))}]")
    return [str(word) for word in found] if isinstance(found, list) else []


def _is_test(text: str) -> bool:
    """``[ -f x ] && y``, ``[ "$X" = 1 ] && y`` and ``[[`` are a shell's own; a list's words have commas between."""
    return bool(_TEST.match(text))


def _json(text: str) -> object:
    try:
        return parsed(text)
    except ValueError:
        return None


def _without_what_is_behind(text: str) -> str:
    try:
        return text[: json.JSONDecoder().raw_decode(text)[1]]
    except (RecursionError, ValueError):
        return text


def _in_quotes(text: str) -> str:
    """The words between the brackets in quotes, where there are none."""
    if not text.endswith("]") or {'"', "'"} & set(text):
        return text
    return json.dumps(text[1:-1].split(","))


_MENDS: Mapping[Mistake, Callable[[str], str]] = {
    "text-behind-the-list": _without_what_is_behind,
    "typographic-quotes": lambda text: _TYPOGRAPHIC.sub('"', text),
    "single-quotes": lambda text: text.replace("'", '"'),
    "a-comma-too-many": lambda text: re.sub(r",\s{0,99}\]", "]", text.replace(", ,", ",").replace(",,", ",")),
    "a-comma-missing": lambda text: re.sub(r'"\s{1,99}"', '", "', text),
    "a-quote-missing": lambda text: re.sub(r"\s{0,99}\]$", '"]', text),
    "a-bracket-missing": lambda text: f"{text}]",
    "other-brackets": lambda text: re.sub(r"[)}]$", "]", text),
    "a-single-backslash": lambda text: text.replace("\\", "\\\\"),
    "no-quotes": _in_quotes,
}
