"""Handles a deployment that is already in progress: waits for it, replaces it, or refuses the release."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from ...account import find_task_definition
from ...aws import Aws
from ...errors import NotReadyError
from ...settings import Settings
from ..cause_code import CauseCode
from ..observation.deployment_configuration import circuit_breaker
from ..observation.service import active_service
from ..observation.snapshot import Deployment, Service, revision_of
from ..observation.timeline import Timeline
from .release import PreparedRelease

IfBusy = Literal["wait", "supersede", "refuse"]
CHOICES: tuple[IfBusy, ...] = ("wait", "supersede", "refuse")

_BETWEEN_SECONDS = 3.0
# A deployment with this many failed tasks, and without a circuit breaker, counts as lost.
_LOST_AFTER = 3


def await_current_deployment(
    aws: Aws, settings: Settings, prepared: PreparedRelease, if_busy: IfBusy, timeline: Timeline
) -> PreparedRelease:
    """The release, once the service is free for it; raises NotReadyError where that is refused or takes too long."""
    other = deployment_in_progress(prepared.service)
    if other is None:
        return prepared
    named = f"deployment {other.id} of revision {revision_of(other.task_definition)}"
    if if_busy == "supersede":
        timeline.say(f"{named} is in progress: replacing it")
        return prepared
    if if_busy == "refuse":
        raise _busy(named, "--if-busy refuse was given")
    timeline.say(f"{named} is in progress: waiting for it")
    service = _wait(aws, settings, named, timeline)
    return replace(
        prepared, service=service, current=find_task_definition(aws, service["taskDefinition"]) or {}
    )


def deployment_in_progress(service: Mapping[str, Any]) -> Deployment | None:
    """The service's deployment that is in progress, or None. Pure."""
    primary = Service.of(service).primary
    return primary if primary is not None and primary.rollout == "IN_PROGRESS" else None


def is_lost(service: Mapping[str, Any]) -> bool:
    """Whether a deployment keeps failing and no circuit breaker will end it. Pure."""
    other = deployment_in_progress(service)
    if other is None or circuit_breaker(service)[0]:
        return False
    return other.running == 0 and other.failed >= _LOST_AFTER


def _wait(aws: Aws, settings: Settings, named: str, timeline: Timeline) -> Mapping[str, Any]:
    minutes = settings.deployment.wait_minutes
    service = aws.clock.poll(
        lambda: active_service(aws, settings.cluster, settings.service),
        minutes * 60,
        _BETWEEN_SECONDS,
        until=lambda service: deployment_in_progress(service) is None or is_lost(service),
    )
    if deployment_in_progress(service) is None:
        timeline.say(f"{named} is over")
    elif is_lost(service):
        timeline.say(f"{named} fails again and again, and no circuit breaker stops it: replacing it")
    else:
        raise _busy(named, f"inv deploy waited {minutes:g} minutes for it")
    return service


def _busy(named: str, why: str) -> NotReadyError:
    return NotReadyError(
        f"{named[:1].upper()}{named[1:]} is in progress.",
        why,
        "inv status --watch, or replace it: --if-busy supersede",
        code=CauseCode.SERVICE_BUSY,
    )
