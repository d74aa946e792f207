"""What EC2 says about networks, fact by fact (Amazon EC2 API Reference and its error codes)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from embedded_aws.ec2 import filters
from embedded_aws.moto.adapter import AwsError
from tests.embedded.ecs_stack import Stack
from tests.embedded_process import EmbeddedProcess, eventually

ABSENT = "0123456789abcdef0"
WEB = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
ALL_OUT = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}


@pytest.fixture
def ec2(client: Any) -> Any:
    """EC2 in us-east-2, where nothing but the default VPC exists."""
    return client("ec2")


@pytest.fixture
def vpc(ec2: Any) -> str:
    """The default VPC's id."""
    return str(ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"][0]["VpcId"])


@pytest.fixture
def other_vpc(ec2: Any) -> str:
    """The id of a VPC that is not the default one."""
    return str(ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"])


@pytest.fixture
def group(ec2: Any, vpc: str) -> Callable[..., str]:
    """``group("name")`` makes a security group and returns its id."""
    return lambda name, where=vpc: ec2.create_security_group(GroupName=name, Description="d", VpcId=where)[
        "GroupId"
    ]


def refused(call: Callable[..., Any], **parameters: Any) -> tuple[str, str]:
    """The code and message that a call is refused with."""
    with pytest.raises(ClientError) as error:
        call(**parameters)
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


@pytest.mark.parametrize("region", ["us-east-2", "eu-west-1"])
def test_every_region_has_a_default_vpc_with_public_subnets(aws: EmbeddedProcess, region: str) -> None:
    """'A default subnet in each Availability Zone … an internet gateway … a route … 0.0.0.0/0' (Default VPCs)."""
    ec2 = aws.client("ec2", region)
    (vpc,) = ec2.describe_vpcs(Filters=[{"Name": "isDefault", "Values": ["true"]}])["Vpcs"]
    assert vpc["CidrBlock"] == "172.31.0.0/16"
    subnets = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc["VpcId"]]}])["Subnets"]
    assert [one["AvailabilityZone"] for one in subnets] == [f"{region}{letter}" for letter in "abc"]
    assert all(one["MapPublicIpOnLaunch"] and one["DefaultForAz"] for one in subnets)
    (gateway,) = ec2.describe_internet_gateways()["InternetGateways"]
    assert gateway["Attachments"] == [{"State": "available", "VpcId": vpc["VpcId"]}]
    main = [{"Name": "association.main", "Values": ["true"]}, {"Name": "vpc-id", "Values": [vpc["VpcId"]]}]
    (table,) = ec2.describe_route_tables(Filters=main)["RouteTables"]
    routes = {route["DestinationCidrBlock"]: route["GatewayId"] for route in table["Routes"]}
    assert routes == {"172.31.0.0/16": "local", "0.0.0.0/0": gateway["InternetGatewayId"]}


@pytest.mark.parametrize("attribute", ["enableDnsSupport", "enableDnsHostnames"])
def test_the_default_vpc_has_dns(ec2: Any, vpc: str, attribute: str) -> None:
    """'Both attributes are set to true in a default VPC' (DNS attributes for your VPC)."""
    answer = ec2.describe_vpc_attribute(VpcId=vpc, Attribute=attribute)
    assert answer[attribute[0].upper() + attribute[1:]]["Value"] is True


def test_a_default_vpc_can_be_absent_and_made_again(ec2: Any, vpc: str) -> None:
    """DeleteVpc: 'You must detach or delete all gateways and resources'; CreateDefaultVpc makes all anew."""
    for subnet in ec2.describe_subnets()["Subnets"]:
        ec2.delete_subnet(SubnetId=subnet["SubnetId"])
    text = f"The vpc '{vpc}' has dependencies and cannot be deleted."
    assert refused(ec2.delete_vpc, VpcId=vpc) == ("DependencyViolation", text)
    gateway = ec2.describe_internet_gateways()["InternetGateways"][0]["InternetGatewayId"]
    ec2.detach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    ec2.delete_vpc(VpcId=vpc)
    default = [{"Name": "is-default", "Values": ["true"]}]
    assert ec2.describe_vpcs(Filters=default)["Vpcs"] == []
    code, _ = refused(ec2.create_security_group, GroupName="g", Description="d")
    assert code == "VPCIdNotSpecified"
    ec2.create_default_vpc()
    assert len(ec2.describe_vpcs(Filters=default)["Vpcs"]) == 1
    assert len(ec2.describe_subnets()["Subnets"]) == 3


def test_a_vpc_of_ones_own_has_a_main_route_table_without_the_internet(ec2: Any, other_vpc: str) -> None:
    """'The main route table … initially contains only a local route' (Route tables)."""
    here = [{"Name": "vpc-id", "Values": [other_vpc]}]
    (table,) = ec2.describe_route_tables(Filters=here)["RouteTables"]
    assert [route["GatewayId"] for route in table["Routes"]] == ["local"]
    assert table["Associations"][0]["Main"] is True


