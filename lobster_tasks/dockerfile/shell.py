"""A shell's script as its simple commands, whose words stay as they are written, with quotes and variables. Pure.

Source: POSIX, "Shell Command Language", on quoting, tokens, reserved words, redirection and here-documents.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

_OPERATOR = re.compile(r"&&|\|\||;;&?|;&|\|&|&>{1,2}|>>|>\||>&|<&|<<<|<<-?|<>|[;|&()<>\n]")
# An expansion whose word is a pattern, in which quotes count also within double quotes.
_OF_A_PATTERN = re.compile(r"\$\{(?:[A-Za-z_]\w{0,99}|\d{1,9}|[@*?$!-])[#%/]")
_BLANK = " \t\r"
RESERVED = frozenset(
    {"if", "then", "elif", "else", "fi", "while", "until", "do", "done", "{", "}", "!", "esac"}
)
# Behind these come names and patterns, and no program.
_WITH_NAMES = frozenset({"for", "case", "select", "function"})
OPENING = frozenset({"if", "while", "until", "for", "case", "select", "{", "("})
CLOSING = frozenset({"fi", "done", "esac", "}", ")"})


@dataclass(frozen=True)
class SimpleCommand:
    """One simple command with the operators around it; without ``words`` it is only ``keywords``.

    ``keywords`` are the reserved words in front of it, and the parentheses of a subshell. ``defines`` is the name of
    the function whose body follows.
    """

    words: tuple[str, ...]
    keywords: tuple[str, ...] = ()
    before: str = ""
    behind: str = ""
    is_redirected: bool = False
    defines: str = ""


class OpenScriptError(ValueError):
    """A quote, a bracket or a here-document of a script is open, so nothing is known of what it does."""


def simple_commands(script: str) -> list[SimpleCommand]:
    """All simple commands of a script, in order. Raises OpenScriptError."""
    reading = _Reading()
    for is_operator, text in (*_tokens(script), (True, "\n")):
        if is_operator:
            reading.operator(text)
        else:
            reading.word(text)
    return reading.found


def ends_in_the_background(script: str) -> bool:
    """Whether the last thing that a script does is to start something behind which it does not wait; not for one that
    cannot be read, or whose shell becomes a program before."""
    try:
        commands = simple_commands(script)
    except OpenScriptError:
        return False
    return bool(commands) and commands[-1].behind == "&" and not _becomes_a_program(commands)


def _becomes_a_program(commands: Sequence[SimpleCommand]) -> bool:
    """Whether the shell itself executes a program in any case, behind which it runs nothing."""
    own, depth = without_functions(commands)[0], 0
    for each in own:
        depth += sum((word in OPENING) - (word in CLOSING) for word in each.keywords)
        is_apart = each.before in ("&&", "||", "|", "|&") or each.behind in ("&", "|", "|&")
        if depth == 0 and not is_apart and each.words[:1] == ("exec",) and _program_behind(each.words):
            return True
    return False


def _program_behind(words: Sequence[str]) -> bool:
    """Whether ``exec`` has a program, and not only redirections, such as ``{fd}>file``."""
    return any(not word.startswith(("-", "{")) for word in words[1:])


def without_functions(
    commands: Sequence[SimpleCommand],
) -> tuple[tuple[SimpleCommand, ...], Mapping[str, tuple[SimpleCommand, ...]]]:
    """The commands without the bodies of functions, and these by the functions' names, also those of one in another."""
    own = _Body("")
    bodies = [own]
    functions: dict[str, tuple[SimpleCommand, ...]] = {}
    for command in commands:
        bodies[-1].take(command)
        if command.defines:
            bodies.append(_Body(command.defines))
            continue
        while len(bodies) > 1 and bodies[-1].depth <= 0:
            ended = bodies.pop()
            functions[ended.name] = tuple(ended.commands)
            bodies[-1].depth += ended.depth
    functions |= {each.name: tuple(each.commands) for each in bodies[1:]}
    return tuple(own.commands), functions


@dataclass
class _Body:
    """The commands of a function so far; ``depth`` is how many compound commands are open."""

    name: str
    commands: list[SimpleCommand] = field(default_factory=list)
    depth: int = 0

    def take(self, command: SimpleCommand) -> None:
        self.commands.append(command)
        self.depth += sum(each in OPENING for each in command.keywords)
        self.depth -= sum(each in CLOSING for each in command.keywords)


@dataclass(frozen=True)
class LastList:
    """Commands joined by ``&&`` and ``||`` that a script ends with; ``is_nested`` is in ``if``, ``{`` and such.

    ``is_followed`` is whether the shell has something to do behind it: brief commands, or a loop's next turn.
    """

    commands: tuple[SimpleCommand, ...]
    is_nested: bool
    is_followed: bool


def last_lists(
    commands: Sequence[SimpleCommand], is_brief: Callable[[SimpleCommand], bool]
) -> tuple[LastList, ...]:
    """The lists that a script may end with: one, or one for each branch; and what precedes the brief ones."""
    reading = _Backwards(is_brief)
    for command in reversed(commands):
        reading.take(command)
    return tuple(LastList(tuple(reversed(found)), *told) for found, told in reading.found)


# Whether nothing follows, something brief or a loop's next turn, or more than that.
_Place = Literal["end", "followed", ""]


@dataclass
class _Level:
    """What a place in a compound command is: ``place`` is where it is, ``at_end`` was where its end is."""

    place: _Place = "end"
    at_end: _Place = "end"
    joined: list[SimpleCommand] | None = None


