"""Operations on distributions: create, update, disable, delete; every change is asynchronous.

Sources: API Reference ("CreateDistribution", "UpdateDistribution", "DeleteDistribution"); codes and limits are those
of botocore's model.
"""

from __future__ import annotations

import time
from typing import Any

from ..moto.adapter import AwsError
from .answers import Request, check_tags, check_version, page, tag_list, tags_of
from .configuration import check, completed
from .edge import Edge
from .model import CloudFrontState, Config, Distribution, Entity, new_id

DEPLOYING = 180.0
"""AWS seconds until a change is deployed to every edge location; "a few minutes"; 184 to 223 s in three logs of
Terraform."""

KNOWN_AFTER = 0.5
"""The fraction of that time after which edge locations serve the change here; not verified."""

MOST = 500
HELD = (
    "Your account must be verified before you can add new CloudFront resources. To verify your account, please contact "
    "AWS Support (https://console.aws.amazon.com/support/home#/) and include this error message."
)
NOT_THERE = "The specified distribution does not exist."
NOT_DISABLED = "The distribution you are trying to delete has not been disabled."
REUSED = (
    "The caller reference that you are using to create a distribution is associated with another distribution. "
    "Already exists: {}"
)
NO_RESOURCE = "A resource that was specified is not valid."


def create(edge: Edge, state: CloudFrontState, request: Request) -> dict[str, Any]:
    """CreateDistribution."""
    return _create(edge, state, request["DistributionConfig"], {})


def create_with_tags(edge: Edge, state: CloudFrontState, request: Request) -> dict[str, Any]:
    """CreateDistributionWithTags."""
    given = request["DistributionConfigWithTags"]
    return _create(edge, state, given["DistributionConfig"], tags_of(given.get("Tags")))


def _create(edge: Edge, state: CloudFrontState, given: Config, tags: dict[str, str]) -> dict[str, Any]:
    if edge.is_held:
        raise AwsError("AccessDenied", HELD)
    for each in state.distributions.values():
        if each.config["CallerReference"] == given["CallerReference"]:
            raise AwsError("DistributionAlreadyExists", REUSED.format(each.id))
    config = completed(given)
    check(state, config, edge.others())
    if len(state.distributions) >= MOST:
        message = (
            "Processing your request would cause you to exceed the maximum number of distributions allowed."
        )
        raise AwsError("TooManyDistributions", message)
    id, deployed_at = new_id("E", 13), edge.deployed_at(DEPLOYING)
    made = Distribution(
        id=id,
        arn=f"arn:aws:cloudfront::{state.account}:distribution/{id}",
        account=state.account,
        config=config,
        tags=tags,
        deployed_at=deployed_at,
        domain_name=edge.open(id, state.account),
        served=[(_known_at(deployed_at), config)],
    )
    state.distributions[id] = made
    return {**_whole(made), "Location": f"https://cloudfront.amazonaws.com/2020-05-31/distribution/{id}"}


def get(edge: Edge, state: CloudFrontState, request: Request) -> dict[str, Any]:
    """GetDistribution."""
    return _whole(find(state, request))


def get_config(edge: Edge, state: CloudFrontState, request: Request) -> dict[str, Any]:
    """GetDistributionConfig."""
    found = find(state, request)
    return {"DistributionConfig": found.config, "ETag": found.etag}


def update(edge: Edge, state: CloudFrontState, request: Request) -> dict[str, Any]:
    """UpdateDistribution: replaces the complete configuration."""
    found = find(state, request)
    check_version(found, request.get("IfMatch"))
    config = completed(request["DistributionConfig"])
    if config["CallerReference"] != found.config["CallerReference"]:
        raise AwsError("IllegalUpdate", "The update contains modifications that are not allowed.")
    check(state, config, edge.others(found))
    return change(edge, found, config)


def change(edge: Edge, found: Distribution, config: Config) -> dict[str, Any]:
    """Replace a distribution's configuration; the answer to UpdateDistribution."""
    found.change(config, edge.deployed_at(DEPLOYING))
    found.served.append((_known_at(found.deployed_at), config))
    return _whole(found)


def _known_at(deployed_at: float) -> float:
    """When edge locations serve a change that is made now and deployed at ``deployed_at`` (``time.monotonic``)."""
    now = time.monotonic()
    return now + (deployed_at - now) * KNOWN_AFTER