def test_route_tables_are_found_by_the_subnets_associated(ec2: Any, other_vpc: str) -> None:
    """Filter association.subnet-id (DescribeRouteTables); the implicit main association is not listed."""
    subnet = ec2.create_subnet(VpcId=other_vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    mine = [{"Name": "association.subnet-id", "Values": [subnet]}]
    assert ec2.describe_route_tables(Filters=mine)["RouteTables"] == []
    table = ec2.create_route_table(VpcId=other_vpc)["RouteTable"]["RouteTableId"]
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    assert [one["RouteTableId"] for one in ec2.describe_route_tables(Filters=mine)["RouteTables"]] == [table]


def test_zones_have_ids(ec2: Any) -> None:
    """ZoneId: 'The ID of the Availability Zone', the same place for every account (DescribeAvailabilityZones)."""
    zones = ec2.describe_availability_zones()["AvailabilityZones"]
    assert [zone["ZoneId"] for zone in zones] == ["use2-az1", "use2-az2", "use2-az3"]
    assert {(zone["State"], zone["OptInStatus"], zone["RegionName"]) for zone in zones} == {
        ("available", "opt-in-not-required", "us-east-2")
    }


UNKNOWN_IDS = [
    (
        "describe_vpcs",
        {"VpcIds": [f"vpc-{ABSENT}"]},
        "InvalidVpcID.NotFound",
        f"The vpc ID 'vpc-{ABSENT}' does not exist",
    ),
    (
        "describe_subnets",
        {"SubnetIds": [f"subnet-{ABSENT}"]},
        "InvalidSubnetID.NotFound",
        f"The subnet ID 'subnet-{ABSENT}' does not exist",
    ),
    (
        "describe_security_groups",
        {"GroupIds": [f"sg-{ABSENT}"]},
        "InvalidGroup.NotFound",
        f"The security group 'sg-{ABSENT}' does not exist",
    ),
    (
        "describe_security_groups",
        {"GroupIds": ["web"]},
        "InvalidGroupId.Malformed",
        'Invalid id: "web" (expecting "sg-...")',
    ),
    (
        "delete_security_group",
        {"GroupId": f"sg-{ABSENT}"},
        "InvalidGroup.NotFound",
        f"The security group 'sg-{ABSENT}' does not exist",
    ),
    (
        "authorize_security_group_ingress",
        {"GroupId": f"sg-{ABSENT}", "IpPermissions": [WEB]},
        "InvalidGroup.NotFound",
        f"The security group 'sg-{ABSENT}' does not exist",
    ),
    (
        "create_security_group",
        {"GroupName": "g", "Description": "d", "VpcId": f"vpc-{ABSENT}"},
        "InvalidVpcID.NotFound",
        f"The vpc ID 'vpc-{ABSENT}' does not exist",
    ),
    (
        "describe_route_tables",
        {"RouteTableIds": [f"rtb-{ABSENT}"]},
        "InvalidRouteTableID.NotFound",
        f"The routeTable ID 'rtb-{ABSENT}' does not exist",
    ),
    (
        "describe_network_interfaces",
        {"NetworkInterfaceIds": [f"eni-{ABSENT}"]},
        "InvalidNetworkInterfaceID.NotFound",
        f"The networkInterface ID 'eni-{ABSENT}' does not exist",
    ),
    (
        "create_tags",
        {"Resources": [f"sg-{ABSENT}"], "Tags": [{"Key": "a", "Value": "b"}]},
        "InvalidGroup.NotFound",
        f"The security group 'sg-{ABSENT}' does not exist",
    ),
]


@pytest.mark.parametrize(
    ("operation", "given", "code", "text"), UNKNOWN_IDS, ids=[f"{u[0]} {u[2]}" for u in UNKNOWN_IDS]
)
def test_an_unknown_id_is_refused(ec2: Any, operation: str, given: Any, code: str, text: str) -> None:
    """Invalid…ID.NotFound (Error codes for the Amazon EC2 API)."""
    assert refused(getattr(ec2, operation), **given) == (code, text)


def test_an_unknown_group_name_is_refused(ec2: Any, vpc: str) -> None:
    """GroupNames: '[Default VPC] The names of the security groups' (DescribeSecurityGroups)."""
    text = f"The security group 'web' does not exist in default VPC '{vpc}'"
    assert refused(ec2.describe_security_groups, GroupNames=["web"]) == ("InvalidGroup.NotFound", text)


def test_a_name_is_unique_in_its_vpc(ec2: Any, vpc: str, other_vpc: str, group: Callable[..., str]) -> None:
    """'You can't have two security groups for the same VPC with the same name' (CreateSecurityGroup)."""
    group("web")
    group("web", other_vpc)
    text = f"The security group 'web' already exists for VPC '{vpc}'"
    again = refused(ec2.create_security_group, GroupName="web", Description="other", VpcId=vpc)
    assert again == ("InvalidGroup.Duplicate", text)


@pytest.mark.parametrize("name", ["sg-web", "x" * 256, "a|b", "é", "default"])
def test_group_names_are_checked(ec2: Any, name: str) -> None:
    """'Up to 255 characters in length. Cannot start with sg-' and the character set (CreateSecurityGroup)."""
    code, _ = refused(ec2.create_security_group, GroupName=name, Description="d")
    assert code == "InvalidParameterValue"


def test_the_longest_name_of_all_characters_is_taken(ec2: Any) -> None:
    """'Valid characters: a-z, A-Z, 0-9, spaces, and ._-:/()#,@[]+=&;{}!$*' (CreateSecurityGroup)."""
    name = "aZ9 ._-:/()#,@[]+=&;{}!$*".ljust(255, "x")
    made = ec2.create_security_group(GroupName=name, Description=name)
    (found,) = ec2.describe_security_groups(GroupIds=[made["GroupId"]])["SecurityGroups"]
    assert (found["GroupName"], found["Description"]) == (name, name)


@pytest.mark.parametrize(
    ("description", "code"),
    [("", "MissingParameter"), ("x" * 256, "InvalidParameterValue"), ("für", "InvalidParameterValue")],
)
def test_descriptions_are_checked(ec2: Any, description: str, code: str) -> None:
    """Description is required, 'up to 255 characters in length', ASCII (CreateSecurityGroup)."""
    assert refused(ec2.create_security_group, GroupName="g", Description=description)[0] == code


def test_a_new_group_lets_everything_out_and_nothing_in(ec2: Any, group: Callable[..., str]) -> None:
    """'When you create a security group … an outbound rule that allows all IPv4 traffic' (Security groups)."""
    (made,) = ec2.describe_security_groups(GroupIds=[group("web")])["SecurityGroups"]
    (rule,) = made["IpPermissionsEgress"]
    assert (rule["IpProtocol"], rule["IpRanges"]) == ("-1", [{"CidrIp": "0.0.0.0/0"}])
    assert made["IpPermissions"] == []


def test_the_default_group_lets_in_what_is_in_it(ec2: Any, vpc: str) -> None:
    """'A default rule that grants instances unrestricted network access to each other' (CreateSecurityGroup)."""
    named = [{"Name": "group-name", "Values": ["default"]}, {"Name": "vpc-id", "Values": [vpc]}]
    (default,) = ec2.describe_security_groups(Filters=named)["SecurityGroups"]
    (rule,) = default["IpPermissions"]
    assert [pair["GroupId"] for pair in rule["UserIdGroupPairs"]] == [default["GroupId"]]


def test_tags_are_given_at_creation_and_found_by_filter(ec2: Any) -> None:
    """TagSpecifications (CreateSecurityGroup); filters tag:<key> and tag-key (DescribeSecurityGroups)."""
    tags = [{"Key": "lobster:stack", "Value": "x"}]
    made = ec2.create_security_group(
        GroupName="g", Description="d", TagSpecifications=[{"ResourceType": "security-group", "Tags": tags}]
    )
    for name, value in (("tag:lobster:stack", "x"), ("tag-key", "lobster:stack")):
        found = ec2.describe_security_groups(Filters=[{"Name": name, "Values": [value]}])["SecurityGroups"]
        assert [(one["GroupId"], one["Tags"]) for one in found] == [(made["GroupId"], tags)]
    none = [{"Name": "tag:lobster:stack", "Values": ["y"]}]
    assert ec2.describe_security_groups(Filters=none)["SecurityGroups"] == []


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("web-*", {"web-*", "web-a", "web-bc"}),
        ("web-?", {"web-*", "web-a"}),
        (r"web-\*", {"web-*"}),
        ("web", set()),
        ("WEB-A", set()),
    ],
)
def test_filter_values_have_wildcards(
    ec2: Any, group: Callable[..., str], value: str, found: set[str]
) -> None:
    """API Reference, DescribeSpotInstanceRequests of 2010-08-31: "You can use wildcards with the filter values: *
    matches zero or more characters, and ? matches exactly one character. You can escape special characters using a
    backslash before the character." EC2 User Guide, "Filtering considerations", agrees about the asterisk and the
    backslash, and says of the question mark both "zero or one" and "exactly 1": not verified.
    """
    for name in ("web-*", "web-a", "web-bc"):
        group(name)
    named = [{"Name": "group-name", "Values": [value]}]
    assert {
        each["GroupName"] for each in ec2.describe_security_groups(Filters=named)["SecurityGroups"]
    } == found


