"""A VPC endpoint counts only for what it leads to, and only in the state in which it works.

Sources: EC2 API Reference, VpcEndpoint; AWS PrivateLink Guide, "Access an AWS service using an interface VPC endpoint"
and "Gateway endpoints"; Amazon ECR User Guide, "Amazon ECR interface VPC endpoints".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.doctor.facts import (
    SECRET,
    VPC_ENDPOINTS,
    anywhere,
    check,
    definition,
    from_group,
    from_prefix_list,
    group,
    interface_endpoint,
    route_table,
    s3_endpoint,
    service,
    subnet,
)

APP = "123456789012.dkr.ecr.us-east-2.amazonaws.com/homara:v1"
PARAMETER = "arn:aws:ssm:us-east-2:123456789012:parameter/key"
TASKS = "sg-lobster-ecs-sg"


def cut_off(**changes: Any) -> Any:
    """The check of the routes in subnets without a route to the internet."""
    given = {"route_tables": [route_table(None)], "endpoints": VPC_ENDPOINTS, **changes}
    return check("network.routes", **given)


def beside(**container: Any) -> Mapping[str, Any]:
    """A definition with a second container."""
    made = definition()
    made["containerDefinitions"].append({"name": "agent", "image": APP, **container})
    return made


def awslogs(region: str) -> dict[str, Any]:
    """A log configuration."""
    return {"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/agent", "awslogs-region": region}}


@pytest.mark.parametrize(
    ("described", "lacks"),
    [
        (beside(secrets=[{"name": "K", "valueFrom": SECRET}]), "secretsmanager"),
        (beside(secrets=[{"name": "K", "valueFrom": "key"}]), "ssm"),
        (beside(secrets=[{"name": "K", "valueFrom": PARAMETER}]), "ssm"),
        (beside(repositoryCredentials={"credentialsParameter": SECRET}), "secretsmanager"),
        (
            beside(
                logConfiguration={
                    "logDriver": "splunk",
                    "secretOptions": [{"name": "splunk-token", "valueFrom": SECRET}],
                }
            ),
            "secretsmanager",
        ),
        (definition(secrets=[{"name": "K", "valueFrom": SECRET}]), "secretsmanager"),
        (
            definition(secrets=[{"name": "K", "valueFrom": SECRET.replace("us-east-2", "us-west-2")}]),
            "Secrets Manager in us-west-2 (K)",
        ),
        (beside(image="ghcr.io/org/agent:1"), "ghcr.io, the registry of agent"),
        (beside(image="fluent/fluent-bit:3"), "docker.io, the registry of agent"),
        (beside(image="public.ecr.aws/xray/aws-xray-daemon:3"), "public.ecr.aws, the registry of agent"),
        (beside(image=APP.replace("us-east-2", "us-west-2")), "ECR in us-west-2, the registry of agent"),
        (beside(logConfiguration=awslogs("us-west-2")), "CloudWatch Logs in us-west-2 (agent)"),
    ],
)
def test_every_container_of_a_definition_has_its_own_needs(described: Any, lacks: str) -> None:
    made = cut_off(task_definition=described)
    assert (made.status, lacks in made.saw) == ("fail", True), made.saw


@pytest.mark.parametrize(
    "described",
    [beside(), beside(environmentFiles=[{"type": "s3", "value": "arn:aws:s3:::b/x.env"}]), None],
)
def test_what_the_endpoints_lead_to_is_not_held_against_them(described: Any) -> None:
    assert cut_off(task_definition=described).status == "pass"


def in_the_place_of(name: str, *endpoints: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The endpoints with others of one service."""
    return [*(each for each in VPC_ENDPOINTS if not each["ServiceName"].endswith(f".{name}")), *endpoints]


@pytest.mark.parametrize(
    "state",
    ["pendingAcceptance", "pending", "deleting", "deleted", "rejected", "failed", "expired", "Failed"],
)
def test_an_endpoint_that_is_not_available_leads_nowhere(state: str) -> None:
    made = cut_off(endpoints=in_the_place_of("logs", interface_endpoint("logs", State=state)))
    assert (made.status, f"logs (vpce-logs is {state})" in made.saw) == ("fail", True)
    both = in_the_place_of("logs", interface_endpoint("logs", State=state), interface_endpoint("logs"))
    assert cut_off(endpoints=both).status == "pass"


@pytest.mark.parametrize("tables", [["rtb-other"], []])
def test_a_gateway_endpoint_leads_only_from_the_route_tables_that_it_names(tables: list[str]) -> None:
    made = cut_off(endpoints=in_the_place_of("s3", s3_endpoint(RouteTableIds=tables)))
    assert (made.status, "s3 (vpce-s3 is in no route of subnet-a)" in made.saw) == ("fail", True)


def test_each_subnet_has_a_route_table_of_its_own() -> None:
    own = route_table(None, "subnet-b") | {"RouteTableId": "rtb-own"}
    made = cut_off(route_tables=[route_table(None), own])
    assert (made.status, "s3 (vpce-s3 is in no route of subnet-b)" in made.saw) == ("fail", True)