@dataclass
class _Backwards:
    """One pass over the commands, the last first; ``found`` are lists, whether nested, and whether followed."""

    is_brief: Callable[[SimpleCommand], bool]
    found: list[tuple[list[SimpleCommand], tuple[bool, bool]]] = field(default_factory=list)
    levels: list[_Level] = field(default_factory=lambda: [_Level()])

    def take(self, command: SimpleCommand) -> None:
        if command.words:
            self._words(command)
        for keyword in reversed(command.keywords):
            self._keyword(keyword, is_joined=command.before in ("&&", "||"))
        level = self.levels[-1]
        if command.before == ";;":
            level.place = level.at_end
        if command.before not in ("&&", "||") or command.keywords:
            level.joined = None

    def _words(self, command: SimpleCommand) -> None:
        level = self.levels[-1]
        if level.joined is not None:
            level.joined.append(command)
        elif level.place:
            level.joined = [command]
            self.found.append((level.joined, (len(self.levels) > 1, level.place == "followed")))
        level.place = "followed" if level.place and self.is_brief(command) else ""

    def _keyword(self, keyword: str, *, is_joined: bool) -> None:
        level = self.levels[-1]
        if keyword in CLOSING:
            level.joined = None
            place: _Place = "followed" if level.place and keyword == "done" else level.place
            self.levels.append(_Level(place, place))
        elif keyword in OPENING and len(self.levels) > 1:
            at_end = self.levels.pop().at_end
            self.levels[-1].place = "followed" if at_end and is_joined else ""
        elif keyword in ("else", "elif"):
            level.place = level.at_end
        elif keyword in ("then", "do"):
            level.place = ""


@dataclass
class _Reading:
    """One pass over the tokens."""

    found: list[SimpleCommand] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    before: str = ""
    parentheses: int = 0
    is_target: bool = False
    is_redirected: bool = False
    is_named: bool = False

    def word(self, text: str) -> None:
        if self.is_target:
            self.is_target = False
        elif self.words[-1:] == ["function"] and not _split(self.words)[1]:
            self._define((*_split(self.words)[0][:-1],), text)
            self.is_named = True
        else:
            self.words.append(text)
            self.is_named = False

    def operator(self, text: str) -> None:
        if self.is_named and text in "()":  # they may stand behind the name of a function
            self.is_named = text == "("
        elif text[0] in "<>" or text.startswith("&>"):
            self.is_target = self.is_redirected = True
        elif text == "(":
            self._open()
        elif text == ")":
            self._close()
        elif self._flush(text) or text != "\n":
            self.before = text

    def _open(self) -> None:
        keywords, rest = _split(self.words)
        if rest:
            self._define(keywords, rest[0])
            return
        self.parentheses += 1
        self.found.append(SimpleCommand((), (*keywords, "("), self.before))
        self.words, self.before = [], ""

    def _define(self, keywords: tuple[str, ...], name: str) -> None:
        self.found.append(SimpleCommand((), keywords, self.before, defines=name))
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
    """Operators (True) and words (False), without here-documents. Raises OpenScriptError."""
    at, word, documents = 0, "", _HereDocuments(script)
    while at < len(script):
        char, operator = script[at], _OPERATOR.match(script, at)
        if script.startswith("\\\n", at):
            at += 2
        elif char == "#" and not word:
            at = _line_end(script, at)
        elif char in "'\"`\\" or script.startswith(("$(", "${"), at):
            end = _end(script, at)
            word, at = word + script[at:end], end
        elif char in _BLANK or operator:
            is_descriptor = operator is not None and operator[0][0] in "<>" and word.isdecimal()
            if word and not is_descriptor:
                documents.word(word)
                yield False, word
            word, at = "", operator.end() if operator else at + 1
            if operator:
                yield True, operator[0]
                at = documents.behind(operator[0], at)
        else:
            word, at = word + char, at + 1
    if word:
        yield False, word


class _HereDocuments:
    """The here-documents whose operators were read and whose lines were not yet."""

    def __init__(self, script: str) -> None:
        self._script = script
        self._operator = ""
        self._open: list[tuple[str, str]] = []

    def word(self, text: str) -> None:
        """Takes a word, which behind the operator is the line that ends the document."""
        if self._operator:
            self._open.append((self._operator, re.sub(r"[\\'\"]", "", text)))
        self._operator = ""

    def behind(self, operator: str, at: int) -> int:
        """Where the script goes on behind an operator that ends at ``at``."""
        self._operator = operator if operator in ("<<", "<<-") else ""
        while operator == "\n" and self._open:
            at = self._end(*self._open.pop(0), at)
        return at

    def _end(self, operator: str, delimiter: str, at: int) -> int:
        while at < len(self._script):
            end = _line_end(self._script, at)
            line, at = self._script[at:end], end + 1
            if (line.lstrip("\t") if operator == "<<-" else line) == delimiter:
                return min(at, len(self._script))
        raise OpenScriptError


def _line_end(script: str, at: int) -> int:
    """Where the line break of the line is, or the script ends."""
    end = script.find("\n", at)
    return len(script) if end < 0 else end


def _end(script: str, at: int) -> int:
    """Where what begins with a quote, a backslash or a dollar ends. Raises OpenScriptError."""
    closing: list[tuple[str, bool]] = []  # what is awaited, and whether ' is a character till then
    while at < len(script):
        char = script[at]
        awaited, is_plain = closing[-1] if closing else ("", False)
        if char == awaited:
            closing.pop()
        elif awaited == "'":
            pass
        elif char == "\\":
            at += 1
        elif char in '"`' or (char == "'" and not is_plain):
            closing.append((char, char == '"'))
        elif script.startswith("${", at):
            closing.append(("}", is_plain and not _OF_A_PATTERN.match(script, at)))
            at += 1
        elif script.startswith("$(", at) or (char == "(" and awaited == ")"):
            closing.append((")", False))
            at += char == "$"
        at += 1
        if not closing:
            return min(at, len(script))
    raise OpenScriptError
