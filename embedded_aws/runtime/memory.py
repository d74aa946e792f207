"""Measures the memory of a container's processes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from glob import glob
from pathlib import Path

import psutil

MIB = 1024 * 1024
_LISTS_CHILDREN = Path("/proc/thread-self/children").exists()


def trees(roots: Iterable[int]) -> dict[int, list[psutil.Process]]:
    """For each pid its descendants, without itself."""
    return {root: _below(root) for root in roots}


def tree_bytes(roots: Iterable[int]) -> dict[int, int]:
    """For each pid the resident memory of its descendants, in bytes."""
    return {root: resident_bytes(found) for root, found in trees(roots).items()}


def resident_bytes(processes: Iterable[psutil.Process]) -> int:
    """The total resident memory of processes, in bytes."""
    return sum(map(_resident, processes))


def exceeds(processes: Sequence[psutil.Process], limit: int) -> bool:
    """Whether processes together use more than ``limit`` bytes.

    Resident memory counts shared pages (of a forked server's workers) once per process. A control group
    does not; so above the limit it is counted again with shared pages divided by their users.
    """
    if resident_bytes(processes) <= limit:
        return False
    return len(processes) == 1 or sum(map(_proportional, processes)) > limit


def _below(root: int) -> list[psutil.Process]:
    found: list[psutil.Process] = []
    for pid in _children(root):
        with suppress(psutil.Error):  # it has ended meanwhile
            found += [psutil.Process(pid), *_below(pid)]
    return found


def _children(pid: int) -> list[int]:
    """The pids of a process's children; Linux lists them directly, elsewhere psutil searches all processes."""
    told: list[int] = []
    with suppress(psutil.Error, OSError):  # it has ended meanwhile
        if not _LISTS_CHILDREN:
            return [child.pid for child in psutil.Process(pid).children()]
        for thread in glob(f"/proc/{pid}/task/*/children"):
            told += map(int, Path(thread).read_text().split())
    return told


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:  # it has ended meanwhile
        return 0


def _proportional(process: psutil.Process) -> int:
    try:
        full = process.memory_full_info()
    except psutil.Error:  # it has ended meanwhile
        return 0
    return int(getattr(full, "pss", full.rss))
