"""The story of a rehearsal, step by step, with what each step showed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import converge, stack
from ..aws import Aws
from ..errors import LobsterError
from ..images import push_image
from ..rollout import Outcome, deploy
from ..settings import Settings
from .stand_in import stand_in
from .traffic import Traffic

FIRST, SECOND = "rehearsal-1", "rehearsal-2"


@dataclass(frozen=True)
class Step:
    """One step: when it was over (real seconds since the start), whether it held, and what it showed."""

    at: float
    ok: bool
    name: str
    saw: str


@dataclass
class Rehearsal:
    """All steps so far, and the visitors' requests."""

    tell: Callable[[Step], None]
    started: float = field(default_factory=time.monotonic)
    steps: list[Step] = field(default_factory=list)
    sent: int = 0
    failed: int = 0
    url: str | None = None

    @property
    def passed(self) -> bool:
        """Whether every step held."""
        return bool(self.steps) and all(step.ok for step in self.steps)

    @property
    def seconds(self) -> float:
        """Real seconds since the start."""
        return time.monotonic() - self.started

    def add(self, name: str, saw: str, ok: bool = True) -> None:
        """Note a step and tell of it."""
        step = Step(self.seconds, ok, name, saw)
        self.steps.append(step)
        self.tell(step)

    def as_json(self) -> dict[str, Any]:
        """The stable shape of ``inv rehearse --json``."""
        return {
            "verdict": "passed" if self.passed else "failed",
            "requests": {"sent": self.sent, "failed": self.failed},
            "seconds": round(self.seconds, 1),
            "timeline": [
                {"at": round(step.at, 1), "what": f"{step.name}: {step.saw}", "ok": step.ok}
                for step in self.steps
            ],
        }


class _BrokenOffError(Exception):
    """A step did not hold, so that those after it make no sense."""


def rehearse(aws: Aws, settings: Settings, folder: Path, rehearsal: Rehearsal, *, keep: bool) -> None:
    """Set up, release twice, the second time under traffic, and tear down unless ``keep``.

    ``aws`` must be an embedded AWS. What fails is a step that did not hold; nothing is raised for it.
    """
    try:
        with _step(rehearsal, "stand-ins"):
            settings, notes = stand_in(aws, settings)
        for note in notes:
            rehearsal.add("stand-in", note)
        wanted = stack.build(settings, aws.account, aws.partition)
        _set_up(aws, wanted, rehearsal)
        _first_release(aws, settings, folder, rehearsal)
        _second_release(aws, settings, folder, rehearsal)
        if not keep:
            _tear_down(aws, wanted, rehearsal)
    except _BrokenOffError:
        return


def _set_up(aws: Aws, wanted: stack.Stack, rehearsal: Rehearsal) -> None:
    started = time.monotonic()
    with _step(rehearsal, "setup-fargate"):
        made = converge.plan(wanted, converge.read(aws, wanted))
        converge.apply(aws, made, lambda _: None)
        converge.verify(aws, wanted)
    seconds = time.monotonic() - started
    rehearsal.add(
        "setup-fargate", f"{len(made.changes)} resources in {seconds:.1f} s, read again: as planned"
    )


def _first_release(aws: Aws, settings: Settings, folder: Path, rehearsal: Rehearsal) -> None:
    _push(aws, settings, folder, FIRST, rehearsal)
    with _step(rehearsal, "deploy 1"):
        ended = deploy(aws, settings, FIRST)
    _add_release(rehearsal, "deploy 1", ended)


def _second_release(aws: Aws, settings: Settings, folder: Path, rehearsal: Rehearsal) -> None:
    assert rehearsal.url is not None
    _push(aws, settings, folder, SECOND, rehearsal)
    with (
        Traffic(rehearsal.url, settings.probe.path, settings.probe.websocket) as traffic,
        _step(rehearsal, "deploy 2"),
    ):
        ended = deploy(aws, settings, SECOND, force=True)
    rehearsal.sent, rehearsal.failed = traffic.sent, traffic.failed
    _add_release(rehearsal, "deploy 2, under traffic", ended)
    rehearsal.add(
        "traffic", _traffic_words(traffic, aws.clock.speed), ok=not traffic.failed and traffic.sent > 0
    )


def _push(aws: Aws, settings: Settings, folder: Path, tag: str, rehearsal: Rehearsal) -> None:
    with _step(rehearsal, "push-image"):
        image = push_image(aws, settings, tag, folder, "process", {"RELEASE": tag})
    rehearsal.add(
        "push-image", f"{settings.dockerfile} as {settings.repository}:{tag} ({image.digest[:19]}…)"
    )
    if tag == FIRST:
        for note in image.notes:
            rehearsal.add("note", note)


def _tear_down(aws: Aws, wanted: stack.Stack, rehearsal: Rehearsal) -> None:
    with _step(rehearsal, "teardown"):
        made = converge.plan_removal(wanted, converge.read(aws, wanted), keep_data=False)
        converge.apply(aws, made, lambda _: None)
        left = converge.plan_removal(wanted, converge.read(aws, wanted), keep_data=False).changes
    names = ", ".join(change.resource.label for change in left)
    rehearsal.add("teardown", f"left: {names}" if left else "nothing of the stack is left", ok=not left)


def _add_release(rehearsal: Rehearsal, name: str, ended: Outcome) -> None:
    live = ended.verdict == "live"
    said = [answer.said for answer in ended.probe.answers] if ended.probe else []
    saw = f"{'LIVE' if live else ended.verdict.upper()} in {_minutes(ended.seconds)} (modelled)"
    rehearsal.add(name, " · ".join([saw, *said]), ok=live)
    rehearsal.url = ended.url
    if live:
        return
    if ended.cause:
        for line in (ended.cause.code, ended.cause.message, *ended.cause.evidence):
            rehearsal.add("cause", line, ok=False)
    raise _BrokenOffError


def _traffic_words(traffic: Traffic, speed: float) -> str:
    if not traffic.socket_opened:
        return traffic.said
    return f"{traffic.said}; a WebSocket lived {_minutes(traffic.socket_lived_seconds * speed)}"


def _minutes(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"


@contextmanager
def _step(rehearsal: Rehearsal, name: str) -> Iterator[None]:
    """An error in the block is a step that did not hold."""
    try:
        yield
    except LobsterError as error:
        rehearsal.add(name, " · ".join(error.lines()), ok=False)
        raise _BrokenOffError from error
