"""Target groups and targets in the API.

Quotes are from the Elastic Load Balancing API reference (2015-12-01) unless they name another source.
"""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.embedded.balanced import PORT, Balanced


def create(balanced: Balanced, **settings: Any) -> Any:
    """CreateTargetGroup of the group that exists, with some settings changed; None leaves one out."""
    given = {
        "Name": "tg",
        "Protocol": "HTTP",
        "Port": PORT,
        "VpcId": balanced.vpc,
        "TargetType": "ip",
        "HealthCheckPath": "/health",
        "HealthCheckIntervalSeconds": 5,
        "HealthCheckTimeoutSeconds": 2,
        "HealthyThresholdCount": 2,
        "UnhealthyThresholdCount": 2,
    }
    given = {key: value for key, value in (given | settings).items() if value is not None}
    return balanced.elb.create_target_group(**given)["TargetGroups"][0]


def error_of(call: Any, **given: Any) -> tuple[str, str]:
    """The code and message of a refusal."""
    with pytest.raises(ClientError) as refused:
        call(**given)
    error = refused.value.response["Error"]
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    return error["Code"], error["Message"]


def describe(balanced: Balanced, arn: str | None = None) -> Any:
    """A target group as DescribeTargetGroups shows it."""
    given = [arn or balanced.target_group]
    (found,) = balanced.elb.describe_target_groups(TargetGroupArns=given)["TargetGroups"]
    return found


def test_defaults(balanced: Balanced) -> None:
    """CreateTargetGroup, and "Health check settings" of the Application Load Balancers guide."""
    made = balanced.elb.create_target_group(
        Name="new", Protocol="HTTP", Port=80, VpcId=balanced.vpc, TargetType="ip"
    )["TargetGroups"][0]
    start, _, digits = made.pop("TargetGroupArn").rpartition("/")
    assert start == "arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/new"
    assert len(digits) == 16
    assert made == {
        "TargetGroupName": "new",
        "Protocol": "HTTP",
        "Port": 80,
        "VpcId": balanced.vpc,
        "HealthCheckProtocol": "HTTP",
        "HealthCheckPort": "traffic-port",
        "HealthCheckEnabled": True,
        "HealthCheckIntervalSeconds": 30,
        "HealthCheckTimeoutSeconds": 5,
        "HealthyThresholdCount": 5,
        "UnhealthyThresholdCount": 2,
        "HealthCheckPath": "/",
        "Matcher": {"HttpCode": "200"},
        "TargetType": "ip",
        "ProtocolVersion": "HTTP1",
        "IpAddressType": "ipv4",
    }


def test_the_default_target_type_is_instance(balanced: Balanced) -> None:
    """TargetType: "The default is instance." Tasks of Fargate need ``ip``."""
    assert create(balanced, Name="new", TargetType=None)["TargetType"] == "instance"


def test_an_optional_member_that_is_empty_is_not_given(balanced: Balanced) -> None:
    """terraform-provider-aws sends an empty ProtocolVersion for each HTTP group whose version nobody has set
    (internal/service/elbv2/target_group.go: ``ProtocolVersion = d.Get("protocol_version")``), and AWS takes it.
    """
    made = create(balanced, Name="new", ProtocolVersion="", IpAddressType="")
    assert (made["ProtocolVersion"], made["IpAddressType"]) == ("HTTP1", "ipv4")


def test_the_load_balancer_is_shown(balanced: Balanced) -> None:
    """TargetGroup.LoadBalancerArns: "You can use each target group with only one load balancer." """
    assert describe(balanced)["LoadBalancerArns"] == [balanced.arn]
    found = balanced.elb.describe_target_groups(LoadBalancerArn=balanced.arn)["TargetGroups"]
    assert [one["TargetGroupArn"] for one in found] == [balanced.target_group]


def test_the_same_again_is_the_same_one(balanced: Balanced) -> None:
    """ "If you attempt to create multiple target groups with the same settings, each call succeeds." """
    assert create(balanced)["TargetGroupArn"] == balanced.target_group
    assert len(balanced.elb.describe_target_groups()["TargetGroups"]) == 1


