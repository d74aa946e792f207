"""The tags of what is there already."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from . import stored

Tags = Mapping[str, str]
TagsOf = Callable[[str, str, str], Tags]
"""The tags of something, by account, region and ARN; empty for what is not there."""

GlobalTagsOf = Callable[[str, str], Tags]
"""The same of a service that is in no region, by account and ARN."""


class ResourceTags:
    """Knows the tags of every service's resources; ``ecs`` and ``cloudfront`` those of what moto does not hold."""

    def __init__(self, ecs: TagsOf, cloudfront: GlobalTagsOf) -> None:
        self._ecs = ecs
        self._cloudfront = cloudfront

    def of(self, account: str, region: str, arn: str) -> Tags:
        """By ARN; empty for what is not there."""
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
