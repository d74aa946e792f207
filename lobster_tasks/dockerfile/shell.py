"""A shell's script as its simple commands, whose words stay as they are written, with quotes and variables. Pure.

Source: POSIX, "Shell Command Language", on quoting, tokens, reserved words and redirection.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

_OPERATOR = re.compile(r"&&|\|\||;;&?|;&|\|&|&>{1,2}|>>|>\||>&|<&|<<-?|<>|[;|&()<>\n]")
_BLANK = " \t\r"
RESERVED = frozenset(
    {"if", "then", "elif", "else", "fi", "while", "until", "do", "done", "{", "}", "!", "esac"}
)
# Behind these come names and patterns, and no program.
_WITH_NAMES = frozenset({"for", "case", "select", "function"})
_OPENING = frozenset({"if", "while", "until", "for", "case", "select", "{", "("})
_CLOSING = frozenset({"fi", "done", "esac", "}", ")"})


@dataclass(frozen=True)
class SimpleCommand:
    """One simple command with the operators around it; without ``words`` it is only ``keywords``.

    ``keywords`` are the reserved words in front of it, and the parentheses of a subshell.
    """

    words: tuple[str, ...]
    keywords: tuple[str, ...] = ()
    before: str = ""
    behind: str = ""
    is_redirected: bool = False


class _OpenError(ValueError):
    """A quote or a bracket is open: a shell refuses the script."""


def simple_commands(script: str) -> list[SimpleCommand]:
    """All simple commands of a script, in order; none where a quote is open."""
    reading = _Reading()
    try:
        for is_operator, text in (*_tokens(script), (True, "\n")):
            if is_operator:
                reading.operator(text)
            else:
                reading.word(text)
    except _OpenError:
        return []
    return reading.found


@dataclass(frozen=True)
class LastList:
    """Commands joined by ``&&`` and ``||`` that a script ends with; ``is_nested`` is in ``if``, ``{`` and such."""

    commands: tuple[SimpleCommand, ...]
    is_nested: bool


def last_lists(commands: Sequence[SimpleCommand]) -> tuple[LastList, ...]:
    """The lists that a script may end with: one, or one for each branch."""
    reading = _Backwards()
    for command in reversed(commands):
        reading.take(command)
    return tuple(
        LastList(tuple(reversed(found)), nested)
        for found, nested in zip(reading.found, reading.nested, strict=True)
    )


@dataclass
class _Level:
    """What a place in a compound command is: ``ends`` is whether nothing follows, ``at_end`` was it at its end."""

    ends: bool = True
    at_end: bool = True
    joined: list[SimpleCommand] | None = None


@dataclass
class _Backwards:
    """One pass over the commands, the last first."""

    found: list[list[SimpleCommand]] = field(default_factory=list)
    nested: list[bool] = field(default_factory=list)
    levels: list[_Level] = field(default_factory=lambda: [_Level()])

    def take(self, command: SimpleCommand) -> None:
        if command.words:
            self._words(command)
        for keyword in reversed(command.keywords):
            self._keyword(keyword, is_joined=command.before in ("&&", "||"))
        level = self.levels[-1]
        if command.before == ";;":
            level.ends = level.at_end
        if command.before not in ("&&", "||") or command.keywords:
            level.joined = None

    def _words(self, command: SimpleCommand) -> None:
        level = self.levels[-1]
        if level.joined is not None:
            level.joined.append(command)
        elif level.ends:
            level.joined = [command]
            self.found.append(level.joined)
            self.nested.append(len(self.levels) > 1)
        level.ends = False

    def _keyword(self, keyword: str, *, is_joined: bool) -> None:
        level = self.levels[-1]
        if keyword in _CLOSING:
            level.joined = None
            self.levels.append(_Level(level.ends, level.ends))
        elif keyword in _OPENING and len(self.levels) > 1:
            at_end = self.levels.pop().at_end
            self.levels[-1].ends = at_end and is_joined
        elif keyword in ("else", "elif"):
            level.ends = level.at_end
        elif keyword in ("then", "do"):
            level.ends = False


@dataclass
class _Reading:
    """One pass over the tokens."""

    found: list[SimpleCommand] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    before: str = ""
    parentheses: int = 0
    is_target: bool = False
    is_redirected: bool = False

    def word(self, text: str) -> None:
        if not self.is_target:
            self.words.append(text)
        self.is_target = False

    def operator(self, text: str) -> None:
        if text[0] in "<>" or text.startswith("&>"):
            self.is_target = self.is_redirected = True
        elif text == "(":
            self._open()
        elif text == ")":
            self._close()
        elif self._flush(text) or text != "\n":
            self.before = text

    def _open(self) -> None:
        keywords, rest = _split(self.words)
        if rest:  # the name of a function
            self.words = []
            return
        self.parentheses += 1
        self.found.append(SimpleCommand((), (*keywords, "("), self.before))
        self.words, self.before = [], ""

    def _close(self) -> None:
        if not self.parentheses:  # of a pattern of case, or of a function
            keywords, _ = _split(self.words)
            self.words = list(keywords)
            self._flush("")
            return
        self.parentheses -= 1
        self._flush(")")
        self.words = [")"]

    def _flush(self, behind: str) -> bool:
        keywords, words = _split(self.words)
        if not keywords and not words:
            self.is_redirected = False
            return False
        self.found.append(SimpleCommand(words, keywords, self.before, behind, self.is_redirected))
        self.words, self.before, self.is_redirected = [], "", False
        return True


def _split(words: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The reserved words in front, and those of the program."""
    at = 0
    while at < len(words) and words[at] in RESERVED | {")"}:
        at += 1
    if words[at : at + 1] and words[at] in _WITH_NAMES:
        return tuple(words[: at + 1]), ()
    return tuple(words[:at]), tuple(words[at:])


def _tokens(script: str) -> Iterator[tuple[bool, str]]:
    """Operators (True) and words (False). Raises _OpenError."""
    at, word = 0, ""
    while at < len(script):
        char, operator = script[at], _OPERATOR.match(script, at)
        if script.startswith("\\\n", at):
            at += 2
        elif char == "#" and not word:
            at = max(script.find("\n", at), 0) or len(script)
        elif char in "'\"`\\" or script.startswith(("$(", "${"), at):
            end = _end(script, at)
            word, at = word + script[at:end], end
        elif char in _BLANK or operator:
            is_descriptor = operator is not None and operator[0][0] in "<>" and word.isdecimal()
            if word and not is_descriptor:
                yield False, word
            if operator:
                yield True, operator[0]
            word, at = "", operator.end() if operator else at + 1
        else:
            word, at = word + char, at + 1
    if word:
        yield False, word


def _end(script: str, at: int) -> int:
    """Where what begins with a quote, a backslash or a dollar ends. Raises _OpenError."""
    closing: list[str] = []
    while at < len(script):
        char, awaited = script[at], closing[-1] if closing else ""
        if char == awaited:
            closing.pop()
        elif awaited == "'":
            pass
        elif char == "\\":
            at += 1
        elif char in '"`' or (char == "'" and awaited != '"'):
            closing.append(char)
        elif script.startswith(("$(", "${"), at):
            at += 1
            closing.append(")" if script[at] == "(" else "}")
        elif char == "(" and awaited == ")":
            closing.append(")")
        at += 1
        if not closing:
            return min(at, len(script))
    raise _OpenError
