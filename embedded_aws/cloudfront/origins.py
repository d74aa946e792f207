"""VPC origins, which connect CloudFront to internal load balancers.

Sources: Developer Guide, "Restrict access with VPC origins"; API Reference, "CreateVpcOrigin", "DeleteVpcOrigin";
codes are those of botocore's model.
"""

from __future__ import annotations

import string
from typing import Any

from ..ec2.reachability import has_internet_gateway
from ..iam.access.stored import ensure_linked_role
from ..moto import adapter
from ..moto.adapter import AwsError
from .answers import Request, check_version, invalid, page, tags_of
from .configuration import NO_VPC_ORIGIN
from .edge import Edge
from .model import CloudFrontState, VpcOrigin, new_id

DEPLOYING = 180.0
"""AWS seconds until an origin is Deployed, changed or deleted; "up to 15 minutes"; usual times are not verified."""

MOST = 25
LINKED = "vpcorigin.cloudfront.amazonaws.com"
TAKEN = "The entity already exists. You must provide a unique entity."
LIMIT = "The entity limit has been exceeded."
IN_USE = "The specified VPC origin is currently associated with one or more distributions."
NOT_UPDATED = "The VPC origin is currently associated with one or more distributions."
NOT_YET = "{} is not allowed for this vpc origin."


def create(edge: Edge, state: CloudFrontState, request: Request) -> dict[str, Any]:
    """CreateVpcOrigin."""
    config = request["VpcOriginEndpointConfig"]
    tags = tags_of(request.get("Tags"))
    if any(each.config["Name"] == config["Name"] for each in state.vpc_origins.values()):
        raise AwsError("EntityAlreadyExists", TAKEN)
    if len(state.vpc_origins) >= MOST:
        raise AwsError("EntityLimitExceeded", LIMIT)
    balancer = _balancer(edge, state.account, config)
    ensure_linked_role(state.account, LINKED)
    id = new_id("vo_", 22, string.ascii_letters + string.digits)
    made = VpcOrigin(
        id=id,
        arn=f"arn:aws:cloudfront::{state.account}:vpcorigin/{id}",
        account=state.account,
        config=_completed(config),
        tags=tags,
        deployed_at=edge.deployed_at(DEPLOYING),
        failed=edge.fails_vpc_origins,
        vpc=balancer.vpc_id,
        region=config["Arn"].split(":")[3],
    )
    edge.connect(made, [subnet.id for subnet in balancer.subnets])
    state.vpc_origins[id] = made
    location = f"https://cloudfront.amazonaws.com/2020-05-31/vpc-origin/{id}"
    return {**_shown(made), "Location": location}


def get(edge: Edge, state: CloudFrontState, request: Request) -> dict[str, Any]:
    """GetVpcOrigin."""
    return _shown(_find(state, request))


def list_summaries(edge: Edge, state: CloudFrontState, request: Request) -> dict[str, Any]:
    """ListVpcOrigins."""
    items = [_summary(each) for each in state.vpc_origins.values()]
    return {"VpcOriginList": page(items, request.get("Marker"), request.get("MaxItems"))}


def update(edge: Edge, state: CloudFrontState, request: Request) -> dict[str, Any]:
    """UpdateVpcOrigin: for one that no distribution uses."""
    found = _at_rest(state, request, "Update", NOT_UPDATED)
    config = request["VpcOriginEndpointConfig"]
    others = (each for each in state.vpc_origins.values() if each is not found)
    if any(each.config["Name"] == config["Name"] for each in others):
        raise AwsError("EntityAlreadyExists", TAKEN)
    balancer = _balancer(edge, state.account, config)
    if balancer.vpc_id != found.vpc or config["Arn"].split(":")[3] != found.region:
        raise invalid("The resource is in another VPC.")  # not verified; (own words)
    if config["Arn"] != found.endpoint:
        edge.disconnect(found)
        edge.connect(found, [subnet.id for subnet in balancer.subnets])
    found.failed = edge.fails_vpc_origins
    found.change(_completed(config), edge.deployed_at(DEPLOYING))
    return _shown(found)


