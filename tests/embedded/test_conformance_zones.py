"""Zones and subnets in which Fargate does not run, and what VPC Block Public Access keeps from subnets.

Sources: EC2 API Reference (DescribeAvailabilityZones, ModifyAvailabilityZoneGroup, CreateSubnet, Subnet); VPC User
Guide, "VPC Block Public Access basics".
"""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.embedded.ecs_stack import Stack
from tests.embedded.refusals import refused
from tests.embedded_process import EmbeddedProcess, eventually


def zones(ec2: Any, **asked: Any) -> dict[str, str]:
    """The types of the zones that are shown, by their names."""
    found = ec2.describe_availability_zones(**asked)["AvailabilityZones"]
    return {zone["ZoneName"]: zone["ZoneType"] for zone in found}


def vpc_of(ec2: Any) -> str:
    """The default VPC."""
    return str(ec2.describe_vpcs()["Vpcs"][0]["VpcId"])


def test_zones_of_other_types_are_shown_once_the_account_has_opted_in(aws: EmbeddedProcess) -> None:
    """AllAvailabilityZones: "Include all Availability Zones, Local Zones, and Wavelength Zones
    regardless of your opt-in status."; ZoneType: "availability-zone, local-zone, wavelength-zone".
    """
    ec2 = aws.client("ec2", "us-west-2")
    assert set(zones(ec2).values()) == {"availability-zone"}
    every = zones(ec2, AllAvailabilityZones=True)
    assert (every["us-west-2-lax-1a"], every["us-west-2-wl1-las-wlz-1"]) == ("local-zone", "wavelength-zone")
    with refused("InvalidParameterValue", "us-west-2-lax-1a"):
        ec2.create_subnet(VpcId=vpc_of(ec2), CidrBlock="172.31.200.0/24", AvailabilityZone="us-west-2-lax-1a")
    ec2.modify_availability_zone_group(GroupName="us-west-2-lax-1", OptInStatus="opted-in")
    (zone,) = ec2.describe_availability_zones(ZoneNames=["us-west-2-lax-1a"])["AvailabilityZones"]
    assert zone["OptInStatus"] == "opted-in"
    assert zone["ParentZoneName"] == "us-west-2b"
    made = ec2.create_subnet(
        VpcId=vpc_of(ec2), CidrBlock="172.31.200.0/24", AvailabilityZone="us-west-2-lax-1a"
    )["Subnet"]
    (shown,) = ec2.describe_subnets(SubnetIds=[made["SubnetId"]])["Subnets"]
    assert (shown["AvailabilityZone"], shown["AvailabilityZoneId"]) == ("us-west-2-lax-1a", "usw2-lax1-az1")


def test_a_subnet_on_an_outpost_says_so(client: Any) -> None:
    """Subnet, OutpostArn: "The Amazon Resource Name (ARN) of the Outpost"."""
    ec2, arn = client("ec2"), "arn:aws:outposts:us-east-2:123456789012:outpost/op-1234567890abcdef0"
    made = ec2.create_subnet(
        VpcId=vpc_of(ec2), CidrBlock="172.31.200.0/24", AvailabilityZone="us-east-2a", OutpostArn=arn
    )["Subnet"]
    shown = ec2.describe_subnets(SubnetIds=[made["SubnetId"]])["Subnets"]
    assert [made["OutpostArn"], shown[0]["OutpostArn"]] == [arn, arn]
    others = [each for each in ec2.describe_subnets()["Subnets"] if each["SubnetId"] != made["SubnetId"]]
    assert not any("OutpostArn" in each for each in others)


def test_an_ipv6_only_subnet_says_so(client: Any) -> None:
    """Subnet, Ipv6Native: "Indicates whether this is an IPv6 only subnet"."""
    ec2 = client("ec2")
    made = ec2.create_subnet(VpcId=vpc_of(ec2), Ipv6CidrBlock="2600:1f16:1:2::/64", Ipv6Native=True)["Subnet"]
    assert made["Ipv6Native"] is True