@pytest.mark.parametrize(
    "settings",
    [
        {"Port": 80},
        {"Protocol": "HTTPS"},
        {"TargetType": "instance"},
        {"ProtocolVersion": "HTTP2"},
        {"HealthCheckPath": "/"},
        {"Matcher": {"HttpCode": "200-299"}},
        {"Tags": [{"Key": "a", "Value": "b"}]},
    ],
    ids=str,
)
def test_the_same_name_with_other_settings(balanced: Balanced, settings: dict[str, Any]) -> None:
    """DuplicateTargetGroupName: "A target group with the specified name already exists." """
    assert error_of(lambda: create(balanced, **settings)) == (
        "DuplicateTargetGroupName",
        "A target group with the same name 'tg' exists, but with different settings",
    )


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("a" * 33, "cannot be longer than '32' characters"),
        ("a_b", "can only contain characters that are alphanumeric characters and hyphens(-)"),
        ("-a", "cannot begin or end with '-'"),
        ("a-", "cannot begin or end with '-'"),
    ],
)
def test_names(balanced: Balanced, name: str, problem: str) -> None:
    """Name: "a maximum of 32 characters, must contain only alphanumeric characters or hyphens, and must not begin or
    end with a hyphen."
    """
    error = error_of(lambda: create(balanced, Name=name))
    assert error == ("ValidationError", f"Target group name '{name}' {problem}")


@pytest.mark.parametrize(
    ("missing", "text"), [("Protocol", "protocol"), ("Port", "port"), ("VpcId", "VPC ID")]
)
def test_what_is_required(balanced: Balanced, missing: str, text: str) -> None:
    """Port, Protocol, VpcId: "If the target is a Lambda function, this parameter does not apply. Otherwise, this
    parameter is required."
    """
    assert error_of(lambda: create(balanced, Name="new", **{missing: None})) == (
        "ValidationError",
        f"A {text} must be specified",
    )


def test_the_vpc_must_exist(balanced: Balanced) -> None:
    """ValidationError."""
    assert error_of(lambda: create(balanced, Name="new", VpcId="vpc-00000000000000000")) == (
        "ValidationError",
        "The VPC ID 'vpc-00000000000000000' is not found",
    )


BAD_HEALTH = [
    ({"HealthCheckIntervalSeconds": 301}, "Member must have value less than or equal to 300"),
    ({"HealthCheckTimeoutSeconds": 121}, "Member must have value less than or equal to 120"),
    ({"HealthyThresholdCount": 11}, "Member must have value less than or equal to 10"),
    ({"UnhealthyThresholdCount": 11}, "Member must have value less than or equal to 10"),
    ({"HealthCheckTimeoutSeconds": 5}, "Health check timeout '5' must be smaller than the interval '5'"),
    (
        {"Matcher": {"HttpCode": "199"}},
        "Health check matcher HTTP code '199' must be within '200-499' inclusive",
    ),
    ({"Matcher": {"HttpCode": "200-500"}}, "HTTP code '200-500' must be within '200-499' inclusive"),
    ({"Matcher": {"HttpCode": "ok"}}, "Health check matcher HTTP code 'ok'"),
    ({"HealthCheckPath": "health"}, "Health check path 'health'"),
    ({"HealthCheckPort": "0"}, "Health check port '0'"),
    ({"HealthCheckProtocol": "TCP"}, "Member must satisfy enum value set: [HTTP, HTTPS]"),
]


@pytest.mark.parametrize(("settings", "text"), BAD_HEALTH, ids=[str(one[0]) for one in BAD_HEALTH])
def test_health_check_settings_are_checked(balanced: Balanced, settings: dict[str, Any], text: str) -> None:
    """The ranges of CreateTargetGroup and ModifyTargetGroup; and "The value must be less than the
    HealthCheckIntervalSeconds"."""
    before = describe(balanced)
    for call in (
        lambda: create(balanced, Name="new", **settings),
        lambda: balanced.elb.modify_target_group(TargetGroupArn=balanced.target_group, **settings),
    ):
        code, message = error_of(call)
        assert code == "ValidationError"
        assert text in message
    assert describe(balanced) == before


