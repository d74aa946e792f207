"""Where a file of an image may come from: the build context, or the Dockerfile itself.

Follows COPY and ADD through the stages. What a RUN line makes, and what other images contain, is not known.
"""

from __future__ import annotations

import glob
import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from .model import Copy, Dockerfile, Stage, UnexecutedInstruction

_MOST = 1000  # paths in stages that copy from one another


@dataclass(frozen=True)
class Origin:
    """A file by its path in the build context, or with its ``text`` where the Dockerfile has it.

    ``path`` is where it is copied to. ``later`` are the RUN lines behind that, which may change it.
    """

    source: str
    path: str
    text: str | None = None
    later: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Before:
    """A path in another stage, where its file was before it was copied."""

    stage: int
    path: str
    later: tuple[str, ...]


def origins(file: Dockerfile, stage: Stage, path: str, context: Path) -> Iterator[Origin]:
    """What may have brought the absolute ``path``, the last first. Not every ``source`` exists.

    A path of a stage is followed once, however many copies lead to it.
    """
    seen: set[tuple[int, str]] = set()
    ways = [_of_stage(file, stage, path, context, ())]
    while ways:
        found = next(ways[-1], None)
        if found is None:
            ways.pop()
        elif isinstance(found, Origin):
            yield found
        elif (place := (found.stage, found.path)) not in seen and len(seen) < _MOST:
            seen.add(place)
            ways.append(_of_stage(file, file.stages[found.stage], found.path, context, found.later))


def run_lines(file: Dockerfile, stage: Stage) -> tuple[str, ...]:
    """The RUN lines of a stage and of those that it is built on."""
    steps = [step for each in file.lineage(stage) for step in each.steps]
    return tuple(step.text for step in steps if isinstance(step, UnexecutedInstruction))


def _of_stage(
    file: Dockerfile, stage: Stage, path: str, context: Path, later: tuple[str, ...]
) -> Iterator[Origin | _Before]:
    for each in reversed(file.lineage(stage)):
        for step in reversed(each.steps):
            if isinstance(step, UnexecutedInstruction):
                later = (step.text, *later)
            elif isinstance(step, Copy) and step.image is None:
                yield from _of_copy(step, path, context, later)


def _of_copy(step: Copy, path: str, context: Path, later: tuple[str, ...]) -> Iterator[Origin | _Before]:
    for heredoc in step.files:
        if path in (step.destination, _joined(step.destination, heredoc.name)):
            yield Origin(heredoc.name, path, heredoc.text, later)
    for source in step.sources:
        if step.stage is None:
            for name in _named(source, context):
                yield from (Origin(found, path, None, later) for found in _sources(step, name, path))
        else:
            for found in _sources(step, source, path):
                yield _Before(step.stage, f"/{found}", later)


def _named(source: str, context: Path) -> Sequence[str]:
    """The paths that a source names in the build context, where it is a pattern."""
    if not {"*", "?", "["} & set(source):
        return (source,)
    pattern = posixpath.normpath(f"/{source}").lstrip("/").replace("[^", "[!")
    try:
        return sorted(glob.glob(pattern, root_dir=context, include_hidden=True))
    except ValueError:  # no path at all
        return ()


def _sources(step: Copy, source: str, path: str) -> Iterator[str]:
    """What ``path`` may have been where the step copies ``source``: that file, or one of that folder."""
    folder = step.destination.rstrip("/")
    bare = posixpath.normpath(f"/{source}").lstrip("/")
    if step.parents:
        kept = posixpath.normpath(f"/{source.rpartition('/./')[2]}").lstrip("/")
        whole = _joined(folder, kept) if kept else folder
        if path == whole or path.startswith(f"{whole}/"):
            yield posixpath.join(bare, path[len(whole) + 1 :]) if path != whole else bare
        return
    if path in (step.destination, _joined(folder, posixpath.basename(bare))):
        yield bare
    if path.startswith(f"{folder}/"):
        yield posixpath.join(bare, path[len(folder) + 1 :])


def _joined(folder: str, name: str) -> str:
    return f"{folder.rstrip('/')}/{name}"
