"""Which subnets are chosen, and what a security group's rules are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from botocore.session import get_session

from lobster_tasks import converge, report
from lobster_tasks.aws import Aws
from lobster_tasks.errors import AwsCallError, RefusedError
from lobster_tasks.settings import load
from lobster_tasks.stack import Live, LiveResources
from lobster_tasks.stack.network import Network
from lobster_tasks.stack.subnets import without_fargate
from tests.clocks import PatientClock
from tests.embedded_process import EmbeddedProcess
from tests.report.drawn import drawn

from .stand import Stand

ZONES = {"subnet-a1": "a", "subnet-a2": "a", "subnet-b1": "b", "subnet-c1": "c"}


@pytest.fixture
def ec2(embedded: EmbeddedProcess) -> Any:
    """A client of the empty account."""
    return embedded.client("ec2")


def vpc_of(ec2: Any) -> str:
    """The default VPC."""
    return str(ec2.describe_vpcs()["Vpcs"][0]["VpcId"])


def by_zone(ec2: Any) -> list[str]:
    """The default VPC's subnets, in the order of their zones."""
    found = ec2.describe_subnets()["Subnets"]
    return [each["SubnetId"] for each in sorted(found, key=lambda each: each["AvailabilityZone"])]


def chosen(aws: Aws, **network: Any) -> tuple[str, ...]:
    """The subnets that are chosen with these settings."""
    internal = network.pop("internal", False)
    stand = Stand.of(aws, "network", network=network, load_balancer={"internal": internal})
    (live,) = stand.read().values()
    assert live is not None
    subnets: tuple[str, ...] = live.attributes["subnets"]
    return subnets


def without_internet(ec2: Any, *subnets: str) -> None:
    """Give subnets a route table of their own that leads nowhere."""
    table = ec2.create_route_table(VpcId=vpc_of(ec2))["RouteTable"]["RouteTableId"]
    for subnet in subnets:
        ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)


def test_the_first_two_zones_of_the_default_vpc(aws: Aws, ec2: Any) -> None:
    assert chosen(aws) == tuple(by_zone(ec2)[:2])


def test_subnets_without_a_way_to_the_internet_are_passed_over(aws: Aws, ec2: Any) -> None:
    first, second, third = by_zone(ec2)
    without_internet(ec2, first)
    assert chosen(aws) == (second, third)
    assert chosen(aws, public=False) == (second, third)  # the load balancer still faces the internet
    assert chosen(aws, public=False, internal=True) == (first, second)


def test_a_subnet_whose_way_to_the_internet_is_a_blackhole_is_passed_over(aws: Aws, ec2: Any) -> None:
    """Route.state: "blackhole" when the target isn't available (the gateway isn't attached to the VPC)."""
    first, second, third = by_zone(ec2)
    gone = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    other = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    table = ec2.create_route_table(VpcId=vpc_of(ec2))["RouteTable"]["RouteTableId"]
    ec2.attach_internet_gateway(InternetGatewayId=gone, VpcId=other)
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gone)
    ec2.detach_internet_gateway(InternetGatewayId=gone, VpcId=other)
    ec2.associate_route_table(RouteTableId=table, SubnetId=first)
    assert chosen(aws) == (second, third)


def behind_nat(ec2: Any, *subnets: str) -> None:
    """Give subnets a route table of their own that leads to a NAT gateway."""
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    (outside,) = by_zone(ec2)[:1]
    nat = ec2.create_nat_gateway(SubnetId=outside, AllocationId=address)["NatGateway"]["NatGatewayId"]
    table = ec2.create_route_table(VpcId=vpc_of(ec2))["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat)
    for subnet in subnets:
        ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)


def told(aws: Aws, **network: Any) -> str:
    """What a plan remarks on the network with these settings."""
    internal = network.pop("internal", False)
    stand = Stand.of(aws, "network", network=network, load_balancer={"internal": internal})
    return " ".join(stand.plan().remarks[stand.find("network/the default VPC")])