FILTERED = (
    "availability_zones",
    "internet_gateways",
    "managed_prefix_lists",
    "nat_gateways",
    "network_acls",
    "network_interfaces",
    "route_tables",
    "security_group_rules",
    "security_groups",
    "subnets",
    "vpc_endpoints",
    "vpcs",
)


@pytest.mark.parametrize("what", FILTERED)
@pytest.mark.parametrize("name", ["colour", "Vpc-Id", "tags:a"])
def test_a_filter_that_does_not_exist_is_refused(ec2: Any, what: str, name: str) -> None:
    """InvalidParameterValue: "The filter 'destinationCidr' is invalid" (aws/aws-cli, issue 4013), in every operation;
    names are "case-sensitive" (EC2 API Reference, Filter)."""
    wrong = [{"Name": name, "Values": ["red"]}]
    expected = ("InvalidParameterValue", f"The filter '{name}' is invalid")
    assert refused(getattr(ec2, f"describe_{what}"), Filters=wrong) == expected


def is_known(operation: str, name: str) -> bool:
    """Whether an operation has a filter."""
    try:
        filters.check(operation, [name])
    except AwsError:
        return False
    return True


TAGGED = (
    "DescribeAddresses",
    "DescribeImages",
    "DescribeInstances",
    "DescribeManagedPrefixLists",
    "DescribeSubnets",
    "DescribeTransitGatewayRouteTables",
    "DescribeTransitGateways",
)


