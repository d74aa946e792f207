"""The steps of a rehearsal, which pass or fail, and the count of visitors' requests."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from ..aws import Aws
from ..errors import InterruptedRunError, LobsterError
from ..images import Observer, unobserved
from ..settings import Settings
from ..stack import Stack, build
from .traffic import Traffic


@dataclass(frozen=True)
class RehearsalStep:
    """One step: when it ended (real seconds since the start), whether it passed, and what it showed."""

    at: float
    ok: bool
    name: str
    saw: str


@dataclass
class Rehearsal:
    """All steps so far, and the visitors' requests.

    ``watching`` returns a context manager with an observer of an image's transfer.
    """

    tell: Callable[[RehearsalStep], None]
    watching: Callable[[], AbstractContextManager[Observer]] = lambda: nullcontext(unobserved)
    started: float = field(default_factory=time.monotonic)
    steps: list[RehearsalStep] = field(default_factory=list)
    sent: int = 0
    failed: int = 0
    url: str | None = None

    @property
    def passed(self) -> bool:
        """Whether every step passed."""
        return bool(self.steps) and all(step.ok for step in self.steps)

    @property
    def seconds(self) -> float:
        """Real seconds since the start."""
        return time.monotonic() - self.started

    def add(self, name: str, saw: str, ok: bool = True) -> None:
        """Add a step and report it."""
        step = RehearsalStep(self.seconds, ok, name, saw)
        self.steps.append(step)
        self.tell(step)

    def count(self, traffic: Traffic, speed: float) -> None:
        """Add the results of visitors' requests, with a step for whether all succeeded. ``speed`` is that of AWS's
        time."""
        self.sent += traffic.sent
        self.failed += traffic.failed
        lived = f"; a WebSocket lived {minutes(traffic.socket_lived_seconds * speed)}"
        saw = f"{traffic.said}{lived if traffic.socket_opened else ''}"
        self.add(traffic.name, saw, ok=not traffic.failed and traffic.sent > 0)


@dataclass
class RehearsalContext:
    """What the steps use: an embedded AWS, the settings for it, the project's folder, what builds images."""

    aws: Aws
    settings: Settings
    folder: Path
    rehearsal: Rehearsal
    builder: str = "process"

    @property
    def stack(self) -> Stack:
        """The stack that the settings describe."""
        return build(self.settings, self.aws.account, self.aws.partition)


class RehearsalStoppedError(Exception):
    """A step failed, so the following steps are not run."""


@contextmanager
def step(rehearsal: Rehearsal, name: str) -> Iterator[None]:
    """Turn an error in the block into a failed step."""
    try:
        yield
    except InterruptedRunError:
        raise
    except LobsterError as error:
        told = (line.strip() for line in error.lines())
        rehearsal.add(name, " · ".join(told), ok=False)
        raise RehearsalStoppedError from error


def minutes(seconds: float) -> str:
    """A duration as ``1:05``."""
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
