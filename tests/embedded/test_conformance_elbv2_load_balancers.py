"""Load balancers in the API.

Quotes are from the Elastic Load Balancing API reference (2015-12-01) unless they name another source.
"""

from __future__ import annotations

import socket
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.embedded.balanced import Balanced
from tests.embedded_process import eventually


def create(balanced: Balanced, **settings: Any) -> Any:
    """CreateLoadBalancer with some settings changed; None leaves one out."""
    given = {"Name": "lb", "Subnets": balanced.subnets, "SecurityGroups": [balanced.outer]} | settings
    given = {key: value for key, value in given.items() if value is not None}
    return balanced.elb.create_load_balancer(**given)["LoadBalancers"][0]


def error_of(call: Any, **given: Any) -> tuple[str, str]:
    """The code and message of a refusal."""
    with pytest.raises(ClientError) as refused:
        call(**given)
    error = refused.value.response["Error"]
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    return error["Code"], error["Message"]


def describe(balanced: Balanced, **given: Any) -> list[Any]:
    """DescribeLoadBalancers."""
    found: list[Any] = balanced.elb.describe_load_balancers(**given)["LoadBalancers"]
    return found


# Creation


def test_what_creation_answers(balanced: Balanced) -> None:
    """CreateLoadBalancer: the ARN has the name and 16 hexadecimal digits; the zone id is the region's
    ("Elastic Load Balancing endpoints and quotas"); the DNS name is where it answers.
    """
    made = create(balanced, Name="new", Tags=[{"Key": "a", "Value": "b"}])
    start, _, digits = made["LoadBalancerArn"].rpartition("/")
    assert start == "arn:aws:elasticloadbalancing:us-east-2:123456789012:loadbalancer/app/new"
    assert len(digits) == 16
    assert made["CanonicalHostedZoneId"] == "Z3AADJGX6KTTL2"
    assert made["DNSName"].startswith("127.0.0.1:")
    assert (made["Scheme"], made["Type"], made["IpAddressType"]) == ("internet-facing", "application", "ipv4")
    assert (made["VpcId"], made["SecurityGroups"]) == (balanced.vpc, [balanced.outer])
    zones = [(one["ZoneName"], one["SubnetId"]) for one in made["AvailabilityZones"]]
    assert zones == list(zip(("us-east-2a", "us-east-2b"), balanced.subnets, strict=True))
    (described,) = describe(balanced, Names=["new"])
    assert described["CreatedTime"] == made["CreatedTime"]


def test_it_is_provisioning_and_then_active(balanced: Balanced) -> None:
    """LoadBalancerState.Code: "The initial state of the load balancer is provisioning. After the load balancer is
    fully set up and ready to route traffic, its state is active."
    """
    assert create(balanced, Name="new")["State"] == {"Code": "provisioning"}
    assert describe(balanced, Names=["new"])[0]["State"] == {"Code": "provisioning"}
    eventually(lambda: describe(balanced, Names=["new"])[0]["State"] == {"Code": "active"})


def test_what_is_active_takes_connections(balanced: Balanced) -> None:
    """ "After the load balancer is fully set up and ready to route traffic, its state is active": not before."""
    made = [create(balanced, Name=f"new-{number}") for number in range(6)]
    for one in made:
        balanced.elb.create_listener(
            LoadBalancerArn=one["LoadBalancerArn"],
            Protocol="HTTP",
            Port=80,
            DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}],
        )
    names = [one["LoadBalancerName"] for one in made]
    while names:
        active = [one for one in describe(balanced, Names=names) if one["State"]["Code"] == "active"]
        for one in active:
            host, _, port = one["DNSName"].partition(":")
            with socket.socket() as asked:
                assert asked.connect_ex((host, int(port))) == 0
            names.remove(one["LoadBalancerName"])


def test_the_same_again_is_the_same_one(balanced: Balanced) -> None:
    """ "If you attempt to create multiple load balancers with the same settings, each call succeeds." """
    again = create(balanced, Subnets=balanced.subnets[::-1])
    assert again["LoadBalancerArn"] == balanced.arn
    assert len(describe(balanced)) == 1


