"""The programs that a command starts: a shell's simple commands, without wrappers such as env. Pure."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

_SHELLS = frozenset({"sh", "bash", "dash", "ash", "zsh"})
_OPERATORS = frozenset({"&&", "||", ";", ";;", "|", "&", "\n", "(", ")", "|&"})
_REDIRECTION = re.compile(r"\d?[<>]{1,2}&?\d?")
# What starts another program and becomes it, or stays in front of it.
_WRAPPERS = frozenset({"exec", "env", "tini", "dumb-init", "nohup", "time", "nice", "command"})
_RUNNERS = frozenset({"uv", "poetry", "pipenv", "pdm", "hatch", "rye"})
_PROGRAMS = re.compile(
    r"python[\d.]{0,9}|streamlit|gunicorn|uvicorn|hypercorn|daphne|waitress-serve|celery|flask|fastapi|node|deno|bun"
    r"|npm|npx|yarn|pnpm|java|ruby|php|dotnet|nginx|.{1,99}\.(?:sh|py|js)"
)
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w{0,99}=")


@dataclass(frozen=True)
class SimpleCommand:
    """One simple command; ``behind`` is the operator after it."""

    words: tuple[str, ...]
    behind: str = ""


def is_shell(word: str) -> bool:
    """Whether a program is a shell."""
    return posixpath.basename(word) in _SHELLS


def is_path_with_blanks(word: str) -> bool:
    """Whether a word can be the path of one program, and not a command in one word by mistake.

    What follows a blank begins neither an option nor another path, and what precedes it is no known program.
    """
    first, *more = word.split() or [""]
    name = posixpath.basename(first)
    is_program = name in _SHELLS | _WRAPPERS | _RUNNERS or bool(_PROGRAMS.fullmatch(name))
    is_path = first.startswith(("/", "./", "../"))
    return is_path and not is_program and not any(each.startswith(("-", "/")) for each in more)


def is_known_program(name: str) -> bool:
    """Whether a program takes its words as they are; a script, or a program that is not known, may interpret them."""
    return bool(_PROGRAMS.fullmatch(name)) and not name.endswith(".sh")


def script_of(words: Sequence[str]) -> str | None:
    """The script of ``sh -c script``; None for what does not begin with a shell."""
    if not words or not is_shell(words[0]):
        return None
    options = [index for index, word in enumerate(words[1:], 1) if re.fullmatch(r"-[a-z]{0,20}c", word)]
    return words[options[0] + 1] if options and options[0] + 1 < len(words) else None


def simple_commands(script: str) -> list[SimpleCommand]:
    """The simple commands of a shell's script; operators in quotes separate nothing."""
    found: list[SimpleCommand] = []
    current: list[str] = []
    for token in [*_tokens(script), ";"]:
        if token not in _OPERATORS:
            current.append(token)
        elif current:
            found.append(SimpleCommand(tuple(current), token))
            current = []
    return found


def _tokens(script: str) -> list[str]:
    lexer = shlex.shlex(script, posix=True, punctuation_chars=";<>|&()\n")
    lexer.whitespace, lexer.commenters, lexer.whitespace_split = " \t\r", "", True
    try:
        return list(lexer)
    except ValueError:  # a quote is open
        return []


def program_words(words: Sequence[str]) -> tuple[str, ...]:
    """The program's own words: no variables, wrappers and their options, runners, redirections."""
    rest = [word for word in words if not _REDIRECTION.fullmatch(word)]
    while rest:
        name = posixpath.basename(rest[0])
        if _ASSIGNMENT.match(rest[0]) or name in _WRAPPERS or rest[0] == "--":
            rest = rest[1:]
        elif name in _RUNNERS and "run" in rest[1:2]:
            rest = rest[2:]
        elif rest[0].startswith("-"):  # an option of the wrapper before it
            rest = rest[1:]
        elif re.fullmatch(r"python[\d.]{0,20}", name) and "-m" in rest[1:]:
            rest = rest[rest.index("-m") + 1 :]
        else:
            return (name, *rest[1:])
    return ()
