"""Operations on services: create, update, delete, describe, list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..moto.adapter import AwsError
from . import breaker, clusters, names, network, service_role, service_rules, task_definitions, texts, views
from .answers import invalid, page, tags_of
from .model import (
    Cluster,
    Deployment,
    EcsState,
    Placement,
    Revision,
    Service,
    ServiceDeployment,
    TaskDefinition,
    now,
)

DEPLOYED = ("taskDefinition", "loadBalancers", "networkConfiguration", "forceNewDeployment")
"""Members of UpdateService after which ECS checks the load balancers again."""

OPTIONS = {"enableECSManagedTags": False, "propagateTags": "NONE", "enableExecuteCommand": False}


def create(state: EcsState, request: Mapping[str, Any]) -> dict[str, Any]:
    """CreateService."""
    name = request["serviceName"]
    service_rules.check_name(name)
    service_rules.check_supported(request)
    cluster = clusters.active(state, request.get("cluster"))
    if found := _existing(state, cluster, request):
        return {"service": views.service(state, found, ("TAGS",))}
    if not service_role.assumable(state.plane, state.account):
        raise invalid(texts.NO_SERVICE_ROLE)
    if not request.get("taskDefinition"):
        raise invalid("TaskDefinition can not be blank.")
    definition = task_definitions.find_active(state, request["taskDefinition"])
    service_rules.check_exec(bool(request.get("enableExecuteCommand")), definition, "created")
    placement = _new_placement(state, request, cluster, definition)
    made = _service(state, request, cluster, placement)
    state.services[cluster.name, name] = made
    deploy(state, made, definition, placement)
    return {"service": views.service(state, made, ("TAGS",))}


def _existing(state: EcsState, cluster: Cluster, request: Mapping[str, Any]) -> Service | None:
    found = state.services.get((cluster.name, request["serviceName"]))
    if found is None or found.status == "INACTIVE":
        return None
    if found.status == "DRAINING":
        raise invalid("Unable to Start a service that is still Draining.")
    if request.get("clientToken") and found.request == dict(request):
        return found
    raise invalid("Creation of service was not idempotent.")


def _new_placement(
    state: EcsState, request: Mapping[str, Any], cluster: Cluster, definition: TaskDefinition
) -> Placement:
    launch_type, strategy = service_rules.launch(request, cluster, definition)
    if request.get("role"):
        raise invalid("You cannot specify an IAM role for services that require a service linked role.")
    net = network.awsvpc(state, request)
    balancers = network.target_groups(state, request.get("loadBalancers") or [], definition, net)
    version = service_rules.platform_version(request.get("platformVersion"))
    return Placement(net, balancers, launch_type, strategy, version)


def _service(state: EcsState, request: Mapping[str, Any], cluster: Cluster, placement: Placement) -> Service:
    configuration = service_rules.configuration(request.get("deploymentConfiguration"))
    balanced = bool(placement.load_balancers)
    options = {name: request.get(name) or default for name, default in OPTIONS.items()}
    options["availabilityZoneRebalancing"] = service_rules.rebalancing(
        request.get("availabilityZoneRebalancing"), configuration, "ENABLED"
    )
    name = request["serviceName"]
    return Service(
        name,
        state.arn(f"service/{cluster.name}/{name}"),
        cluster,
        service_rules.desired_count(request.get("desiredCount"), 0),
        configuration,
        service_rules.grace(request, balanced, 0),
        tags_of(request.get("tags")),
        options,
        dict(request),
        now(),
        state.root,
    )


def deploy(state: EcsState, service: Service, definition: TaskDefinition, placement: Placement) -> Deployment:
    """Start a deployment of a new revision; one in progress ends."""
    base = f"{service.cluster.name}/{service.name}"
    breaker.supersede(service)
    revision = Revision(state.arn(f"service-revision/{base}/{names.digits()}"), definition, placement, now())
    record = ServiceDeployment(
        state.arn(f"service-deployment/{base}/{names.service_deployment_id()}"),
        revision,
        _sources(service),
        dict(service.configuration),
        now(),
        service.desired,
        updated_at=now(),
    )
    made = Deployment(f"ecs-svc/{names.digits()}", revision, record, now(), now())
    made.reason = texts.in_progress(made.id)
    service.deployments.insert(0, made)
    service.history.insert(0, record)
    service.restart_counting()
    return made


def _sources(service: Service) -> tuple[Revision, ...]:
    seen = [
        one.revision for one in service.deployments if service.of(one.revision) or one is service.last_good
    ]
    return tuple(seen)


def update(state: EcsState, request: Mapping[str, Any]) -> dict[str, Any]:
    """UpdateService: starts a deployment only when the revision changes, or when forced."""
    service_rules.check_supported(request)
    service = find(state, request.get("cluster"), request["service"])
    if service.status != "ACTIVE":
        raise AwsError("ServiceNotActiveException", "Service was not ACTIVE.")
    newest = service.primary.revision
    definition = newest.definition
    if request.get("taskDefinition"):
        definition = task_definitions.find_active(state, request["taskDefinition"])
    enabled = request.get("enableExecuteCommand")
    kept = service.options["enableExecuteCommand"] if enabled is None else enabled
    service_rules.check_exec(bool(kept), definition, "updated")
    placement = _changed_placement(state, request, service.cluster, newest.placement, definition)
    _change_settings(request, service, placement)
    if request.get("forceNewDeployment") or (definition, placement) != (newest.definition, newest.placement):
        deploy(state, service, definition, placement)
    return {"service": views.service(state, service, ("TAGS",))}


def _changed_placement(
    state: EcsState,
    request: Mapping[str, Any],
    cluster: Cluster,
    before: Placement,
    definition: TaskDefinition,
) -> Placement:
    made = before
    if "FARGATE" not in definition.body["compatibilities"]:
        raise invalid("Task definition does not support launch_type FARGATE.")
    if request.get("networkConfiguration"):
        made = replace(made, network=network.awsvpc(state, request))
    if request.get("capacityProviderStrategy") is not None:
        strategy = service_rules.strategy(request["capacityProviderStrategy"], cluster)
        made = replace(made, strategy=strategy, launch_type=None if strategy else "FARGATE")
    if request.get("platformVersion"):
        made = replace(made, platform_version=service_rules.platform_version(request["platformVersion"]))
    if not any(request.get(member) is not None for member in DEPLOYED):
        return made
    given = request.get("loadBalancers")
    balancers = made.load_balancers if given is None else given
    return replace(made, load_balancers=network.target_groups(state, balancers, definition, made.network))


def _change_settings(request: Mapping[str, Any], service: Service, placement: Placement) -> None:
    """Change the settings; everything is validated before any change."""
    configuration = service_rules.configuration(request.get("deploymentConfiguration"), service.configuration)
    grace = service_rules.grace(request, bool(placement.load_balancers), service.grace)
    desired = service_rules.desired_count(request.get("desiredCount"), service.desired)
    options = {name: request[name] for name in OPTIONS if request.get(name) is not None}
    options["availabilityZoneRebalancing"] = service_rules.rebalancing(
        request.get("availabilityZoneRebalancing"),
        configuration,
        service.options["availabilityZoneRebalancing"],
    )
    if desired != service.desired:
        service.primary.updated_at = now()
        service.primary.record.requested = desired
    service.configuration, service.grace, service.desired = configuration, grace, desired
    service.options |= options


def delete(state: EcsState, request: Mapping[str, Any]) -> dict[str, Any]:
    """DeleteService: DRAINING until its tasks have stopped, then INACTIVE."""
    service = find(state, request.get("cluster"), request["service"])
    if service.status == "INACTIVE":
        raise AwsError("ServiceNotFoundException", "Service not found.")
    if service.status == "ACTIVE" and not request.get("force"):
        if service.desired > 0:
            raise invalid("The service cannot be stopped while it is scaled above 0.")
        if len(service.deployments) > 1:
            raise invalid("The service cannot be stopped while deployments are active.")
    service.status, service.desired = "DRAINING", 0
    return {"service": views.service(state, service, ("TAGS",))}


def describe(state: EcsState, request: Mapping[str, Any]) -> dict[str, Any]:
    """DescribeServices: at most 10; missing ones are failures."""
    cluster = clusters.find(state, request.get("cluster"))
    requested = request.get("services") or []
    if not requested:
        raise invalid("Services cannot be empty.")
    if len(requested) > 10:
        raise invalid("Services cannot have more than 10 elements.")
    found, failures = [], []
    for given in dict.fromkeys(requested):
        service = state.services.get((cluster.name, names.last_part(given)))
        if service is None:
            arn = given if given.startswith("arn:") else state.arn(f"service/{cluster.name}/{given}")
            failures.append({"arn": arn, "reason": "MISSING"})
        else:
            found.append(views.service(state, service, request.get("include") or ()))
    return {"services": found, "failures": failures}


def list_arns(state: EcsState, request: Mapping[str, Any]) -> dict[str, Any]:
    """ListServices: without INACTIVE ones; 10 per page by default."""
    cluster = clusters.find(state, request.get("cluster"))
    launch_type = request.get("launchType")
    found = [
        one.arn
        for one in state.services.values()
        if one.cluster is cluster
        and one.status != "INACTIVE"
        and launch_type in (None, one.primary.revision.placement.launch_type)
    ]
    arns, more = page(found, {"maxResults": 10, **request})
    return {"serviceArns": arns, **more}


def find(state: EcsState, cluster: str | None, given: str) -> Service:
    """A service by name or ARN; ServiceNotFoundException."""
    if given.startswith("arn:") and given.count("/") == 2 and cluster is None:
        cluster = given.split("/")[1]
    found = state.services.get((clusters.find(state, cluster).name, names.last_part(given)))
    if found is None:
        raise AwsError("ServiceNotFoundException", "Service not found.")
    return found