@pytest.mark.parametrize(
    "settings",
    [{"Scheme": "internal"}, {"SecurityGroups": None}, {"Tags": [{"Key": "a", "Value": "b"}]}],
    ids=["scheme", "security groups", "tags"],
)
def test_the_same_name_with_other_settings(balanced: Balanced, settings: dict[str, Any]) -> None:
    """DuplicateLoadBalancerName: "A load balancer with the specified name already exists." """
    assert error_of(lambda: create(balanced, **settings)) == (
        "DuplicateLoadBalancerName",
        "A load balancer with the same name 'lb' exists, but with different settings",
    )


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("a" * 33, "cannot be longer than '32' characters"),
        ("a_b", "can only contain characters that are alphanumeric characters and hyphens(-)"),
        ("-a", "cannot begin or end with '-'"),
        ("a-", "cannot begin or end with '-'"),
        ("internal-a", "cannot begin with 'internal-'"),
    ],
)
def test_names(balanced: Balanced, name: str, problem: str) -> None:
    """Name: "a maximum of 32 characters, must contain only alphanumeric characters or hyphens, must not begin or end
    with a hyphen, and must not begin with "internal-"."
    """
    error = error_of(lambda: create(balanced, Name=name))
    assert error == ("ValidationError", f"The load balancer name '{name}' {problem}")


def test_two_zones_are_needed(balanced: Balanced) -> None:
    """Subnets: "You must specify subnets from at least two Availability Zones." """
    text = "At least two subnets in two different Availability Zones must be specified"
    assert error_of(lambda: create(balanced, Name="new", Subnets=balanced.subnets[:1])) == (
        "ValidationError",
        text,
    )
    assert error_of(lambda: create(balanced, Name="new", Subnets=None)) == ("ValidationError", text)


def test_one_subnet_in_each_zone(balanced: Balanced) -> None:
    """Subnets: "You can specify only one subnet per Availability Zone." """
    made = balanced.ec2.create_subnet(
        VpcId=balanced.vpc, CidrBlock="172.31.200.0/24", AvailabilityZone="us-east-2a"
    )
    extra = made["Subnet"]["SubnetId"]
    assert error_of(lambda: create(balanced, Name="new", Subnets=[*balanced.subnets, extra])) == (
        "InvalidConfigurationRequest",
        "A load balancer cannot be attached to multiple subnets in the same Availability Zone",
    )


def test_unknown_subnets(balanced: Balanced) -> None:
    """SubnetNotFound: "The specified subnet does not exist." """
    subnets = [balanced.subnets[0], "subnet-00000000000000000"]
    assert error_of(lambda: create(balanced, Name="new", Subnets=subnets)) == (
        "SubnetNotFound",
        "The subnet ID 'subnet-00000000000000000' does not exist",
    )


def test_unknown_security_groups(balanced: Balanced) -> None:
    """InvalidConfigurationRequest, also for a group of another VPC."""
    problem = ("InvalidConfigurationRequest", "One or more security groups are invalid")
    elsewhere = balanced.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    foreign = balanced.ec2.create_security_group(GroupName="f", Description="f", VpcId=elsewhere)["GroupId"]
    for group in ("sg-00000000000000000", foreign):
        assert error_of(lambda group=group: create(balanced, Name="new", SecurityGroups=[group])) == problem


def test_without_security_groups_it_has_the_default_one(balanced: Balanced) -> None:
    """SecurityGroups: "the default security group for the VPC" if none is given."""
    groups = balanced.ec2.describe_security_groups(
        Filters=[{"Name": "group-name", "Values": ["default"]}, {"Name": "vpc-id", "Values": [balanced.vpc]}]
    )
    made = create(balanced, Name="new", SecurityGroups=None)
    assert made["SecurityGroups"] == [groups["SecurityGroups"][0]["GroupId"]]


def private_subnets(balanced: Balanced, bits: int = 24) -> list[str]:
    """Two subnets of a new VPC without internet gateway."""
    vpc = balanced.ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    return [
        balanced.ec2.create_subnet(
            VpcId=vpc, CidrBlock=f"10.9.{number}.0/{bits}", AvailabilityZone=f"us-east-2{zone}"
        )["Subnet"]["SubnetId"]
        for number, zone in enumerate("ab")
    ]


def test_an_internet_facing_one_needs_a_gateway(balanced: Balanced) -> None:
    """InvalidSubnet: "The specified subnet is out of available addresses" or not fit otherwise; an internal one may be
    in such a VPC.
    """
    subnets = private_subnets(balanced)
    code, message = error_of(lambda: create(balanced, Name="new", Subnets=subnets, SecurityGroups=None))
    assert (code, message.partition(" has ")[2]) == ("InvalidSubnet", "no internet gateway")
    assert create(balanced, Name="new", Subnets=subnets, SecurityGroups=None, Scheme="internal")