def test_names_do_not_lead_to_an_endpoint_without_private_dns() -> None:
    """A private hosted zone of one's own may, which is not read."""
    made = cut_off(endpoints=in_the_place_of("logs", interface_endpoint("logs", PrivateDnsEnabled=False)))
    assert (made.status, "vpce-logs has no private DNS" in made.saw) == ("skip", True)
    inbound = {"DnsOptions": {"PrivateDnsOnlyForInboundResolverEndpoint": True}}
    made = cut_off(endpoints=in_the_place_of("s3", interface_endpoint("s3", **inbound)))
    assert (made.status, "inbound Resolver endpoints only" in made.saw) == ("fail", True)


@pytest.mark.parametrize(
    ("rules", "status"),
    [
        ([anywhere(443)], "pass"),
        ([anywhere()], "pass"),
        ([from_group(TASKS, 443)], "pass"),
        (
            [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "10.0.0.0/16"}]}],
            "pass",
        ),
        (
            [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "10.0.0.0/28"}]}],
            "skip",
        ),
        ([from_prefix_list("pl-1", 443)], "skip"),
        (
            [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "192.0.2.0/24"}]}],
            "fail",
        ),
        (
            [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}],
            "fail",
        ),
        ([from_group("sg-others", 443)], "fail"),
        ([anywhere(80)], "fail"),
        ([], "fail"),
    ],
)
def test_an_endpoint_leads_on_only_where_its_groups_let_the_tasks_in(rules: list[Any], status: str) -> None:
    endpoint = interface_endpoint("logs", Groups=[{"GroupId": "sg-endpoints"}])
    groups = [group("endpoints", rules), group("lobster-ecs-sg", [])]
    networks = [subnet("a", "a", CidrBlock="10.0.0.0/24"), subnet("b", "b", CidrBlock="10.0.0.0/24")]
    made = cut_off(endpoints=in_the_place_of("logs", endpoint), security_groups=groups, network=networks)
    assert made.status == status, made.saw
    assert status == "pass" or "sg-endpoints of vpce-logs" in made.saw


def test_the_same_holds_where_a_task_has_no_public_address() -> None:
    private = {"service": service(network={"assignPublicIp": "DISABLED"})}
    asked = "network.public-address"
    assert check(asked, endpoints=VPC_ENDPOINTS, **private).status == "pass"
    failed = in_the_place_of("s3", s3_endpoint(State="failed"))
    assert "s3 (vpce-s3 is failed)" in check(asked, endpoints=failed, **private).saw
    sidecar = beside(image="ghcr.io/org/agent:1")
    assert check(asked, endpoints=VPC_ENDPOINTS, task_definition=sidecar, **private).status == "fail"


@pytest.mark.parametrize(
    ("in_tables", "status"), [(["rtb-a", "rtb-b"], "pass"), (["rtb-a"], "skip"), (["rtb-b"], "fail")]
)
def test_what_a_subnet_lacks_that_has_another_way_is_no_fault(in_tables: list[str], status: str) -> None:
    """A transit gateway may lead to the internet, as where many VPCs share one way out."""
    way_out = {"DestinationCidrBlock": "0.0.0.0/0", "TransitGatewayId": "tgw-1", "State": "active"}
    lost = route_table(None, "subnet-a") | {"RouteTableId": "rtb-a"}
    unsure = route_table(None, "subnet-b") | {"RouteTableId": "rtb-b", "Routes": [way_out]}
    endpoints = in_the_place_of("s3", s3_endpoint(RouteTableIds=in_tables))
    made = cut_off(route_tables=[lost, unsure], endpoints=endpoints)
    assert made.status == status, made.saw
    assert status != "fail" or "subnet-b" not in made.saw


def test_a_way_that_is_not_known_is_no_fault_for_what_lies_outside() -> None:
    way_out = {"DestinationCidrBlock": "0.0.0.0/0", "TransitGatewayId": "tgw-1", "State": "active"}
    unsure = route_table(None) | {"Routes": [way_out]}
    made = cut_off(route_tables=[unsure], task_definition=beside(image="ghcr.io/org/agent:1"))
    assert (made.status, "tgw-1" in made.saw) == ("skip", True)


def test_a_group_that_names_groups_is_no_fault_where_those_of_the_tasks_are_not_known() -> None:
    """ "If you don't specify a security group, the default security group for the VPC is used" (ECS API Reference,
    AwsVpcConfiguration), and which one that is the service does not say."""
    endpoint = interface_endpoint("logs", Groups=[{"GroupId": "sg-endpoints"}])
    for allowed, status in ((TASKS, "skip"), ("sg-default", "skip"), (None, "pass")):
        rules = [from_group(allowed, 443)] if allowed else [anywhere(443)]
        groups = [group("endpoints", rules), group("lobster-ecs-sg", [])]
        for asked in ({"service": service(network={"securityGroups": []})}, {"service": None}):
            known = [each for each in groups if asked["service"] or each["GroupName"] == "endpoints"]
            made = cut_off(endpoints=in_the_place_of("logs", endpoint), security_groups=known, **asked)
            assert made.status == status, made.saw
