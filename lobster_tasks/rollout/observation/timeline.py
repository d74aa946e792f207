"""What happened in a rollout, as it happens: for who looks on, and for its outcome."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from ...clock import Clock
from .phases import Phase, later, phase_of
from .snapshot import Snapshot


@dataclass(frozen=True)
class Moment:
    """``what`` happened ``at`` seconds after the start."""

    at: float
    what: str


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
class Timeline:
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
