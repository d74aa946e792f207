"""Brings a service's circuit breaker to ``deployment.rollback``, for a release that something else deploys."""

from __future__ import annotations

from ...aws import Aws
from ...settings import Settings
from ..observation.deployment_configuration import circuit_breaker, with_rollback, without_rollback
from ..observation.service import active_service


def keep_promise(aws: Aws, settings: Settings) -> str:
    """What was done, a sentence. Raises NotReadyError where there is no active service.

    UpdateService with the deployment configuration alone, which starts no deployment.
    """
    service = active_service(aws, settings.cluster, settings.service)
    asked = str(settings.deployment.rollback).lower()
    change = with_rollback if settings.deployment.rollback else without_rollback
    about = f"service {settings.service}"
    if (configuration := change(service)) is None:
        return f"the service's circuit breaker {_words(*circuit_breaker(service))} (deployment.rollback: {asked})"
    where = {"cluster": settings.cluster, "service": settings.service}
    now = aws.call("ecs:UpdateService", about, **where, deploymentConfiguration=configuration)["service"]
    told = f"{_words(*circuit_breaker(service))} → {_words(*circuit_breaker(now))}"
    return f"the service's circuit breaker: {told} (deployment.rollback: {asked})"


def _words(is_on: bool, rolls_back: bool) -> str:
    if not is_on:
        return "is off"
    return "rolls back" if rolls_back else "does not roll back"