def test_tasks_without_a_public_address_are_in_subnets_with_a_nat_gateway(aws: Aws, ec2: Any) -> None:
    first, second, third = by_zone(ec2)
    behind_nat(ec2, second, third)
    assert first not in chosen(aws, public=False, internal=True)
    assert chosen(aws, public=False, internal=True) == (second, third)
    assert told(aws, public=False, internal=True) == ""


def test_a_plan_says_that_tasks_without_an_address_would_be_in_public_subnets(aws: Aws, ec2: Any) -> None:
    first, second, third = by_zone(ec2)
    assert told(aws) == told(aws, internal=True) == ""
    for internal in (True, False):
        said = told(aws, public=False, internal=internal)
        assert f"{first}, {second} route to an internet gateway" in said
        assert "network.task_subnets, or set network.public: true" in said
        assert f"{third} routes to" in told(aws, public=False, internal=internal, task_subnets=[third])
    behind_nat(ec2, third)
    assert told(aws, public=False, task_subnets=[third]) == ""


def test_the_vpcs_main_routes_count_where_a_subnet_has_none_of_its_own(aws: Aws, ec2: Any) -> None:
    first, second, third = by_zone(ec2)
    main = next(
        table["RouteTableId"]
        for table in ec2.describe_route_tables()["RouteTables"]
        if any(each.get("Main") for each in table["Associations"])
    )
    gateway = ec2.describe_internet_gateways()["InternetGateways"][0]["InternetGatewayId"]
    own = ec2.create_route_table(VpcId=vpc_of(ec2))["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=own, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    for subnet in (second, third):
        ec2.associate_route_table(RouteTableId=own, SubnetId=subnet)
    ec2.delete_route(RouteTableId=main, DestinationCidrBlock="0.0.0.0/0")
    assert chosen(aws) == (second, third)
    assert first not in chosen(aws)


def test_named_subnets_are_taken_as_they_are(aws: Aws, ec2: Any) -> None:
    first, second, third = by_zone(ec2)
    without_internet(ec2, first)
    assert chosen(aws, subnets=[third, first]) == (first, third)
    assert chosen(aws, subnets=[first, second, third]) == (first, second, third)
    assert chosen(aws, vpc=vpc_of(ec2), subnets=[second, third]) == (second, third)


def test_two_named_subnets_of_one_zone_are_refused(aws: Aws, ec2: Any) -> None:
    first, second, _ = by_zone(ec2)
    zone = ec2.describe_subnets(SubnetIds=[first])["Subnets"][0]["AvailabilityZone"]
    twin = ec2.create_subnet(VpcId=vpc_of(ec2), CidrBlock="172.31.200.0/24", AvailabilityZone=zone)
    twin_id = twin["Subnet"]["SubnetId"]
    with pytest.raises(RefusedError, match=f"are both in {zone}"):
        chosen(aws, subnets=[first, twin_id, second])


OUTPOST = "arn:aws:outposts:us-east-2:123456789012:outpost/op-1234567890abcdef0"


def instead_of_the_first(ec2: Any, **members: Any) -> str:
    """A subnet of the first zone that is the only one there."""
    ec2.delete_subnet(SubnetId=by_zone(ec2)[0])
    block = {} if members.get("Ipv6Native") else {"CidrBlock": "172.31.0.0/28"}
    given = {"AvailabilityZone": "us-east-2a", **block, **members}
    return str(ec2.create_subnet(VpcId=vpc_of(ec2), **given)["Subnet"]["SubnetId"])


IN_NO_TASK = {
    "on the Outpost op-1234567890abcdef0": {"OutpostArn": OUTPOST},
    "IPv6 addresses only": {"Ipv6CidrBlock": "2600:1f16:1:2::/64", "Ipv6Native": True},
}


@pytest.mark.parametrize("why", IN_NO_TASK)
def test_a_subnet_in_which_no_task_can_be_is_never_chosen_and_refused_where_it_is_named(
    aws: Aws, ec2: Any, why: str
) -> None:
    last = tuple(by_zone(ec2)[1:])
    unfit = instead_of_the_first(ec2, **IN_NO_TASK[why])
    assert chosen(aws) == last
    for named in ({"subnets": [unfit, *last]}, {"task_subnets": [unfit]}):
        with pytest.raises(RefusedError, match=f"No task can be in {unfit}") as refused:
            chosen(aws, vpc=vpc_of(ec2), **{"subnets": list(last), **named})
        assert why in refused.value.why


@pytest.mark.parametrize("zone", ["us-west-2-lax-1a", "us-west-2-wl1-las-wlz-1"])
def test_other_types_of_zones_are_never_chosen_and_refused_where_they_are_named(
    embedded: EmbeddedProcess, abroad: Aws, zone: str
) -> None:
    ec2, aws = embedded.client("ec2", "us-west-2"), abroad.in_region("us-west-2")
    first, *others = by_zone(ec2)
    for group in ("us-west-2-lax-1", "us-west-2-wl1"):
        ec2.modify_availability_zone_group(GroupName=group, OptInStatus="opted-in")
    made = ec2.create_subnet(VpcId=vpc_of(ec2), CidrBlock="172.31.200.0/24", AvailabilityZone=zone)["Subnet"]
    for other in others:  # what is left is not enough
        ec2.delete_subnet(SubnetId=other)
    with pytest.raises(RefusedError, match="in 1 zone"):
        Network("n", "s").read(aws, LiveResources({}))
    with pytest.raises(RefusedError, match="No task can be in") as refused:
        Network("n", "s", "", (first, made["SubnetId"])).read(aws, LiveResources({}))
    assert f"Zone {zone}, where Fargate does not run" in refused.value.why


def test_zones_without_fargate_are_never_chosen(embedded: EmbeddedProcess, abroad: Aws) -> None:
    """By their ids: names differ from account to account."""
    found = embedded.client("ec2", "ap-northeast-1").describe_subnets()["Subnets"]
    without = {each["SubnetId"] for each in found if each["AvailabilityZoneId"] == "apne1-az3"}
    live = Network("n", "s").read(abroad.in_region("ap-northeast-1"), LiveResources({}))
    assert live is not None
    assert not without & set(live.raw["zones"])


@pytest.mark.parametrize(
    ("zone", "region", "has_it"),
    [
        ("apne1-az3", "ap-northeast-1", False),
        ("apne1-az1", "ap-northeast-1", True),
        ("usw1-az2", "us-west-1", False),
        ("cnn1-az3", "cn-north-1", False),
        ("use2-az1", "us-east-2", True),
    ],
)
def test_the_zones_that_have_fargate(zone: str, region: str, has_it: bool) -> None:
    """Developer Guide, "Supported Regions for Amazon ECS on AWS Fargate"."""
    assert (without_fargate({"AvailabilityZoneId": zone}, region) == "") is has_it


def test_nearly_full_subnets_are_the_last_to_be_chosen(aws: Aws, ec2: Any) -> None:
    """Elastic Load Balancing: "at least 8 available IP addresses"."""
    last = tuple(by_zone(ec2)[1:])
    small = instead_of_the_first(ec2)  # 11 addresses
    assert small in chosen(aws)
    for _ in range(4):
        ec2.create_network_interface(SubnetId=small)
    assert chosen(aws) == last


def test_a_load_balancer_is_not_made_where_there_is_no_room_and_stays_where_it_has_taken_it() -> None:
    network, raw = Network("n", "s"), {"zones": ZONES, "full": {"subnet-a1"}}
    known = LiveResources({network: Live("vpc-1", {"subnets": ("subnet-a1", "subnet-b1")}, {}, raw)})
    with pytest.raises(RefusedError, match="subnet-a1: fewer than 8 addresses are free"):
        network.settled(known, ())
    assert network.settled(known, ("subnet-a1", "subnet-b1")) == ("subnet-a1", "subnet-b1")


STATES = get_session().get_service_model("ec2")


@dataclass(frozen=True)
class Ec2:
    """Answers of EC2 about three public subnets in three zones, which no account can be brought to at will."""

    zones: Mapping[str, str] = field(default_factory=dict)
    subnets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    region: str = "us-east-2"

    def pages(self, operation: str, *_: Any, **__: Any) -> list[dict[str, Any]]:
        """A listing."""
        everywhere = {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1", "State": "active"}
        return {
            "ec2:DescribeVpcs": [{"VpcId": "vpc-1"}],
            "ec2:DescribeSubnets": [
                {
                    "SubnetId": f"subnet-{each}",
                    "AvailabilityZone": f"us-east-2{each}",
                    "State": "available",
                    **self.subnets.get(each, {}),
                }
                for each in "abc"
            ],
            "ec2:DescribeRouteTables": [{"Routes": [everywhere], "Associations": [{"Main": True}]}],
        }[operation]

    def find(self, *_: Any, **__: Any) -> dict[str, Any]:
        """The zones."""
        state = {each: self.zones.get(each, "available") for each in "abc"}
        named = [{"ZoneName": f"us-east-2{each}", "State": state[each]} for each in "abc"]
        return {"AvailabilityZones": [{**each, "ZoneType": "availability-zone"} for each in named]}


def read(account: Ec2, **network: Any) -> tuple[tuple[str, ...], str]:
    """The chosen subnets, and what is remarked about them."""
    resource = Network("n", "s", **network)
    live = resource.read(cast("Aws", account), LiveResources({}))
    assert live is not None
    return live.attributes["subnets"], " ".join(resource.remarks(live, LiveResources({})))


@pytest.mark.parametrize("state", STATES.shape_for("AvailabilityZoneState").enum)
def test_a_zone_that_is_not_well_is_the_last_to_be_chosen(state: str) -> None:
    """AvailabilityZone: "The possible values are available, unavailable, and constrained"; the model has more."""
    is_sound = state in ("available", "information")
    chosen, remarks = read(Ec2({"a": state}))
    assert (chosen, remarks) == (
        ("subnet-a" if is_sound else "subnet-b", "subnet-b" if is_sound else "subnet-c"),
        "",
    )
    for named in ({"subnets": ("subnet-a", "subnet-b")}, {}):
        chosen, remarks = read(Ec2(dict.fromkeys("abc" if not named else "a", state)), **named)
        assert chosen == ("subnet-a", "subnet-b")
        assert (f"subnet-a: its zone us-east-2a is {state}" in remarks) is not is_sound


@pytest.mark.parametrize("state", STATES.shape_for("SubnetState").enum)
def test_a_subnet_that_is_not_there_yet_or_never_will_be_is_not_chosen(state: str) -> None:
    """Subnet.State: failed, "failed to provision as expected"; failed-insufficient-capacity, "due to a shortage"."""
    account = Ec2(subnets={"a": {"State": state}})
    assert read(account)[0] == (
        ("subnet-a", "subnet-b") if state == "available" else ("subnet-b", "subnet-c")
    )
    named = {"subnets": ("subnet-a", "subnet-b")}
    if state in ("available", "unavailable"):
        chosen, remarks = read(account, **named)
        assert chosen == named["subnets"]
        assert ("subnet-a: it is unavailable" in remarks) == (state == "unavailable")
    else:
        with pytest.raises(RefusedError, match="No task can be in subnet-a") as refused:
            read(account, **named)
        assert state in refused.value.why


def test_what_runs_in_a_zone_stays_there_while_the_zone_is_impaired() -> None:
    """It passes, and a move would cost tasks in the middle of it."""
    network = Network("n", "s")
    live = network.read(
        cast("Aws", Ec2({"a": "impaired"}, {"a": {"State": "unavailable"}})), LiveResources({})
    )
    assert live is not None
    assert network.settled(LiveResources({network: live}), ("subnet-a", "subnet-b")) == (
        "subnet-a",
        "subnet-b",
    )


def test_subnets_whose_traffic_is_blocked_are_the_last_to_be_chosen(aws: Aws, ec2: Any) -> None:
    """VPC Block Public Access: of the region, except for excluded VPCs and subnets."""
    first, second, third = by_zone(ec2)
    for mode in ("block-ingress", "block-bidirectional"):
        ec2.modify_vpc_block_public_access_options(InternetGatewayBlockMode=mode)
        assert chosen(aws) == (first, second)
        assert f"{first}: VPC Block Public Access ({mode}) blocks its traffic" in told(aws)
    for subnet in (second, third):
        ec2.create_vpc_block_public_access_exclusion(
            SubnetId=subnet, InternetGatewayExclusionMode="allow-bidirectional"
        )
    assert chosen(aws) == (second, third)
    assert told(aws) == ""


@pytest.mark.parametrize(
    ("named", "present", "expected"),
    [
        ((), (), ("subnet-a1", "subnet-b1")),  # yet to be made
        ((), ("subnet-b1", "subnet-a1"), ("subnet-a1", "subnet-b1")),
        ((), ("subnet-c1", "subnet-a2"), ("subnet-a2", "subnet-c1")),  # well placed: it stays
        ((), ("subnet-a1", "subnet-a2"), ("subnet-a1", "subnet-b1")),  # one zone
        ((), ("subnet-a1", "subnet-b1", "subnet-c1"), ("subnet-a1", "subnet-b1")),  # one address too many
        ((), ("subnet-a1", "subnet-x"), ("subnet-a1", "subnet-b1")),  # gone, private, or of another VPC
        (
            ("subnet-a1", "subnet-b1"),
            ("subnet-a2", "subnet-c1"),
            ("subnet-a1", "subnet-b1"),
        ),  # told otherwise
    ],
)
def test_what_is_well_placed_stays(
    named: tuple[str, ...], present: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    network = Network("n", "s", "", named)
    live = Live("vpc-1", {"subnets": ("subnet-b1", "subnet-a1")}, {}, {"zones": ZONES})
    assert network.settled(LiveResources({network: live}), present) == expected


# Security groups

EVERY_KIND: list[dict[str, Any]] = [
    {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 65535, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]},
    {"IpProtocol": "tcp", "FromPort": 8501, "ToPort": 8501, "Ipv6Ranges": [{"CidrIpv6": "::/0"}]},
    {"IpProtocol": "udp", "FromPort": 53, "ToPort": 53, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]},
    {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "192.168.0.0/16", "Description": "the office"}]},
    {"IpProtocol": "icmp", "FromPort": -1, "ToPort": -1, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]},
]