def test_health_check_settings_may_change(balanced: Balanced) -> None:
    """ModifyTargetGroup: "Modifies the health checks used when evaluating the health state of the targets"."""
    changed = balanced.elb.modify_target_group(
        TargetGroupArn=balanced.target_group,
        HealthCheckPath="/ok",
        HealthCheckIntervalSeconds=300,
        Matcher={"HttpCode": "200,302"},
    )["TargetGroups"][0]
    assert changed == describe(balanced)
    assert (changed["HealthCheckPath"], changed["HealthCheckIntervalSeconds"]) == ("/ok", 300)
    assert (changed["Matcher"], changed["HealthCheckTimeoutSeconds"]) == ({"HttpCode": "200,302"}, 2)


def test_health_checks_cannot_be_switched_off(balanced: Balanced) -> None:
    """HealthCheckEnabled: "If the target type is instance, ip, or alb, health checks are always enabled and can't be
    disabled."
    """
    code, _ = error_of(
        balanced.elb.modify_target_group, TargetGroupArn=balanced.target_group, HealthCheckEnabled=False
    )
    assert code == "ValidationError"


def test_deletion(balanced: Balanced) -> None:
    """DeleteTargetGroup: "You can delete a target group if it is not referenced by any actions."; a second time it
    succeeds too; its targets go with it.
    """
    arn = balanced.target_group
    assert error_of(balanced.elb.delete_target_group, TargetGroupArn=arn) == (
        "ResourceInUse",
        f"Target group '{arn}' is currently in use by a listener or a rule",
    )
    balanced.elb.delete_listener(ListenerArn=balanced.listener)
    for _ in range(2):
        balanced.elb.delete_target_group(TargetGroupArn=arn)
    assert balanced.elb.describe_target_groups()["TargetGroups"] == []


def test_a_rule_counts_as_use(balanced: Balanced) -> None:
    """ "currently in use by a listener or a rule"."""
    arn = balanced.make_target_group("other")
    path = {"Field": "path-pattern", "Values": ["/a"]}
    rule = balanced.elb.create_rule(
        ListenerArn=balanced.listener, Priority=1, Conditions=[path], Actions=[balanced.forward(arn)]
    )["Rules"][0]
    assert error_of(balanced.elb.delete_target_group, TargetGroupArn=arn)[0] == "ResourceInUse"
    balanced.elb.delete_rule(RuleArn=rule["RuleArn"])
    balanced.elb.delete_target_group(TargetGroupArn=arn)


def test_what_is_not_there(balanced: Balanced) -> None:
    """TargetGroupNotFound: "The specified target group does not exist." """
    arn, elb = f"{balanced.target_group}0", balanced.elb
    targets = [{"Id": "172.31.0.9"}]
    pairs = [{"Key": "stickiness.enabled", "Value": "true"}]
    refusals = [
        error_of(elb.describe_target_groups, TargetGroupArns=[arn]),
        error_of(elb.describe_target_groups, Names=["nope"]),
        error_of(elb.modify_target_group, TargetGroupArn=arn, HealthCheckPath="/"),
        error_of(elb.describe_target_group_attributes, TargetGroupArn=arn),
        error_of(elb.modify_target_group_attributes, TargetGroupArn=arn, Attributes=pairs),
        error_of(elb.register_targets, TargetGroupArn=arn, Targets=targets),
        error_of(elb.deregister_targets, TargetGroupArn=arn, Targets=targets),
        error_of(elb.describe_target_health, TargetGroupArn=arn),
    ]
    assert {code for code, _ in refusals} == {"TargetGroupNotFound"}


def test_descriptions_take_one_way_of_naming(balanced: Balanced) -> None:
    """DescribeTargetGroups: "you can specify one of the following"."""
    code, _ = error_of(
        balanced.elb.describe_target_groups, Names=["tg"], TargetGroupArns=[balanced.target_group]
    )
    assert code == "ValidationError"


# Attributes


def attributes(balanced: Balanced) -> dict[str, str]:
    """The target group's attributes."""
    found = balanced.elb.describe_target_group_attributes(TargetGroupArn=balanced.target_group)["Attributes"]
    return {one["Key"]: one["Value"] for one in found}


def test_first_attributes(balanced: Balanced) -> None:
    """TargetGroupAttribute: what each is by default."""
    expected = {
        "deregistration_delay.timeout_seconds": "300",
        "load_balancing.algorithm.type": "round_robin",
        "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
        "slow_start.duration_seconds": "0",
        "stickiness.enabled": "false",
        "stickiness.type": "lb_cookie",
        "stickiness.lb_cookie.duration_seconds": "86400",
        "target_group_health.unhealthy_state_routing.minimum_healthy_targets.count": "1",
    }
    assert expected.items() <= attributes(balanced).items()


