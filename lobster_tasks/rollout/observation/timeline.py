"""The timeline of a rollout, for observers while it happens and for its outcome."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from ...clock import Clock
from ...masking import mask_shapes, with_values_masked
from ...task_names import Verbatim
from .phases import Phase, later, phase_of
from .snapshot import Snapshot


@dataclass(frozen=True)
class Moment:
    """``what`` happened ``at`` seconds after the start."""

    at: float
    what: str


@dataclass(frozen=True)
class Progress:
    """What an observer gets: new sentences of the timeline, and the snapshot that they are about, if any.

    ``expected`` is how many seconds a deployment of this service will probably take, where that is known.
    """

    at: float
    said: tuple[str, ...]
    snapshot: Snapshot | None = None
    phase: Phase = "check"
    expected: float | None = None


Observe = Callable[[Progress], None]


def unobserved(_progress: Progress) -> None:
    """The default observer: does nothing."""


@dataclass
class Timeline:
    """Collects the timeline and informs the observer, also of ``phase`` and ``expected``.

    ``calls`` counts the calls to AWS, of which this rollout's are derived. What looks like a secret is masked, and the
    ``hidden`` texts are, which are those of the release.
    """

    clock: Clock
    observe: Observe = unobserved
    moments: list[Moment] = field(default_factory=list)
    phase: Phase = "check"
    expected: float | None = None
    calls: Counter[str] = field(default_factory=Counter)
    hidden: tuple[str, ...] = ()
    _start: float = field(init=False)
    _calls_before: int = field(init=False)

    def __post_init__(self) -> None:
        self._start = self.clock.now()
        self._calls_before = self.calls.total()

    @property
    def called(self) -> int:
        """The number of calls since the start."""
        return self.calls.total() - self._calls_before

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return self.clock.now() - self._start

    def say(self, what: str) -> None:
        """Add one sentence."""
        self.tell((what,), None, self.seconds)

    def saw(self, snapshot: Snapshot, said: list[str]) -> None:
        """Add a snapshot's news, texts of AWS; the observer is informed even without any."""
        self.enter(phase_of(snapshot))
        self.tell(tuple(map(Verbatim, said)), snapshot, snapshot.at - self._start)

    def enter(self, phase: Phase) -> None:
        """Enter a phase; an earlier phase does not come back."""
        self.phase = later(self.phase, phase)

    def tell(self, said: tuple[str, ...], snapshot: Snapshot | None, at: float) -> None:
        """Record the sentences and inform the observer."""
        said = tuple(type(what)(mask_shapes(with_values_masked(what, self.hidden))) for what in said)
        self.moments += [Moment(at, what) for what in said]
        self.observe(Progress(at, said, snapshot, self.phase, self.expected))