def test_rules_of_every_kind_are_told_in_words_and_taken_away(aws: Aws, ec2: Any) -> None:
    stand = Stand.of(aws, "security-group")
    stand.converge()
    live = stand.live("security-group/lobster-ecs-sg")
    ec2.authorize_security_group_ingress(GroupId=live.id, IpPermissions=EVERY_KIND)
    (change,) = stand.plan().changes
    assert change.reason == (
        "ingress: everything from 192.168.0.0/16, icmp -1 from 0.0.0.0/0, tcp 1-65535 from 10.0.0.0/8, "
        "tcp 8501 from ::/0, tcp 8501 from lobster-alb-sg, udp 53 from 0.0.0.0/0 → tcp 8501 from lobster-alb-sg"
    )
    stand.converge()


HTTPS = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
ALL = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}


@pytest.mark.parametrize("name", ["lobster-alb-sg", "lobster-ecs-sg"])
@pytest.mark.parametrize(
    ("left", "now"), [([HTTPS], "tcp 443 to 0.0.0.0/0"), ([], "nothing")], ids=["narrowed", "removed"]
)
def test_a_plan_says_that_it_lets_out_more_than_somebody_has_left(
    aws: Aws, ec2: Any, name: str, left: list[dict[str, Any]], now: str
) -> None:
    stand = Stand.of(aws, "security-group")
    stand.converge()
    group = stand.live(f"security-group/{name}").id
    ec2.revoke_security_group_egress(GroupId=group, IpPermissions=[ALL])
    if left:
        ec2.authorize_security_group_egress(GroupId=group, IpPermissions=left)
    made = stand.plan()
    (change,) = made.changes
    assert change.reason == f"egress: {now} → everything"
    so_far = f"only {now}" if left else now
    expected = f"security group {name}: everything goes out from now on, so far {so_far}."
    assert warned(made) == [("widens-egress", expected)]
    assert f"! {expected}" in drawn(report.plan(made))
    stand.converge()
    done = converge.Convergence(made, stand.plan(), applied=True)
    assert f"{name} lets out everything again." in drawn(report.brought(done, load({})))


