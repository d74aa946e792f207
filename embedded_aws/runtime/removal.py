"""Removes folders that programs have filled, whatever their depth and permissions."""

from __future__ import annotations

import logging
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

_TIMES = 3  # a program that is ending may still create files
LOG = logging.getLogger(__name__)


def remove(folder: Path) -> None:
    """Remove a folder with its content. A log message names what cannot be removed.

    A folder inside another one is moved up before it is emptied, so there is no recursion, and no path exceeds the
    system's limit.
    """
    problems: list[OSError] = []
    for _ in range(_TIMES):
        problems = list(_emptied(folder)) if os.path.lexists(folder) else []
        if not problems:
            return
    told = "%s could not be removed whole; remove it with rm -rf. The first of %d problems: %s"
    LOG.warning(told, folder, len(problems), problems[0])


def _emptied(folder: Path) -> Iterator[OSError]:
    """Empty and remove a folder; yields the errors."""
    left = [str(folder)]
    done = []
    while left:
        here = left.pop()
        done.append(here)
        try:
            os.chmod(here, 0o700)
            with os.scandir(here) as entries:
                found = list(entries)
        except OSError as error:
            yield error
            continue
        for entry in found:
            try:
                left += _taken(entry, folder)
            except OSError as error:
                yield error
    for here in reversed(done):
        try:
            os.rmdir(here)
        except OSError as error:
            yield error


def _taken(entry: os.DirEntry[str], top: Path) -> Iterator[str]:
    """Remove a file; move a folder directly below ``top`` and yield its new path."""
    if not entry.is_dir(follow_symlinks=False):
        os.unlink(entry.path)
        return
    os.chmod(entry.path, 0o700)  # without write permission it cannot be moved either
    target = str(top / uuid.uuid4().hex)
    os.rename(entry.path, target)
    yield target
