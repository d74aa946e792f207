"""The programs that a container starts, each with the variables that it gets, through shells and wrappers. Pure.

What a shell would find out while it runs is not known: what a command prints, a file that it reads, and a variable
that it sets on a condition. Such a text has a ``$`` or a backtick.
"""

from __future__ import annotations

import posixpath
import re
from collections import ChainMap
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, replace

from .commands import ASSIGNMENT, parameters_of, script_of, unwrapped
from .shell import CLOSING, OPENING, OpenScriptError, SimpleCommand, simple_commands
from .words import WordError, expand

NOT_KNOWN = "`?`"
_DEEPEST = 4  # shells in shells
_DEFAULT = re.compile(r"\$\{([A-Za-z_]\w{0,99}):?=([^{}]{0,999})\}")
_EVERY_PARAMETER = frozenset({'"$@"', "$@", '"${@}"', "${@}", "$*", "${*}"})
# What is between braces is done in any case, and by the same shell.
_BEGIN, _END = OPENING - {"{"}, CLOSING - {"}"}
_EXPORTING = frozenset({"export", "declare", "typeset"})


@dataclass(frozen=True)
class Program:
    """A program as it is written and its arguments, and its ``environment``; ``behind`` is the operator after it.

    ``folder`` is where it starts, relative to that of the image; None where that is not known.
    """

    words: tuple[str, ...]
    environment: Mapping[str, str]
    behind: str = ""
    folder: str | None = ""
    is_by_shell: bool = False

    @property
    def name(self) -> str:
        """The program's name without its path."""
        return posixpath.basename(self.words[0])


def is_known(text: str) -> bool:
    """Whether a text of a script is what it will be when the script runs."""
    return "$" not in text and "`" not in text


def programs(words: Sequence[str], environment: Mapping[str, str]) -> tuple[Program, ...]:
    """Every program that the words start, also those that scripts in the words start.

    A shell is among them where its script cannot be read.
    """
    return tuple(_started(Program(tuple(words), environment), _DEEPEST))


def _started(given: Program, deepest: int) -> Iterator[Program]:
    words, changed = unwrapped(given.words, given.environment)
    if not words:
        return
    program = replace(given, words=words, environment=ChainMap(changed, _mutable(given.environment)))
    script = script_of(words) if deepest else None
    try:
        commands = None if script is None else simple_commands(script)
    except OpenScriptError:
        commands = None
    if commands is None:
        yield program
        return
    shell = _Shell(program.environment, parameters_of(words))
    for command in commands:
        for each in shell.run(command):
            yield from _started(each, deepest - 1)


class _NotKnown(Mapping[str, str]):
    """Variables that a file of the image sets, of which none is known."""

    def __getitem__(self, name: str) -> str:
        return NOT_KNOWN

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


def _mutable(variables: Mapping[str, str]) -> MutableMapping[str, str]:
    """For ChainMap, which changes only its first map."""
    return variables  # type: ignore[return-value]