@pytest.mark.parametrize("left", [[], [{**HTTPS, "ToPort": 8501}]], ids=["removed", "instead"])
def test_a_plan_says_that_it_lets_in_a_peer_whose_rule_somebody_took_away(
    aws: Aws, ec2: Any, left: list[dict[str, Any]]
) -> None:
    stand = Stand.of(aws, "security-group")
    stand.converge()
    group, peer = (stand.live(f"security-group/lobster-{each}-sg").id for each in ("ecs", "alb"))
    pair = {"IpProtocol": "tcp", "FromPort": 8501, "ToPort": 8501, "UserIdGroupPairs": [{"GroupId": peer}]}
    ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=[pair])
    if left:
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=left)
    ((code, told),) = warned(stand.plan())
    now = "only tcp 443-8501 from 0.0.0.0/0" if left else "nothing"
    assert (code, told) == (
        "widens-ingress",
        f"security group lobster-ecs-sg: tcp 8501 from lobster-alb-sg comes in from now on, so far {now}.",
    )


def test_what_the_settings_change_is_not_told_as_narrowed(aws: Aws) -> None:
    """The first setup, another port for the same peer, and a part of the addresses that come in so far."""
    assert warned(Stand.of(aws, "security-group").plan()) == []
    Stand.of(aws, "security-group").converge()
    assert warned(Stand.of(aws, "security-group", container={"port": 8502}).plan()) == []
    office = {"allowed_cidrs": ["203.0.113.0/24"]}
    assert warned(Stand.of(aws, "security-group", load_balancer=office).plan()) == []


