"""The only source of time, so that a rehearsal can run faster than the wall clock."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Clock:
    """Seconds as AWS counts them.

    ``speed`` is how many of its seconds pass in one real second: 1 against AWS, the speed of the embedded AWS
    in a rehearsal, so that durations read as they would on AWS.
    """

    speed: float = 1.0
    _start: float = field(default_factory=time.monotonic, repr=False)

    def now(self) -> float:
        """Seconds since this clock was made."""
        return (time.monotonic() - self._start) * self.speed

    def sleep(self, seconds: float) -> None:
        """Let ``seconds`` of this clock pass."""
        time.sleep(seconds / self.speed)
