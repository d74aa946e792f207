"""Whether a task reaches ECR, S3, Secrets Manager, SSM and CloudWatch Logs over its own network interface.

Developer Guide: "Fargate task networking", "Amazon ECS interface VPC endpoints", "Resolve Amazon ECS stopped task
errors"; VPC User Guide: "Configure route tables", "NAT gateways"; AWS PrivateLink Guide.
"""

from __future__ import annotations

import json
import re

import pytest

from tests.embedded.ecs_stack import Stack
from tests.embedded.private_network import ANYWHERE, ENDPOINTS, EVERYTHING, REGION, PrivateNetwork
from tests.embedded.refusals import refused
from tests.embedded_process import eventually

SPEED = 1000
"""Of the embedded AWS that ``rapid_stack`` is on."""

AUTH = "ResourceInitializationError: unable to pull secrets or registry auth: "
LOGS = (
    "ResourceInitializationError: failed to validate logger args: The task cannot find the Amazon CloudWatch log "
    "group defined in the task definition. There is a connection issue between the task and Amazon CloudWatch. Check "
    "your network configuration. : signal: killed"
)
NO_TOKEN = (
    "The task cannot pull registry auth from Amazon ECR: There is a connection issue between the task and Amazon ECR. "
    "Check your task network configuration. operation error ECR: GetAuthorizationToken, exceeded maximum number of "
    "attempts, 3, https response error StatusCode: 0, RequestID: , request send failed, "
    'Post "https://api.ecr.us-east-2.amazonaws.com/": dial tcp '
)


@pytest.fixture
def private(rapid_stack: Stack) -> PrivateNetwork:
    """A subnet that leads nowhere."""
    return PrivateNetwork(rapid_stack)


def cannot_get_a_token(reason: str) -> bool:
    """Whether this is what a task says that reaches nothing."""
    return bool(re.fullmatch(rf"{re.escape(AUTH + NO_TOKEN)}[\d.]+:443: i/o timeout", reason))


def test_without_a_way_out_no_token_is_had(private: PrivateNetwork) -> None:
    """ "unable to pull secrets or registry auth: The task cannot pull registry auth from Amazon ECR: There is a
    connection issue … i/o timeout", TaskFailedToStart.
    """
    assert cannot_get_a_token(private.fails()["stoppedReason"])


def test_it_takes_minutes_to_say_so(private: PrivateNetwork) -> None:
    """A connection that nobody answers is given up only after retries: minutes, by a figure of our own."""
    task = private.fails()
    assert (task["stoppingAt"] - task["pullStartedAt"]).total_seconds() * SPEED > 120


def test_a_public_address_in_a_private_subnet_is_of_no_use(private: PrivateNetwork) -> None:
    """assignPublicIp ENABLED where the route table does not lead to an internet gateway: timeouts all the same."""
    assert cannot_get_a_token(private.fails(public=True)["stoppedReason"])


def test_a_public_subnet_needs_a_public_address(private: PrivateNetwork) -> None:
    """ "When using a public subnet, you can assign a public IP address to the task ENI" to reach the internet."""
    private.route(private.main, GatewayId=private.gateway)
    assert cannot_get_a_token(private.fails()["stoppedReason"])
    private.runs(public=True)


def test_a_gateway_that_was_detached_leads_nowhere(private: PrivateNetwork) -> None:
    """Route.state: "blackhole" when the target isn't available (the gateway isn't attached to the VPC)."""
    private.route(private.main, GatewayId=private.gateway)
    private.ec2.detach_internet_gateway(InternetGatewayId=private.gateway, VpcId=private.vpc)
    assert cannot_get_a_token(private.fails(public=True)["stoppedReason"])
    assert states(private) == {"active", "blackhole"}


def states(private: PrivateNetwork) -> set[str]:
    """The states of the routes of the main table."""
    found = private.ec2.describe_route_tables(RouteTableIds=[private.main])["RouteTables"][0]
    return {route["State"] for route in found["Routes"]}


