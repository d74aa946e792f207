"""Finds the tags of existing resources."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from . import stored

Tags = Mapping[str, str]
TagsOf = Callable[[str, str, str], Tags]
"""Returns a resource's tags by account, region and ARN; empty where it does not exist."""

GlobalTagsOf = Callable[[str, str], Tags]
"""The same for a global service, by account and ARN."""


class ResourceTags:
    """Finds the tags of any service's resources; ``ecs`` and ``cloudfront`` do so for those outside moto."""

    def __init__(self, ecs: TagsOf, cloudfront: GlobalTagsOf) -> None:
        self._ecs = ecs
        self._cloudfront = cloudfront

    def of(self, account: str, region: str, arn: str) -> Tags:
        """A resource's tags by ARN; empty where it does not exist."""
        service = arn.split(":")[2] if arn.startswith("arn:") else ""
        if service == "ecs":
            return self._ecs(account, region, arn)
        if service == "cloudfront":
            return self._cloudfront(account, arn)
        if service == "ec2":
            return stored.ec2_tags(account, region, arn.rpartition("/")[2])
        if service == "elasticloadbalancing":
            return stored.elb_tags(account, region, arn)
        if service == "acm":
            return stored.certificate_tags(account, region, arn)
        if service == "application-autoscaling":
            return stored.scalable_target_tags(account, region, arn)
        return stored.role_tags(account, arn) if service == "iam" else {}
