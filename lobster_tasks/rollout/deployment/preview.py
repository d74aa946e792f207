"""Finds out what a release would do, without making changes."""

from __future__ import annotations

from dataclasses import dataclass

from ...aws import Aws
from ...settings import Settings
from ..observation.timeline import Observe, Timeline, unobserved
from .busy import IfBusy, await_current_deployment
from .preflight import preflight
from .release import prepare


@dataclass(frozen=True)
class Preview:
    """The image by digest, the revision (ARN) that it would replace, and the differences, a sentence each."""

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
    """Everything that ``deploy`` checks before it changes anything; raises UsageError or NotReadyError likewise.

    ``if_busy`` is what ``deploy`` would do about another deployment; None ignores that deployment.
    """
    if if_busy:
        await_current_deployment(
            aws, settings, prepare(aws, settings, tag), if_busy, Timeline(aws.clock, observe)
        )
    prepared = prepare(aws, settings, tag)
    preflight(aws, settings, prepared, Timeline(aws.clock, observe))
    return Preview(prepared.image.uri, prepared.running, prepared.changes)
