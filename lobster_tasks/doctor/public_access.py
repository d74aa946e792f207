"""Checks what VPC Block Public Access blocks for visitors and tasks. Pure.

Source: VPC User Guide, "VPC Block Public Access basics": blocked traffic is dropped without an answer, and creating a
resource is never refused. An exclusion of a VPC covers its subnets.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .check import CheckResult, failed, listed, passed
from .facts import Facts
from .network import default_routes
from .references import network_of

OFF, INGRESS, BOTH = "off", "block-ingress", "block-bidirectional"


def blocked(facts: Facts) -> CheckResult:
    """Visitors reach the load balancer, and tasks reach AWS, through the internet gateway."""
    access = facts.known("public_access")
    mode = access["InternetGatewayBlockMode"]
    if mode == OFF:
        return passed("VPC Block Public Access is off")
    vpc = facts.known("network")[0]["VpcId"]
    closed = [each for each in _balancers(facts) if effective(access, vpc, each) != OFF]
    lost = [each for each in _reaching_out(facts) if each[1] in _stopped(effective(access, vpc, each[0]))]
    told = [f"visitors do not reach the load balancer in {listed(closed)}"] if closed else []
    told += [f"tasks in {listed([subnet for subnet, _ in lost])} reach nothing outside"] if lost else []
    if not told:
        return passed(
            f"VPC Block Public Access ({mode}) excludes these subnets, or they need no internet gateway"
        )
    return failed(f"VPC Block Public Access ({mode}): {' and '.join(told)}", _mend(access, vpc))


def effective(access: Mapping[str, Any], vpc: str, subnet: str) -> str:
    """The mode that applies to a subnet after exclusions."""
    about = (f":vpc/{vpc}", f":subnet/{subnet}")
    modes = {mode for arn, mode in access["exclusions"].items() if arn.endswith(about)}
    if "allow-bidirectional" in modes:
        return OFF
    mode = str(access["InternetGatewayBlockMode"])
    return INGRESS if "allow-egress" in modes and mode == BOTH else mode


def _stopped(mode: str) -> tuple[str, ...]:
    """The ways out that a mode blocks; block-ingress allows a NAT gateway, which only lets traffic out."""
    return {OFF: (), INGRESS: ("igw",)}.get(mode, ("igw", "nat"))


def _balancers(facts: Facts) -> list[str]:
    """The subnets in which visitors must reach the load balancer; VPC origins are blocked too."""
    found, fronted = facts.known("load_balancer"), facts.settings.is_fronted
    if found is None:
        internal = facts.settings.load_balancer.internal and not fronted
        return [] if internal else [each["SubnetId"] for each in facts.known("network")]
    is_reached = fronted or found["Scheme"] == "internet-facing"
    zones = found["AvailabilityZones"] if is_reached else []
    return [zone["SubnetId"] for zone in zones]


def _reaching_out(facts: Facts) -> Iterable[tuple[str, str]]:
    """The tasks' subnets, each with its kind of way out: ``igw`` or ``nat``."""
    service = facts.known("service")
    public = (
        network_of(service).get("assignPublicIp") == "ENABLED" if service else facts.settings.network.public
    )
    for subnet, way in default_routes(facts).items():
        kind = way.partition("-")[0]
        if kind == "nat" or (kind == "igw" and public):
            yield subnet, kind


def _mend(access: Mapping[str, Any], vpc: str) -> str:
    if access.get("ExclusionsAllowed") == "not-allowed":
        return (
            "ask who manages the organization's declarative policy: this account cannot create an exclusion"
        )
    return (
        f"aws ec2 create-vpc-block-public-access-exclusion --vpc-id {vpc} "
        "--internet-gateway-exclusion-mode allow-bidirectional, if the account's administrator agrees"
    )
