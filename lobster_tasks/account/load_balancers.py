"""Finds out which of its two names the stack's load balancer has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..aws import Aws
from ..denials import ACCESS_DENIED
from ..errors import AwsCallError
from ..settings import ADOPTED_TAG, STACK_TAG, Settings

Balancer = Mapping[str, Any]


def with_live_names(aws: Aws, settings: Settings, *, replacing: bool = False) -> Settings:
    """The settings with the names of the stack's load balancer in the account.

    A load balancer whose scheme has to change is replaced by one with the other names. Where both exist, the one with
    the settings' scheme is meant. ``replacing``: also where that one does not exist yet, and the stack has created the
    one with another scheme.
    """
    section = settings.load_balancer
    listed = aws.pages("elbv2:DescribeLoadBalancers", "LoadBalancers", "the load balancers")
    by_name = {each["LoadBalancerName"]: each for each in listed}
    first, second = by_name.get(section.name), by_name.get(section.other.name)
    scheme = "internal" if settings.is_internal else "internet-facing"
    if _is_second(aws, settings, scheme, first, second, replacing):
        return settings.model_copy(update={"load_balancer": section.swapped()})
    return settings


def _is_second(
    aws: Aws,
    settings: Settings,
    scheme: str,
    first: Balancer | None,
    second: Balancer | None,
    replacing: bool,
) -> bool:
    if first and first["Scheme"] == scheme:
        return False
    second_is_ours = second is not None and _is_ours(aws, settings, second)
    if second and second_is_ours and second["Scheme"] == scheme:
        return True
    if first:
        return replacing and not second_is_ours and _is_ours(aws, settings, first)
    return second_is_ours and not replacing


def _is_ours(aws: Aws, settings: Settings, balancer: Balancer) -> bool:
    """Whether the stack has created it; taken for granted where its tags must not be read."""
    arn = balancer["LoadBalancerArn"]
    try:
        told = aws.call("elbv2:DescribeTags", balancer["LoadBalancerName"], ResourceArns=[arn])
    except AwsCallError as refused:
        if refused.code not in ACCESS_DENIED:
            raise
        return True
    tags = {each["Key"]: each["Value"] for one in told["TagDescriptions"] for each in one["Tags"]}
    return tags.get(STACK_TAG) == settings.name and ADOPTED_TAG not in tags