def test_nothing_is_blocked_at_first(client: Any) -> None:
    """DescribeVpcBlockPublicAccessOptions: State default-state, InternetGatewayBlockMode off."""
    options = client("ec2").describe_vpc_block_public_access_options()["VpcBlockPublicAccessOptions"]
    assert (options["State"], options["InternetGatewayBlockMode"]) == ("default-state", "off")
    assert (options["ManagedBy"], options["ExclusionsAllowed"]) == ("account", "allowed")


def test_a_block_is_shown_by_each_subnet_and_exclusions_leave_some_out(client: Any) -> None:
    """Subnet, BlockPublicAccessStates; CreateVpcBlockPublicAccessExclusion of a subnet, or of a VPC with it."""
    ec2 = client("ec2")
    ec2.modify_vpc_block_public_access_options(InternetGatewayBlockMode="block-bidirectional")
    options = ec2.describe_vpc_block_public_access_options()["VpcBlockPublicAccessOptions"]
    assert (options["State"], options["InternetGatewayBlockMode"]) == (
        "update-complete",
        "block-bidirectional",
    )

    def modes() -> list[str]:
        found = sorted(ec2.describe_subnets()["Subnets"], key=lambda each: each["SubnetId"])
        return [each["BlockPublicAccessStates"]["InternetGatewayBlockMode"] for each in found]

    assert modes() == ["block-bidirectional"] * 3
    first = min(each["SubnetId"] for each in ec2.describe_subnets()["Subnets"])
    made = ec2.create_vpc_block_public_access_exclusion(
        SubnetId=first, InternetGatewayExclusionMode="allow-bidirectional"
    )["VpcBlockPublicAccessExclusion"]
    assert made["ResourceArn"].endswith(f":subnet/{first}")
    assert modes() == ["off", "block-bidirectional", "block-bidirectional"]
    ec2.delete_vpc_block_public_access_exclusion(ExclusionId=made["ExclusionId"])
    ec2.create_vpc_block_public_access_exclusion(
        VpcId=vpc_of(ec2), InternetGatewayExclusionMode="allow-bidirectional"
    )
    assert modes() == ["off"] * 3
    assert len(ec2.describe_vpc_block_public_access_exclusions()["VpcBlockPublicAccessExclusions"]) == 1


@pytest.mark.parametrize("mode", ["block-bidirectional", "block-ingress"])
def test_a_blocked_load_balancer_answers_nobody(stack: Stack, mode: str) -> None:
    """ "Blocks all internet traffic to the VPCs": it vanishes, so that a client waits in vain; nothing was refused when
    the load balancer was made.
    """
    stack.service(stack.definition(), loadBalancers=stack.balanced)
    stack.completed()
    assert stack.get("/health").status_code == 200
    stack.ec2.modify_vpc_block_public_access_options(InternetGatewayBlockMode=mode)

    def vanishes() -> bool:
        try:
            requests.get(f"{stack.url}/health", timeout=0.5)
        except requests.Timeout:
            return True
        return False

    eventually(vanishes)
    stack.ec2.create_vpc_block_public_access_exclusion(
        VpcId=stack.vpc, InternetGatewayExclusionMode="allow-bidirectional"
    )
    eventually(lambda: not vanishes())


@pytest.mark.parametrize("mode", ["block-bidirectional", "block-ingress"])
def test_a_task_with_a_public_address_reaches_nothing_where_that_is_blocked(
    rapid_stack: Stack, mode: str
) -> None:
    """ "Only traffic to and from NAT gateways and egress-only internet gateways is allowed" at best."""
    rapid_stack.ec2.modify_vpc_block_public_access_options(InternetGatewayBlockMode=mode)
    task = rapid_stack.reaches(rapid_stack.run(rapid_stack.definition())["taskArn"], "STOPPED")
    assert "There is a connection issue between the task and Amazon ECR" in task["stoppedReason"]
