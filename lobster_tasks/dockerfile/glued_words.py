"""Items of an exec form that hold several words, or quotes, which no shell splits or takes away. Pure.

Source: the Dockerfile reference, "Exec form": each item is one argument. What becomes of it is measured: click and
argparse look for an option up to its ``=``, and know none with a blank in its name ("No such option '--server.port
9000'", "unrecognized arguments"); dash 0.5.12, bash 5.2 and BusyBox 1.35 refuse ``-c`` with its script in one word
("Illegal option - "), and CPython 3.11 such a ``-m`` ("No module named ' http'"). Both parsers take ``-b value``.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from .commands import (
    first_operand,
    is_known_program,
    is_path_with_blanks,
    is_shell,
    script_of,
    unwrapped,
)
from .shell_syntax import OF_CODE, RUNS_A_PROGRAM, end_of_list, file_index

Glue = Literal["words", "script", "quotes", "dash"]

_OPTION = re.compile(r"--[A-Za-z][\w.-]{0,99}(?=\s)")
_OPTION_BEHIND = re.compile(r"\s--?[A-Za-z][\w.-]{0,99}(?=[\s=]|$)")
_LONG_OPTION_BEHIND = re.compile(r"\s--[A-Za-z][\w.-]{0,99}(?=[\s=]|$)")
_MODULE = re.compile(r"-m\s")
_QUOTED = re.compile(r"""(?:--[A-Za-z][\w.-]{0,99}=)?(?:'[^']{1,999}'|"[^"]{1,999}")""")
# The dashes that word processors make of hyphens.
_DASH = re.compile("[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]{1,2}[A-Za-z]")
_OF_PYTHON = frozenset({"-u", "-B", "-b", "-E", "-I", "-O", "-OO", "-P", "-s", "-S", "-v"})
# What runs a file that is its first operand.
_TAKES_A_FILE = re.compile(r"python[\d.]{0,9}|node|deno|bun|java|ruby|php|dotnet")
_ENDING = re.compile(r"\.(?:pyw?|pyc|pyz|[cm]?[jt]s|[jt]sx|rb|php|jar|war|dll|ipynb)(?=\s|$)")
# The commands of programs that have some.
_COMMANDS = frozenset({"run", "start", "serve", "dev", "exec", "runserver", "worker", "beat"})


@dataclass(frozen=True)
class GluedWord:
    """The word at ``index``, which is none of its ``program``; ``is_certain`` is false where it may be meant."""

    index: int
    glue: Glue
    program: str
    is_certain: bool


def glued_words(words: Sequence[str]) -> tuple[GluedWord, ...]:
    """Items that hold what should be several, or are in quotes, the certain ones first.

    Left alone are the script of ``sh -c``, code, the values of options, and paths and texts with blanks.
    """
    read = tuple(words[: end_of_list(words)])
    started = unwrapped(read, {})[0]
    at = len(read) - len(started)
    if not started or read[at:] != started:
        return ()
    given = _given(read, at)
    found = [each for index in range(at + 1, given.end) if (each := _glued(given, index))]
    return tuple(sorted(found, key=lambda each: not each.is_certain))


def glued_program(words: Sequence[str]) -> int | None:
    """Where the program stands that wrappers such as tini start, if its name holds the blanks of several words."""
    started = unwrapped(words, {})[0]
    at = len(words) - len(started)
    is_named_so = bool(started) and at > 0 and tuple(words[at:]) == started and " " in started[0].strip()
    return at if is_named_so and not is_path_with_blanks(started[0]) else None


def quoted_script(words: Sequence[str]) -> str:
    """The script of ``sh -c`` that is in quotes as a whole, so that the shell takes it for a name; else empty."""
    script = (script_of(unwrapped(words, {})[0]) or "").strip()
    inner = script[1:-1]
    is_quoted = len(script) > 2 and script[0] == script[-1] and script[0] in "'\"" and script[0] not in inner
    return script if is_quoted and " " in inner.strip() and not is_path_with_blanks(inner) else ""


@dataclass(frozen=True)
class _Given:
    """The words of a program, which is the one at ``at``; what follows ``end`` is for another one.

    ``file`` is where the file that it runs is, and ``operand`` where the options of a shell end.
    """

    words: Sequence[str]
    at: int
    end: int
    program: str
    file: int | None
    operand: int
    flags: frozenset[str]
    is_known: bool
    is_runner: bool

    def is_own(self, index: int) -> bool:
        """Whether a word is for the program, which is known, and not for one that it runs."""
        is_for_it = not self.is_runner or (self.file is not None and index <= self.file)
        return self.is_known and is_for_it


def _given(words: Sequence[str], at: int) -> _Given:
    program = posixpath.basename(words[at])
    flags = _OF_PYTHON if program.startswith("python") else frozenset[str]()
    return _Given(
        words,
        at,
        next((index for index in range(at, len(words)) if words[index] == "--"), len(words)),
        program,
        None if program.endswith((".py", ".js")) else _file(words, at, flags),
        at + first_operand(words[at:]) if is_shell(program) else at,
        flags,
        is_known_program(program),
        bool(RUNS_A_PROGRAM.fullmatch(program)),
    )


def _file(words: Sequence[str], at: int, flags: frozenset[str]) -> int | None:
    """Where the file that the program runs is, behind flags."""
    while at + 2 < len(words) and words[at + 1] in flags:
        at += 1
    return file_index(words, at)


def _glued(given: _Given, index: int) -> GluedWord | None:
    word, before = given.words[index], given.words[index - 1]
    if index < given.operand:
        is_glued = word.startswith("-") and " " in word
        return GluedWord(index, "script", given.program, is_certain=True) if is_glued else None
    if before in OF_CODE:
        return None
    is_value = before.startswith("-") and "=" not in before and before not in given.flags
    for glue, is_certain in _kinds(given, index):
        if not is_value or glue == "dash" or (is_certain and word.startswith("-")):
            return GluedWord(index, glue, given.program, is_certain and not is_value)
    return None


def _kinds(given: _Given, index: int) -> Iterator[tuple[Glue, bool]]:
    """How a word is none, and whether that is certain for its program."""
    word, is_own = given.words[index], given.is_own(index)
    if _is_with_a_command(given, index):
        yield "words", not given.program.endswith((".py", ".js"))
    if _is_one_path(given, index):
        return
    if _DASH.match(word):
        yield "dash", is_own
    if _OPTION.match(word) or (given.is_runner and _MODULE.match(word)):
        yield "words", is_own or bool(_MODULE.match(word))
    if not word.startswith("-") and (_OPTION_BEHIND if is_own else _LONG_OPTION_BEHIND).search(word):
        yield "words", is_own and (index == given.file or given.program != "streamlit")
    if given.is_known and _QUOTED.fullmatch(word):
        yield "quotes", index == given.file


def _is_with_a_command(given: _Given, index: int) -> bool:
    """Whether a word begins with a command of a program, in whose place other programs take a file."""
    takes_one = given.is_known and not _TAKES_A_FILE.fullmatch(given.program)
    return takes_one and index == given.at + 1 and _begins_with_a_command(given.words[index])


def _is_one_path(given: _Given, index: int) -> bool:
    """Whether a word is the path of a file to run, or of one for a program of somebody, and nothing behind it."""
    word = given.words[index]
    is_at_its_place = index == given.file or (index == given.at + 1 and given.file is None)
    ending = _ENDING.search(word) if is_at_its_place and not word.startswith("-") else None
    return ending is not None and ending.end() == len(word)


def _begins_with_a_command(word: str) -> bool:
    first, *more = word.split()[:2] or [""]
    return first in _COMMANDS and bool(more)
