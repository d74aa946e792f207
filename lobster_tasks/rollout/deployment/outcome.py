"""The outcome of a rollout: the verdict, its cause where it is not live, and the timeline."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ...errors import LobsterError, NotReadyError
from ...probe import Probe
from ..cause_code import CauseCode
from ..diagnosis.causes import Cause
from ..observation.snapshot import revision_of
from ..observation.timeline import Moment

End = Literal["live", "failed", "rolled_back", "out_of_time", "refused", "superseded"]

EXIT_CODES: dict[End, int] = {
    "live": 0,
    "failed": 1,
    "superseded": 1,
    "rolled_back": 3,
    "out_of_time": 4,
    "refused": 5,
}
WORDS: dict[End, str] = {
    "live": "live",
    "failed": "failed",
    "superseded": "superseded",
    "rolled_back": "rolled back",
    "out_of_time": "out of time",
    "refused": "refused",
}


@dataclass(frozen=True)
class Outcome:
    """How a rollout ended. ``why`` is the verdict in a sentence, ``probe`` is the load balancer's answer.

    ``also`` is a second cause where two fit; ``findings`` are worth knowing whatever the verdict.
    ``calls`` is the number of calls to AWS, ``calls_per_minute`` that per minute of AWS's time while watching.
    """

    verdict: End
    why: str
    cause: Cause | None = None
    url: str | None = None
    task_definition: str | None = None
    previous_task_definition: str | None = None
    image: str | None = None
    seconds: float = 0.0
    timeline: tuple[Moment, ...] = ()
    probe: Probe | None = None
    also: tuple[Cause, ...] = ()
    findings: tuple[Cause, ...] = ()
    calls: int = 0
    calls_per_minute: float = 0.0

    @property
    def exit_code(self) -> int:
        """The exit code of the command."""
        return EXIT_CODES[self.verdict]

    @property
    def words(self) -> str:
        """The verdict in words, in small letters."""
        return WORDS[self.verdict]

    @property
    def revision(self) -> str:
        """The revision number of our task definition."""
        return revision_of(self.task_definition or "")

    @classmethod
    def refused(cls, error: LobsterError) -> Outcome:
        """The outcome for a RefusedError: nothing was changed."""
        code = error.code if isinstance(error, NotReadyError) else CauseCode.REFUSED
        problems = error.problems if isinstance(error, NotReadyError) else ()
        shown = tuple(each for each in (error.why, *problems) if each)
        return cls("refused", error.what, Cause(code, error.what, shown, error.next_step))
