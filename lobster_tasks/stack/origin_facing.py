"""The sources of CloudFront's requests to a VPC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ..aws import Aws
from ..errors import RefusedError
from .resource import Attributes, Live, LiveResources, Resource

CLOUDFRONT = "CloudFront"
PREFIX_LIST = "com.amazonaws.global.cloudfront.origin-facing"
SERVICE_GROUP = "CloudFront-VPCOrigins-Service-SG"


@dataclass(frozen=True)
class OriginFacing(Resource):
    """The managed prefix list of CloudFront's addresses; its live id is the list's. It is only read.

    A VPC with a VPC origin also has a security group of CloudFront's own: ``raw["peers"]`` contains the ids of both,
    ``raw["group"]`` that of the group, or "". ("Restrict access with VPC origins", "Locations and IP address ranges of
    CloudFront edge servers")
    """

    kind: ClassVar[str] = "prefix-list"
    taggable: ClassVar[bool] = False
    network: Resource

    def read(self, aws: Aws, known: LiveResources) -> Live | None:
        """DescribeManagedPrefixLists and DescribeSecurityGroups; RefusedError where there is no such list."""
        named = [{"Name": "prefix-list-name", "Values": [self.name]}]
        lists = aws.pages("ec2:DescribeManagedPrefixLists", "PrefixLists", self.label, Filters=named)
        if not lists:
            raise RefusedError(
                f"There is no prefix list {self.name} in {aws.region}.",
                "without it CloudFront cannot be allowed to reach the load balancer",
                "set front.kind: none, or choose another region",
            )
        id, group = lists[0]["PrefixListId"], service_group(aws, known[self.network].id)
        return Live(id, {}, self.tags, {"group": group, "peers": [each for each in (id, group) if each]})

    def desired(self, known: LiveResources) -> Attributes:
        """Nothing: both belong to AWS."""
        return {}

    def create(self, aws: Aws, known: LiveResources) -> Live:
        """Never called: ``read`` either finds it or refuses."""
        raise AssertionError("the prefix list is AWS's")

    def update(self, aws: Aws, live: Live, changed: frozenset[str], known: LiveResources) -> Live:
        """Does nothing: there is nothing to change."""
        return live

    def delete(self, aws: Aws, live: Live) -> None:
        """Does nothing: AWS owns it."""

    def tag(self, aws: Aws, live: Live, tags: Mapping[str, str]) -> None:
        """Does nothing: AWS owns it."""

    def untag(self, aws: Aws, live: Live, names: tuple[str, ...]) -> None:
        """Does nothing: it is never tagged."""


def service_group(aws: Aws, vpc: str) -> str:
    """The id of CloudFront's own security group in a VPC; "" where there is none."""
    filters: list[dict[str, Any]] = [
        {"Name": "group-name", "Values": [SERVICE_GROUP]},
        {"Name": "vpc-id", "Values": [vpc]},
    ]
    groups = aws.pages("ec2:DescribeSecurityGroups", "SecurityGroups", SERVICE_GROUP, Filters=filters)
    return str(groups[0]["GroupId"]) if groups else ""
