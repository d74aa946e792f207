"""The only source of time, so that a rehearsal can run faster than the wall clock."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from .errors import InterruptedRunError

T = TypeVar("T")


@dataclass(frozen=True)
class Clock:
    """Seconds as AWS counts them.

    ``speed`` is how many of its seconds pass in one real second: 1 against AWS, the speed of the embedded AWS
    in a rehearsal, so that durations read as they would on AWS.
    """

    speed: float = 1.0
    _start: float = field(default_factory=time.monotonic, repr=False)
    _stopped: threading.Event = field(default_factory=threading.Event, repr=False)

    def now(self) -> float:
        """Seconds since this clock was made."""
        return (time.monotonic() - self._start) * self.speed

    def ago(self, seconds: float) -> float:
        """When it was ``seconds`` ago, as seconds since 1970, which is how AWS stamps what it tells."""
        return time.time() - seconds / self.speed

    def age(self, stamp: float) -> float:
        """How many seconds of this clock have passed since ``stamp``, given in seconds since 1970."""
        return (time.time() - stamp) * self.speed

    def stopwatch(self) -> float:
        """Real seconds, for what programs take themselves: they run no faster because time does."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Let ``seconds`` of this clock pass; raises InterruptedRunError once the clock is stopped."""
        if self._stopped.wait(seconds / self.speed):
            raise InterruptedRunError("Interrupted.")

    def until(self, look: Callable[[], T], within: float, every: float) -> T | None:
        """The first thing that ``look`` finds, asked ``every`` seconds; None where ``within`` is over before."""
        deadline = self.now() + within
        while not (found := look()):
            if self.now() >= deadline:
                return None
            self.sleep(every)
        return found

    def stop(self) -> None:
        """Wake every sleeper, so that Ctrl-C ends the waits of all threads."""
        self._stopped.set()
