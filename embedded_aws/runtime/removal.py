"""Removes folders that others have filled: however deep they are, and whatever their modes say."""

from __future__ import annotations

import logging
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

_TIMES = 3  # a program that ends may still put something there
LOG = logging.getLogger(__name__)


def remove(folder: Path) -> None:
    """Remove a folder and all in it. What cannot be removed stays, and a line of the log says so.

    A folder that lies in another one is moved up before it is emptied. So nothing here calls itself, and no path is
    longer than the system takes.
    """
    problems: list[OSError] = []
    for _ in range(_TIMES):
        problems = list(_emptied(folder)) if os.path.lexists(folder) else []
        if not problems:
            return
    told = "%s could not be removed whole; remove it with rm -rf. The first of %d problems: %s"
    LOG.warning(told, folder, len(problems), problems[0])


def _emptied(folder: Path) -> Iterator[OSError]:
    """Empties and removes it; yields what did not work."""
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
    """Remove a file; of a folder, where it lies now, right below the ``top``."""
    if not entry.is_dir(follow_symlinks=False):
        os.unlink(entry.path)
        return
    os.chmod(entry.path, 0o700)  # what is not ours to write to cannot be moved either
    target = str(top / uuid.uuid4().hex)
    os.rename(entry.path, target)
    yield target
