"""The labels of everything that an embedded AWS makes in an engine, and the removal of what has them.

The engine is somebody's: only what has a label of ours is ever removed. Of another embedded AWS it is only removed
when that one is certainly dead: it ran on this machine, for this user, and nobody has the lock of its folder.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ..scratch import is_used
from .client import Engine, EngineError

log = logging.getLogger(__name__)

INSTANCE = "embedded-aws"
MACHINE = "embedded-aws.machine"
FOLDER = "embedded-aws.folder"
TASK = "embedded-aws.task"


@dataclass(frozen=True)
class _Kind:
    """A kind of object: how its ids are listed, what inspects it, where its labels are, and how it is removed.

    ``insists`` is what podman needs besides to remove one that it believes in use.
    """

    listing: tuple[str, ...]
    inspection: tuple[str, ...]
    labels: str
    removal: tuple[str, ...]
    insists: tuple[str, ...] = ()


_KINDS = (
    _Kind(("ps", "-aq", "--no-trunc"), ("inspect", "--type", "container"), ".Config.Labels", ("rm", "-fv")),
    _Kind(("volume", "ls", "-q"), ("volume", "inspect"), ".Labels", ("volume", "rm", "-f")),
    _Kind(
        ("network", "ls", "-q", "--no-trunc"),
        ("network", "inspect"),
        ".Labels",
        ("network", "rm"),
        insists=("--force",),
    ),
    _Kind(("images", "-q", "--no-trunc"), ("image", "inspect"), ".Config.Labels", ("rmi", "-f")),
)
"""In the order of their removal: a volume, a network or an image of containers cannot be removed before these."""
_OF_TASKS = _KINDS[:2]
_TIMES = 3
"""How often it is tried to remove everything of a kind."""


@dataclass(frozen=True)
class Labels:
    """The labels of one embedded AWS, which has the scratch folder ``folder``."""

    folder: Path

    @property
    def instance(self) -> str:
        """The id of the embedded AWS."""
        return self.folder.name

    @property
    def all(self) -> dict[str, str]:
        """Every label with its value."""
        return {INSTANCE: self.instance, MACHINE: machine(), FOLDER: str(self.folder)}

    def arguments(self, **more: str) -> list[str]:
        """Arguments for an order that makes something; ``task`` may be given."""
        named = {**self.all, **({TASK: more["task"]} if "task" in more else {})}
        return [word for name, value in named.items() for word in ("--label", f"{name}={value}")]


def machine() -> str:
    """This machine and user, as one word: another one's folders, and their locks, are not visible here."""
    with suppress(OSError):
        return f"{socket.gethostname()}/{os.getuid()}/{os.readlink('/proc/self/ns/mnt')}"
    return f"{socket.gethostname()}/{os.getuid()}"


def remove_own(engine: Engine, labels: Labels, *, tasks_only: bool = False) -> None:
    """Remove everything of this embedded AWS, or its tasks' containers and volumes; a log message names what cannot
    be removed."""
    for kind in _OF_TASKS if tasks_only else _KINDS:
        _remove(engine, kind, partial(_listed, engine, kind, f"{INSTANCE}={labels.instance}"))


def remove_leftovers(engine: Engine) -> None:
    """Remove what embedded AWSes of this machine left that were killed."""
    for kind in _KINDS:
        _remove(engine, kind, partial(_orphans, engine, kind))


def _listed(engine: Engine, kind: _Kind, label: str) -> list[str]:
    told = engine.try_to(*kind.listing, "--filter", f"label={label}") or ""
    return list(dict.fromkeys(told.split()))


def _orphans(engine: Engine, kind: _Kind) -> list[str]:
    return [each for each in _listed(engine, kind, INSTANCE) if _is_orphaned(engine, kind, each)]


def _is_orphaned(engine: Engine, kind: _Kind, name: str) -> bool:
    words = " ".join(f'{{{{index {kind.labels} "{label}"}}}}' for label in (MACHINE, FOLDER))
    told = engine.try_to(*kind.inspection, "--format", words, name)
    where, _, folder = (told or "").partition(" ")
    return where == machine() and bool(folder) and not is_used(Path(folder))


def _remove(engine: Engine, kind: _Kind, listed: Callable[[], list[str]]) -> None:
    """Remove what is listed, until nothing is: podman removes no pod before the containers in its network, and nothing
    at all, without an error, where one of those named is gone."""
    why = ""
    for time in range(_TIMES):
        named = listed()
        if not named:
            return
        insists = kind.insists if time and engine.name == "podman" else ()
        try:
            engine.run(*kind.removal, *insists, *named)
        except EngineError as refused:
            why = str(refused)
    left = listed()
    if left and "in progress" not in why:
        log.warning("%s %s: not removed: %s", " ".join(kind.removal), " ".join(left), why)
