"""The end of a rollout: one verdict, its cause where it is not live, and what happened on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from ..clock import Clock
from ..errors import LobsterError, NotReadyError
from ..probe import Answer, Probe
from .causes import Cause, CauseCode
from .phases import Phase, later, phase_of
from .snapshot import Snapshot, revision_of

__all__ = [
    "EXIT_CODES",
    "Answer",
    "Cause",
    "End",
    "Journal",
    "Moment",
    "Observe",
    "Outcome",
    "Probe",
    "Progress",
]

End = Literal["live", "failed", "rolled_back", "out_of_time", "refused", "superseded"]

EXIT_CODES: dict[End, int] = {
    "live": 0,
    "failed": 1,
    "superseded": 1,
    "rolled_back": 3,
    "out_of_time": 4,
    "refused": 5,
}


@dataclass(frozen=True)
class Moment:
    """``what`` happened ``at`` seconds after the start."""

    at: float
    what: str


@dataclass(frozen=True)
class Outcome:
    """How a rollout ended. ``why`` is the verdict in a sentence, ``probe`` what the load balancer answered.

    ``also`` is the other cause where two fit; ``findings`` are worth knowing whatever the verdict.
    ``calls`` counts those to AWS, ``calls_per_minute`` those of a minute (of AWS's) while it was watched.
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
    def revision(self) -> str:
        """The number of our task definition's revision."""
        return revision_of(self.task_definition or "")

    @classmethod
    def refused(cls, error: LobsterError) -> Outcome:
        """For a RefusedError: nothing was changed."""
        code = error.code if isinstance(error, NotReadyError) else CauseCode.REFUSED
        problems = error.problems if isinstance(error, NotReadyError) else ()
        shown = tuple(each for each in (error.why, *problems) if each)
        return cls("refused", error.what, Cause(code, error.what, shown, error.next_step))


@dataclass(frozen=True)
class Progress:
    """What an observer is told: new sentences for the timeline, and what was seen, if that is why.

    ``expected`` is how many seconds a deployment of this service is likely to take, where that is known.
    """

    at: float
    said: tuple[str, ...]
    snapshot: Snapshot | None = None
    phase: Phase = "check"
    expected: float | None = None


Observe = Callable[[Progress], None]


def unobserved(_progress: Progress) -> None:
    """Nobody looks."""


@dataclass
class Journal:
    """Collects the timeline and tells the observer; ``phase`` and ``expected`` go into what it is told.

    ``calls`` counts the calls to AWS, from which those of this rollout are known.
    """

    clock: Clock
    observe: Observe = unobserved
    moments: list[Moment] = field(default_factory=list)
    phase: Phase = "check"
    expected: float | None = None
    calls: Counter[str] = field(default_factory=Counter)
    _start: float = field(init=False)
    _calls_before: int = field(init=False)

    def __post_init__(self) -> None:
        self._start = self.clock.now()
        self._calls_before = self.calls.total()

    @property
    def called(self) -> int:
        """How many calls since the start."""
        return self.calls.total() - self._calls_before

    @property
    def seconds(self) -> float:
        """Since the start."""
        return self.clock.now() - self._start

    def say(self, what: str) -> None:
        """One sentence."""
        self.tell((what,), None, self.seconds)

    def saw(self, snapshot: Snapshot, said: list[str]) -> None:
        """A snapshot, with what is new in it; the observer hears of it even when nothing is."""
        self.enter(phase_of(snapshot))
        self.tell(tuple(said), snapshot, snapshot.at - self._start)

    def enter(self, phase: Phase) -> None:
        """From here on it is about something else; a phase that is over does not come back."""
        self.phase = later(self.phase, phase)

    def tell(self, said: tuple[str, ...], snapshot: Snapshot | None, at: float) -> None:
        """Keep what was said, and pass it on."""
        self.moments += [Moment(at, what) for what in said]
        self.observe(Progress(at, said, snapshot, self.phase, self.expected))
