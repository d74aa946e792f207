"""What a release would do, found out without doing it."""

from __future__ import annotations

from dataclasses import dataclass

from ...aws import Aws
from ...settings import Settings
from ..observation.timeline import Journal, Observe, unobserved
from .busy import IfBusy, make_way
from .preflight import preflight
from .release import prepare


@dataclass(frozen=True)
class Preview:
    """The image by digest, the revision (ARN) that it would follow, and what would differ, a sentence each."""

    image: str
    task_definition: str
    changes: tuple[str, ...]


def preview(
    aws: Aws,
    settings: Settings,
    tag: str,
    *,
    if_busy: IfBusy | None = None,
    observe: Observe = unobserved,
) -> Preview:
    """Everything that ``deploy`` looks at before it changes anything; raises UsageError or NotReadyError as it does.

    ``if_busy`` is what ``deploy`` would do about another deployment; with None that is left alone.
    """
    if if_busy:
        make_way(aws, settings, prepare(aws, settings, tag), if_busy, Journal(aws.clock, observe))
    ground = prepare(aws, settings, tag)
    preflight(aws, settings, ground, Journal(aws.clock, observe))
    return Preview(ground.image.uri, ground.running, ground.changes)
