"""What a release would do, found out without doing it."""

from __future__ import annotations

from dataclasses import dataclass

from ..aws import Aws
from ..settings import Settings
from .outcome import Journal, Observe, unobserved
from .preflight import preflight
from .release import prepare


@dataclass(frozen=True)
class Preview:
    """The image by digest, the revision (ARN) that it would follow, and what would differ, a sentence each."""

    image: str
    task_definition: str
    changes: tuple[str, ...]


def preview(aws: Aws, settings: Settings, tag: str, *, observe: Observe = unobserved) -> Preview:
    """Everything that ``deploy`` looks at before it changes anything; raises UsageError or NotReadyError as it does."""
    ground = prepare(aws, settings, tag)
    preflight(aws, settings, ground, Journal(aws.clock, observe))
    return Preview(ground.image.uri, ground.running, ground.changes)
