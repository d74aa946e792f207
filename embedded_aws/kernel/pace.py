"""How fast time passes inside the embedded AWS."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Pace:
    """Turns AWS's seconds into this machine's.

    ``speed`` is how many AWS seconds pass in one real second. ``boot_allowance`` is in real seconds:
    programs start and end no faster because time does, so what AWS gives them for that lasts at least this
    long, and a task that has not opened its port yet has it before a refused health check counts against it
    (see ``Processes.may_boot``).
    """

    speed: float = 1.0
    boot_allowance: float = 10.0

    def real(self, aws_seconds: float, at_least: float = 0.0) -> float:
        """Real seconds that ``aws_seconds`` last here, never fewer than ``at_least``."""
        return max(at_least, aws_seconds / self.speed)

    def for_program(self, aws_seconds: float) -> float:
        """Real seconds that a program has to start, answer or end, where AWS gives it ``aws_seconds``.

        Not fewer than AWS gives, within the boot allowance: programs are no faster because time passes faster.
        """
        return self.real(aws_seconds, at_least=min(aws_seconds, self.boot_allowance))
