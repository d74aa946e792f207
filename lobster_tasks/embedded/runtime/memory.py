"""How much memory the processes of a container hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import psutil

MIB = 1024 * 1024


def trees(roots: Iterable[int]) -> dict[int, list[psutil.Process]]:
    """For each pid the processes below it, itself left out; one look at the machine for all of them."""
    below: dict[int, list[psutil.Process]] = {}
    for process in psutil.process_iter(["ppid"]):
        below.setdefault(process.info["ppid"], []).append(process)
    return {root: _descendants(root, below) for root in roots}


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


def _descendants(root: int, below: dict[int, list[psutil.Process]]) -> list[psutil.Process]:
    found = list(below.get(root, []))
    for process in found:
        found += below.get(process.pid, [])
    return found


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