def test_attributes_may_change(balanced: Balanced) -> None:
    """ModifyTargetGroupAttributes: the bounds are allowed, the others stay."""
    balanced.set_group(deregistration_delay__timeout_seconds=3600)
    balanced.set_group(stickiness__lb_cookie__duration_seconds=604800)
    found = attributes(balanced)
    assert found["deregistration_delay.timeout_seconds"] == "3600"
    assert found["stickiness.lb_cookie.duration_seconds"] == "604800"
    balanced.set_group(deregistration_delay__timeout_seconds=0)
    assert attributes(balanced)["deregistration_delay.timeout_seconds"] == "0"


@pytest.mark.parametrize(
    ("change", "code", "text"),
    [
        (
            {"deregistration_delay__timeout_seconds": "3601"},
            "ValidationError",
            "must be between '0-3600' inclusive",
        ),
        ({"slow_start__duration_seconds": "29"}, "ValidationError", "must be between '30-900' inclusive"),
        (
            {"stickiness__lb_cookie__duration_seconds": "0"},
            "ValidationError",
            "must be between '1-604800' inclusive",
        ),
        ({"stickiness__type": "source_ip"}, "ValidationError", "must be one of [lb_cookie, app_cookie]"),
        (
            {"stickiness__type": "app_cookie"},
            "InvalidConfigurationRequest",
            "must set an application cookie name",
        ),
        ({"stickiness__app_cookie__cookie_name": "AWSALB"}, "InvalidConfigurationRequest", "is reserved"),
        ({"nonsense": "1"}, "ValidationError", "Target group attribute key 'nonsense' is not recognized"),
    ],
)
def test_attributes_are_checked(balanced: Balanced, change: dict[str, str], code: str, text: str) -> None:
    """TargetGroupAttribute: "The range is 0-3600 seconds", and so on; nothing is changed on an error."""
    before = attributes(balanced)
    found, message = error_of(lambda: balanced.set_group(**change))
    assert found == code
    assert text in message
    assert attributes(balanced) == before


# Targets


def register(balanced: Balanced, ip: str, **more: Any) -> tuple[str, str]:
    """The error of RegisterTargets."""
    return error_of(
        balanced.elb.register_targets, TargetGroupArn=balanced.target_group, Targets=[{"Id": ip, **more}]
    )


def test_an_address_outside_the_vpc_needs_a_zone(balanced: Balanced) -> None:
    """TargetDescription.AvailabilityZone: "If the IP address is outside the VPC, this parameter is required."; "the
    only supported value is all".
    """
    assert register(balanced, "10.9.9.9") == (
        "ValidationError",
        "The Availability Zone is required for IP address '10.9.9.9' because it is not in the VPC",
    )
    balanced.register("10.9.9.9", AvailabilityZone="all")
    (found,) = balanced.elb.describe_target_health(TargetGroupArn=balanced.target_group)[
        "TargetHealthDescriptions"
    ]
    assert found["Target"] == {"Id": "10.9.9.9", "Port": PORT, "AvailabilityZone": "all"}


def test_an_address_inside_the_vpc_has_its_own_zone(balanced: Balanced) -> None:
    """ "The IP address is within the VPC, and cannot have its Availability Zone overridden" (seen from AWS)."""
    ip = balanced.make_address()
    assert register(balanced, ip, AvailabilityZone="all") == (
        "ValidationError",
        f"The IP address '{ip}' is within the VPC, and cannot have its Availability Zone overridden to 'all' "
        "from 'us-east-2a'",
    )


def test_public_addresses_are_refused(balanced: Balanced) -> None:
    """ "You can't specify publicly routable IP addresses." (Application Load Balancers guide)"""
    assert register(balanced, "8.8.8.8", AvailabilityZone="all")[0] == "ValidationError"


def test_what_is_no_address(balanced: Balanced) -> None:
    """TargetDescription.Id: "If the target type of the target group is ip, specify an IP address." """
    assert register(balanced, "i-0123456789abcdef0") == (
        "ValidationError",
        "The IP address 'i-0123456789abcdef0' is not a valid IPv4 address",
    )


