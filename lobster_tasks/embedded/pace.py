"""How fast time passes inside the embedded AWS."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Pace:
    """Turns AWS's seconds into this machine's.

    ``speed`` is how many AWS seconds pass in one real second. ``boot_allowance`` is in real seconds:
    programs start no faster because time does, so a task that has not opened its port yet is given at
    least this long before a refused health check counts against it.
    """

    speed: float = 1.0
    boot_allowance: float = 10.0

    def real(self, aws_seconds: float, at_least: float = 0.0) -> float:
        """Real seconds that ``aws_seconds`` last here, never fewer than ``at_least``."""
        return max(at_least, aws_seconds / self.speed)
