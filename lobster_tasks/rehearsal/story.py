"""The story of a rehearsal, step by step, with what each step showed."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .. import converge, stack
from ..aws import Aws
from ..errors import InterruptedRunError, LobsterError
from ..images import push_image
from ..rollout import Outcome, deploy
from ..settings import Settings
from .stand_in import stand_in
from .traffic import Traffic

FIRST, SECOND, BROKEN = "rehearsal-1", "rehearsal-2", "rehearsal-broken"
_RELEASE = "RELEASE"
# A release that ends as soon as it starts, whatever the settings say of the command.
_BROKEN_DOCKERFILE = 'FROM scratch\nENTRYPOINT ["sh", "-c", "echo broken on purpose; exit 1"]\n'


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
    """Set up, release twice and once a broken one, the last two under traffic; tear down unless ``keep``.

    ``aws`` must be an embedded AWS. What fails is a step that did not hold; nothing is raised for it but
    InterruptedRunError.
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
        _broken_release(aws, settings, rehearsal)
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
    _push(aws, settings, folder, SECOND, rehearsal)
    with _traffic(aws, settings, rehearsal), _step(rehearsal, "deploy 2"):
        _add_release(rehearsal, "deploy 2, under traffic", deploy(aws, settings, SECOND, force=True))


def _broken_release(aws: Aws, settings: Settings, rehearsal: Rehearsal) -> None:
    """What the circuit breaker does with a release that does not run, and that visitors do not notice."""
    with tempfile.TemporaryDirectory() as folder, _step(rehearsal, "a broken release"):
        (Path(folder) / "Dockerfile").write_text(_BROKEN_DOCKERFILE, encoding="utf-8")
        broken = settings.model_copy(update={"dockerfile": "Dockerfile"})
        push_image(aws, broken, BROKEN, Path(folder), "process")
    with _traffic(aws, settings, rehearsal), _step(rehearsal, "a broken release"):
        _add_broken_release(rehearsal, deploy(aws, settings, BROKEN), settings.deployment.rollback)


@contextmanager
def _traffic(aws: Aws, settings: Settings, rehearsal: Rehearsal) -> Iterator[None]:
    """Visitors for as long as the block lasts; whether all were served is a step of its own."""
    assert rehearsal.url is not None
    with Traffic(rehearsal.url, settings.probe.path, settings.probe.websocket) as traffic:
        yield
    rehearsal.sent += traffic.sent
    rehearsal.failed += traffic.failed
    rehearsal.add(
        "traffic", _traffic_words(traffic, aws.clock.speed), ok=not traffic.failed and traffic.sent > 0
    )


def _push(aws: Aws, settings: Settings, folder: Path, tag: str, rehearsal: Rehearsal) -> None:
    with _step(rehearsal, "push-image"):
        image = push_image(aws, settings, tag, folder, "process", {_RELEASE: tag})
    rehearsal.add(
        "push-image", f"{settings.dockerfile} as {settings.repository}:{tag} ({image.digest[:19]}…)"
    )
    if tag == FIRST:
        for note in image.notes:
            if _RELEASE not in note:  # the argument is the rehearsal's, not the user's
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
    rehearsal.add(name, " · ".join([_release_words(ended), *said]), ok=live)
    rehearsal.url = ended.url
    if live:
        return
    if ended.cause:
        for line in (ended.cause.code, ended.cause.message, *ended.cause.evidence):
            rehearsal.add("cause", line, ok=False)
    raise _BrokenOffError


def _add_broken_release(rehearsal: Rehearsal, ended: Outcome, rolls_back: bool) -> None:
    wanted = "rolled_back" if rolls_back else "failed"
    cause = f" · cause {ended.cause.code}" if ended.cause else ""
    held = ended.verdict == wanted
    saw = f"{_release_words(ended)}{cause}{', as it should' if held else f'; it should be {wanted}'}"
    rehearsal.add("a broken release", saw, ok=held)


def _release_words(ended: Outcome) -> str:
    return f"{ended.verdict.replace('_', ' ').upper()} in {_minutes(ended.seconds)} (modelled)"


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
    except InterruptedRunError:
        raise
    except LobsterError as error:
        told = (line.strip() for line in error.lines())
        rehearsal.add(name, " · ".join(told), ok=False)
        raise _BrokenOffError from error