def test_one_bad_target_and_none_is_registered(balanced: Balanced) -> None:
    """RegisterTargets refuses the whole call."""
    targets = [{"Id": balanced.make_address()}, {"Id": "10.9.9.9"}]
    error_of(balanced.elb.register_targets, TargetGroupArn=balanced.target_group, Targets=targets)
    found = balanced.elb.describe_target_health(TargetGroupArn=balanced.target_group)
    assert found["TargetHealthDescriptions"] == []


def test_the_waiter_sees_targets_in_service(balanced: Balanced) -> None:
    """The SDK's waiters TargetInService and TargetDeregistered."""
    balanced.add("one", healthy=False)
    quickly = {"Delay": 1, "MaxAttempts": 20}
    targets = [{"Id": balanced.addresses["one"]}]
    arn = balanced.target_group
    in_service = balanced.elb.get_waiter("target_in_service")
    in_service.wait(TargetGroupArn=arn, Targets=targets, WaiterConfig=quickly)
    balanced.set_group(deregistration_delay__timeout_seconds=30)
    balanced.deregister(balanced.addresses["one"])
    gone = balanced.elb.get_waiter("target_deregistered")
    gone.wait(TargetGroupArn=arn, Targets=targets, WaiterConfig=quickly)


def test_tags_at_creation(balanced: Balanced) -> None:
    """CreateTargetGroup.Tags."""
    arn = create(balanced, Name="new", Tags=[{"Key": "a", "Value": "b"}])["TargetGroupArn"]
    (found,) = balanced.elb.describe_tags(ResourceArns=[arn])["TagDescriptions"]
    assert found["Tags"] == [{"Key": "a", "Value": "b"}]


NOT_OURS = [
    "abc",
    "arn:",
    "arn:aws:elasticloadbalancing:us-east-2:123456789012:other/a/0123456789abcdef",
    "arn:aws:elasticloadbalancing:eu-west-1:123456789012:{}/a/0123456789abcdef",
    "arn:aws:elasticloadbalancing:us-east-2:999999999999:{}/a/0123456789abcdef",
    "arn:aws:ecs:us-east-2:123456789012:{}/a/0123456789abcdef",
]
KINDS = {
    "target group": "targetgroup",
    "load balancer": "loadbalancer/app",
    "listener": "listener/app/a",
    "listener rule": "listener-rule/app/a",
}
BY_ARN: list[tuple[str, str, dict[str, Any]]] = [
    ("target group", "describe_target_groups", {"TargetGroupArns": ["{}"]}),
    ("target group", "describe_target_health", {"TargetGroupArn": "{}"}),
    ("target group", "delete_target_group", {"TargetGroupArn": "{}"}),
    ("target group", "modify_target_group", {"TargetGroupArn": "{}"}),
    ("load balancer", "describe_load_balancers", {"LoadBalancerArns": ["{}"]}),
    ("load balancer", "describe_listeners", {"LoadBalancerArn": "{}"}),
    ("load balancer", "delete_load_balancer", {"LoadBalancerArn": "{}"}),
    ("load balancer", "describe_target_groups", {"LoadBalancerArn": "{}"}),
    ("listener", "describe_listeners", {"ListenerArns": ["{}"]}),
    ("listener", "delete_listener", {"ListenerArn": "{}"}),
    ("listener", "describe_rules", {"ListenerArn": "{}"}),
    ("listener rule", "delete_rule", {"RuleArn": "{}"}),
]


@pytest.mark.parametrize(("what", "call", "given"), BY_ARN, ids=[f"{one[1]}-{one[0]}" for one in BY_ARN])
def test_what_is_no_arn_of_its_kind_here_is_refused(
    balanced: Balanced, what: str, call: str, given: dict[str, Any]
) -> None:
    """ "ValidationError: '…' is not a valid load balancer ARN" (target group, listener), also for ARNs of other regions
    and accounts, and of listener rules: the words are our own."""
    for form in NOT_OURS:
        arn = form.format(KINDS[what])
        members = {name: [arn] if isinstance(value, list) else arn for name, value in given.items()}
        expected = ("ValidationError", f"'{arn}' is not a valid {what} ARN")
        assert error_of(getattr(balanced.elb, call), **members) == expected
