"""Services, deployments, revisions and tasks in the shapes of the Amazon ECS API."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from . import breaker, execute_command, service_role
from .answers import some, tag_list
from .model import (
    ContainerState,
    Deployment,
    EcsState,
    Placement,
    Revision,
    Service,
    ServiceDeployment,
    Task,
    now,
)

PLATFORM = "1.4.0"


def service(state: EcsState, found: Service, include: Sequence[str] = ()) -> dict[str, Any]:
    """A service in the shape of DescribeServices; tags only with TAGS."""
    deployments = found.deployments
    newest = deployments[0].revision if deployments else found.history[0].target
    answer = {
        "serviceArn": found.arn,
        "serviceName": found.name,
        "clusterArn": found.cluster.arn,
        "status": found.status,
        "desiredCount": found.desired,
        "runningCount": sum(task.last_status == "RUNNING" for task in found.tasks),
        "pendingCount": sum(task.pending for task in found.tasks),
        "taskDefinition": newest.definition.arn,
        "deploymentConfiguration": found.configuration,
        "deployments": [deployment(found, one) for one in deployments],
        "events": _events(state, found),
        "createdAt": found.created_at,
        "createdBy": found.created_by,
        **_fixed(state, newest),
        **found.options,
        **_placement(newest.placement, newest.placement.platform_version),
        "healthCheckGracePeriodSeconds": found.grace,
        **_currents(found),
    }
    return answer | ({"tags": tag_list(found.tags)} if "TAGS" in include else {})


def _events(state: EcsState, found: Service) -> list[dict[str, Any]]:
    """The visible events (the fault ``event_delay_seconds`` delays them)."""
    late = timedelta(seconds=state.plane.pace.real(state.plane.faults.event_delay))
    return [event for event in found.events if event["createdAt"] <= now() - late]


def _fixed(state: EcsState, newest: Revision) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "serviceRegistries": [],
        "placementConstraints": [],
        "placementStrategy": [],
        "schedulingStrategy": "REPLICA",
        "deploymentController": {"type": "ECS"},
        "resourceManagementType": "CUSTOMER",
        "loadBalancers": list(newest.placement.load_balancers),
        "platformFamily": "Linux",
    }
    return answer | {"roleArn": service_role.arn(state.account)}


def _placement(placement: Placement, version: str) -> dict[str, Any]:
    return {
        "networkConfiguration": placement.network,
        "platformVersion": version,
        **some(launchType=placement.launch_type),
        **({"capacityProviderStrategy": list(placement.strategy)} if placement.strategy else {}),
    }


def _currents(found: Service) -> dict[str, Any]:
    if not found.deployments:
        return {}
    return {
        "currentServiceDeployment": found.history[0].arn,
        "currentServiceRevisions": [
            _counts(one.revision, one.desired, found.counts(one.revision)) for one in found.deployments
        ],
    }


def _counts(revision: Revision, requested: int, counts: tuple[int, int]) -> dict[str, Any]:
    return {
        "arn": revision.arn,
        "requestedTaskCount": requested,
        "runningTaskCount": counts[0],
        "pendingTaskCount": counts[1],
    }


def deployment(found: Service, one: Deployment) -> dict[str, Any]:
    """An item of a service's ``deployments``."""
    running, pending = found.counts(one.revision)
    return {
        "id": one.id,
        "status": one.status,
        "taskDefinition": one.revision.definition.arn,
        "desiredCount": one.desired,
        "pendingCount": pending,
        "runningCount": running,
        "failedTasks": one.failed_tasks,
        "createdAt": one.created_at,
        "updatedAt": one.updated_at,
        "platformFamily": "Linux",
        "rolloutState": one.rollout,
        "rolloutStateReason": one.reason,
        **_placement(one.revision.placement, PLATFORM),
    }


def service_deployment_brief(found: Service, record: ServiceDeployment) -> dict[str, Any]:
    """An item of ListServiceDeployments."""
    return {
        "serviceDeploymentArn": record.arn,
        "serviceArn": found.arn,
        "clusterArn": found.cluster.arn,
        "createdAt": record.created_at,
        "targetServiceRevisionArn": record.target.arn,
        "status": record.status,
        **some(startedAt=record.started_at, finishedAt=record.finished_at, statusReason=record.reason),
    }


def service_deployment(found: Service, record: ServiceDeployment) -> dict[str, Any]:
    """An item of DescribeServiceDeployments."""
    brief = service_deployment_brief(found, record)
    brief.pop("targetServiceRevisionArn")
    return {
        **brief,
        "sourceServiceRevisions": [revision_counts(found, record, one) for one in record.sources],
        "targetServiceRevision": revision_counts(found, record, record.target),
        "deploymentConfiguration": record.configuration,
        "deploymentCircuitBreaker": _breaker(found, record),
        "alarms": {"status": "DISABLED", "alarmNames": [], "triggeredAlarmNames": []},
        **some(
            stoppedAt=record.stopped_at,
            updatedAt=record.updated_at,
            lifecycleStage=record.stage,
            rollback=record.rollback,
        ),
    }


def revision_counts(found: Service, record: ServiceDeployment, revision: Revision) -> dict[str, Any]:
    """The task counts of a revision: current ones, or those at the end of the deployment."""
    target = revision is record.target
    counts = record.last_counts.get(revision.arn) or found.counts(revision)
    requested = record.requested if target else sum(counts)
    weight = {"requestedTestTrafficWeight": 0.0, "requestedProductionTrafficWeight": 100.0 if target else 0.0}
    return _counts(revision, requested, counts) | weight


