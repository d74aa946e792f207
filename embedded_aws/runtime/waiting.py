"""Measures how long the programs of a container waited for a processor.

A busy machine starts programs late, through no fault of theirs. Linux counts for each thread how long it
could have run and did not; where it is not counted (macOS), the waiting time is taken as none.

Source: Documentation/scheduler/sched-stats.rst of Linux: the fields of ``/proc/<pid>/schedstat`` are the "time spent on
the cpu" and the "time spent waiting on a runqueue" (both in nanoseconds). The kernel adds to the second one when a
thread gets a processor, so the wait that goes on is not in it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from glob import glob
from math import inf
from pathlib import Path

from .memory import trees

_STARTED = 18  # of the fields after the state: proc_pid_stat(5), starttime, in clock ticks since boot


def waited_seconds(roots: Iterable[int]) -> float:
    """Seconds that the living descendants of the pids have waited for a processor, in total."""
    return sum(_by_thread(roots))


def longest_wait(roots: Iterable[int]) -> float:
    """Seconds that the longest-waiting thread of the pids' descendants may have waited; infinite where all have ended.

    Of a thread that can run now it is all the time that it did not run: it may wait since long ago.
    """
    return max((max(_waited(each), _goes_on(each)) for each in _threads(roots)), default=inf)


def _by_thread(roots: Iterable[int]) -> list[float]:
    return [_waited(each) for each in _threads(roots)]


def _threads(roots: Iterable[int]) -> list[Path]:
    """The folder in /proc of each thread; of a process without one, a folder that is not there."""
    below = [process.pid for found in trees(roots).values() for process in found]
    return [Path(each) for pid in below for each in glob(f"/proc/{pid}/task/*") or [f"/proc/{pid}"]]


def _waited(thread: Path) -> float:
    with suppress(OSError):  # it has ended meanwhile, or the system does not count
        return int((thread / "schedstat").read_text().split()[1]) / 1e9
    return 0.0


def _goes_on(thread: Path) -> float:
    with suppress(OSError):
        state, *fields = (thread / "stat").read_text().rpartition(")")[2].split()
        ran = int((thread / "schedstat").read_text().split()[0]) / 1e9
        if state == "R":
            now, ticks = time.clock_gettime(time.CLOCK_BOOTTIME), os.sysconf("SC_CLK_TCK")
            return now - int(fields[_STARTED]) / ticks - ran
    return 0.0
