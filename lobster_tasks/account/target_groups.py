"""Reads target groups of Elastic Load Balancing and the health of their targets."""

from __future__ import annotations

from typing import Any

from ..aws import Aws
from ..errors import AwsCallError

_ABSENT = ("TargetGroupNotFound",)


def find_target_group(aws: Aws, about: str, *, arn: str = "", name: str = "") -> dict[str, Any] | None:
    """DescribeTargetGroups by ARN, or else by name; ``about`` names it for people."""
    chosen = {"TargetGroupArns": [arn]} if arn else {"Names": [name]}
    answer = aws.find("elbv2:DescribeTargetGroups", _ABSENT, about, **chosen)
    return next(iter(answer["TargetGroups"]), None) if answer else None


def describe_target_health(aws: Aws, arn: str, about: str = "") -> list[dict[str, Any]]:
    """DescribeTargetHealth of a target group (ARN): its TargetHealthDescriptions."""
    answer = aws.call("elbv2:DescribeTargetHealth", about or arn, TargetGroupArn=arn)
    return list(answer["TargetHealthDescriptions"])


def find_target_health(aws: Aws, arn: str, about: str = "") -> list[dict[str, Any]] | None:
    """As ``describe_target_health``, but None where the target group does not exist."""
    try:
        return describe_target_health(aws, arn, about)
    except AwsCallError as refused:
        if refused.code not in _ABSENT:
            raise
        return None