@pytest.mark.parametrize("operation", TAGGED)
@pytest.mark.parametrize("name", ["tag:Name", "tag:lobster:stack", "tag-key", "tag-value"])
def test_what_has_tags_is_found_by_them(operation: str, name: str) -> None:
    """The model writes "tag", "tag:<key>" and "tag-key", the latter also with a blank; it leaves them out where
    DescribeManagedPrefixLists shows Tags. Earlier editions have "tag-value - The value of a tag assigned to the
    resource. This filter is independent of the tag-key filter."
    """
    assert is_known(operation, name)


NAMES = [
    ("DescribeInstances", "network-interface.tag-key", True),
    ("DescribeInstances", "network-interface.tag:Name", True),
    ("DescribeInstanceEventWindows", "instance-tag:Name", True),
    ("DescribeSubnets", "tag", False),
    ("DescribeSubnets", "vpc-id:x", False),
    ("DescribeAvailabilityZones", "tag:Name", False),
    ("DescribeTags", "tag:Name", True),
    ("DescribeTags", "tag-key", False),
    ("DescribeImages", "scan-result.highest-finding-severity-label", True),
    ("DescribeImages", "critical", False),
    ("DescribeCapacityReservations", "active", False),
    ("DescribeVpcs", "isDefault", True),
    ("DescribeSubnets", "isDefault", False),
    ("DescribeNetworkInterfaces", "group-name", True),
    ("DescribeAddresses", "domain", True),
    ("DescribeSubnets", "domain", False),
    ("DescribeIpams", "anything", True),
]


@pytest.mark.parametrize(("operation", "name", "known"), NAMES)
def test_a_filter_is_one_of_its_operation(operation: str, name: str, known: bool) -> None:
    """The list of an operation names its filters, and the lists inside it their values: "scan-result.
    highest-finding-severity-label - … (informational | … | critical)". Earlier editions list "domain - Indicates
    whether the address is for use in EC2-Classic (standard) or in a VPC (vpc)" and "group-name - The name of a security
    group associated with the network interface" (aws-sdk-ec2 0.21 for Rust). Of DescribeIpams, no filter is listed."""
    assert is_known(operation, name) is known


def test_interfaces_are_found_by_a_groups_name_and_prefix_lists_by_tags(
    ec2: Any, group: Callable[..., str]
) -> None:
    """Over the wire."""
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    made = ec2.create_network_interface(SubnetId=subnet, Groups=[group("web")])["NetworkInterface"]
    ec2.create_network_interface(SubnetId=subnet, Groups=[group("other")])
    named = [{"Name": "group-name", "Values": ["web"]}]
    found = ec2.describe_network_interfaces(Filters=named)["NetworkInterfaces"]
    assert [each["NetworkInterfaceId"] for each in found] == [made["NetworkInterfaceId"]]
    ours = [{"Name": "tag:Name", "Values": ["ours"]}]
    assert ec2.describe_managed_prefix_lists(Filters=ours)["PrefixLists"] == []


@pytest.mark.parametrize("name", ["availability-zone", "availabilityZone", "tag-key", "tag:lobster:stack"])
def test_a_filter_has_the_names_that_are_documented(ec2: Any, name: str) -> None:
    """ "You can also use availabilityZone as the filter name" (DescribeSubnets)."""
    assert ec2.describe_subnets(Filters=[{"Name": name, "Values": ["x"]}])["Subnets"] == []