def delete(edge: Edge, state: CloudFrontState, request: Request) -> dict[str, Any]:
    """DeleteDistribution: for a distribution that is disabled and deployed."""
    found = find(state, request)
    check_version(found, request.get("IfMatch"))
    if found.config["Enabled"] or not found.is_deployed:
        raise AwsError("DistributionNotDisabled", NOT_DISABLED)
    del state.distributions[found.id]
    edge.shut(found.id)
    return {}


def list_summaries(edge: Edge, state: CloudFrontState, request: Request) -> dict[str, Any]:
    """ListDistributions, without tags."""
    items = [_summary(each) for each in state.distributions.values()]
    return {"DistributionList": page(items, request.get("Marker"), request.get("MaxItems"))}


def associate_web_acl(edge: Edge, state: CloudFrontState, request: Request) -> dict[str, Any]:
    """AssociateDistributionWebACL: changes one member instead of the complete configuration."""
    return _set_web_acl(edge, state, request, request["WebACLArn"])


def disassociate_web_acl(edge: Edge, state: CloudFrontState, request: Request) -> dict[str, Any]:
    """DisassociateDistributionWebACL."""
    return _set_web_acl(edge, state, request, "")


def _set_web_acl(edge: Edge, state: CloudFrontState, request: Request, arn: str) -> dict[str, Any]:
    found = state.distributions.get(request["Id"])
    if found is None:
        raise AwsError("EntityNotFound", "The entity was not found.")
    check_version(found, request.get("IfMatch") or found.etag)
    config = {**found.config, "WebACLId": arn}
    check(state, config, edge.others(found))
    change(edge, found, config)
    return {"Id": found.id, "ETag": found.etag, **({"WebACLArn": arn} if arn else {})}


def tag(edge: Edge, state: CloudFrontState, request: Request) -> dict[str, Any]:
    """TagResource."""
    found = _resource(state, request)
    tags = {**found.tags, **tags_of(request["Tags"])}
    check_tags(tags)
    found.tags = tags
    return {}


def untag(edge: Edge, state: CloudFrontState, request: Request) -> dict[str, Any]:
    """UntagResource."""
    found = _resource(state, request)
    keys = request["TagKeys"].get("Items") or []
    found.tags = {key: value for key, value in found.tags.items() if key not in keys}
    return {}


def list_tags(edge: Edge, state: CloudFrontState, request: Request) -> dict[str, Any]:
    """ListTagsForResource."""
    return {"Tags": tag_list(_resource(state, request).tags)}


def _resource(state: CloudFrontState, request: Request) -> Entity:
    found = state.entity(request["Resource"])
    if found is None:
        raise AwsError("NoSuchResource", NO_RESOURCE)
    return found


def find(state: CloudFrontState, request: Request) -> Distribution:
    """The request's distribution, or NoSuchDistribution."""
    found = state.distributions.get(request["Id"])
    if found is None:
        raise AwsError("NoSuchDistribution", NOT_THERE)
    return found


def _whole(found: Distribution) -> dict[str, Any]:
    nobody = {"Enabled": False, "Quantity": 0}
    shown = {
        "Id": found.id,
        "ARN": found.arn,
        "Status": found.status,
        "LastModifiedTime": found.modified,
        "InProgressInvalidationBatches": 0,
        "DomainName": found.domain_name,
        "ActiveTrustedSigners": nobody,
        "ActiveTrustedKeyGroups": nobody,
        "DistributionConfig": found.config,
        "AliasICPRecordals": [
            {"CNAME": name, "ICPRecordalStatus": "APPROVED"}
            for name in found.config["Aliases"].get("Items") or ()
        ],
    }
    return {"Distribution": shown, "ETag": found.etag}


_SUMMARY = (
    *("Aliases", "Origins", "OriginGroups", "DefaultCacheBehavior", "CacheBehaviors", "CustomErrorResponses"),
    *("Comment", "PriceClass", "Enabled", "ViewerCertificate", "Restrictions", "WebACLId", "HttpVersion"),
    *("IsIPV6Enabled", "Staging"),
)


def _summary(found: Distribution) -> dict[str, Any]:
    return {
        "Id": found.id,
        "ARN": found.arn,
        "ETag": found.etag,
        "Status": found.status,
        "LastModifiedTime": found.modified,
        "DomainName": found.domain_name,
        **{name: found.config[name] for name in _SUMMARY},
    }