def test_a_route_table_of_its_own_counts_not_the_main_one(private: PrivateNetwork) -> None:
    """ "If a subnet isn't explicitly associated with a route table, it's implicitly associated with the main"."""
    private.route(private.main, GatewayId=private.gateway)
    table = private.make_table(private.subnet)
    assert cannot_get_a_token(private.fails(public=True)["stoppedReason"])
    private.route(table, GatewayId=private.gateway)
    private.runs(public=True)


def test_a_nat_gateway_leads_out(private: PrivateNetwork) -> None:
    """NAT gateway, public: "Instances in private subnets can connect to the internet through a public NAT
    gateway"; once it is deleted, the route to it is a blackhole.
    """
    nat = private.make_nat()
    private.route(private.main, NatGatewayId=nat)
    private.runs()
    private.ec2.delete_nat_gateway(NatGatewayId=nat)
    assert cannot_get_a_token(private.fails()["stoppedReason"])
    assert states(private) == {"active", "blackhole"}


def test_a_nat_gateway_has_to_be_in_a_public_subnet(private: PrivateNetwork) -> None:
    """ "You create a public NAT gateway in a public subnet": beside the tasks, it would forward to itself."""
    private.route(private.main, NatGatewayId=private.make_nat(private.subnet))
    assert cannot_get_a_token(private.fails()["stoppedReason"])


def test_a_private_nat_gateway_does_not_lead_to_the_internet(private: PrivateNetwork) -> None:
    """ConnectivityType private: "the internet gateway drops the traffic from the private NAT gateway"."""
    private.route(private.main, NatGatewayId=private.make_nat(ConnectivityType="private"))
    assert cannot_get_a_token(private.fails()["stoppedReason"])


def test_the_most_specific_route_counts(private: PrivateNetwork) -> None:
    """ "we use the most specific route in your route table that matches the traffic"."""
    private.route(private.main, NatGatewayId=private.make_nat())
    gone = private.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    private.ec2.create_route(RouteTableId=private.main, DestinationCidrBlock="52.0.0.0/8", GatewayId=gone)
    assert cannot_get_a_token(private.fails()["stoppedReason"])


def test_the_security_group_has_to_let_https_out(private: PrivateNetwork) -> None:
    """Egress of the tasks' security group: TCP 443, to anywhere or to where the service is."""
    private.route(private.main, GatewayId=private.gateway)
    private.ec2.revoke_security_group_egress(GroupId=private.group, IpPermissions=EVERYTHING)
    allow_out(private, 80)
    assert cannot_get_a_token(private.fails(public=True)["stoppedReason"])
    allow_out(private, 443)
    private.runs(public=True)


def allow_out(private: PrivateNetwork, port: int) -> None:
    """Let the tasks out to a port."""
    permission = {
        "IpProtocol": "tcp",
        "FromPort": port,
        "ToPort": port,
        "IpRanges": [{"CidrIp": ANYWHERE}],
    }
    private.ec2.authorize_security_group_egress(GroupId=private.group, IpPermissions=[permission])


def test_a_group_may_let_out_to_prefix_lists_only(private: PrivateNetwork) -> None:
    """Security group rules may name a prefix list: here S3's, so that layers come, but no token."""
    private.make_all_endpoints()
    private.ec2.revoke_security_group_egress(GroupId=private.group, IpPermissions=EVERYTHING)
    s3 = private.ec2.describe_managed_prefix_lists(
        Filters=[{"Name": "prefix-list-name", "Values": [f"com.amazonaws.{REGION}.s3"]}]
    )["PrefixLists"][0]["PrefixListId"]
    pairs = [{"GroupId": private.endpoint_group}]
    https = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}
    layers = {**https, "PrefixListIds": [{"PrefixListId": s3}]}
    private.ec2.authorize_security_group_egress(GroupId=private.group, IpPermissions=[layers])
    assert cannot_get_a_token(private.fails()["stoppedReason"])
    endpoints = {**https, "UserIdGroupPairs": pairs}
    private.ec2.authorize_security_group_egress(GroupId=private.group, IpPermissions=[endpoints])
    private.runs()