def warned(made: converge.Plan) -> list[tuple[str, str]]:
    """The warnings of a plan, as its JSON has them."""
    told = report.plan_json(made, applied=False, url=None, before=None, after=None)["warnings"]
    return [(each["code"], each["message"]) for each in told]


def test_ports_that_aws_has_put_together_are_told_apart(aws: Aws, ec2: Any) -> None:
    """DescribeSecurityGroups gathers the peers of one port in one IpPermission."""
    stand = Stand.of(aws, "security-group")
    stand.converge()
    group = stand.live("security-group/lobster-alb-sg").id
    rule = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80}
    ranges = [{"CidrIp": "10.0.0.0/8"}, {"CidrIp": "10.1.0.0/16"}]
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[{**rule, "IpRanges": ranges}])
    stand.converge()
    (permission,) = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"]
    assert [each["CidrIp"] for each in permission["IpRanges"]] == ["0.0.0.0/0"]


def test_the_new_rule_comes_before_the_old_one_goes(aws: Aws, embedded: EmbeddedProcess) -> None:
    stand = Stand.of(aws, "security-group")
    stand.converge()
    embedded.forget_calls()
    Stand.of(aws, "security-group", container={"port": 8502}).converge()
    assert [call["operation"] for call in embedded.calls(mutating=True)] == [
        "AuthorizeSecurityGroupIngress",
        "RevokeSecurityGroupIngress",
    ]


