"""Words of an instruction: splitting, quotes, escapes, and ``$VARIABLE`` in all forms that BuildKit knows."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from .globs import ANYTHING, Glob, PatternState, of_words
from .spaces import SPACE

_SPECIAL_PARAMETERS = "@*#?-$!0"


class WordError(ValueError):
    """A word that cannot be expanded; the caller knows the line."""


def expand(text: str, variables: Mapping[str, str], escape: str = "\\", quotes: bool = True) -> str:
    """``text`` with its variables replaced; quotes are removed unless they are plain characters to it.

    Raises WordError for an open quote, an open brace, too many braces in one another, and for ``${NAME:?message}``.
    """
    try:
        return _Scanner(text, variables, escape, quotes).until(None)
    except RecursionError:
        raise WordError("variables are nested too deeply") from None


def raw_words(text: str, escape: str = "\\") -> list[str]:
    """``text`` split at white space outside quotes; quotes and escapes stay as they are."""
    words: list[str] = []
    current, quote, skip = "", "", False
    for char in text:
        if char in SPACE and not quote and not skip:
            words += [current] if current else []
            current = ""
            continue
        if skip or (char == escape and quote != "'"):
            skip = not skip
        elif char in "\"'" and quote in ("", char):
            quote = "" if quote else char
        current += char
    return words + ([current] if current else [])


def first_word(text: str, escape: str = "\\") -> tuple[str, str]:
    """The first of the ``raw_words`` without its quotes and escapes, and the text behind it."""
    word = next(iter(raw_words(text, escape)), "")
    return _bare(word, escape), text.lstrip(SPACE)[len(word) :].lstrip(SPACE)


def _bare(word: str, escape: str) -> str:
    found, quote, escaped = "", "", False
    for char in word:
        if escaped or not (char == escape or char in (quote or "\"'")):
            found, escaped = found + char, False
        elif char == escape:
            escaped = True
        else:
            quote = "" if quote else char
    return found


class _Scanner:
    """Walks over a text once; the position is the only state."""

    def __init__(self, text: str, variables: Mapping[str, str], escape: str, quotes: bool) -> None:
        self._text = text
        self._at = 0
        self._variables = variables
        self._escape = escape
        self._quotes = quotes

    def until(self, stop: str | None, raw: bool = False) -> str:
        """The text before ``stop`` (the end for None); ``raw`` keeps escapes, for patterns."""
        found = ""
        while self._at < len(self._text):
            char = self._take()
            if char == stop:
                return found
            found += self._special(char, raw)
        if stop is not None:
            raise WordError(f"a {stop} is missing in {self._text}")
        return found

    def _special(self, char: str, raw: bool) -> str:
        if char == "$":
            return self._dollar()
        if char == self._escape:
            following = self._take() if self._at < len(self._text) else ""
            return char + following if raw else following
        if self._quotes and char in "\"'":
            return self._single() if char == "'" else self._double()
        return char

    def _single(self) -> str:
        end = self._text.find("'", self._at)
        if end < 0:
            raise WordError(f"a quote (') is not closed in {self._text}")
        found, self._at = self._text[self._at : end], end + 1
        return found

    def _double(self) -> str:
        found = ""
        while self._at < len(self._text):
            char = self._take()
            if char == '"':
                return found
            if char == "$":
                found += self._dollar()
            elif char == self._escape and self._peek() in ('"', "$", self._escape):
                found += self._take()
            else:
                found += char
        raise WordError(f'a quote (") is not closed in {self._text}')

    def _dollar(self) -> str:
        if self._peek() != "{":
            name = self._name()
            return self._variables.get(name, "") if name else "$"
        self._take()
        name = self._name()
        if not name:
            raise WordError(f"a name is missing after ${{ in {self._text}")
        operator = self._take() if self._at < len(self._text) else ""
        if operator == "}":
            return self._variables.get(name, "")
        return self._modified(name, operator)

    def _modified(self, name: str, operator: str) -> str:
        value = self._variables.get(name)
        if operator == ":":
            value = value or None
            operator = self._take() if self._at < len(self._text) else ""
        if operator == "/":
            return self._replaced(value or "")
        choose = _MODIFIERS.get(operator)
        if not choose:
            raise WordError(f"${{{name}…}} has an unknown modifier in {self._text}")
        return choose(name, value, self.until("}", raw=operator in "#%"))

    def _replaced(self, value: str) -> str:
        everywhere = self._peek() == "/"
        if everywhere:
            self._take()
        pattern = self.until("/", raw=True)
        replacement = self.until("}", raw=True)
        return _replaced(pattern, replacement, value, everywhere=everywhere)

    def _name(self) -> str:
        if self._peek() and self._peek() in _SPECIAL_PARAMETERS:
            return self._take()
        name = re.compile(r"\d{1,100}|\w{0,500}").match(self._text, self._at)
        self._at += len(name[0]) if name else 0
        return name[0] if name else ""

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _take(self) -> str:
        self._at += 1
        return self._text[self._at - 1]


def _default(_: str, value: str | None, word: str) -> str:
    return word if value is None else value


def _alternative(_: str, value: str | None, word: str) -> str:
    return "" if value is None else word


def _required(name: str, value: str | None, word: str) -> str:
    if value is None:
        raise WordError(f"{name}: {word or 'needs a value'}")
    return value


def _without_prefix(_: str, value: str | None, word: str) -> str:
    return _shortened(value or "", of_words(word.removeprefix("#")), longest=word.startswith("#"))


def _without_suffix(_: str, value: str | None, word: str) -> str:
    backwards = of_words(word.removeprefix("%"))[::-1]
    return _shortened((value or "")[::-1], backwards, longest=word.startswith("%"))[::-1]


def _shortened(text: str, steps: Sequence[PatternState], *, longest: bool) -> str:
    ends = list(Glob(steps).ends(text))
    return text[ends[-1 if longest else 0] :] if ends else text


def _replaced(pattern: str, replacement: str, value: str, *, everywhere: bool) -> str:
    """The longest match of each place that one begins at, which those backwards tell in one go, from the end."""
    steps = of_words(pattern)
    ends = Glob((ANYTHING, *reversed(steps))).ends(value[::-1])
    starts, glob = sorted(len(value) - end for end in ends), Glob(steps)
    made, at = "", 0
    for start in starts:
        end = max(glob.ends(value, start)) if start >= at else at
        if start < at or start == end == at > 0:  # Go counts nothing that is nothing right behind a match
            continue
        made, at = made + value[at:start] + replacement, end
        if not everywhere:
            break
    return made + value[at:]


_MODIFIERS: Mapping[str, Callable[[str, str | None, str], str]] = {
    "-": _default,
    "+": _alternative,
    "?": _required,
    "#": _without_prefix,
    "%": _without_suffix,
}