def test_the_same_rule_twice_is_refused(ec2: Any, group: Callable[..., str]) -> None:
    """InvalidPermission.Duplicate: 'The specified inbound or outbound rule already exists' (Error codes)."""
    web, tasks = group("web"), group("tasks")
    ec2.authorize_security_group_ingress(GroupId=web, IpPermissions=[WEB])
    described = {**WEB, "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "other words"}]}
    assert refused(ec2.authorize_security_group_ingress, GroupId=web, IpPermissions=[described]) == (
        "InvalidPermission.Duplicate",
        'the specified rule "peer: 0.0.0.0/0, TCP, from port: 80, to port: 80, ALLOW" already exists',
    )
    pair = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 2, "UserIdGroupPairs": [{"GroupId": web}]}
    ec2.authorize_security_group_ingress(GroupId=tasks, IpPermissions=[pair])
    assert refused(ec2.authorize_security_group_ingress, GroupId=tasks, IpPermissions=[pair]) == (
        "InvalidPermission.Duplicate",
        f'the specified rule "peer: {web}, TCP, from port: 1, to port: 2, ALLOW" already exists',
    )
    assert refused(ec2.authorize_security_group_egress, GroupId=web, IpPermissions=[ALL_OUT]) == (
        "InvalidPermission.Duplicate",
        'the specified rule "peer: 0.0.0.0/0, ALL, ALLOW" already exists',
    )


def test_one_duplicate_fails_the_whole_batch(ec2: Any, group: Callable[..., str]) -> None:
    """A request is carried out whole or not at all."""
    web = group("web")
    ec2.authorize_security_group_ingress(GroupId=web, IpPermissions=[WEB])
    other = {**WEB, "FromPort": 443, "ToPort": 443}
    code, _ = refused(ec2.authorize_security_group_ingress, GroupId=web, IpPermissions=[other, WEB])
    assert code == "InvalidPermission.Duplicate"
    (found,) = ec2.describe_security_groups(GroupIds=[web])["SecurityGroups"]
    assert [rule["FromPort"] for rule in found["IpPermissions"]] == [80]


INVALID = "InvalidParameterValue"
BAD_RULES = [
    ({"IpProtocol": "tcp", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}, INVALID, "for portRange"),
    *(
        ({**WEB, "IpRanges": [{"CidrIp": cidr}]}, INVALID, f"CIDR block {cidr} is malformed")
        for cidr in ("10.0.0.0/33", "10.0.0.1", "10.0.0.0/255.0.0.0", "10.0.0.0/", "/8", "2001:db8::/32")
    ),
    ({**WEB, "IpRanges": [], "Ipv6Ranges": [{"CidrIpv6": "10.0.0.0/8"}]}, INVALID, "10.0.0.0/8 is malformed"),
    ({**WEB, "FromPort": 443, "ToPort": 80}, INVALID, "Invalid TCP/UDP port range (443:80)"),
    ({**WEB, "FromPort": 70000, "ToPort": 70000}, INVALID, "TCP/UDP (from) port (70000) out of range"),
    ({**WEB, "ToPort": 65536}, INVALID, "TCP/UDP (to) port (65536) out of range"),
    ({**WEB, "FromPort": -1}, INVALID, "TCP/UDP (from) port (-1) out of range"),
    ({**WEB, "IpRanges": [], "UserIdGroupPairs": [{"GroupId": f"sg-{ABSENT}"}]}, "InvalidGroup.NotFound", ""),
]


@pytest.mark.parametrize(("rule", "code", "message"), BAD_RULES)
def test_rules_are_checked(ec2: Any, group: Callable[..., str], rule: Any, code: str, message: str) -> None:
    """'If the protocol is TCP or UDP, you must also specify a port' (AuthorizeSecurityGroupIngress); "A client error
    (InvalidParameterValue) … TCP/UDP (from) port (-1) out of range" (aws/aws-cli, issue 1066); "Invalid TCP/UDP port
    range (from:to)" (as Eucalyptus, which has EC2's API, says it).
    """
    told = refused(ec2.authorize_security_group_ingress, GroupId=group("web"), IpPermissions=[rule])
    assert (told[0], message in told[1]) == (code, True)
    (found,) = ec2.describe_security_groups(GroupNames=["web"])["SecurityGroups"]
    assert found["IpPermissions"] == []


def test_a_rule_can_be_given_without_a_list(ec2: Any, group: Callable[..., str]) -> None:
    """IpProtocol, FromPort, ToPort, CidrIp as members of the request (AuthorizeSecurityGroupIngress)."""
    web = group("web")
    ec2.authorize_security_group_ingress(
        GroupId=web, IpProtocol="tcp", FromPort=80, ToPort=80, CidrIp="10.0.0.0/8"
    )
    (found,) = ec2.describe_security_groups(GroupIds=[web])["SecurityGroups"]
    assert found["IpPermissions"][0]["IpRanges"] == [{"CidrIp": "10.0.0.0/8"}]


def test_revoking_what_is_not_there(ec2: Any, other_vpc: str, group: Callable[..., str]) -> None:
    """'For a default VPC … no error is returned, and the output describes the security group rules that were
    not revoked. For a non-default VPC … InvalidPermission.NotFound' (RevokeSecurityGroupIngress)."""
    elsewhere = group("web", other_vpc)
    assert refused(ec2.revoke_security_group_ingress, GroupId=elsewhere, IpPermissions=[WEB]) == (
        "InvalidPermission.NotFound",
        "The specified rule does not exist in this security group.",
    )
    answer = ec2.revoke_security_group_ingress(GroupId=group("web"), IpPermissions=[WEB])
    assert answer["Return"] is True
    assert answer["UnknownIpPermissions"][0]["FromPort"] == 80


