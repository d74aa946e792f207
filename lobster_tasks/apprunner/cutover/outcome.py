"""How a cut-over ended."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ...rollout import Moment
from .routes import RequiredRecord
from .steps import CutoverStep

CutoverVerdict = Literal["planned", "cut_over", "partly", "stepped_back", "back", "instructions"]


@dataclass(frozen=True)
class CutoverResult:
    """``planned`` is before anything was done.

    ``shares`` says for each domain how many per cent come to Fargate; None where its DNS is elsewhere.
    ``records`` are left to whoever keeps that DNS. ``cause`` is why it went back, ``seen`` what Fargate answered last.
    """

    verdict: CutoverVerdict
    shares: tuple[tuple[str, int | None], ...]
    steps: tuple[CutoverStep, ...]
    records: tuple[RequiredRecord, ...] = ()
    cause: str = ""
    seen: str = ""
    seconds: float = 0.0
    timeline: tuple[Moment, ...] = ()

    @property
    def exit_code(self) -> int:
        """The exit code of the command."""
        return 3 if self.verdict == "stepped_back" else 0

    @property
    def todo(self) -> tuple[CutoverStep, ...]:
        """The steps that are not done."""
        return tuple(step for step in self.steps if not step.done)

    @property
    def url(self) -> str:
        """The first domain's address."""
        return f"https://{self.shares[0][0]}"
