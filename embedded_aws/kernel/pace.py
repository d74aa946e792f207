"""How fast time passes in the embedded AWS."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Pace:
    """Converts AWS's seconds into real ones.

    ``speed`` is how many AWS seconds pass in one real second. ``boot_allowance`` is in real seconds: programs start
    and stop at their own speed, so AWS's time limits for them last at least this long, and a task that has not opened
    its port yet has this time before a refused health check counts against it (see ``ContainerRuntime.may_boot``).
    """

    speed: float = 1.0
    boot_allowance: float = 10.0

    def real(self, aws_seconds: float, at_least: float = 0.0) -> float:
        """The real seconds of ``aws_seconds``, never fewer than ``at_least``."""
        return max(at_least, aws_seconds / self.speed)

    def for_program(self, aws_seconds: float) -> float:
        """Real seconds in which a program has to start, answer or stop, where AWS gives it ``aws_seconds``.

        Within the boot allowance not fewer than on AWS, because programs run at their own speed.
        """
        return self.real(aws_seconds, at_least=min(aws_seconds, self.boot_allowance))
