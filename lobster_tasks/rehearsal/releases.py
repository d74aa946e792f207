"""The releases of the scenario: the first, one under traffic, and a broken one."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..account import find_authority
from ..images import BuildOptions, options_of, push_image
from ..rollout import Outcome, deploy
from .steps import Rehearsal, RehearsalContext, RehearsalStoppedError, minutes, step
from .traffic import Traffic

FIRST, SECOND, BROKEN = "rehearsal-1", "rehearsal-2", "rehearsal-broken"
_RELEASE = "RELEASE"
# A release that exits at its start, or in a container finds no shell, whatever the command in the settings is.
_BROKEN_DOCKERFILE = (
    'FROM scratch\nCOPY Dockerfile /\nENTRYPOINT ["sh", "-c", "echo broken on purpose; exit 1"]\n'
)


def first_release(context: RehearsalContext) -> None:
    """Deploy the first release, without visitors."""
    _push(context, FIRST)
    with step(context.rehearsal, "deploy 1"):
        ended = deploy(context.aws, context.settings, FIRST)
    _add_release(context.rehearsal, "deploy 1", ended)


def second_release(context: RehearsalContext) -> None:
    """Deploy a second release while visitors send requests."""
    _push(context, SECOND)
    with _traffic(context), step(context.rehearsal, "deploy 2"):
        ended = deploy(context.aws, context.settings, SECOND, force=True)
        _add_release(context.rehearsal, "deploy 2, under traffic", ended)


def broken_release(context: RehearsalContext) -> None:
    """Deploy a release that does not run: the circuit breaker rolls it back, and visitors do not notice."""
    with tempfile.TemporaryDirectory() as folder, step(context.rehearsal, "a broken release"):
        (Path(folder) / "Dockerfile").write_text(_BROKEN_DOCKERFILE, encoding="utf-8")
        broken = context.settings.model_copy(update={"dockerfile": "Dockerfile"})
        # Not the stage, the secrets and the caches of the app's own Dockerfile.
        options = BuildOptions(options_of(broken).architecture)
        push_image(context.aws, broken, BROKEN, Path(folder), context.builder, options)
    with _traffic(context), step(context.rehearsal, "a broken release"):
        ended = deploy(context.aws, context.settings, BROKEN)
        _add_broken_release(context.rehearsal, ended, context.settings.deployment.rollback)


@contextmanager
def _traffic(context: RehearsalContext) -> Iterator[None]:
    """Send visitors' requests for the duration of the block."""
    url, probe = context.rehearsal.url, context.settings.probe
    assert url is not None
    authority = find_authority(context.aws, url)
    with Traffic(url, probe.path, probe.websocket, authority=authority) as traffic:
        yield
    context.rehearsal.count(traffic, context.aws.clock.speed)


def _push(context: RehearsalContext, tag: str) -> None:
    settings, rehearsal = context.settings, context.rehearsal
    with step(rehearsal, "push-image"), rehearsal.watching() as observe:
        options = options_of(settings, {_RELEASE: tag})
        image = push_image(
            context.aws, settings, tag, context.folder, context.builder, options, observe=observe
        )
    rehearsal.add(
        "push-image", f"{settings.dockerfile} as {settings.repository}:{tag} ({image.digest[:19]}…)"
    )
    if tag == FIRST:
        for note in image.notes:
            if _RELEASE not in note:  # the tag argument is the rehearsal's, not the user's
                rehearsal.add("note", note)


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
    raise RehearsalStoppedError


def _add_broken_release(rehearsal: Rehearsal, ended: Outcome, rolls_back: bool) -> None:
    expected = "rolled_back" if rolls_back else "failed"
    cause = f" · cause {ended.cause.code}" if ended.cause else ""
    held = ended.verdict == expected
    saw = f"{_release_words(ended)}{cause}{', as expected' if held else f'; expected {expected}'}"
    rehearsal.add("a broken release", saw, ok=held)


def _release_words(ended: Outcome) -> str:
    return f"{ended.words.upper()} in {minutes(ended.seconds)} (modelled)"
