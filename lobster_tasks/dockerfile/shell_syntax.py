"""What only a shell interprets, among the words of an exec form, which no shell reads. Pure.

Source: the Dockerfile reference, "Shell and exec form": the exec form starts the program without a shell, so nothing
replaces variables and nothing separates commands. What a shell interprets: POSIX, "Shell Command Language".
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from .commands import ASSIGNMENT, is_known_program, program_words, script_of

Construct = Literal["own-word", "assignment", "variable", "substitution", "operator", "home"]

_PATTERNS: tuple[tuple[Construct, re.Pattern[str]], ...] = (
    ("variable", re.compile(r"(?<!\{)\$(?:[A-Za-z_]\w{0,99}|\{[A-Za-z_][^}]{0,99}\})")),
    ("substitution", re.compile(r"\$\((?=[^)])|`(?=[^`])")),
    ("operator", re.compile(r"(?:^|(?<=\s))(?:&&|\|\|)(?=\s|$)")),
)
# An operator in the value of an option may be a separator, a pattern or a header.
_OF_OPERANDS: tuple[tuple[Construct, re.Pattern[str]], ...] = (
    ("operator", re.compile(r"(?:^|(?<=\s))(?:\|&?|&|;;?)(?=\s|$)|(?<=\S);(?=\s)")),
    (
        "operator",
        re.compile(r"(?:^|(?<=\s))[\d&]?(?:>>?|<)(?:&[\d-]|/?\w[\w./-]{0,99}|)(?=\s|$)"),
    ),
    ("home", re.compile(r"^~(?=/)")),
)
_OF_A_FILE: tuple[tuple[Construct, re.Pattern[str]], ...] = (
    ("operator", re.compile(r"\.(?:py|js|ts|rb|php|jar)\s{0,9}(&&|\|\||[;&|<>])")),
)
# Words of a shell that are no programs, or whose program could not do what is meant.
_OWN = frozenset(
    (
        *("exec", "cd", "export", "source", ".", "set", "unset", "eval", "trap"),
        *("if", "for", "while", "until", "case", "{", "(", "!"),
    )
)
# Options whose value is a text in some language: of python, node, perl, php, psql, su, doppler, nodemon.
OF_CODE = frozenset(
    ("-c", "-e", "-p", "-r", "-x", "--command", "--eval", "--exec", "--execute", "--run", "--print")
)
# Programs that interpret their words themselves, or hand them to a shell.
_INTERPRETERS = frozenset(
    (
        *("awk", "gawk", "mawk", "sed", "perl", "jq", "yq", "expr", "test", "[", "find", "envsubst", "caddy"),
        *("concurrently", "npm-run-all", "parallel", "xargs", "watchexec", "watchmedo", "nodemon", "entr"),
        *("ssh", "su", "runuser", "script", "screen", "tmux"),
    )
)
# What runs a program of somebody, which may take any word.
RUNS_A_PROGRAM = re.compile(
    r"python[\d.]{0,9}|node|deno|bun|npm|npx|yarn|pnpm|java|ruby|php|dotnet|.{1,99}\.(?:py|js)"
)


@dataclass(frozen=True)
class ShellSyntax:
    """A ``text`` of the word at ``index`` that a shell would interpret as the ``construct``.

    ``program`` gets the word as it is written. ``is_certain`` is false where the program may interpret it itself.
    """

    index: int
    text: str
    construct: Construct
    program: str
    is_certain: bool


def uninterpreted(words: Sequence[str]) -> tuple[ShellSyntax, ...]:
    """What a shell was meant to interpret in the words that a container starts, the certain ones first.

    Left alone are the script of ``sh -c``, code (``python -c``), and the words of programs that interpret them.
    """
    read = words[: end_of_list(words)]
    if not read:
        return ()
    found = (*_of_the_process(read[0]), *_of_arguments(read))
    return tuple(sorted(found, key=lambda each: not each.is_certain))


def words_behind_a_script(words: Sequence[str]) -> tuple[str, ...]:
    """The words of ``sh -c streamlit run app.py`` that its script, which is ``streamlit`` alone, does not use."""
    start = next((at for at in range(len(words)) if script_of(words[at:]) is not None), len(words))
    script = script_of(words[start:]) or ""
    is_one_word = bool(script) and not re.search(r"[\s$]", script)
    return tuple(words[words.index(script, start + 1) + 1 :]) if is_one_word else ()


def end_of_list(words: Sequence[str]) -> int:
    """Where words begin that something interprets: a shell's script, or an interpreter's."""
    for at, word in enumerate(words):
        if posixpath.basename(word) in _INTERPRETERS or script_of(words[at:]) is not None:
            return at
    return len(words)


def _of_the_process(word: str) -> Iterator[ShellSyntax]:
    """Of the program itself, whose name is taken as it is written."""
    if word in _OWN:
        yield ShellSyntax(0, word, "own-word", word, is_certain=True)
    elif found := ASSIGNMENT.match(word):
        yield ShellSyntax(0, found[0], "assignment", word, is_certain=True)
    else:
        for construct, text in _constructs(word, is_value=False, is_file=False):
            yield ShellSyntax(0, text, construct, word, is_certain=True)


def _of_arguments(words: Sequence[str]) -> Iterator[ShellSyntax]:
    program = (program_words(words) or ("",))[0]
    at = next((at for at, word in enumerate(words) if posixpath.basename(word) == program), 0)
    known, file = is_known_program(program), file_index(words, at)
    end = next((index for index in range(at, len(words)) if words[index] == "--"), len(words))
    for index in range(1, len(words)):
        if words[index - 1] in OF_CODE:
            continue
        is_file, is_value = known and index == file, _is_value(words[index - 1], words[index])
        for construct, text in _constructs(words[index], is_value=is_value, is_file=is_file):
            is_command_line = construct == "operator" and text == words[index] and not is_value
            may_take_it = bool(RUNS_A_PROGRAM.fullmatch(program)) and text in ("|", ";", "&", "<", ">")
            is_certain = is_file or (known and is_command_line and not may_take_it)
            yield ShellSyntax(index, text, construct, program, is_certain and index <= end)


def _is_value(before: str, word: str) -> bool:
    """Whether a word is an option with its value, or follows one without."""
    return word.startswith("-") or (before.startswith("-") and "=" not in before and before != "--")


def file_index(words: Sequence[str], at: int) -> int | None:
    """Where the file that a program runs stands, such as app.py; None for an option or a URL in its place."""
    file = at + (2 if "run" in words[at + 1 : at + 2] else 1)
    return None if file >= len(words) or words[file].startswith("-") or "://" in words[file] else file


def _constructs(word: str, *, is_value: bool, is_file: bool) -> Iterator[tuple[Construct, str]]:
    patterns = (*_PATTERNS, *(() if is_value else _OF_OPERANDS), *(_OF_A_FILE if is_file else ()))
    for construct, pattern in patterns:
        if found := pattern.search(word):
            yield construct, found[found.lastindex or 0].strip()
