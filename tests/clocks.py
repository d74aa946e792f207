"""A clock for tests in which time passes fast."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from lobster_tasks.clock import Clock


@dataclass(frozen=True)
class PatientClock(Clock):
    """Counts only what each thread has slept, not the time of a busy machine's work in between.

    At two hundred times AWS's speed a quarter of an hour takes 4.5 s, enough for only a few polls on a slow machine.
    """

    _slept: threading.local = field(default_factory=threading.local, repr=False)

    def now(self) -> float:
        """Seconds that the calling thread has slept."""
        return float(getattr(self._slept, "seconds", 0.0))

    def sleep(self, seconds: float) -> None:
        """Let ``seconds`` pass, and count them."""
        super().sleep(seconds)
        self._slept.seconds = self.now() + seconds