def test_a_rule_that_somebody_else_has_changed_meanwhile_is_as_good(aws: Aws, ec2: Any) -> None:
    stand = Stand.of(aws, "security-group")
    stand.converge()
    tasks = stand.find("security-group/lobster-ecs-sg")
    live = stand.live("security-group/lobster-ecs-sg")
    pair = {"GroupId": stand.live("security-group/lobster-alb-sg").id}
    rule = {"IpProtocol": "tcp", "FromPort": 8501, "ToPort": 8501, "UserIdGroupPairs": [pair]}
    ec2.revoke_security_group_ingress(GroupId=live.id, IpPermissions=[rule])
    before = stand.read()
    ec2.authorize_security_group_ingress(GroupId=live.id, IpPermissions=[rule])
    found = before[tasks]
    assert found is not None
    tasks.update(aws, found, frozenset({"ingress"}), LiveResources(before))
    assert stand.plan().changes == ()


def test_a_group_of_the_same_name_in_another_vpc_is_not_ours(aws: Aws, ec2: Any) -> None:
    other = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    twin = ec2.create_security_group(GroupName="lobster-ecs-sg", Description="another", VpcId=other)
    stand = Stand.of(aws, "security-group")
    stand.converge()
    assert stand.live("security-group/lobster-ecs-sg").id != twin["GroupId"]


