"""Patterns with wildcards, as automata: matching takes linear time for any pattern and text. Pure.

A Python regular expression backtracks, exponentially for a pattern with several asterisks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

_MOST_KNOWN = 1000  # sets of places, of which a pattern that is made for it has very many


class BadPatternError(ValueError):
    """What Go calls a syntax error in pattern (``filepath.ErrBadPattern``)."""


def _never(_: str) -> bool:
    return False


@dataclass(frozen=True)
class PatternState:
    """One place in a pattern: the character that leads to the next one, those that keep it here, and how many
    places further it is at once, without any."""

    leads: Callable[[str], bool] = _never
    stays: Callable[[str], bool] = _never
    skips: tuple[int, ...] = ()


def _is_any(_: str) -> bool:
    return True


def _is_of_name(char: str) -> bool:
    return char != "/"


def _is_slash(char: str) -> bool:
    return char == "/"


ANYTHING = PatternState(stays=_is_any, skips=(1,))
"""Any number of any characters."""
# In paths: one character of a name, any number of these, any number of folders, and all that is left.
_ONE = (PatternState(leads=_is_of_name),)
_SOME = (PatternState(stays=_is_of_name, skips=(1,)),)
_FOLDERS = (PatternState(skips=(1, 2)), PatternState(leads=_is_slash, stays=_is_any))
_ALL = (ANYTHING,)


class Glob:
    """A pattern as its steps. What was found out about a text once is known for the next one."""

    def __init__(self, steps: Sequence[PatternState]) -> None:
        self._steps = tuple(steps)
        self._first = self._with_skipped({0})
        self._known: dict[frozenset[int], dict[str, frozenset[int]]] = {}

    def ends(self, text: str, start: int = 0) -> Iterator[int]:
        """The possible ends of a match that begins at ``start``, the nearest first."""
        last, places = len(self._steps), self._first
        if last in places:
            yield start
        for at in range(start, len(text)):
            places = self._after(places, text[at])
            if not places:
                return
            if last in places:
                yield at + 1

    def fullmatch(self, text: str) -> bool:
        """Whether the whole text matches."""
        return any(end == len(text) for end in self.ends(text))

    def may_go_on(self, text: str) -> bool:
        """Whether a longer text with this beginning may match."""
        places = self._first
        for char in text:
            places = self._after(places, char)
        return bool(places - {len(self._steps)})

    def _after(self, places: frozenset[int], char: str) -> frozenset[int]:
        if places not in self._known and len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        known = self._known.setdefault(places, {})
        if char not in known:
            known[char] = self._with_skipped(self._reached(places, char))
        return known[char]

    def _reached(self, places: frozenset[int], char: str) -> set[int]:
        found = set()
        for place in places - {len(self._steps)}:
            step = self._steps[place]
            found |= {place} if step.stays(char) else set()
            found |= {place + 1} if step.leads(char) else set()
        return found

    def _with_skipped(self, places: set[int]) -> frozenset[int]:
        found, left = set(places), list(places)
        while left:
            place = left.pop()
            skips = self._steps[place].skips if place < len(self._steps) else ()
            more = {place + skip for skip in skips} - found
            found |= more
            left += more
        return frozenset(found)


def of_paths(pattern: str) -> Glob:
    """Go's ``filepath.Match``, with ``**`` for any number of folders as moby/patternmatcher has it.

    Raises BadPatternError for what these two refuse: a class that is open, empty, or has a range in reverse order, and
    a backslash at the end.
    """
    return Glob([step for steps in _path_steps(pattern) for step in steps])


def of_words(pattern: str) -> tuple[PatternState, ...]:
    """The steps of a shell's pattern (``*``, ``?``, a backslash before what is meant literally), for variables."""
    steps, at = [], 0
    while at < len(pattern):
        wild = {"*": ANYTHING, "?": PatternState(leads=_is_any)}.get(pattern[at])
        at += pattern[at] == "\\" and at + 1 < len(pattern)
        steps.append(wild or _literal(pattern[at]))
        at += 1
    return tuple(steps)


def _literal(char: str) -> PatternState:
    return PatternState(leads=char.__eq__)


def _path_steps(pattern: str) -> Iterator[Sequence[PatternState]]:
    at = 0
    while at < len(pattern):
        if pattern.startswith("**", at):
            steps = _deep(pattern, at)
            at += 3 if pattern.startswith("**/", at) else 2
        elif pattern[at] == "[":
            step, at = _class(pattern, at + 1)
            steps = (step,)
        elif pattern[at] in "*?":
            steps, at = (_SOME if pattern[at] == "*" else _ONE), at + 1
        else:
            char, at = _character(pattern, at)
            steps = (_literal(char),)
        yield steps


def _deep(pattern: str, at: int) -> Sequence[PatternState]:
    """``**``: behind it come whole names, but at the end of the pattern, and before one name that is no pattern."""
    rest = pattern[at + 2 :]
    if rest in ("", "/"):
        return _ALL
    is_suffix = at == 0 and not rest.startswith("/") and not any(char in "*?[]\\" for char in rest)
    return _ALL if is_suffix else _FOLDERS


def _class(pattern: str, at: int) -> tuple[PatternState, int]:
    """A class that begins behind its bracket, and where the pattern goes on."""
    negated = pattern.startswith("^", at)
    at += negated
    ranges: list[tuple[str, str]] = []
    while not (ranges and pattern.startswith("]", at)):
        low, at = _member(pattern, at)
        high, at = _member(pattern, at + 1) if pattern.startswith("-", at) else (low, at)
        if high < low:
            raise BadPatternError(f"the range {low}-{high} in {pattern} is in reverse order")
        ranges.append((low, high))
    return PatternState(
        leads=lambda char: any(low <= char <= high for low, high in ranges) is not negated
    ), at + 1


def _member(pattern: str, at: int) -> tuple[str, int]:
    if pattern[at : at + 1] in ("", "-", "]"):
        raise BadPatternError(
            f"a [ in {pattern} does not begin a character class such as [a-z]; write \\[ for the character"
        )
    return _character(pattern, at)


def _character(pattern: str, at: int) -> tuple[str, int]:
    if not pattern.startswith("\\", at):
        return pattern[at], at + 1
    if at + 1 == len(pattern):
        raise BadPatternError(f"{pattern} ends with a backslash")
    return pattern[at + 1], at + 2
