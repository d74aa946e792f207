"""Says which subnets cannot be used for a Fargate service behind a load balancer, and why. Pure.

Sources: Amazon ECS Developer Guide, "Amazon ECS clusters in Local Zones, Wavelength Zones, and AWS Outposts"
(Fargate runs in none of them) and "Supported Regions for Amazon ECS on AWS Fargate" (zones by id, since names
differ from account to account); CloudFront Developer Guide, "Restrict access with VPC origins"; Elastic Load
Balancing, CreateLoadBalancer ("at least 8 available IP addresses per subnet"); EC2 API Reference, SubnetState,
AvailabilityZone and BlockPublicAccessStates.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

BALANCER_ADDRESSES = 8
_ZONE_TYPES = {"local-zone": "Local Zone", "wavelength-zone": "Wavelength Zone"}
# Regions in which Fargate supports only some of the zones.
_FARGATE_ZONES: Mapping[str, frozenset[str]] = {
    "ap-northeast-1": frozenset({"apne1-az1", "apne1-az2", "apne1-az4"}),
    "cn-north-1": frozenset({"cnn1-az1", "cnn1-az2"}),
    "us-west-1": frozenset({"usw1-az1", "usw1-az3"}),
}
# States of a subnet in which nothing is created in it (EC2, SubnetState); one that is "unavailable" was available.
_NOT_MADE = {
    "pending": "EC2 has not made it yet (pending)",
    "failed": "EC2 could not provision it (failed)",
    "failed-insufficient-capacity": "EC2 could not provision it (failed-insufficient-capacity)",
}
# States of a zone in which tasks may not start (EC2, AvailabilityZoneState); "information" is a message only.
_WEAK = frozenset({"constrained", "impaired", "unavailable"})
_NO_VPC_ORIGINS = frozenset({"apne1-az3", "apne2-az1", "cac1-az3", "use1-az3", "usw1-az2"})


def impossible(subnet: Mapping[str, Any], zone_type: str) -> str:
    """Why no task can run in a subnet in any configuration; empty where one can."""
    if arn := subnet.get("OutpostArn"):
        return f"it is on the Outpost {arn.rpartition('/')[2]}, where Fargate does not run"
    if why := _NOT_MADE.get(subnet.get("State", "")):
        return why
    if subnet.get("Ipv6Native"):
        return "it has IPv6 addresses only, and the load balancer connects to tasks by IPv4"
    if zone_type in _ZONE_TYPES:
        return (
            f"it is in the {_ZONE_TYPES[zone_type]} {subnet['AvailabilityZone']}, where Fargate does not run"
        )
    return ""


def weak(subnet: Mapping[str, Any], zone_state: str) -> str:
    """Why tasks may not start in a subnet for now; empty in a sound one. It passes: what is there stays there."""
    if zone_state in _WEAK:
        return f"its zone {subnet['AvailabilityZone']} is {zone_state}"
    return "it is unavailable" if subnet.get("State") == "unavailable" else ""


def blocked(subnet: Mapping[str, Any], public: bool) -> str:
    """Why traffic of the internet does not pass in a subnet; ``public``: by an internet gateway, else by NAT, outwards.

    "block-ingress" allows "traffic to and from NAT gateways and egress-only internet gateways".
    """
    mode = subnet.get("BlockPublicAccessStates", {}).get("InternetGatewayBlockMode", "off")
    if mode == "block-bidirectional" or (public and mode == "block-ingress"):
        return f"VPC Block Public Access ({mode}) blocks its traffic"
    return ""


def without_fargate(subnet: Mapping[str, Any], region: str) -> str:
    """Why Fargate should not be available in a subnet's zone; AWS may have added zones to its list since."""
    zone = subnet.get("AvailabilityZoneId", "")
    if region not in _FARGATE_ZONES or zone in _FARGATE_ZONES[region]:
        return ""
    return f"Fargate is not in its zone {zone} ({', '.join(sorted(_FARGATE_ZONES[region]))} have it)"


def without_vpc_origins(subnet: Mapping[str, Any]) -> str:
    """Why CloudFront reaches nothing in a subnet; the list is AWS's, and may be shorter by now."""
    zone = subnet.get("AvailabilityZoneId", "")
    if zone not in _NO_VPC_ORIGINS:
        return ""
    return f"CloudFront's VPC origins are not in its zone {zone} ({', '.join(sorted(_NO_VPC_ORIGINS))} have none)"


def free_addresses(subnet: Mapping[str, Any]) -> int:
    """The number of free addresses in a subnet; more than enough where EC2 does not return it."""
    return int(subnet.get("AvailableIpAddressCount", 2**16))