def test_subnets_need_room(balanced: Balanced) -> None:
    """ "Ensure that each subnet has at least eight available IP addresses" (Application Load Balancers guide)."""
    subnets = private_subnets(balanced, bits=28)
    assert create(balanced, Name="new", Subnets=subnets, SecurityGroups=None, Scheme="internal")
    for _ in range(3):
        balanced.ec2.create_network_interface(SubnetId=subnets[0])
    code, message = error_of(
        lambda: create(balanced, Name="more", Subnets=subnets, SecurityGroups=None, Scheme="internal")
    )
    assert (code, message.partition(". ELB ")[2]) == (
        "InvalidSubnet",
        "requires at least 8 free IP addresses in each subnet.",
    )


def test_only_application_load_balancers(balanced: Balanced) -> None:
    """What the embedded AWS does not have is refused, not pretended."""
    code, _ = error_of(lambda: create(balanced, Name="new", Type="network", SecurityGroups=None))
    assert code == "UnsupportedOperation"


# Description and deletion


def test_descriptions_by_name_and_arn(balanced: Balanced) -> None:
    """DescribeLoadBalancers: LoadBalancerNotFound for what is not there."""
    assert [one["LoadBalancerArn"] for one in describe(balanced, Names=["lb"])] == [balanced.arn]
    assert [one["LoadBalancerName"] for one in describe(balanced, LoadBalancerArns=[balanced.arn])] == ["lb"]
    assert error_of(balanced.elb.describe_load_balancers, Names=["lb", "nope"]) == (
        "LoadBalancerNotFound",
        "Load balancers '[nope]' not found",
    )
    arn = f"{balanced.arn}0"
    code, _ = error_of(balanced.elb.describe_load_balancers, LoadBalancerArns=[arn])
    assert code == "LoadBalancerNotFound"


def test_descriptions_come_in_pages(balanced: Balanced) -> None:
    """PageSize and Marker."""
    for name in ("b", "c"):
        create(balanced, Name=name)
    pages = balanced.elb.get_paginator("describe_load_balancers").paginate(PaginationConfig={"PageSize": 2})
    names = [[one["LoadBalancerName"] for one in page["LoadBalancers"]] for page in pages]
    assert names == [["lb", "b"], ["c"]]


def test_deletion(balanced: Balanced) -> None:
    """DeleteLoadBalancer: "also deletes its listeners"; "if the load balancer does not exist or has already been
    deleted, the call succeeds"; its target groups stay.
    """
    for _ in range(2):
        balanced.elb.delete_load_balancer(LoadBalancerArn=balanced.arn)
    assert describe(balanced) == []
    code, _ = error_of(balanced.elb.describe_listeners, ListenerArns=[balanced.listener])
    assert code == "ListenerNotFound"
    (group,) = balanced.elb.describe_target_groups()["TargetGroups"]
    assert group["LoadBalancerArns"] == []


def test_deletion_protection(balanced: Balanced) -> None:
    """OperationNotPermitted, while deletion_protection.enabled is true."""
    balanced.set_balancer(deletion_protection__enabled="true")
    assert error_of(balanced.elb.delete_load_balancer, LoadBalancerArn=balanced.arn) == (
        "OperationNotPermitted",
        f"Load balancer '{balanced.arn}' cannot be deleted because deletion protection is enabled",
    )
    balanced.set_balancer(deletion_protection__enabled="false")
    balanced.elb.delete_load_balancer(LoadBalancerArn=balanced.arn)


def test_a_waiter_sees_it_come_and_go(balanced: Balanced) -> None:
    """The SDK's waiters LoadBalancerAvailable and LoadBalancersDeleted."""
    quickly = {"Delay": 1, "MaxAttempts": 20}
    balanced.elb.get_waiter("load_balancer_available").wait(Names=["lb"], WaiterConfig=quickly)
    balanced.elb.delete_load_balancer(LoadBalancerArn=balanced.arn)
    waiter = balanced.elb.get_waiter("load_balancers_deleted")
    waiter.wait(LoadBalancerArns=[balanced.arn], WaiterConfig=quickly)


# Network interfaces


def interfaces(balanced: Balanced) -> list[Any]:
    """The load balancer's network interfaces."""
    description = "ELB " + balanced.arn.partition("loadbalancer/")[2]
    filters = [{"Name": "description", "Values": [description]}]
    found: list[Any] = balanced.ec2.describe_network_interfaces(Filters=filters)["NetworkInterfaces"]
    return found


