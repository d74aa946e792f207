"""Operations on services: create, describe, list, update, delete, pause, resume, deploy, list operations."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from ..ecs.answers import some
from . import companions, scaling
from .answers import invalid, not_found, page, quota_exceeded, tags_of, wrong_state
from .component import AppRunnerComponent
from .configuration import configure
from .model import CREATE, DELETE, DEPLOY, PAUSE, RESUME, UPDATE, AppRunnerState, Operation, Service

MOST = 30
"""Services per account and region, by default."""

Request = Mapping[str, Any]


def create(app_runner: AppRunnerComponent, state: AppRunnerState, request: Request) -> dict[str, Any]:
    """CreateService."""
    name = request["ServiceName"]
    if any(service.name == name for service in state.living()):
        raise invalid(f"Service with the provided name already exists: {name}.")
    if len(state.living()) >= MOST:
        raise quota_exceeded(f"You have reached the limit of {MOST} services.")
    made = {
        "configuration": configure(state, request),
        "encryption": request.get("EncryptionConfiguration"),
        "tags": tags_of(request.get("Tags")),
    }
    service = app_runner.open(state, name, uuid.uuid4().hex, made)
    return _begun(state, service, app_runner.begin(service, CREATE))


def find(state: AppRunnerState, arn: str) -> Service:
    """A service by its ARN; ResourceNotFoundException."""
    if arn not in state.services:
        raise not_found("Service", arn)
    return state.services[arn]


def living(state: AppRunnerState, arn: str) -> Service:
    """A service that is not deleted; ResourceNotFoundException."""
    service = find(state, arn)
    if service.gone:
        raise not_found("Service", arn)
    return service


def describe(state: AppRunnerState, request: Request) -> dict[str, Any]:
    """DescribeService: also returns deleted services for a while."""
    return {"Service": view(state, find(state, request["ServiceArn"]))}


def list_summaries(state: AppRunnerState, request: Request) -> dict[str, Any]:
    """ListServices."""
    found, more = page([_summary(service) for service in state.living()], request, 20)
    return {"ServiceSummaryList": found, **more}


def list_operations(state: AppRunnerState, request: Request) -> dict[str, Any]:
    """ListOperations: newest first."""
    service = find(state, request["ServiceArn"])
    found, more = page([_operation(one) for one in service.operations], request, 20)
    return {"OperationSummaryList": found, **more}


def update(app_runner: AppRunnerComponent, state: AppRunnerState, request: Request) -> dict[str, Any]:
    """UpdateService; a service in CREATE_FAILED is created with the new configuration."""
    service = living(state, request["ServiceArn"])
    _must_be(service, "updated", "RUNNING", "CREATE_FAILED")
    before = service.configuration
    service.configuration = configure(state, request, before)
    return _begun(state, service, app_runner.begin(service, UPDATE, before if service.deployed else None))


def delete(app_runner: AppRunnerComponent, state: AppRunnerState, request: Request) -> dict[str, Any]:
    """DeleteService; its ingress connections must be deleted first."""
    service = living(state, request["ServiceArn"])
    _must_be(service, "deleted", "RUNNING", "PAUSED", "CREATE_FAILED", "DELETE_FAILED")
    if any(one.body["ServiceArn"] == service.arn for one in companions.named(state, companions.INGRESS)):
        raise wrong_state(
            "Service cannot be deleted while it has VPC ingress connections. Delete them first."
        )
    return _begun(state, service, app_runner.begin(service, DELETE))


def pause(app_runner: AppRunnerComponent, state: AppRunnerState, request: Request) -> dict[str, Any]:
    """PauseService."""
    service = living(state, request["ServiceArn"])
    _must_be(service, "paused", "RUNNING")
    return _begun(state, service, app_runner.begin(service, PAUSE))


def resume(app_runner: AppRunnerComponent, state: AppRunnerState, request: Request) -> dict[str, Any]:
    """ResumeService."""
    service = living(state, request["ServiceArn"])
    _must_be(service, "resumed", "PAUSED")
    return _begun(state, service, app_runner.begin(service, RESUME, service.configuration))


def deploy(app_runner: AppRunnerComponent, state: AppRunnerState, request: Request) -> dict[str, Any]:
    """StartDeployment; a wrong state is InvalidRequestException, following the API Reference."""
    service = living(state, request["ServiceArn"])
    if service.status != "RUNNING":
        raise invalid(f"Can't start a deployment when the service status is {service.status}.")
    return {"OperationId": app_runner.begin(service, DEPLOY, service.configuration).id}


def _must_be(service: Service, verb: str, *states: str) -> None:
    if service.status not in states:
        raise wrong_state(f"Service cannot be {verb} in the current state: {service.status}.")


def _begun(state: AppRunnerState, service: Service, operation: Operation) -> dict[str, Any]:
    return {"Service": view(state, service), "OperationId": operation.id}


def view(state: AppRunnerState, service: Service) -> dict[str, Any]:
    """A service in the shape of DescribeService."""
    configuration = service.configuration
    return {
        **_summary(service),
        "SourceConfiguration": configuration.source,
        "InstanceConfiguration": configuration.instance,
        "HealthCheckConfiguration": configuration.health,
        "NetworkConfiguration": configuration.network,
        "AutoScalingConfigurationSummary": scaling.summary(state, configuration.scaling),
        **some(
            DeletedAt=service.deleted_at,
            EncryptionConfiguration=service.encryption,
            ObservabilityConfiguration=configuration.observability,
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