def test_revoking_by_what_a_rule_says_and_by_its_id(ec2: Any, group: Callable[..., str]) -> None:
    """'You can specify rules using either rule IDs or security group rule properties' (Revoke…)."""
    web = group("web")
    for name in ("IpPermissions", "SecurityGroupRuleIds"):
        described = {**WEB, "IpRanges": [{"CidrIp": "0.0.0.0/0", "Description": "from anywhere"}]}
        made = ec2.authorize_security_group_ingress(GroupId=web, IpPermissions=[described])
        (rule,) = made["SecurityGroupRules"]
        given = {"IpPermissions": [WEB], "SecurityGroupRuleIds": [rule["SecurityGroupRuleId"]]}[name]
        gone = ec2.revoke_security_group_ingress(GroupId=web, **{name: given})["RevokedSecurityGroupRules"]
        assert [one["SecurityGroupRuleId"] for one in gone] == [rule["SecurityGroupRuleId"]]
        assert ec2.describe_security_groups(GroupIds=[web])["SecurityGroups"][0]["IpPermissions"] == []
    code, _ = refused(ec2.revoke_security_group_ingress, GroupId=web, SecurityGroupRuleIds=["sgr-0123"])
    assert code == "InvalidSecurityGroupRuleId.NotFound"


def test_rules_are_listed_one_by_one(ec2: Any, group: Callable[..., str]) -> None:
    """DescribeSecurityGroupRules: ids, descriptions, the group referred to, -1 for all ports; filter group-id."""
    web, tasks = group("web"), group("tasks")
    pair = {"IpProtocol": "tcp", "FromPort": 8501, "ToPort": 8501}
    source = [{"GroupId": web, "Description": "from the load balancer"}]
    ec2.authorize_security_group_ingress(GroupId=tasks, IpPermissions=[{**pair, "UserIdGroupPairs": source}])
    here = [{"Name": "group-id", "Values": [tasks]}]
    out, come_in = ec2.describe_security_group_rules(Filters=here)["SecurityGroupRules"]
    assert (out["IsEgress"], out["IpProtocol"], out["FromPort"], out["ToPort"]) == (True, "-1", -1, -1)
    assert come_in["ReferencedGroupInfo"] == {"GroupId": web, "UserId": "123456789012"}
    assert (come_in["IsEgress"], come_in["Description"]) == (False, "from the load balancer")
    assert come_in["SecurityGroupRuleArn"].endswith(f":security-group-rule/{come_in['SecurityGroupRuleId']}")
    assert come_in["GroupOwnerId"] == "123456789012"


def test_a_group_in_use_cannot_be_deleted(ec2: Any, group: Callable[..., str]) -> None:
    """'Associated with an instance or network interface, is referenced by another security group …
    DependencyViolation' (DeleteSecurityGroup)."""
    web, tasks = group("web"), group("tasks")
    pair = {"IpProtocol": "tcp", "FromPort": 8501, "ToPort": 8501, "UserIdGroupPairs": [{"GroupId": web}]}
    ec2.authorize_security_group_ingress(GroupId=tasks, IpPermissions=[pair])
    in_use = ("DependencyViolation", f"resource {web} has a dependent object")
    assert refused(ec2.delete_security_group, GroupId=web) == in_use
    ec2.revoke_security_group_ingress(GroupId=tasks, IpPermissions=[pair])
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    eni = ec2.create_network_interface(SubnetId=subnet, Groups=[web])["NetworkInterface"][
        "NetworkInterfaceId"
    ]
    assert refused(ec2.delete_security_group, GroupId=web) == in_use
    ec2.delete_network_interface(NetworkInterfaceId=eni)
    assert ec2.delete_security_group(GroupId=web)["GroupId"] == web


def test_a_rule_about_itself_does_not_keep_a_group(ec2: Any, group: Callable[..., str]) -> None:
    """Only 'referenced by another security group' counts (DeleteSecurityGroup)."""
    web = group("web")
    itself = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": web}]}
    ec2.authorize_security_group_ingress(GroupId=web, IpPermissions=[itself])
    ec2.delete_security_group(GroupId=web)
    assert refused(ec2.delete_security_group, GroupId=web)[0] == "InvalidGroup.NotFound"


def test_the_default_group_cannot_be_deleted(ec2: Any) -> None:
    """CannotDelete: 'You cannot delete the default security group' (Error codes)."""
    named = [{"Name": "group-name", "Values": ["default"]}]
    (default,) = ec2.describe_security_groups(Filters=named)["SecurityGroups"]
    text = f'the specified group: "{default["GroupId"]}" name: "default" cannot be deleted by a user'
    assert refused(ec2.delete_security_group, GroupId=default["GroupId"]) == ("CannotDelete", text)