def test_it_has_a_network_interface_in_each_subnet(balanced: Balanced) -> None:
    """ "ELB app/<name>/<id>" is what their description says (Application Load Balancers guide)."""
    found = interfaces(balanced)
    assert {one["SubnetId"] for one in found} == set(balanced.subnets)
    assert all(one["Status"] == "in-use" and one["RequesterManaged"] for one in found)
    assert all([group["GroupId"] for group in one["Groups"]] == [balanced.outer] for one in found)
    assert all(one["Association"]["PublicIp"] for one in found)


def test_an_internal_one_has_no_public_addresses(balanced: Balanced) -> None:
    """Scheme internal: "The nodes of an internal load balancer have only private IP addresses." """
    balanced.balancer = create(balanced, Name="inside", Scheme="internal")
    found = interfaces(balanced)
    assert len(found) == 2
    assert not any("Association" in one for one in found)


def test_they_stay_for_a_while_after_deletion(balanced: Balanced) -> None:
    """A deleted load balancer's interfaces are released some time later; until then its security group and subnets
    cannot be deleted: DependencyViolation.
    """
    balanced.ec2.delete_security_group(GroupId=balanced.inner)
    balanced.elb.delete_load_balancer(LoadBalancerArn=balanced.arn)
    assert len(interfaces(balanced)) == 2
    code, _ = error_of(balanced.ec2.delete_security_group, GroupId=balanced.outer)
    assert code == "DependencyViolation"
    eventually(lambda: not interfaces(balanced))
    balanced.ec2.delete_security_group(GroupId=balanced.outer)


def test_security_groups_may_be_exchanged(balanced: Balanced) -> None:
    """SetSecurityGroups: "The specified security groups override the previously associated security groups." """
    answer = balanced.elb.set_security_groups(LoadBalancerArn=balanced.arn, SecurityGroups=[balanced.inner])
    assert answer["SecurityGroupIds"] == [balanced.inner]
    assert describe(balanced)[0]["SecurityGroups"] == [balanced.inner]
    assert {group["GroupId"] for one in interfaces(balanced) for group in one["Groups"]} == {balanced.inner}
    code, _ = error_of(
        balanced.elb.set_security_groups, LoadBalancerArn=balanced.arn, SecurityGroups=["sg-00000000"]
    )
    assert code == "InvalidConfigurationRequest"


def test_subnets_may_be_exchanged(balanced: Balanced) -> None:
    """SetSubnets: "Enables the Availability Zones for the specified public subnets ... The specified subnets replace
    the previously enabled subnets."
    """
    every = balanced.ec2.describe_subnets()["Subnets"]
    third = next(one["SubnetId"] for one in every if one["SubnetId"] not in balanced.subnets)
    subnets = [balanced.subnets[1], third]
    answer = balanced.elb.set_subnets(LoadBalancerArn=balanced.arn, Subnets=subnets)
    assert [one["SubnetId"] for one in answer["AvailabilityZones"]] == subnets
    assert [one["SubnetId"] for one in describe(balanced)[0]["AvailabilityZones"]] == subnets
    assert {one["SubnetId"] for one in interfaces(balanced)} == set(subnets)


def test_the_address_type_may_change(balanced: Balanced) -> None:
    """SetIpAddressType."""
    answer = balanced.elb.set_ip_address_type(LoadBalancerArn=balanced.arn, IpAddressType="dualstack")
    assert answer["IpAddressType"] == describe(balanced)[0]["IpAddressType"] == "dualstack"


# Attributes


def attributes(balanced: Balanced) -> dict[str, str]:
    """The load balancer's attributes."""
    found = balanced.elb.describe_load_balancer_attributes(LoadBalancerArn=balanced.arn)["Attributes"]
    return {one["Key"]: one["Value"] for one in found}


def test_first_attributes(balanced: Balanced) -> None:
    """LoadBalancerAttribute: what each is by default."""
    expected = {
        "access_logs.s3.enabled": "false",
        "access_logs.s3.bucket": "",
        "client_keep_alive.seconds": "3600",
        "deletion_protection.enabled": "false",
        "idle_timeout.timeout_seconds": "60",
        "load_balancing.cross_zone.enabled": "true",
        "routing.http.desync_mitigation_mode": "defensive",
        "routing.http.drop_invalid_header_fields.enabled": "false",
        "routing.http.preserve_host_header.enabled": "false",
        "routing.http.xff_header_processing.mode": "append",
        "routing.http2.enabled": "true",
        "waf.fail_open.enabled": "false",
        "zonal_shift.config.enabled": "false",
    }
    assert expected.items() <= attributes(balanced).items()


