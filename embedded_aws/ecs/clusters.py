"""Operations on clusters: create, describe, list, update, delete."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ..moto.adapter import AwsError
from . import account_settings, service_role, texts
from .answers import invalid, page, tag_list, tags_of
from .model import Cluster, EcsState
from .names import last_part

NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9_-]{0,254}$")
PROVIDERS = ("FARGATE", "FARGATE_SPOT")
ECHOED = (
    "settings",
    "configuration",
    "capacityProviders",
    "defaultCapacityProviderStrategy",
    "serviceConnectDefaults",
)


def create(state: EcsState, request: Mapping[str, Any]) -> dict[str, Any]:
    """CreateCluster: returns an existing ACTIVE cluster of the name."""
    name = request.get("clusterName") or "default"
    if not NAME.match(name):
        raise invalid(
            "Invalid identifier: Identifier is for cluster. Your cluster name contains invalid characters."
        )
    _check_providers(request.get("capacityProviders"), request.get("defaultCapacityProviderStrategy"))
    service_role.ensure(state.account)
    if service_role.exists(state.account) and not service_role.assumable(state.plane, state.account):
        raise invalid(texts.NO_SERVICE_ROLE)
    found = state.clusters.get(name)
    if found is None or found.status != "ACTIVE":
        insights = {
            "name": "containerInsights",
            "value": account_settings.value_of(state, "containerInsights"),
        }
        given = {"settings": [insights]}
        given |= {member: request[member] for member in ECHOED if request.get(member)}
        found = Cluster(name, state.arn(f"cluster/{name}"), given, tags_of(request.get("tags")))
        state.clusters[name] = found
    return {"cluster": view(state, found, ("SETTINGS", "TAGS"))}


def _check_providers(providers: list[str] | None, strategy: list[dict[str, Any]] | None) -> None:
    for name in providers or ():
        if name not in PROVIDERS:
            raise invalid(f"The specified capacity provider '{name}' was not found.")
    check_associated(strategy or (), providers)


def check_associated(strategy: Sequence[Mapping[str, Any]], providers: Collection[str] | None) -> None:
    """Raise InvalidParameterException for a strategy with a provider that is not associated with the cluster."""
    if any(item["capacityProvider"] not in (providers or ()) for item in strategy):
        raise invalid(
            "The specified capacity provider strategy cannot contain a capacity provider that is not associated with "
            "the cluster. Associate the capacity provider with the cluster and try again."
        )


def describe(state: EcsState, request: Mapping[str, Any]) -> dict[str, Any]:
    """DescribeClusters: missing ones are failures, not errors."""
    requested = request.get("clusters") or ["default"]
    if len(requested) > 100:
        raise invalid("Clusters cannot have more than 100 elements.")
    include = tuple(request.get("include") or ())
    found = [state.clusters[last_part(name)] for name in requested if last_part(name) in state.clusters]
    missing = [last_part(name) for name in requested if last_part(name) not in state.clusters]
    return {
        "clusters": [view(state, cluster, include) for cluster in found],
        "failures": [{"arn": state.arn(f"cluster/{name}"), "reason": "MISSING"} for name in missing],
    }


def list_arns(state: EcsState, request: Mapping[str, Any]) -> dict[str, Any]:
    """ListClusters: ACTIVE ones."""
    arns, more = page([one.arn for one in state.clusters.values() if one.status == "ACTIVE"], request)
    return {"clusterArns": arns, **more}


def update(state: EcsState, request: Mapping[str, Any]) -> dict[str, Any]:
    """UpdateCluster and UpdateClusterSettings: replaces the given members."""
    cluster = active(state, request["cluster"])
    cluster.settings |= {member: request[member] for member in ECHOED if request.get(member) is not None}
    return {"cluster": view(state, cluster, ("SETTINGS", "CONFIGURATIONS", "TAGS"))}


def put_providers(state: EcsState, request: Mapping[str, Any]) -> dict[str, Any]:
    """PutClusterCapacityProviders: replaces the lists; a provider in use cannot be removed."""
    cluster = active(state, request["cluster"])
    providers, default = request["capacityProviders"], request["defaultCapacityProviderStrategy"]
    _check_providers(providers, default)
    used = {
        item["capacityProvider"]
        for one in state.services.values()
        if one.cluster is cluster and one.status == "ACTIVE"
        for item in one.primary.revision.placement.strategy
    }
    if used - set(providers):
        message = "The specified capacity provider is in use and cannot be removed."  # (own words)
        raise AwsError("ResourceInUseException", message)
    cluster.settings |= {"capacityProviders": providers, "defaultCapacityProviderStrategy": default}
    return {"cluster": view(state, cluster, ("SETTINGS", "TAGS"))}


def delete(state: EcsState, request: Mapping[str, Any]) -> dict[str, Any]:
    """DeleteCluster: refused while it has services or tasks; the cluster is then INACTIVE."""
    cluster = find(state, request["cluster"])
    services = [one for one in state.services.values() if one.cluster is cluster and one.status != "INACTIVE"]
    if services:
        message = "The Cluster cannot be deleted while Services are active."
        raise AwsError("ClusterContainsServicesException", message)
    if any(task.cluster is cluster and task.last_status != "STOPPED" for task in state.tasks.values()):
        message = "The Cluster cannot be deleted while Tasks are active."
        raise AwsError("ClusterContainsTasksException", message)
    cluster.status = "INACTIVE"
    return {"cluster": view(state, cluster, ())}


def find(state: EcsState, given: str | None) -> Cluster:
    """A cluster by name or ARN, by default ``default``; ClusterNotFoundException."""
    found = state.clusters.get(last_part(given or "default"))
    if found is None:
        raise AwsError("ClusterNotFoundException", "Cluster not found.")
    return found


def active(state: EcsState, given: str | None) -> Cluster:
    """The same, with ClusterNotFoundException for an INACTIVE cluster."""
    found = find(state, given)
    if found.status != "ACTIVE":
        raise AwsError("ClusterNotFoundException", "Cluster not found.")
    return found


def view(state: EcsState, cluster: Cluster, include: tuple[str, ...]) -> dict[str, Any]:
    """A cluster in the shape of DescribeClusters; settings, configuration and tags only when included."""
    tasks = [task for task in state.tasks.values() if task.cluster is cluster]
    services = [one for one in state.services.values() if one.cluster is cluster and one.status == "ACTIVE"]
    settings = cluster.settings["settings"]
    return {
        "clusterArn": cluster.arn,
        "clusterName": cluster.name,
        "status": cluster.status,
        "registeredContainerInstancesCount": 0,
        "runningTasksCount": sum(task.last_status == "RUNNING" for task in tasks),
        "pendingTasksCount": sum(
            task.last_status in ("PROVISIONING", "PENDING", "ACTIVATING") for task in tasks
        ),
        "activeServicesCount": len(services),
        "statistics": [],
        "tags": tag_list(cluster.tags) if "TAGS" in include else [],
        "settings": settings if "SETTINGS" in include else [],
        "capacityProviders": cluster.settings.get("capacityProviders", []),
        "defaultCapacityProviderStrategy": cluster.settings.get("defaultCapacityProviderStrategy", []),
        **_extras(cluster, include),
    }


def _extras(cluster: Cluster, include: tuple[str, ...]) -> dict[str, Any]:
    names = ("configuration",) if "CONFIGURATIONS" in include else ()
    return {
        name: cluster.settings[name]
        for name in (*names, "serviceConnectDefaults")
        if name in cluster.settings
    }


def providers(state: EcsState, request: Mapping[str, Any]) -> dict[str, Any]:
    """DescribeCapacityProviders: Fargate's two, without tags."""
    names = [last_part(name) for name in request.get("capacityProviders") or PROVIDERS]
    found = [name for name in names if name in PROVIDERS]
    return {
        "capacityProviders": [
            {
                "capacityProviderArn": state.arn(f"capacity-provider/{name}"),
                "name": name,
                "status": "ACTIVE",
                "tags": [],
            }
            for name in found
        ],
        "failures": [
            {"arn": state.arn(f"capacity-provider/{name}"), "reason": "MISSING"}
            for name in names
            if name not in PROVIDERS
        ],
    }
