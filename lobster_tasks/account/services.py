"""Reads ECS services."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..aws import Aws
from ..errors import AwsCallError

CLUSTER_NOT_FOUND = "ClusterNotFoundException"
_A_CALL = 10  # services per DescribeServices


def describe_services(
    aws: Aws, cluster: str, services: Sequence[str], about: str = "", *, tags: bool = False
) -> list[dict[str, Any]]:
    """DescribeServices of names or ARNs, with their tags if ``tags``; services that do not exist are left out.

    ``about`` names the resource for people. Raises AwsCallError, with ``CLUSTER_NOT_FOUND`` without the cluster.
    """
    batches = [services[start : start + _A_CALL] for start in range(0, len(services), _A_CALL)]
    include = {"include": ["TAGS"]} if tags else {}
    answers = [
        aws.call("ecs:DescribeServices", about, cluster=cluster, services=list(each), **include)
        for each in batches
    ]
    return [each for answer in answers for each in answer["services"]]


def describe_service(
    aws: Aws, cluster: str, service: str, about: str = "", *, tags: bool = False
) -> dict[str, Any] | None:
    """One service, whatever its status: a deleted one stays INACTIVE for a while. Raises as ``describe_services``."""
    return next(iter(describe_services(aws, cluster, [service], about, tags=tags)), None)


def is_at_rest(service: Mapping[str, Any]) -> bool:
    """Whether its one deployment is completed, so that none is in progress."""
    return [each.get("rolloutState") for each in service.get("deployments", [])] == ["COMPLETED"]


def find_service(aws: Aws, cluster: str, service: str, about: str = "") -> dict[str, Any] | None:
    """As ``describe_service``, but None where the cluster does not exist."""
    try:
        return describe_service(aws, cluster, service, about)
    except AwsCallError as refused:
        if refused.code != CLUSTER_NOT_FOUND:
            raise
        return None