def test_attributes_may_change(balanced: Balanced) -> None:
    """ModifyLoadBalancerAttributes: "the attributes that you do not modify retain their current values"."""
    balanced.set_balancer(idle_timeout__timeout_seconds=4000)
    found = attributes(balanced)
    assert found["idle_timeout.timeout_seconds"] == "4000"
    assert found["routing.http2.enabled"] == "true"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"idle_timeout__timeout_seconds": "4001"},
            "'idle_timeout.timeout_seconds' value '4001' must be between '1-4000' inclusive",
        ),
        (
            {"client_keep_alive__seconds": "59"},
            "'client_keep_alive.seconds' value '59' must be between '60-604800' inclusive",
        ),
        (
            {"deletion_protection__enabled": "yes"},
            "'deletion_protection.enabled' value 'yes' must be one of [true, false]",
        ),
        ({"nonsense": "1"}, "Load balancer attribute key 'nonsense' is not recognized"),
    ],
)
def test_attributes_are_checked(balanced: Balanced, change: dict[str, str], message: str) -> None:
    """LoadBalancerAttribute: "The valid range is 1-4000 seconds", and so on; nothing is changed on an error."""
    before = attributes(balanced)
    assert error_of(lambda: balanced.set_balancer(**change)) == ("ValidationError", message)
    assert attributes(balanced) == before


# Tags


def tags(balanced: Balanced, arn: str) -> dict[str, str]:
    """A resource's tags."""
    (found,) = balanced.elb.describe_tags(ResourceArns=[arn])["TagDescriptions"]
    assert found["ResourceArn"] == arn
    return {one["Key"]: one["Value"] for one in found["Tags"]}


def test_tags(balanced: Balanced) -> None:
    """AddTags: "If a resource already has a tag with the same key, AddTags updates its value." """
    arn = create(balanced, Name="new", Tags=[{"Key": "a", "Value": "1"}])["LoadBalancerArn"]
    assert tags(balanced, arn) == {"a": "1"}
    added = [{"Key": "a", "Value": "2"}, {"Key": "b", "Value": ""}]
    balanced.elb.add_tags(ResourceArns=[arn], Tags=added)
    assert tags(balanced, arn) == {"a": "2", "b": ""}
    balanced.elb.remove_tags(ResourceArns=[arn], TagKeys=["a"])
    assert tags(balanced, arn) == {"b": ""}


def test_fifty_tags(balanced: Balanced) -> None:
    """ "Maximum number of tags per resource—50" (Application Load Balancers guide)."""
    for arn in (balanced.arn, balanced.target_group, balanced.listener):
        many = [{"Key": str(number), "Value": ""} for number in range(50)]
        balanced.elb.add_tags(ResourceArns=[arn], Tags=many)
        extra = {"ResourceArns": [arn], "Tags": [{"Key": "x", "Value": ""}]}
        assert error_of(balanced.elb.add_tags, **extra)[0] == "TooManyTags"


def test_tags_of_what_is_not_there(balanced: Balanced) -> None:
    """DescribeTags and AddTags: LoadBalancerNotFound, TargetGroupNotFound, ListenerNotFound, RuleNotFound."""
    rule = balanced.elb.describe_rules(ListenerArn=balanced.listener)["Rules"][0]["RuleArn"]
    codes = {
        balanced.arn: "LoadBalancerNotFound",
        balanced.target_group: "TargetGroupNotFound",
        balanced.listener: "ListenerNotFound",
        rule: "RuleNotFound",
    }
    for arn, code in codes.items():
        assert tags(balanced, arn) == {}
        assert error_of(balanced.elb.describe_tags, ResourceArns=[f"{arn}0"])[0] == code


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ([{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}], "DuplicateTagKeys"),
        ([{"Key": "aws:a", "Value": "1"}], "ValidationError"),
        ([{"Key": "a", "Value": "x" * 257}], "ValidationError"),
    ],
)
def test_tags_are_checked(balanced: Balanced, given: list[dict[str, str]], code: str) -> None:
    """DuplicateTagKeys: "A tag key was specified more than once."; "Do not use the aws: prefix"."""
    assert error_of(lambda: create(balanced, Name="new", Tags=given))[0] == code
    assert error_of(balanced.elb.add_tags, ResourceArns=[balanced.arn], Tags=given)[0] == code
