"""The scripts that an image starts, as far as they come from the build context."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Iterator, Sequence
from pathlib import Path

from .commands import is_shell, program_words, script_of
from .model import Copy, Stage, UnexecutedInstruction
from .shell import simple_commands

_ENOUGH = 64 * 1024


def windows_line_ends(stage: Stage, folder: Path) -> tuple[str, ...]:
    """The started scripts, by their paths in the build context ``folder``, whose lines end as on Windows.

    The kernel then looks for an interpreter whose name ends in a carriage return. Nothing is found where a RUN line
    takes the carriage returns out.
    """
    if any("dos2unix" in text or "\\r" in text for text in _run(stage)):
        return ()
    names = dict.fromkeys(name for word in _scripts(stage) for name in _sources(stage, word))
    return tuple(name for name in names if _is_broken(folder / name))


def _run(stage: Stage) -> Iterator[str]:
    return (step.text for step in stage.steps if isinstance(step, UnexecutedInstruction))


def _is_broken(path: Path) -> bool:
    """A NUL tells a program from a script."""
    if not os.path.isfile(path):  # which no name is too long for
        return False
    with path.open("rb") as file:
        beginning = file.read(_ENOUGH)
    return b"\r\n" in beginning and b"\0" not in beginning


def _scripts(stage: Stage) -> Iterator[str]:
    """Words of the command that may be a script's path."""
    words = stage.arguments_of_process
    script = script_of(words)
    commands = [each.words for each in simple_commands(script)] if script is not None else [words]
    if script is None and stage.entry_point and stage.command:
        commands.append(stage.command.words)  # an entry point that ends with exec "$@" starts these
    for each in commands:
        yield from _of_command(program_words(each), each)


def _of_command(program: Sequence[str], written: Sequence[str]) -> Iterator[str]:
    if not program:
        return
    named = next(word for word in written if posixpath.basename(word) == program[0])
    operands = [word for word in program[1:] if not word.startswith("-")]
    if is_shell(named) and operands:
        yield operands[0]
    elif "/" in named or named.endswith(".sh"):
        yield named


def _sources(stage: Stage, word: str) -> Iterator[str]:
    """Where a path of the image may come from: each COPY of the context that could have brought it, the last first."""
    path = posixpath.normpath(posixpath.join(stage.working_directory, word))
    for step in reversed(stage.steps):
        if isinstance(step, Copy) and step.stage is None and step.image is None:
            for source in step.sources:
                yield from _source(source, step.destination, path)


def _source(source: str, destination: str, path: str) -> Iterator[str]:
    folder = destination.rstrip("/")
    if path in (destination, f"{folder}/{posixpath.basename(source)}"):
        yield source
    if path.startswith(f"{folder}/"):
        yield posixpath.normpath(posixpath.join(source, path[len(folder) + 1 :])).lstrip("/")
