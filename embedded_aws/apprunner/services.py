"""Services: create, describe, list, update, delete, pause, resume, deploy, and their operations."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from ..ecs.answers import some
from . import companions, scaling
from .answers import invalid, not_found, page, quota_exceeded, tags_of, wrong_state
from .configuration import configure
from .model import CREATE, DELETE, DEPLOY, PAUSE, RESUME, UPDATE, Operation, Room, Service
from .part import AppRunner

MOST = 30
"""Services in an account and region, by default."""

Request = Mapping[str, Any]


def create(part: AppRunner, room: Room, request: Request) -> dict[str, Any]:
    """CreateService."""
    name = request["ServiceName"]
    if any(service.name == name for service in room.living()):
        raise invalid(f"Service with the provided name already exists: {name}.")
    if len(room.living()) >= MOST:
        raise quota_exceeded(f"You have reached the limit of {MOST} services.")
    made = {
        "configuration": configure(room, request),
        "encryption": request.get("EncryptionConfiguration"),
        "tags": tags_of(request.get("Tags")),
    }
    service = part.open(room, name, uuid.uuid4().hex, made)
    return _begun(room, service, part.begin(service, CREATE))


def find(room: Room, arn: str) -> Service:
    """A service by its ARN; ResourceNotFoundException."""
    if arn not in room.services:
        raise not_found("Service", arn)
    return room.services[arn]


def living(room: Room, arn: str) -> Service:
    """A service that was not deleted; ResourceNotFoundException."""
    service = find(room, arn)
    if service.gone:
        raise not_found("Service", arn)
    return service


def describe(room: Room, request: Request) -> dict[str, Any]:
    """DescribeService: deleted ones too, for a while."""
    return {"Service": view(room, find(room, request["ServiceArn"]))}


def list_summaries(room: Room, request: Request) -> dict[str, Any]:
    """ListServices."""
    found, more = page([_summary(service) for service in room.living()], request, 20)
    return {"ServiceSummaryList": found, **more}


def list_operations(room: Room, request: Request) -> dict[str, Any]:
    """ListOperations: the newest first."""
    service = find(room, request["ServiceArn"])
    found, more = page([_operation(one) for one in service.operations], request, 20)
    return {"OperationSummaryList": found, **more}


def update(part: AppRunner, room: Room, request: Request) -> dict[str, Any]:
    """UpdateService; one that was never created right is created with what is new."""
    service = living(room, request["ServiceArn"])
    _must_be(service, "updated", "RUNNING", "CREATE_FAILED")
    before = service.configuration
    service.configuration = configure(room, request, before)
    return _begun(room, service, part.begin(service, UPDATE, before if service.deployed else None))


def delete(part: AppRunner, room: Room, request: Request) -> dict[str, Any]:
    """DeleteService; ingress connections go first."""
    service = living(room, request["ServiceArn"])
    _must_be(service, "deleted", "RUNNING", "PAUSED", "CREATE_FAILED", "DELETE_FAILED")
    if any(one.body["ServiceArn"] == service.arn for one in companions.named(room, companions.INGRESS)):
        raise wrong_state(
            "Service cannot be deleted while it has VPC ingress connections. Delete them first."
        )
    return _begun(room, service, part.begin(service, DELETE))


def pause(part: AppRunner, room: Room, request: Request) -> dict[str, Any]:
    """PauseService."""
    service = living(room, request["ServiceArn"])
    _must_be(service, "paused", "RUNNING")
    return _begun(room, service, part.begin(service, PAUSE))


def resume(part: AppRunner, room: Room, request: Request) -> dict[str, Any]:
    """ResumeService."""
    service = living(room, request["ServiceArn"])
    _must_be(service, "resumed", "PAUSED")
    return _begun(room, service, part.begin(service, RESUME, service.configuration))


def deploy(part: AppRunner, room: Room, request: Request) -> dict[str, Any]:
    """StartDeployment; a wrong state is InvalidRequestException here, as the API Reference lists."""
    service = living(room, request["ServiceArn"])
    if service.status != "RUNNING":
        raise invalid(f"Can't start a deployment when the service status is {service.status}.")
    return {"OperationId": part.begin(service, DEPLOY, service.configuration).id}


def _must_be(service: Service, verb: str, *states: str) -> None:
    if service.status not in states:
        raise wrong_state(f"Service cannot be {verb} in the current state: {service.status}.")


def _begun(room: Room, service: Service, operation: Operation) -> dict[str, Any]:
    return {"Service": view(room, service), "OperationId": operation.id}


def view(room: Room, service: Service) -> dict[str, Any]:
    """A service as DescribeService shows it."""
    wanted = service.configuration
    return {
        **_summary(service),
        "SourceConfiguration": wanted.source,
        "InstanceConfiguration": wanted.instance,
        "HealthCheckConfiguration": wanted.health,
        "NetworkConfiguration": wanted.network,
        "AutoScalingConfigurationSummary": scaling.summary(room, wanted.scaling),
        **some(
            DeletedAt=service.deleted_at,
            EncryptionConfiguration=service.encryption,
            ObservabilityConfiguration=wanted.observability,
        ),
    }


def _summary(service: Service) -> dict[str, Any]:
    return {
        "ServiceName": service.name,
        "ServiceId": service.id,
        "ServiceArn": service.arn,
        "ServiceUrl": service.url,
        "CreatedAt": service.created_at,
        "UpdatedAt": service.updated_at,
        "Status": service.status,
    }


def _operation(one: Operation) -> dict[str, Any]:
    return {
        "Id": one.id,
        "Type": one.type,
        "Status": one.status,
        "TargetArn": one.target,
        "StartedAt": one.started_at,
        "UpdatedAt": one.updated_at,
        **some(EndedAt=one.ended_at),
    }