def test_groups_that_refer_to_each_other_go_in_order(aws: Aws, ec2: Any) -> None:
    stand = Stand.of(aws, "security-group")
    stand.converge()
    stand.remove()
    assert [group["GroupName"] for group in ec2.describe_security_groups()["SecurityGroups"]] == ["default"]


def test_a_group_that_is_in_use_for_a_while_is_waited_for(aws: Aws, embedded: EmbeddedProcess) -> None:
    stand = Stand.of(aws, "security-group")
    stand.converge()
    busy = {"code": "DependencyViolation", "message": "resource sg-1 has a dependent object"}
    embedded.order({"operation": "DeleteSecurityGroup", "nth": [1, 3], "error": busy})
    stand.remove()
    assert len(embedded.calls("DeleteSecurityGroup")) == 5


def test_a_group_that_others_use_for_ever_is_told(aws: Aws, embedded: EmbeddedProcess) -> None:
    stand = Stand.of(aws, "security-group")
    stand.converge()
    busy = {"code": "DependencyViolation", "message": "resource sg-1 has a dependent object"}
    embedded.order({"operation": "DeleteSecurityGroup", "error": busy})
    keys = {"aws_access_key_id": "x", "aws_secret_access_key": "y"}
    fast = Aws("us-east-2", endpoint_url=embedded.url, credentials=keys, clock=PatientClock(speed=600))
    with pytest.raises(AwsCallError, match="ec2:DeleteSecurityGroup on security-group/lobster-ecs-sg"):
        Stand(fast, stand.desired).remove()


def test_a_dual_stack_load_balancer_is_reached_by_ipv6_too(aws: Aws, ec2: Any) -> None:
    stand = Stand.of(aws, "security-group", load_balancer={"dual_stack": True})
    stand.converge()
    (group,) = ec2.describe_security_groups(GroupNames=["lobster-alb-sg"])["SecurityGroups"]
    (rule,) = group["IpPermissions"]
    assert [each["CidrIp"] for each in rule["IpRanges"]] == ["0.0.0.0/0"]
    assert [each["CidrIpv6"] for each in rule["Ipv6Ranges"]] == ["::/0"]
    Stand.of(aws, "security-group").converge()
    (group,) = ec2.describe_security_groups(GroupNames=["lobster-alb-sg"])["SecurityGroups"]
    assert group["IpPermissions"][0]["Ipv6Ranges"] == []


def test_a_task_subnet_that_is_elsewhere_is_refused(aws: Aws, ec2: Any) -> None:
    first, second, _ = by_zone(ec2)
    named = {"vpc": vpc_of(ec2), "subnets": [first, second], "task_subnets": ["subnet-0"]}
    with pytest.raises(RefusedError, match="has no subnet subnet-0") as refused:
        Stand.of(aws, "network", network=named).read()
    assert refused.value.next_step == "correct network.task_subnets in invoke.yaml"


def test_a_name_with_an_asterisk_is_no_other_groups(aws: Aws, ec2: Any) -> None:
    """EC2 allows it in names, and reads it as a wildcard in filters."""
    ec2.create_security_group(GroupName="web-of-others", Description="another", VpcId=vpc_of(ec2))
    stand = Stand.of(aws, "security-group", tasks_security_group="web-*")
    assert stand.read()[stand.find("security-group/web-*")] is None
    stand.converge()
    assert stand.live("security-group/web-*").raw["GroupName"] == "web-*"
