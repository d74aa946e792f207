"""Operations on service deployments and service revisions: list, describe, stop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from ..moto.adapter import AwsError
from . import services, views
from .answers import invalid, page
from .model import EcsState, Revision, Service, ServiceDeployment, now

# "You can see the most recent 90-day history" ("Viewing Amazon ECS service deployments").
HISTORY = timedelta(days=90)
STOP_TYPES = {"ROLLBACK": "ROLLBACK_REQUESTED", "ABORT": "STOP_REQUESTED"}


def list_briefs(state: EcsState, request: Mapping[str, Any]) -> dict[str, Any]:
    """ListServiceDeployments: newest first, by status and time of creation."""
    service = services.find(state, request.get("cluster"), request["service"])
    statuses, times = request.get("status") or (), request.get("createdAt") or {}
    found = [
        record
        for record in (service.history if service.status != "INACTIVE" else ())
        if _shown(state, record) and (not statuses or record.status in statuses) and _within(record, times)
    ]
    chosen, more = page(found, {"maxResults": 20, **request})
    return {"serviceDeployments": [views.service_deployment_brief(service, one) for one in chosen], **more}


def _shown(state: EcsState, record: ServiceDeployment) -> bool:
    """Whether it is in the history; deployments in progress always are."""
    age = now() - record.created_at
    old = age.total_seconds() > state.plane.pace.real(HISTORY.total_seconds())
    return not record.over or not (record.forgotten or old)


def forget(state: EcsState) -> int:
    """Remove every ended deployment from the history; returns how many."""
    ended = [record for _, record in _deployments(state) if record.over and not record.forgotten]
    for record in ended:
        record.forgotten = True
    return len(ended)


def _within(record: ServiceDeployment, times: Mapping[str, Any]) -> bool:
    after, before = times.get("after"), times.get("before")
    return (after is None or record.created_at > after) and (before is None or record.created_at < before)


def describe(state: EcsState, request: Mapping[str, Any]) -> dict[str, Any]:
    """DescribeServiceDeployments: at most 20; missing ones are failures."""
    arns = request["serviceDeploymentArns"]
    _check_number(arns)
    known = {
        record.arn: (service, record) for service, record in _deployments(state) if _shown(state, record)
    }
    return {
        "serviceDeployments": [views.service_deployment(*known[arn]) for arn in arns if arn in known],
        "failures": [{"arn": arn, "reason": "MISSING"} for arn in arns if arn not in known],
    }


def describe_revisions(state: EcsState, request: Mapping[str, Any]) -> dict[str, Any]:
    """DescribeServiceRevisions: at most 20; missing ones are failures."""
    arns = request["serviceRevisionArns"]
    _check_number(arns)
    known: dict[str, tuple[Service, Revision]] = {
        record.target.arn: (service, record.target) for service, record in _deployments(state)
    }
    return {
        "serviceRevisions": [views.revision(*known[arn]) for arn in arns if arn in known],
        "failures": [{"arn": arn, "reason": "MISSING"} for arn in arns if arn not in known],
    }


def stop(state: EcsState, request: Mapping[str, Any]) -> dict[str, Any]:
    """StopServiceDeployment: the scheduler rolls back or aborts; an ended deployment is a conflict."""
    arn, kind = request["serviceDeploymentArn"], request.get("stopType") or "ROLLBACK"
    record = next((record for _, record in _deployments(state) if record.arn == arn), None)
    if record is None:
        raise AwsError("ServiceDeploymentNotFoundException", "Service deployment not found.")
    if kind not in STOP_TYPES:
        raise invalid(f"Invalid stopType: {kind}")
    if record.over:
        raise AwsError(
            "ConflictException", f"The service deployment is in status {record.status} and cannot be stopped."
        )
    if record.status in ("PENDING", "IN_PROGRESS"):
        record.status, record.updated_at = STOP_TYPES[kind], now()
    return {"serviceDeploymentArn": arn}


def _deployments(state: EcsState) -> Iterator[tuple[Service, ServiceDeployment]]:
    for service in state.services.values():
        if service.status != "INACTIVE":
            for record in service.history:
                yield service, record


def _check_number(arns: list[str]) -> None:
    if not 1 <= len(arns) <= 20:
        raise invalid("You can specify 1 to 20 ARNs.")
