"""Items of an exec form that hold several words, or quotes, which no shell splits or takes away. Pure.

Source: the Dockerfile reference, "Exec form": each item is one argument. What becomes of it is measured: click and
argparse look for an option up to its ``=``, and know none with a blank in its name ("No such option '--server.port
9000'", "unrecognized arguments"); dash 0.5.12, bash 5.2 and BusyBox 1.35 refuse ``-c`` with its script in one word
("Illegal option - "), and CPython 3.11 such a ``-m`` ("No module named ' http'"). Both parsers take ``-b value``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from .commands import is_known_program, is_path_with_blanks, is_shell, program_words, script_of, unwrapped
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
    program = (program_words(read) or ("",))[0]
    at = len(read) - len(unwrapped(read, {})[0])
    if not program or read[at:] != unwrapped(read, {})[0]:
        return ()
    found = [each for index in range(at + 1, len(read)) if (each := _glued(read, at, index, program))]
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


def _glued(words: Sequence[str], at: int, index: int, program: str) -> GluedWord | None:
    """``at`` is where the program is; what follows ``--`` is for another one."""
    before = words[index - 1]
    if before in OF_CODE or "--" in words[at:index]:
        return None
    is_value = before.startswith("-") and "=" not in before and before not in _flags(program)
    for glue, is_certain in _kinds(words, at, index, program):
        if is_certain or glue == "dash" or not is_value:
            return GluedWord(index, glue, program, is_certain and not is_value)
    return None


def _kinds(words: Sequence[str], at: int, index: int, program: str) -> Iterator[tuple[Glue, bool]]:
    """How a word is none, and whether that is certain for its program."""
    word, file = words[index], _file(words, at, program)
    is_runner = bool(RUNS_A_PROGRAM.fullmatch(program))
    is_own = is_known_program(program) and (not is_runner or (file is not None and index <= file))
    if _DASH.match(word):
        yield "dash", is_own
    if is_shell(program) and word.startswith("-") and " " in word:
        yield "script", True
    if _OPTION.match(word) or (is_runner and _MODULE.match(word)):
        yield "words", is_own or bool(_MODULE.match(word))
    if index == at + 1 and is_known_program(program) and _begins_with_a_command(word):
        yield "words", True
    if not word.startswith("-") and (_OPTION_BEHIND if is_own else _LONG_OPTION_BEHIND).search(word):
        yield "words", is_own and (index == file or program != "streamlit")
    if is_known_program(program) and _QUOTED.fullmatch(word):
        yield "quotes", index == file


def _file(words: Sequence[str], at: int, program: str) -> int | None:
    """Where the file that the program runs is, behind flags."""
    while words[at + 1] in _flags(program) and at + 2 < len(words):
        at += 1
    return file_index(words, at)


def _flags(program: str) -> frozenset[str]:
    """Options that take no value, of python."""
    return _OF_PYTHON if program.startswith("python") else frozenset()


def _begins_with_a_command(word: str) -> bool:
    first, *more = word.split()[:2] or [""]
    return first in _COMMANDS and bool(more)