class _Shell:
    """Walks over a script once, with the variables that it has at each command."""

    def __init__(self, environment: Mapping[str, str], parameters: Sequence[str]) -> None:
        self._variables = ChainMap[str, str]({}, _mutable(environment))
        self._exported = ChainMap[str, str]({}, _mutable(environment))
        self._parameters = tuple(parameters)
        self._exports_all = False
        self._conditions = 0
        self._behind_and: list[str] = []
        self._folder: str | None = ""

    def run(self, command: SimpleCommand) -> Iterator[Program]:
        """The program of a simple command, if it is one, after what it changes in the shell."""
        self._conditions += sum(each in _BEGIN for each in command.keywords)
        self._conditions -= sum(each in _END for each in command.keywords)
        count = next((at for at, word in enumerate(command.words) if not ASSIGNMENT.match(word)), None)
        own = {name: value for word in command.words[:count] for name, value in self._assigned(word)}
        rest = command.words[count:] if count is not None else ()
        words = tuple(word for raw in rest for word in self._expanded(raw))
        if not words:
            self._set(command, own)
        elif not self._changes(command, words, rest):
            yield Program(words, self._environment(own), command.behind, self._folder, is_by_shell=True)
        if command.behind not in ("&&", "||"):
            self._set(command, dict.fromkeys(self._behind_and, NOT_KNOWN))
            self._behind_and = []

    def _changes(self, command: SimpleCommand, words: Sequence[str], raw: Sequence[str]) -> bool:
        """Whether the command is one of the shell's own that changes the shell, which is then done."""
        name, *operands = words
        if name in (*_EXPORTING, "readonly", "local"):
            own = {key: value for word in raw[1:] for key, value in self._assigned(word)}
            named = {each: self._variables.get(each, "") for each in operands if each.isidentifier()}
            self._set(command, named | own, exported=name == "export" or "-x" in operands)
        elif name in ("unset", "read"):
            self._set(command, dict.fromkeys(operands, "" if name == "unset" else NOT_KNOWN))
        elif name == "eval" or (name in ("source", ".") and not "".join(operands[:1]).endswith("activate")):
            self._variables, self._exported = (ChainMap({}, _mutable(_NotKnown())) for _ in range(2))
            return name == "eval"
        elif name == "set":
            self._options(command, operands)
        elif name == "shift":
            self._parameters = (*self._parameters[:1], *self._parameters[2:])
        elif name in ("cd", "pushd"):
            self._enter(command, operands)
        else:
            return False
        return True

    def _environment(self, own: Mapping[str, str]) -> Mapping[str, str]:
        """What a program gets now, with its ``own`` assignments."""
        now, *given = self._exported.maps
        return ChainMap({**now, **own}, *given)

    def _set(self, command: SimpleCommand, values: Mapping[str, str], *, exported: bool = False) -> None:
        is_conditional = (
            self._conditions > 0
            or command.before in ("||", "|", "|&")
            or command.behind in ("|", "|&", "&", ")")
        )
        for name, value in values.items():
            self._variables[name] = NOT_KNOWN if is_conditional else value
            if exported or self._exports_all or name in self._exported:
                self._exported[name] = self._variables[name]
            if command.before == "&&":
                self._behind_and.append(name)

    def _options(self, command: SimpleCommand, operands: Sequence[str]) -> None:
        """``set -a``, and ``set -- word …``, which replaces the parameters."""
        self._exports_all = self._exports_all or "-a" in operands or "allexport" in operands
        if "--" in operands:
            given = tuple(operands[operands.index("--") + 1 :])
            is_sure = not self._conditions and command.before != "||"
            self._parameters = (*(self._parameters[:1] or ("sh",)), *(given if is_sure else (NOT_KNOWN,)))

    def _enter(self, command: SimpleCommand, operands: Sequence[str]) -> None:
        path = operands[-1] if operands else "~"
        is_sure = is_known(path) and path[0:1] not in ("~", "-") and not self._conditions
        is_sure = is_sure and command.before != "||" and self._folder is not None
        self._folder = posixpath.join(self._folder or "", path) if is_sure else None

    def _assigned(self, raw: str) -> Iterator[tuple[str, str]]:
        if found := ASSIGNMENT.match(raw):
            yield found[1], self._value(raw[found.end() :])

    def _expanded(self, raw: str) -> list[str]:
        """The words that one becomes; only what is not in quotes is split."""
        if raw in _EVERY_PARAMETER:
            return list(self._parameters[1:])
        value = self._value(raw)
        is_split = "$" in raw and not {'"', "'", "`", "("} & set(raw)
        return value.split() if is_split else [value]

    def _value(self, raw: str) -> str:
        """A word with its variables; as it is written where it is not known."""
        numbered = {str(number): each for number, each in enumerate(self._parameters)}
        every = " ".join(self._parameters[1:])
        known = ChainMap({**numbered, "@": every, "*": every}, self._variables)
        try:
            for name, default in _DEFAULT.findall(raw):
                self._variables[name] = known.get(name) or expand(default, known)
            return expand(_DEFAULT.sub(r"${\1}", raw), known)
        except WordError:
            return raw