def _breaker(found: Service, record: ServiceDeployment) -> dict[str, Any]:
    if not breaker.config(record.configuration).get("enable"):
        status = "DISABLED"
    elif record.tripped:
        status = "TRIGGERED"
    else:
        status = "MONITORING_COMPLETE" if record.over else "MONITORING"
    limit = breaker.threshold(record.configuration, found.desired)
    return {"status": status, "failureCount": record.failures, "threshold": limit}


def revision(found: Service, one: Revision) -> dict[str, Any]:
    """An item of DescribeServiceRevisions."""
    images = [
        {"containerName": c["name"], "image": c["image"], **some(imageDigest=one.digests.get(c["name"]))}
        for c in one.definition.containers
    ]
    balancers = list(one.placement.load_balancers)
    return {
        "serviceRevisionArn": one.arn,
        "serviceArn": found.arn,
        "clusterArn": found.cluster.arn,
        "taskDefinition": one.definition.arn,
        "platformFamily": "Linux",
        "loadBalancers": balancers,
        "serviceRegistries": [],
        "containerImages": images,
        "guardDutyEnabled": False,
        "serviceConnectConfiguration": {"enabled": False},
        "createdAt": one.created_at,
        "resolvedConfiguration": {
            "loadBalancers": [{"targetGroupArn": b["targetGroupArn"]} for b in balancers]
        },
        **_placement(one.placement, PLATFORM),
    }


def task(one: Task, include: Sequence[str] = ()) -> dict[str, Any]:
    """A task in the shape of DescribeTasks; tags only with TAGS."""
    body, order = one.definition.body, one.order
    cpu_architecture = body.get("runtimePlatform", {}).get("cpuArchitecture", "X86_64")
    storage = one.overrides.get("ephemeralStorage") or body.get("ephemeralStorage", {"sizeInGiB": 20})
    answer = {
        "taskArn": one.arn,
        "clusterArn": one.cluster.arn,
        "taskDefinitionArn": one.definition.arn,
        "attachments": [_attachment(one)],
        "attributes": [{"name": "ecs.cpu-architecture", "value": cpu_architecture.lower()}],
        "containers": [_container(one, container) for container in one.containers],
        "cpu": one.overrides.get("cpu") or body["cpu"],
        "memory": one.overrides.get("memory") or body["memory"],
        "createdAt": one.created_at,
        "desiredStatus": "RUNNING" if order is None else "STOPPED",
        "enableExecuteCommand": one.exec_enabled,
        "group": one.group,
        "healthStatus": _health(one),
        "lastStatus": one.last_status,
        "overrides": _overrides(one),
        "launchType": "FARGATE",
        "platformVersion": PLATFORM,
        "platformFamily": "Linux",
        "version": one.version,
        "ephemeralStorage": storage,
        "fargateEphemeralStorage": storage,
        "tags": tag_list(one.tags) if "TAGS" in include else [],
        **one.times,
        **some(startedBy=one.started_by, capacityProviderName=one.capacity_provider),
    }
    if one.zone:
        answer["availabilityZone"] = one.zone
    if "connectivityAt" in one.times:
        answer["connectivity"] = "CONNECTED"
    if order is not None:
        answer |= {"stopCode": order.code, "stoppedReason": order.reason}
    return answer


def _overrides(one: Task) -> dict[str, Any]:
    given = {item["name"]: item for item in one.overrides.get("containerOverrides", [])}
    containers = [given.get(container.name, {"name": container.name}) for container in one.containers]
    return {"inferenceAcceleratorOverrides": [], **one.overrides, "containerOverrides": containers}


def _attachment(one: Task) -> dict[str, Any]:
    states = {"STOPPED": "DELETED", "DEPROVISIONING": "DETACHING", "PROVISIONING": "ATTACHING"}
    status, details = states.get(one.last_status, "ATTACHED"), {}
    if one.interface is None:
        status = "DELETED" if one.last_status == "STOPPED" else "PRECREATED"
        details = {"subnetId": one.subnet}
    else:
        details = {
            "subnetId": one.interface.subnet_id,
            "networkInterfaceId": one.interface.id,
            "macAddress": one.interface.mac,
            "privateDnsName": one.interface.private_dns,
            "privateIPv4Address": one.interface.private_ip,
        }
    return {
        "id": one.attachment_id,
        "type": "ElasticNetworkInterface",
        "status": status,
        "details": [{"name": name, "value": value} for name, value in details.items()],
    }


def _container(one: Task, container: ContainerState) -> dict[str, Any]:
    interfaces = []
    if one.interface is not None:
        interfaces = [{"attachmentId": one.attachment_id, "privateIpv4Address": one.interface.private_ip}]
    definition = container.definition
    memory = definition.get("memory")
    return {
        "containerArn": container.arn,
        "taskArn": one.arn,
        "name": container.name,
        "image": definition["image"],
        "runtimeId": container.runtime_id,
        "lastStatus": container.last_status,
        "networkBindings": [],
        "networkInterfaces": interfaces,
        "healthStatus": container.health,
        "cpu": str(definition["cpu"]),
        **execute_command.agents(one, container),
        **some(
            memory=str(memory) if memory else None,
            exitCode=container.exit_code,
            reason=container.reason,
            imageDigest=container.digest,
        ),
    }


def _health(one: Task) -> str:
    seen = {container.health for container in one.containers if container.essential}
    if "UNHEALTHY" in seen:
        return "UNHEALTHY"
    return "HEALTHY" if seen == {"HEALTHY"} else "UNKNOWN"
