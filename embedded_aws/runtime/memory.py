"""How much memory the processes of a container hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from glob import glob
from pathlib import Path

import psutil

MIB = 1024 * 1024
_LISTS_CHILDREN = Path("/proc/thread-self/children").exists()


def trees(roots: Iterable[int]) -> dict[int, list[psutil.Process]]:
    """For each pid the processes below it, itself left out."""
    return {root: _below(root) for root in roots}


def tree_bytes(roots: Iterable[int]) -> dict[int, int]:
    """For each pid the resident memory of the processes below it, in bytes."""
    return {root: resident_bytes(found) for root, found in trees(roots).items()}


def resident_bytes(processes: Iterable[psutil.Process]) -> int:
    """The resident memory of processes together, in bytes."""
    return sum(map(_resident, processes))


def exceeds(processes: Sequence[psutil.Process], limit: int) -> bool:
    """Whether processes together hold more than ``limit`` bytes.

    Resident memory counts what processes share (a forked server's workers) once for each. A control group
    does not; so above the limit it is counted again with shared pages divided by their users.
    """
    if resident_bytes(processes) <= limit:
        return False
    return len(processes) == 1 or sum(map(_proportional, processes)) > limit


def _below(root: int) -> list[psutil.Process]:
    found: list[psutil.Process] = []
    for pid in _children(root):
        with suppress(psutil.Error):  # ended meanwhile
            found += [psutil.Process(pid), *_below(pid)]
    return found


def _children(pid: int) -> list[int]:
    """The pids of a process's children; Linux tells them at once, elsewhere psutil looks through all processes."""
    told: list[int] = []
    with suppress(psutil.Error, OSError):  # ended meanwhile
        if not _LISTS_CHILDREN:
            return [child.pid for child in psutil.Process(pid).children()]
        for thread in glob(f"/proc/{pid}/task/*/children"):
            told += map(int, Path(thread).read_text().split())
    return told


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:  # ended meanwhile
        return 0


def _proportional(process: psutil.Process) -> int:
    try:
        full = process.memory_full_info()
    except psutil.Error:  # ended meanwhile
        return 0
    return int(getattr(full, "pss", full.rss))
