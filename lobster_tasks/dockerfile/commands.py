"""The program that a command starts: without wrappers such as env, and with the script of a shell. Pure."""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Mapping, Sequence

_SHELLS = frozenset({"sh", "bash", "dash", "ash", "zsh"})
# What starts another program and becomes it, or stays in front of it.
_WRAPPERS = frozenset({"exec", "env", "tini", "dumb-init", "nohup", "time", "nice", "command"})
_RUNNERS = frozenset({"uv", "poetry", "pipenv", "pdm", "hatch", "rye"})
_PROGRAMS = re.compile(
    r"python[\d.]{0,9}|streamlit|gunicorn|uvicorn|hypercorn|daphne|waitress-serve|celery|flask|fastapi|node|deno|bun"
    r"|npm|npx|yarn|pnpm|java|ruby|php|dotnet|nginx|.{1,99}\.(?:sh|py|js)"
)
# Options of a wrapper that take the next word.
_VALUED: Mapping[str, frozenset[str]] = {
    "env": frozenset({"-C", "--chdir"}),
    "exec": frozenset({"-a"}),
    "nice": frozenset({"-n"}),
    "tini": frozenset({"-e", "-p"}),
    "dumb-init": frozenset({"-r", "--rewrite"}),
    "time": frozenset({"-f", "-o"}),
    "uv": frozenset(
        (
            "--with",
            "--extra",
            "--group",
            "--project",
            "--directory",
            "-p",
            "--python",
            "--env-file",
            "--package",
        )
    ),
}
_OF_PYTHON = frozenset({"-X", "-W"})
_OF_A_SHELL = frozenset({"--rcfile", "--init-file"})
ASSIGNMENT = re.compile(r"([A-Za-z_]\w{0,99})=")
"""How a word begins that sets a variable."""


def is_shell(word: str) -> bool:
    """Whether a program is a shell."""
    return posixpath.basename(word) in _SHELLS


def is_assignment(word: str) -> bool:
    """Whether a word sets a variable, in front of a program."""
    return bool(ASSIGNMENT.match(word))


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


def takes_its_words(program: str) -> bool:
    """Whether a program, which may be a shell, cannot start a command that it gets as its arguments."""
    name = posixpath.basename(program)
    return name in _SHELLS or (is_known_program(name) and not name.endswith((".py", ".js")))


def script_of(words: Sequence[str]) -> str | None:
    """The script of ``sh -c script``; None for what does not begin with a shell."""
    at, is_text = _operand(words)
    return words[at] if is_text and at < len(words) else None


def parameters_of(words: Sequence[str]) -> tuple[str, ...]:
    """The words behind the script of ``sh -c script``, of which the first is ``$0``."""
    return tuple(words[_operand(words)[0] + 1 :])


def script_file_of(words: Sequence[str]) -> str | None:
    """The path in ``sh entry.sh``; None for what does not begin with a shell, and for ``sh -c``."""
    at, is_text = _operand(words)
    return words[at] if words and is_shell(words[0]) and not is_text and at < len(words) else None


def first_operand(words: Sequence[str]) -> int:
    """Where the options of a shell, which is the first word, end: at its script, or at the file of one."""
    return _operand(words)[0]


def _operand(words: Sequence[str]) -> tuple[int, bool]:
    """Where the first operand of a shell is, and whether it is the text of a script."""
    at, is_text = 1, False
    while words and is_shell(words[0]) and at < len(words) and re.match(r"[-+]\w|--\w", words[at]):
        option = words[at]
        is_short = not option.startswith("--")
        is_text = is_text or (is_short and option.startswith("-") and "c" in option)
        at += 2 if option in _OF_A_SHELL or (is_short and option[-1] in "oO") else 1
    return at + (words[at : at + 1] in (["--"], ("--",))), is_text


def program_words(words: Sequence[str]) -> tuple[str, ...]:
    """The program's own words: its name without a path, no variables, wrappers and their options, runners."""
    rest, _ = unwrapped(words, {})
    return (posixpath.basename(rest[0]), *rest[1:]) if rest else ()


def unwrapped(words: Sequence[str], environment: Mapping[str, str]) -> tuple[tuple[str, ...], dict[str, str]]:
    """The program as it is written and its arguments, without what starts it; and what that sets for it.

    A variable that is taken away is empty.
    """
    rest, changed, wrapper = list(words), dict[str, str](), ""
    while rest:
        name = posixpath.basename(rest[0])
        if is_assignment(rest[0]):
            variable, _, changed[variable] = rest.pop(0).partition("=")
        elif name in _WRAPPERS or rest[0] == "--":
            wrapper = name
            rest = rest[1:]
        elif name in _RUNNERS and "run" in rest[1:2]:
            wrapper = name
            rest = rest[2:]
        elif rest[0].startswith("-"):
            rest = _after_option(wrapper, rest, environment, changed)
        elif re.fullmatch(r"python[\d.]{0,20}", name) and (module := _module(rest)):
            rest = rest[module:]
        else:
            return tuple(rest), changed
    return (), changed


def _after_option(
    wrapper: str, words: list[str], environment: Mapping[str, str], changed: dict[str, str]
) -> list[str]:
    """The words behind an option of a wrapper; env takes variables away, and splits a text into words."""
    option, rest = words[0], words[1:]
    name, equals, value = option.partition("=")
    if wrapper == "env" and option in ("-i", "-", "--ignore-environment"):
        changed |= dict.fromkeys(environment, "")
    elif wrapper == "env" and name in ("-u", "--unset", "-S", "--split-string"):
        value, rest = (value, rest) if equals else ("".join(rest[:1]), rest[1:])
        if name in ("-u", "--unset"):
            changed[value] = ""
        else:
            rest = [*_words_in(value), *rest]
    elif option in _VALUED.get(wrapper, ()):
        rest = rest[1:]
    return rest


def _words_in(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:  # a quote is open
        return []


def _module(words: Sequence[str]) -> int:
    """Where the name of the module in ``python -u -m module`` is; 0 for what starts no module."""
    at = 1
    while at < len(words) and words[at].startswith("-"):
        if re.fullmatch(r"-[a-zA-Z]{0,20}m", words[at]):
            return at + 1 if at + 1 < len(words) else 0
        at += 2 if words[at] in _OF_PYTHON else 1
    return 0
