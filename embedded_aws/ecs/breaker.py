"""The deployment circuit breaker, and the ends of deployments.

Source: Developer Guide, "How the Amazon ECS deployment circuit breaker detects failures"; API Reference,
DeploymentCircuitBreaker, ThresholdConfiguration and StopServiceDeployment.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import names, texts
from .model import Deployment, Service, ServiceDeployment, now

LEAST, MOST = 3, 200
SUPERSEDED = "Service deployment was stopped because a newer service deployment started."
STOPPED_BY_BREAKER = "Service deployment stopped because the circuit breaker threshold was exceeded."
ROLLBACK_ASKED = "Rollback was requested by the user."
ABORT_ASKED = "Stop was requested by the user."


def config(configuration: Mapping[str, Any]) -> Mapping[str, Any]:
    """The circuit breaker in a deployment configuration."""
    found: Mapping[str, Any] = configuration.get("deploymentCircuitBreaker") or {}
    return found


def threshold(configuration: Mapping[str, Any], desired: int) -> int:
    """How many failures trigger it: half of the desired count, rounded up, from 3 to 200, unless configured."""
    given = config(configuration).get("thresholdConfiguration") or {}
    kind, value = given.get("type", "BOUNDED_PERCENT"), int(given.get("value", 50))
    if kind == "COUNT":
        return value
    share = -(-desired * value // 100)
    return share if kind == "UNBOUNDED_PERCENT" else min(MOST, max(LEAST, share))


def count_failure(service: Service, deployment: Deployment) -> None:
    """Count a failed task of ``deployment``; triggers the circuit breaker at the threshold."""
    if deployment is not service.primary or deployment.rollout != "IN_PROGRESS":
        return
    record = deployment.record
    deployment.failed_tasks += 1
    deployment.updated_at = now()
    limit = threshold(record.configuration, service.desired)
    if record.status == "ROLLBACK_IN_PROGRESS":  # a rollback is never rolled back
        if deployment.failed_tasks >= limit:
            finish(service, record, "ROLLBACK_FAILED", record.reason)
        return
    if record.over:
        return
    record.failures += 1
    if config(record.configuration).get("enable") and record.failures >= limit:
        _trip(service, deployment)


def count_healthy(deployment: Deployment) -> None:
    """Count a healthy task of ``deployment``: resets the failures, unless configured otherwise."""
    deployment.failed_tasks = 0
    if config(deployment.record.configuration).get("resetOnHealthyTask", True):
        deployment.record.failures = 0


def _trip(service: Service, deployment: Deployment) -> None:
    record = deployment.record
    record.tripped = True
    deployment.settle("FAILED", texts.BREAKER_FAILED)
    service.tell(texts.deployment_failed(service.name, deployment.id))
    if not config(record.configuration).get("rollback"):
        finish(service, record, "STOPPED", STOPPED_BY_BREAKER)
    elif service.last_good is None:
        finish(service, record, "ROLLBACK_FAILED", texts.NO_CANDIDATE)
    else:
        roll_back(service, texts.BREAKER_STATUS, texts.breaker_rolls_back(service.last_good.id))


def roll_back(service: Service, why: str, reason: str) -> None:
    """Make the last completed deployment's revision PRIMARY again."""
    failed, good = service.primary, service.last_good
    assert good is not None
    record = failed.record
    record.status, record.reason, record.updated_at = "ROLLBACK_IN_PROGRESS", why, now()
    record.rollback = {"reason": why, "startedAt": now(), "serviceRevisionArn": good.revision.arn}
    back = Deployment(
        f"ecs-svc/{names.digits()}",
        good.revision,
        record,
        now(),
        now(),
        reason=reason,
        desired=service.desired,
    )
    kept = [one for one in service.deployments if one is not good]
    for one in kept:
        one.status = "ACTIVE"
    service.deployments = [back, *kept]
    service.restart_counting()
    service.tell(texts.rolling_back(service.name, good.id))


def end_requested(service: Service, deployment: Deployment) -> None:
    """Perform a requested StopServiceDeployment."""
    record = deployment.record
    if record.status == "STOP_REQUESTED":
        deployment.settle("FAILED", ABORT_ASKED)
        finish(service, record, "STOPPED", ABORT_ASKED)
    elif record.status == "ROLLBACK_REQUESTED":
        deployment.settle("FAILED", ROLLBACK_ASKED)
        if service.last_good is None:
            finish(service, record, "ROLLBACK_FAILED", texts.NO_CANDIDATE)
        else:
            roll_back(
                service,
                ROLLBACK_ASKED,
                f"ECS deployment rolling back to deploymentId {service.last_good.id}.",
            )


def complete(service: Service, deployment: Deployment) -> None:
    """Complete a deployment that has all its tasks, after the earlier ones have ended."""
    deployment.settle("COMPLETED", texts.completed(deployment.id))
    service.deployments = [deployment]
    service.last_good = deployment
    service.tell(texts.deployment_completed(service.name, deployment.id))
    record = deployment.record
    if not record.over:
        rolled_back = record.status == "ROLLBACK_IN_PROGRESS"
        finish(service, record, "ROLLBACK_SUCCESSFUL" if rolled_back else "SUCCESSFUL", record.reason)


def supersede(service: Service) -> None:
    """End the current deployment, because a newer one starts."""
    for one in service.deployments:
        one.status = "ACTIVE"
    if service.history and not service.history[0].over:
        finish(service, service.history[0], "STOPPED", SUPERSEDED)


def finish(service: Service, record: ServiceDeployment, status: str, reason: str | None) -> None:
    """Set the final status of a service deployment; its task counts are frozen."""
    record.status, record.reason = status, reason
    record.last_counts = {one.arn: service.counts(one) for one in (record.target, *record.sources)}
    record.finished_at = record.updated_at = now()
    if status == "STOPPED":
        record.stopped_at = record.finished_at
