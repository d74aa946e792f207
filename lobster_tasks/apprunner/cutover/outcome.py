"""The result of a cut-over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ...rollout import Moment
from .routes import APP_RUNNER, RequiredRecord
from .steps import CutoverStep

CutoverVerdict = Literal["planned", "cut_over", "partly", "stepped_back", "back", "instructions"]


@dataclass(frozen=True)
class CutoverResult:
    """The verdict ``planned`` means that nothing was done yet.

    ``shares`` are the percentages of visitors at Fargate by domain; None where the domain's DNS is elsewhere.
    ``records`` must be created there. ``cause`` is why it was rolled back, ``seen`` is Fargate's last answer.
    ``source`` and ``goal`` are where visitors come from and go to, in words; ``replaces_address`` is whether they come
    from the address of a former load balancer.
    """

    verdict: CutoverVerdict
    shares: tuple[tuple[str, int | None], ...]
    steps: tuple[CutoverStep, ...]
    records: tuple[RequiredRecord, ...] = ()
    cause: str = ""
    seen: str = ""
    seconds: float = 0.0
    timeline: tuple[Moment, ...] = ()
    source: str = APP_RUNNER
    goal: str = "Fargate"
    replaces_address: bool = False

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