def test_interfaces_have_addresses_of_their_subnet_each_its_own(ec2: Any) -> None:
    """'The first four IP addresses and the last … are not available' (Subnet CIDR blocks); and their names."""
    subnet = ec2.describe_subnets()["Subnets"][1]
    before = subnet["AvailableIpAddressCount"]
    enis = [ec2.create_network_interface(SubnetId=subnet["SubnetId"])["NetworkInterface"] for _ in range(3)]
    assert [eni["PrivateIpAddress"] for eni in enis] == ["172.31.16.4", "172.31.16.5", "172.31.16.6"]
    assert enis[0]["PrivateDnsName"] == "ip-172-31-16-4.us-east-2.compute.internal"
    (after,) = ec2.describe_subnets(SubnetIds=[subnet["SubnetId"]])["Subnets"]
    assert after["AvailableIpAddressCount"] == before - 3
    ec2.delete_network_interface(NetworkInterfaceId=enis[0]["NetworkInterfaceId"])
    again = ec2.create_network_interface(SubnetId=subnet["SubnetId"])["NetworkInterface"]
    assert again["PrivateIpAddress"] == "172.31.16.7"
    code, _ = refused(
        ec2.create_network_interface, SubnetId=subnet["SubnetId"], PrivateIpAddress="172.31.16.5"
    )
    assert code == "InvalidIPAddress.InUse"


def test_a_subnet_can_run_out_of_addresses(ec2: Any, other_vpc: str) -> None:
    """InsufficientFreeAddressesInSubnet (Error codes)."""
    subnet = ec2.create_subnet(VpcId=other_vpc, CidrBlock="10.0.0.0/28")["Subnet"]
    assert subnet["AvailableIpAddressCount"] == 11
    for _ in range(11):
        ec2.create_network_interface(SubnetId=subnet["SubnetId"])
    code, _ = refused(ec2.create_network_interface, SubnetId=subnet["SubnetId"])
    assert code == "InsufficientFreeAddressesInSubnet"
    text = f"The subnet '{subnet['SubnetId']}' has dependencies and cannot be deleted."
    assert refused(ec2.delete_subnet, SubnetId=subnet["SubnetId"]) == ("DependencyViolation", text)


def test_an_unknown_group_of_an_interface_is_refused(ec2: Any) -> None:
    """InvalidGroup.NotFound (Error codes)."""
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    code, _ = refused(ec2.create_network_interface, SubnetId=subnet, Groups=[f"sg-{ABSENT}"])
    assert code == "InvalidGroup.NotFound"


def test_a_subnet_is_in_a_zone_of_its_region(ec2: Any, other_vpc: str) -> None:
    """InvalidParameterValue names the zones (CreateSubnet)."""
    wrong = refused(
        ec2.create_subnet, VpcId=other_vpc, CidrBlock="10.0.1.0/24", AvailabilityZone="eu-west-1a"
    )
    assert wrong[0] == "InvalidParameterValue"
    assert wrong[1].endswith("availability zones: us-east-2a, us-east-2b, us-east-2c.")


def test_the_prefix_list_of_cloudfront_is_there(ec2: Any) -> None:
    """com.amazonaws.global.cloudfront.origin-facing (AWS-managed prefix lists)."""
    name = "com.amazonaws.global.cloudfront.origin-facing"
    found = ec2.describe_managed_prefix_lists(Filters=[{"Name": "prefix-list-name", "Values": [name]}])
    assert [one["PrefixListName"] for one in found["PrefixLists"]] == [name]


def test_a_tasks_interface_is_shown_with_its_public_address(stack: Stack) -> None:
    """DescribeNetworkInterfaces: what Fargate made, who uses it, and the address that ECS does not show."""
    arn = stack.run(stack.definition())["taskArn"]
    details = {
        one["name"]: one["value"] for one in stack.reaches(arn, "RUNNING")["attachments"][0]["details"]
    }
    eni_id = details["networkInterfaceId"]
    (eni,) = stack.ec2.describe_network_interfaces(NetworkInterfaceIds=[eni_id])["NetworkInterfaces"]
    assert (eni["PrivateIpAddress"], eni["SubnetId"]) == (details["privateIPv4Address"], details["subnetId"])
    assert (eni["Status"], eni["RequesterManaged"], eni["Attachment"]["Status"]) == (
        "in-use",
        True,
        "attached",
    )
    assert [group["GroupId"] for group in eni["Groups"]] == [stack.group]
    public = eni["Association"]["PublicIp"]
    name = f"ec2-{public.replace('.', '-')}.us-east-2.compute.amazonaws.com"
    assert eni["Association"]["PublicDnsName"] == name
    for named, value in (("association.public-ip", public), ("group-id", stack.group), ("status", "in-use")):
        found = stack.ec2.describe_network_interfaces(Filters=[{"Name": named, "Values": [value]}])
        assert [one["NetworkInterfaceId"] for one in found["NetworkInterfaces"]] == [eni_id]
    in_use = f"Network interface '{eni_id}' is currently in use."
    deleted = refused(stack.ec2.delete_network_interface, NetworkInterfaceId=eni_id)
    assert deleted == ("InvalidParameterValue", in_use)
    dependent = ("DependencyViolation", f"resource {stack.group} has a dependent object")
    assert refused(stack.ec2.delete_security_group, GroupId=stack.group) == dependent
    stack.ecs.stop_task(cluster="c", task=arn)
    eventually(lambda: stack.ec2.describe_network_interfaces()["NetworkInterfaces"] == [])
    stack.ec2.delete_security_group(GroupId=stack.group)


