"""How long the programs of a container stood in line for a processor.

A busy machine starts programs late, which says nothing about the programs. Linux counts for each thread how long it
could have run and was not let run; where it does not tell (macOS), nothing is known to have been waited.

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
    """Seconds that the processes below each pid, those that live, have waited for a processor, all together."""
    return sum(_by_thread(roots))


def longest_wait(roots: Iterable[int]) -> float:
    """Seconds that the thread below the pids which waited longest has waited; infinite where all have ended."""
    return max(_by_thread(roots), default=inf)


def _by_thread(roots: Iterable[int]) -> list[float]:
    below = [process.pid for found in trees(roots).values() for process in found]
    return [_waited(stat) for pid in below for stat in glob(f"/proc/{pid}/task/*/schedstat") or [""]]


def _waited(stat: str) -> float:
    with suppress(OSError):  # ended meanwhile, or a system that does not count
        return int(Path(stat).read_text().split()[1]) / 1e9
    return 0.0
