"""The tags of what is there already."""

from __future__ import annotations

from collections.abc import Mapping

from ...ecs import tagging
from ...kernel.world import current
from ...moto.moto_door import AwsError
from . import stored


def tags_of(account: str, region: str, arn: str) -> Mapping[str, str]:
    """By ARN; empty for what is not there."""
    service = arn.split(":")[2] if arn.startswith("arn:") else ""
    if service == "ecs":
        return _of_ecs(account, region, arn)
    if service == "ec2":
        return stored.ec2_tags(account, region, arn.rpartition("/")[2])
    if service == "elasticloadbalancing":
        return stored.elb_tags(account, region, arn)
    if service == "acm":
        return stored.certificate_tags(account, region, arn)
    if service == "application-autoscaling":
        return stored.scalable_target_tags(account, region, arn)
    return stored.role_tags(account, arn) if service == "iam" else {}


def _of_ecs(account: str, region: str, arn: str) -> Mapping[str, str]:
    world = current()
    with world.lock:
        try:
            return dict(tagging.tags_of_arn(world.fargate.room(account, region), arn))
        except AwsError:
            return {}