def test_endpoints_are_a_way_too(private: PrivateNetwork) -> None:
    """ "Amazon ECS tasks using Fargate … require both the com.amazonaws.region.ecr.dkr and com.amazonaws.region.ecr.api
    Amazon ECR VPC endpoints and the Amazon S3 gateway endpoint"; and those of logs and secrets where used.
    """
    definition = private.definition()
    private.make_all_endpoints()
    private.runs(definition)


MISSING = {
    "ecr.api": f"{AUTH}{NO_TOKEN}",
    "ecr.dkr": "CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref "
    "{image}: failed to do request: Head "
    '"https://123456789012.dkr.ecr.us-east-2.amazonaws.com/v2/homara/manifests/v1": dial tcp ',
    "s3": "CannotPullContainerError: ref pull has been retried 5 time(s): failed to copy: httpReadSeeker: failed open: "
    'failed to do request: Get "https://prod-us-east-2-starport-layer-bucket.s3.us-east-2.amazonaws.com/homara": '
    "dial tcp ",
    "logs": LOGS,
    "secretsmanager": f"{AUTH}unable to retrieve secret from asm: There is a connection issue between the task and AWS "
    "Secrets Manager. Check your task network configuration. failed to fetch secret "
    f"arn:aws:secretsmanager:{REGION}:123456789012:secret:key-",
    "ssm": f"{AUTH}execution resource retrieval failed: unable to retrieve secrets from ssm: service call has been "
    "retried 5 time(s): RequestCanceled: request context canceled caused by: context deadline exceeded. Please check "
    "your task network configuration.",
}


@pytest.mark.parametrize("missing", [*ENDPOINTS, "s3"])
def test_a_missing_endpoint_is_told_by_what_needs_it(private: PrivateNetwork, missing: str) -> None:
    """Each purpose has its own text: the token, secrets, the log stream, the manifest, the layers."""
    definition = private.definition()
    private.make_all_endpoints(without=missing)
    task = private.fails(definition)
    assert task["stoppedReason"].startswith(MISSING[missing].format(image=private.stack.app))
    in_container = task["containers"][0].get("reason")
    pulling = missing in ("ecr.dkr", "s3")
    assert in_container == (task["stoppedReason"] if pulling else None)
    assert not pulling or task["stoppedReason"].endswith(":443: i/o timeout")


def test_an_endpoint_that_is_closed_takes_the_name_over(private: PrivateNetwork) -> None:
    """Private DNS: the service's name resolves to the endpoint in the whole VPC, so one whose security group does
    not let the tasks in is worse than none.
    """
    private.route(private.main, GatewayId=private.gateway)
    endpoint = private.make_endpoint("ecr.api", SecurityGroupIds=[private.make_group("closed")])
    reason = private.fails(public=True)["stoppedReason"]
    assert cannot_get_a_token(reason)
    assert re.search(r"dial tcp 10\.0\.1\.\d+:443", reason)  # the endpoint's own address
    private.ec2.delete_vpc_endpoints(VpcEndpointIds=[endpoint])
    private.runs(public=True)


def test_an_endpoint_without_private_dns_is_not_found(private: PrivateNetwork) -> None:
    """PrivateDnsEnabled false: the service's own name does not lead to the endpoint."""
    private.make_all_endpoints(without="ecr.api")
    private.make_endpoint("ecr.api", PrivateDnsEnabled=False)
    assert cannot_get_a_token(private.fails()["stoppedReason"])


def test_private_dns_needs_dns_of_the_vpc(private: PrivateNetwork) -> None:
    """CreateVpcEndpoint PrivateDnsEnabled: "you must set the following VPC attributes to true:
    enableDnsHostnames and enableDnsSupport".
    """
    private.ec2.modify_vpc_attribute(VpcId=private.vpc, EnableDnsHostnames={"Value": False})
    with refused("InvalidParameter"):
        private.make_endpoint("ecr.api")


