"""Reads CloudFront's distributions and VPC origins, which belong to the whole account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..aws import Aws
from ..denials import ACCESS_DENIED
from ..errors import AwsCallError
from ..settings import REGION_TAG, STACK_TAG

_ABSENT = ("EntityNotFound", "NoSuchDistribution", "NoSuchResource")


@dataclass(frozen=True)
class Front:
    """What CloudFront has in front of a load balancer.

    ``vpc_origins`` are those that lead to it, as ListVpcOrigins returns them; ``distribution`` is the stack's, as
    GetDistribution returns it, None without one. ``unread`` is true where access is denied.
    """

    vpc_origins: tuple[Mapping[str, Any], ...] = ()
    distribution: Mapping[str, Any] | None = None
    unread: bool = False


def list_vpc_origins(aws: Aws, about: str = "the VPC origins") -> list[dict[str, Any]]:
    """ListVpcOrigins: the summary of each."""
    return _listed(aws, "cloudfront:ListVpcOrigins", "VpcOriginList", about)


def find_vpc_origin(aws: Aws, id: str, about: str = "") -> dict[str, Any] | None:
    """GetVpcOrigin, with the ETag of its version."""
    found = aws.find("cloudfront:GetVpcOrigin", _ABSENT, about or id, Id=id)
    return {**found["VpcOrigin"], "ETag": found["ETag"]} if found else None


def list_distributions(aws: Aws, about: str = "the distributions") -> list[dict[str, Any]]:
    """ListDistributions: the summary of each."""
    return _listed(aws, "cloudfront:ListDistributions", "DistributionList", about)


def distributions_of(aws: Aws, vpc_origin: str, about: str = "") -> list[str]:
    """ListDistributionsByVpcOriginId: the ids of the distributions that use a VPC origin (id); empty without it."""
    operation = "cloudfront:ListDistributionsByVpcOriginId"
    found = aws.find(operation, _ABSENT, about or vpc_origin, VpcOriginId=vpc_origin)
    return list(found["DistributionIdList"].get("Items", [])) if found else []


def find_distribution(aws: Aws, id: str, about: str = "") -> dict[str, Any] | None:
    """GetDistribution, with the ETag of its version."""
    found = aws.find("cloudfront:GetDistribution", _ABSENT, about or id, Id=id)
    return {**found["Distribution"], "ETag": found["ETag"]} if found else None


def aliases_of(config: Mapping[str, Any]) -> tuple[str, ...]:
    """The aliases of a DistributionConfig, or of a summary in ListDistributions."""
    return tuple(config.get("Aliases", {}).get("Items", []))


def hidden_errors(config: Mapping[str, Any], status: int = 200) -> tuple[int, ...]:
    """The errors that a distribution answers with a custom error page of this status, by its DistributionConfig."""
    listed = config.get("CustomErrorResponses", {}).get("Items", [])
    with_page = [each for each in listed if each.get("ResponsePagePath")]
    return tuple(each["ErrorCode"] for each in with_page if each.get("ResponseCode") == str(status))


def find_distribution_before(aws: Aws, load_balancer: str, stack: str) -> Mapping[str, Any] | None:
    """The stack's distribution that leads to a load balancer (ARN), as in ``find_front``; None where access is
    denied."""
    return find_front(aws, load_balancer, stack).distribution


def find_front(aws: Aws, load_balancer: str, stack: str) -> Front:
    """The VPC origins of a load balancer (ARN), and the stack's distribution that leads to it through one of them.

    Prefers the distribution with the stack's tags, then an enabled one. One with the tags of another stack, or of a
    stack in another region, is none.
    """
    try:
        origins = [each for each in list_vpc_origins(aws) if each["OriginEndpointArn"] == load_balancer]
        ids = dict.fromkeys(id for each in origins for id in distributions_of(aws, each["Id"]))
        found = [each for id in ids if (each := find_distribution(aws, id))]
    except AwsCallError as refused:
        if refused.code not in ACCESS_DENIED:
            raise
        return Front(unread=True)
    owners = [_owner(aws, each["ARN"]) for each in found]
    own = stack, load_balancer.split(":")[3]
    known = [(each, owner) for each, owner in zip(found, owners, strict=True) if owner in (own, None)]
    ranked = sorted(
        known, key=lambda one: (one[1] is None, not one[0]["DistributionConfig"]["Enabled"], one[0]["Id"])
    )
    return Front(tuple(origins), next((each for each, _ in ranked), None))


def _owner(aws: Aws, distribution: str) -> tuple[str, str] | None:
    """Stack and region in the tags of a distribution (ARN); None without them, and where access is denied."""
    try:
        tags = cloudfront_tags(aws, distribution) or {}
    except AwsCallError as refused:
        if refused.code not in ACCESS_DENIED:
            raise
        return None
    return (tags[STACK_TAG], tags.get(REGION_TAG, "")) if STACK_TAG in tags else None


def cloudfront_tags(aws: Aws, arn: str, about: str = "") -> dict[str, str] | None:
    """ListTagsForResource of a distribution or a VPC origin (ARN); None where it does not exist."""
    found = aws.find("cloudfront:ListTagsForResource", _ABSENT, about or arn, Resource=arn)
    if found is None:
        return None
    return {tag["Key"]: tag.get("Value", "") for tag in found["Tags"].get("Items", [])}


def _listed(aws: Aws, operation: str, member: str, about: str) -> list[dict[str, Any]]:
    """The items of all pages of a listing; CloudFront has its own pagination marker."""
    page = aws.call(operation, about)[member]
    items = list(page.get("Items", []))
    while page.get("NextMarker"):
        page = aws.call(operation, about, Marker=page["NextMarker"])[member]
        items += page.get("Items", [])
    return items
