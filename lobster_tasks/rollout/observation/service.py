"""Reads the service, its task definition, and the identity of its deployment of a revision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ...account import CLUSTER_NOT_FOUND, describe_service, find_task_definition
from ...aws import Aws
from ...definition import container_of
from ...errors import AwsCallError, NotReadyError
from ...stack import NO_RELEASE
from ..cause_code import CauseCode
from .snapshot import Deployment, Rollout, Service, TargetGroup


def active_service(aws: Aws, cluster: str, service: str) -> dict[str, Any]:
    """The service in the shape of DescribeServices; NotReadyError where it does not exist or is not ACTIVE."""
    try:
        found = describe_service(aws, cluster, service, f"service {service}")
    except AwsCallError as refused:
        if refused.code != CLUSTER_NOT_FOUND:
            raise
        raise _no_service(f"There is no cluster {cluster} in {aws.region}.") from refused
    if found is None or found["status"] == "INACTIVE":
        raise _no_service(f"There is no service {service} in {cluster}.")
    if found["status"] != "ACTIVE":
        raise NotReadyError(
            f"The service {service} is {found['status']}.",
            "it is being deleted, which ends when its last task has stopped",
            "wait until it is deleted, then inv setup-fargate",
            code=CauseCode.SERVICE_GONE,
        )
    return found


def _no_service(what: str) -> NotReadyError:
    return NotReadyError(what, next_step="inv setup-fargate", code=CauseCode.SERVICE_GONE)


def rollout_of(cluster: str, service: Mapping[str, Any], revision: str) -> Rollout:
    """The identity of the deployment of ``revision`` of a service, as described."""
    deployments = Service.of(service).deployments
    of_revision = [each for each in deployments if each.task_definition == revision]
    ours = min(of_revision, key=lambda each: each.status != "PRIMARY", default=None)
    return Rollout(
        cluster,
        service["serviceName"],
        revision,
        previous=_other_than(revision, deployments),
        deployment=ours.id if ours else None,
        started=ours is not None and ours.rollout == "IN_PROGRESS",
        created_at=ours.created_at if ours else None,
        target_groups=TargetGroup.all_of(service),
    )


def by_revision(rollout: Rollout) -> Rollout:
    """The rollout of a revision as it runs, whoever started its tasks and whatever the last record says."""
    return replace(rollout, started=False, recorded=False)


def image_of(aws: Aws, task_definition: str, container: str) -> str | None:
    """The image of a container (its name), or of the first one, in a registered task definition."""
    found = find_task_definition(aws, task_definition)
    return container_of(found or {}, container).get("image")


def _other_than(revision: str, deployments: tuple[Deployment, ...]) -> str | None:
    return next((each.task_definition for each in deployments if each.task_definition != revision), None)


def is_no_release(definition: Mapping[str, Any]) -> bool:
    """Whether a definition is that of a service without a release."""
    images = [each.get("image", "") for each in definition.get("containerDefinitions", [])]
    return any(image.endswith(f":{NO_RELEASE}") for image in images)