def test_without_dns_no_name_is_found(private: PrivateNetwork) -> None:
    """enableDnsSupport false: "the Amazon-provided DNS server … is not enabled"."""
    private.route(private.main, GatewayId=private.gateway)
    private.ec2.modify_vpc_attribute(VpcId=private.vpc, EnableDnsSupport={"Value": False})
    reason = private.fails(public=True)["stoppedReason"]
    assert reason.endswith("dial tcp: lookup api.ecr.us-east-2.amazonaws.com: i/o timeout")


def test_the_s3_endpoint_has_to_be_in_the_subnets_route_table(private: PrivateNetwork) -> None:
    """Gateway endpoints: "You must associate the route tables of the subnets that use it"."""
    private.make_all_endpoints(without="s3")
    endpoint = private.make_s3_endpoint(private.make_table(private.make_subnet("10.0.9.0/24")))
    assert "starport-layer-bucket" in private.fails()["stoppedReason"]
    private.ec2.modify_vpc_endpoint(VpcEndpointId=endpoint, AddRouteTableIds=[private.main])
    private.runs()


def test_the_policy_of_the_s3_endpoint_may_forbid_the_layers(private: PrivateNetwork) -> None:
    """ "ref pull has been retried 1 time(s): failed to copy: httpReadSeeker: failed open: unexpected status code …
    403 Forbidden" when the endpoint's policy does not allow s3:GetObject of ECR's bucket.
    """
    private.make_all_endpoints(without="s3")
    mine = {"Effect": "Allow", "Principal": "*", "Action": "s3:*", "Resource": "arn:aws:s3:::mine/*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [mine]})
    private.make_s3_endpoint(private.main, PolicyDocument=policy)
    reason = private.fails()["stoppedReason"]
    head = "CannotPullContainerError: ref pull has been retried 1 time(s): failed to copy: httpReadSeeker: failed open:"
    assert reason.startswith(f"{head} unexpected status code https://prod-us-east-2-starport-layer-bucket.s3")
    assert reason.endswith("403 Forbidden")


def test_endpoints_are_for_their_own_region(private: PrivateNetwork) -> None:
    """ "The VPC endpoint and the service must be in the same Region": logs of another region have no way."""
    elsewhere = private.stack.log_options(**{"awslogs-region": "us-west-2"})
    container = private.stack.container(private.stack.app, logConfiguration=elsewhere)
    private.make_all_endpoints()
    assert private.fails(private.stack.definition(container))["stoppedReason"] == LOGS


def test_other_registries_need_the_internet(private: PrivateNetwork) -> None:
    """An image of Docker Hub: "failed to do request: Head …: dial tcp …: i/o timeout"; endpoints do not help."""
    private.make_all_endpoints()
    container = private.stack.container("nginx:1.27")
    reason = private.fails(private.stack.definition(container))["stoppedReason"]
    head = "CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref nginx:1.27:"
    assert reason.startswith(f'{head} failed to do request: Head "https://registry-1.docker.io/v2/')
    assert reason.endswith(":443: i/o timeout")


def test_a_service_tells_it_and_heals(private: PrivateNetwork) -> None:
    """Event "(service s) was unable to place a task. Reason: ResourceInitializationError: …"; ECS tries again."""
    private.stack.service(private.stack.definition(), networkConfiguration=private.configuration())
    head = f"(service s) was unable to place a task. Reason: {AUTH}{NO_TOKEN}"
    eventually(lambda: any(message.startswith(head) for message in private.stack.messages()))
    private.route(private.main, NatGatewayId=private.make_nat())
    eventually(lambda: private.stack.describe()["runningCount"] == 1)


def test_endpoints_have_addresses_and_groups(private: PrivateNetwork) -> None:
    """An interface endpoint's network interfaces have an address of their subnet and its security groups, which
    cannot be deleted meanwhile: DependencyViolation.
    """
    private.make_endpoint("logs")
    mine = [{"Name": "group-id", "Values": [private.endpoint_group]}]
    (interface,) = private.ec2.describe_network_interfaces(Filters=mine)["NetworkInterfaces"]
    assert interface["PrivateIpAddress"].startswith("10.0.1.")
    with refused("DependencyViolation"):
        private.ec2.delete_security_group(GroupId=private.endpoint_group)