def delete(edge: Edge, state: CloudFrontState, request: Request) -> dict[str, Any]:
    """DeleteVpcOrigin: asynchronous; the origin is Deploying until it is deleted."""
    found = _at_rest(state, request, "Delete", IN_USE)
    found.deleting = True
    found.change(found.config, edge.deployed_at(DEPLOYING))
    return _shown(found)


def list_distributions(edge: Edge, state: CloudFrontState, request: Request) -> dict[str, Any]:
    """ListDistributionsByVpcOriginId: returns ids only."""
    id = request["VpcOriginId"]
    if id not in state.vpc_origins:
        raise AwsError("EntityNotFound", NO_VPC_ORIGIN)
    users = [each.id for each in state.distributions.values() if each.uses(id)]
    return {"DistributionIdList": page(users, request.get("Marker"), request.get("MaxItems"))}


def _find(state: CloudFrontState, request: Request) -> VpcOrigin:
    found = state.vpc_origins.get(request["Id"])
    if found is None:
        raise AwsError("EntityNotFound", NO_VPC_ORIGIN)
    return found


def _at_rest(state: CloudFrontState, request: Request, action: str, in_use: str) -> VpcOrigin:
    """The origin, if its version matches, it is Deployed and no distribution uses it; else the action's AwsError."""
    found = _find(state, request)
    check_version(found, request.get("IfMatch"))
    if any(each.uses(found.id) for each in state.distributions.values()):
        raise AwsError(f"Cannot{action}EntityWhileInUse", in_use)
    if not found.is_deployed:
        raise AwsError(f"Illegal{action}", NOT_YET.format(action.lower()))
    return found


def _balancer(edge: Edge, account: str, config: Any) -> Any:
    """The origin's load balancer. The checks are those of AWS's page; texts are (own words)."""
    protocols = config.get("OriginSslProtocols")
    if protocols and protocols["Quantity"] != len(protocols.get("Items") or ()):
        message = "The value of Quantity and the size of Items don't match."
        raise invalid(message, "InconsistentQuantities")
    arn = config["Arn"]
    parts = arn.split(":")
    if len(parts) < 6 or parts[2] != "elasticloadbalancing" or parts[4] != account:
        raise invalid("The Arn is not that of an Application Load Balancer of this account.")
    found = adapter.elbv2_backends[account][parts[3]].load_balancers.get(arn)
    if found is None:
        raise invalid(f"The resource {arn} does not exist.")
    if not edge.balancer.is_active(arn):
        raise invalid(f"The resource {arn} is not active.")
    if not has_internet_gateway(account, parts[3], found.vpc_id):
        raise invalid(f"The VPC {found.vpc_id} does not have an internet gateway.")
    return found


def _completed(config: Any) -> dict[str, Any]:
    protocols = config.get("OriginSslProtocols") or {"Quantity": 1, "Items": ["TLSv1.2"]}
    kind = config.get("IpAddressType") or "ipv4"
    return {**config, "OriginSslProtocols": protocols, "IpAddressType": kind}


def _shown(origin: VpcOrigin) -> dict[str, Any]:
    shown = {
        "Id": origin.id,
        "Arn": origin.arn,
        "AccountId": origin.account,
        "Status": origin.status,
        "CreatedTime": origin.created,
        "LastModifiedTime": origin.modified,
        "VpcOriginEndpointConfig": origin.config,
    }
    return {"VpcOrigin": shown, "ETag": origin.etag}


def _summary(origin: VpcOrigin) -> dict[str, Any]:
    return {
        "Id": origin.id,
        "Name": origin.config["Name"],
        "Status": origin.status,
        "CreatedTime": origin.created,
        "LastModifiedTime": origin.modified,
        "Arn": origin.arn,
        "AccountId": origin.account,
        "OriginEndpointArn": origin.endpoint,
        "IpAddressType": origin.config["IpAddressType"],
    }
