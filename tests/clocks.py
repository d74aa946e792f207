"""The clock of tests that let time pass fast."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field

from lobster_tasks.clock import Clock


@dataclass(frozen=True)
class PatientClock(Clock):
    """Counts what each thread has slept by it, and not what a busy machine took for the work in between.

    At two hundred times AWS's speed a quarter of an hour is 4.5 s, in which a slow machine looks a few times only.
    """

    _slept: threading.local = field(default_factory=threading.local, repr=False)

    def now(self) -> float:
        """Seconds that the calling thread has slept."""
        return float(getattr(self._slept, "seconds", 0.0))

    def sleep(self, seconds: float) -> None:
        """Let ``seconds`` pass, and count them."""
        super().sleep(seconds)
        self._slept.seconds = self.now() + seconds
