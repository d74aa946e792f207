"""The scripts that an image starts and that Linux cannot start, as far as they come from the build context."""

from __future__ import annotations

import codecs
import os
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from .commands import is_assignment, is_shell, script_file_of
from .model import Dockerfile, Stage
from .origins import Origin, origins
from .programs import Program, is_known, programs

_ENOUGH = 64 * 1024
_FIXERS = ("dos2unix", "fromdos", "\\r", "\\015", "\\x0d")
Fault = Literal["interpreter", "shell", "line", "byte-order-mark"]


@dataclass(frozen=True)
class FaultyScript:
    """A started script by its path in the build context; one that the Dockerfile ``name`` contains has the ``path``.

    ``interpreter`` is a carriage return at the end of the line with ``#!``, which the kernel reads; ``shell`` one at
    the end of the first line, which a shell reads; ``line`` one of a later line alone, which may be meant, and which a
    shell reads.
    """

    name: str
    fault: Fault
    path: str = ""

    @property
    def place(self) -> str:
        """Where the script is, in words."""
        return f"{self.path} in {self.name}" if self.path else self.name


def faulty_scripts(
    file: Dockerfile, folder: Path, command: tuple[str, ...] | None = None
) -> tuple[FaultyScript, ...]:
    """The started scripts with the line ends of Windows, or a byte order mark before ``#!``.

    The kernel looks for an interpreter whose name ends in the carriage return, and with a byte order mark for none; a
    shell takes the carriage return for a part of a word. Nothing is found where a later RUN line takes it out.
    ``command`` replaces CMD.
    """
    stage = file.final
    found: dict[str, FaultyScript] = {}
    for word, by_shell, program in _scripts(stage, command):
        for path in _paths(stage, program, word):
            origin = next(_existing(origins(file, stage, path, folder), folder), None)
            if origin is None:
                continue
            if fault := _fault(origin, folder, by_shell=by_shell, may_fall_back=program.is_by_shell):
                told = _faulty(file, origin, fault)
                found.setdefault(told.place, told)
            break
    return tuple(found.values())


def _faulty(file: Dockerfile, origin: Origin, fault: Fault) -> FaultyScript:
    if origin.text is None:
        return FaultyScript(origin.source, fault)
    return FaultyScript(file.name, fault, origin.path)


def _existing(found: Iterator[Origin], folder: Path) -> Iterator[Origin]:
    """No name is too long, and none is no name, for ``isfile``."""
    return (each for each in found if each.text is not None or os.path.isfile(folder / each.source))


def _fault(origin: Origin, folder: Path, *, by_shell: bool, may_fall_back: bool) -> Fault | None:
    """What keeps the script from starting; a NUL tells a program from a script.

    A shell that cannot start a file for its format reads it itself, so a byte order mark does little there.
    """
    beginning = _beginning(origin, folder)
    if beginning is None or b"\0" in beginning:
        return None
    first = beginning.partition(b"\n")[0]
    if first.startswith(codecs.BOM_UTF8 + b"#!") and not by_shell and not may_fall_back:
        return "byte-order-mark"
    if b"\r\n" not in beginning or any(_mends(text, origin.path) for text in origin.later):
        return None
    if not first.endswith(b"\r"):
        return "line" if by_shell or _is_for_a_shell(first) else None
    return "interpreter" if first.startswith(b"#!") and not by_shell else "shell"


def _beginning(origin: Origin, folder: Path) -> bytes | None:
    """The first bytes of a file; None where it cannot be read."""
    if origin.text is not None:
        return origin.text.encode(errors="surrogateescape")[:_ENOUGH]
    try:
        with (folder / origin.source).open("rb") as file:
            return file.read(_ENOUGH)
    except OSError:
        return None


def _is_for_a_shell(first: bytes) -> bool:
    """Whether a shell reads a script with this first line: the one that it names, or without ``#!`` any."""
    words = first.removeprefix(b"#!").decode(errors="replace").split()
    return not first.startswith(b"#!") or any(is_shell(each) for each in words)


def _mends(text: str, path: str) -> bool:
    """Whether a RUN line takes carriage returns out of the file, or of many, of which it may be one."""
    if not any(fixer in text for fixer in _FIXERS):
        return False
    return (
        posixpath.basename(path) in text
        or "*" in text
        or "find" in text
        or "grep" in text
        or "$" in _targets(text)
    )


def _targets(text: str) -> str:
    """Without what is in single quotes, such as an expression of sed."""
    return "".join(text.split("'")[::2])


def _scripts(stage: Stage, command: tuple[str, ...] | None) -> Iterator[tuple[str, bool, Program]]:
    """Words that may be a script's path; whether a shell reads it, which needs no ``#!``; and the program."""
    entry, own = stage.entry_point, stage.command.words if stage.command else ()
    started = list(programs(stage.arguments_with(command), stage.environment))
    rest = own if command is None else command
    if entry and rest and not entry.is_shell_form:
        started += programs(rest, stage.environment)  # an entry point that ends with exec "$@" starts these
    for each in started:
        name, *operands = each.words
        if file := script_file_of(each.words):
            yield file, True, each
        elif each.name in ("source", ".") and operands:
            yield operands[0], True, each
        else:
            yield name, False, each


def _paths(stage: Stage, program: Program, word: str) -> Iterator[str]:
    """The absolute paths that a program's name may be: as it is, or in the folders of PATH."""
    if not is_known(word) or is_assignment(word):
        return
    here = posixpath.join(stage.working_directory, program.folder or "")
    is_name = "/" not in word
    if not is_name or word != program.words[0]:
        yield posixpath.normpath(posixpath.join(here, word))
    if is_name:
        for folder in (program.environment.get("PATH") or "").split(":"):
            yield posixpath.normpath(posixpath.join(here, folder, word))
