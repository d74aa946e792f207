"""Measures how long the programs of a container waited for a processor.

A busy machine starts programs late, through no fault of theirs. Linux counts for each thread how long it
could have run and did not; where it is not counted (macOS), the waiting time is taken as none.

Source: Documentation/scheduler/sched-stats.rst of Linux: the second field of ``/proc/<pid>/schedstat`` is the "time
spent waiting on a runqueue (in nanoseconds)".
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from glob import glob
from math import inf
from pathlib import Path

from .memory import trees


def waited_seconds(roots: Iterable[int]) -> float:
    """Seconds that the living descendants of the pids have waited for a processor, in total."""
    return sum(_by_thread(roots))


def longest_wait(roots: Iterable[int]) -> float:
    """Seconds that the longest-waiting thread of the pids' descendants has waited; infinite where all have ended."""
    return max(_by_thread(roots), default=inf)


def _by_thread(roots: Iterable[int]) -> list[float]:
    below = [process.pid for found in trees(roots).values() for process in found]
    return [_waited(stat) for pid in below for stat in glob(f"/proc/{pid}/task/*/schedstat") or [""]]


def _waited(stat: str) -> float:
    with suppress(OSError):  # it has ended meanwhile, or the system does not count
        return int(Path(stat).read_text().split()[1]) / 1e9
    return 0.0