def shown(ec2: Any, group: str) -> list[dict[str, Any]]:
    """The ingress rules of a group."""
    found = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"]
    return list(found)


def test_a_block_is_kept_in_its_canonical_form(ec2: Any, group: Callable[..., str]) -> None:
    """ "We modify the specified CIDR block to its canonical form; for example, if you specify 100.68.0.18/18, we modify
    it to 100.68.0.0/18" (CreateVpc, CreateSubnet); "If you try to add a rule that duplicates an existing rule" counts
    by it."""
    web = group("web")
    given = {
        **WEB,
        "IpRanges": [{"CidrIp": "100.68.0.18/18"}],
        "Ipv6Ranges": [{"CidrIpv6": "2001:DB8:0::1/32"}],
    }
    ec2.authorize_security_group_ingress(GroupId=web, IpPermissions=[given])
    [rule] = shown(ec2, web)
    assert (rule["IpRanges"], rule["Ipv6Ranges"]) == (
        [{"CidrIp": "100.68.0.0/18"}],
        [{"CidrIpv6": "2001:db8::/32"}],
    )
    again = {**WEB, "IpRanges": [{"CidrIp": "100.68.0.0/18"}]}
    call = ec2.authorize_security_group_ingress
    assert refused(call, GroupId=web, IpPermissions=[again])[0] == "InvalidPermission.Duplicate"
    ec2.revoke_security_group_ingress(GroupId=web, IpPermissions=[given])
    assert shown(ec2, web) == []


@pytest.mark.parametrize("description", ["é", "it's", "x" * 256, "a?"])
@pytest.mark.parametrize("peer", ["IpRanges", "Ipv6Ranges", "UserIdGroupPairs"])
def test_a_rule_has_a_valid_description(
    ec2: Any, group: Callable[..., str], peer: str, description: str
) -> None:
    """ "Invalid rule description. Valid descriptions are strings less than 256 characters from the following set:
    a-zA-Z0-9. _-:/()#,@[]+=&;{}!$*" (InvalidParameterValue):
    the words are our own."""
    web = group("web")
    who = {"IpRanges": {"CidrIp": "10.0.0.0/8"}, "Ipv6Ranges": {"CidrIpv6": "::/0"}}.get(
        peer, {"GroupId": web}
    )
    wrong = {**WEB, "IpRanges": [], peer: [{**who, "Description": description}]}
    words = "Invalid rule description. Valid descriptions are strings less than 256 characters from the following set:"
    expected = ("InvalidParameterValue", f"{words}  a-zA-Z0-9. _-:/()#,@[]+=&;{{}}!$*")
    assert refused(ec2.authorize_security_group_ingress, GroupId=web, IpPermissions=[wrong]) == expected
    wrong[peer][0]["Description"] = "x" * 255
    ec2.authorize_security_group_ingress(GroupId=web, IpPermissions=[wrong])


@pytest.mark.parametrize("protocol", ["all", "esp", "256", "-2", "x"])
def test_a_protocol_has_a_name_or_a_number(ec2: Any, group: Callable[..., str], protocol: str) -> None:
    """ "The IP protocol name (tcp, udp, icmp, icmpv6) or number" (IpPermission); "Invalid value 'all' for IP protocol.
    Unknown protocol." (hashicorp/terraform-provider-aws, issue 1793)."""
    wrong = {**WEB, "IpProtocol": protocol}
    expected = ("InvalidParameterValue", f"Invalid value '{protocol}' for IP protocol. Unknown protocol.")
    assert (
        refused(ec2.authorize_security_group_ingress, GroupId=group("web"), IpPermissions=[wrong]) == expected
    )


@pytest.mark.parametrize(("given", "name"), [("6", "tcp"), ("TCP", "tcp"), ("17", "udp"), ("50", "50")])
def test_a_protocol_is_returned_by_its_name(
    ec2: Any, group: Callable[..., str], given: str, name: str
) -> None:
    """That has one."""
    web = group("web")
    ec2.authorize_security_group_ingress(GroupId=web, IpPermissions=[{**WEB, "IpProtocol": given}])
    assert [rule["IpProtocol"] for rule in shown(ec2, web)] == [name]
