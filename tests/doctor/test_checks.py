"""What each check says of an account that is well but for one thing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import botocore.session
import pytest

from lobster_tasks.dockerfile import parse
from lobster_tasks.dockerfile.scripts import FaultyScript
from lobster_tasks.doctor import CHECKS, diagnose
from lobster_tasks.doctor.expiry import ExpiryPosition
from lobster_tasks.doctor.facts import ContainerLogGroup, Decision
from lobster_tasks.errors import AwsCallError, DockerfileError, RefusedError
from lobster_tasks.probe import Answer, Probe
from tests.doctor.facts import (
    ACCOUNT,
    SECRET,
    TARGET_GROUP,
    TRUST,
    VPC_ENDPOINTS,
    anywhere,
    blocking,
    check,
    definition,
    facts,
    from_group,
    from_prefix_list,
    group,
    listener,
    load_balancer,
    route_table,
    secret,
    service,
    subnet,
    target,
    target_group,
    zone,
)

LOCAL = {"DestinationCidrBlock": "172.31.0.0/16", "GatewayId": "local", "State": "active"}
DENIED = AwsCallError("AWS refused it.", "AccessDenied: no", code="AccessDenied", operation="x:Y")


def test_a_healthy_account_passes_everything() -> None:
    report = diagnose(facts())
    assert [each for each in report.checks if each.status != "pass"] == []
    assert report.ok
    assert [each.id for each in report.checks] == list(CHECKS)


@dataclass(frozen=True)
class Case:
    """A change to the healthy account, and what the check says of it."""

    id: str
    status: str
    saw: str
    fix: str = ""
    given: Mapping[str, Any] = field(default_factory=dict)
    changes: Mapping[str, Any] = field(default_factory=dict)


def case(id: str, status: str, saw: str, fix: str = "", given: Any = None, **changes: Any) -> Case:
    """A case with the readings that change."""
    return Case(id, status, saw, fix, given or {}, changes)


def dockerfile(*lines: str) -> Any:
    """A Dockerfile of some lines."""
    return parse("\n".join(("FROM python:3.13-slim", *lines)), name="Dockerfile.streamlit")


NAMED = {"container": {"secrets": {"KEY": SECRET}}}
NO_SECRET = [Decision("secretsmanager:GetSecretValue", SECRET, "implicitDeny")]


def before(
    enabled: bool = True,
    policy: str = "216adef6-5c7f-47e4-b989-5492eafa07d3",
    status: str = "Deployed",
    web_acl: str = "",
) -> dict[str, Any]:
    """A distribution before the load balancer."""
    behavior = {"OriginRequestPolicyId": policy}
    config = {"Enabled": enabled, "DefaultCacheBehavior": behavior, "WebACLId": web_acl}
    named = {"Id": "E1", "Status": status, "DomainName": "d111111abcdef8.cloudfront.net"}
    return {**named, "DistributionConfig": config}


def balanced(group: str, port: int) -> dict[str, Any]:
    """A service whose tasks are registered in a target group with a port."""
    return service(loadBalancers=[{"targetGroupArn": group, "containerName": "x", "containerPort": port}])


def asking() -> dict[str, Any]:
    """A listener at which visitors sign in with a user pool."""
    config = {
        "UserPoolArn": "arn:aws:cognito-idp:us-east-2:123456789012:userpool/us-east-2_a",
        "UserPoolDomain": "login.example.com",
        "OnUnauthenticatedRequest": "authenticate",
    }
    found = listener(TARGET_GROUP)
    asks = {"Type": "authenticate-cognito", "Order": 1, "AuthenticateCognitoConfig": config}
    return {**found, "Protocol": "HTTPS", "Port": 443, "DefaultActions": [asks, *found["DefaultActions"]]}


SIGN_IN = {
    "load_balancer": {"certificate": "arn:aws:acm:us-east-2:123456789012:certificate/0"},
    "sign_in": {
        "kind": "cognito",
        "user_pool": "us-east-2_a",
        "user_pool_domain": "login.example.com",
        "client_id": "client",
    },
}
FRONTED = {"front": {"kind": "cloudfront"}}
GLOBAL_ARN = "arn:aws:wafv2:us-east-1:123456789012:global/"
THEIRS, OWN = f"{GLOBAL_ARN}webacl/ours/0", f"{GLOBAL_ARN}webacl/lobster-us-east-2/0"
WALLED = {"front": {"kind": "cloudfront", "web_acl": THEIRS}}
LIMITED = {**FRONTED, "load_balancer": {"allowed_cidrs": ["203.0.113.0/24", "2001:db8::/32"]}}
OWN_ACL = {"Name": "lobster-us-east-2", "DefaultAction": {"Block": {}}, "Rules": [{}]}
IP_SETS = [{"Addresses": ["203.0.113.0/24"]}, {"Addresses": ["2001:0db8:0000:0000:0000:0000:0000:0000/32"]}]
PRIVATE = {"network": {"public": False}}
NO_SOCKET = {"probe": {"websocket": False}}
ROLES = f"arn:aws:iam::{ACCOUNT}:role"
ROLE = {"AssumeRolePolicyDocument": '{"Statement": []}', "Arn": f"{ROLES}/ecsTaskRole"}
# A role's ARN contains its path; its name is unique whatever the path ("IAM identifiers", IAM User Guide).
WITH_PATH = {"AssumeRolePolicyDocument": TRUST, "Arn": f"{ROLES}/service-role/ecsTaskExecutionRole"}
APP_WITH_PATH = {"AssumeRolePolicyDocument": TRUST, "Arn": f"{ROLES}/service-role/ecsTaskRole"}
FAILED = Probe("http://lb", Answer(False, "GET / answers 503"), Answer(False, "WebSocket / is refused (403)"))
WEB_ACL = "arn:aws:wafv2:us-east-2:123456789012:regional/webacl/ours/0"
PROTECTED = {"load_balancer": {"web_acl": WEB_ACL}}
FIREWALL = {"Name": "ours", "DefaultAction": {"Allow": {}}, "Rules": [{}]}

CASES = [
    # roles
    case("identity.caller", "pass", "123456789012 as role deploy, us-east-2"),
    case(
        "roles.execution",
        "fail",
        "there is no role ecsTaskExecutionRole",
        "inv create-iam",
        execution_role=None,
    ),
    case(
        "roles.task", "fail", "ecsTaskRole cannot be assumed by ecs-tasks", "inv create-iam", task_role=ROLE
    ),
    case(
        "roles.execution",
        "fail",
        f"names {ROLES}/ecsTaskExecutionRole, but ecsTaskExecutionRole is {WITH_PATH['Arn']}",
        "set task.execution_role to another name in invoke.yaml; inv create-iam-policies",
        execution_role=WITH_PATH,
    ),
    case(
        "roles.task",
        "fail",
        f"the task definition names {ROLES}/ecsTaskRole, but ecsTaskRole is {APP_WITH_PATH['Arn']}",
        "set task.task_role to another name",
        task_role=APP_WITH_PATH,
        task_definition=None,
    ),
    case(
        "roles.task",
        "fail",
        f"the task definition names arn:aws:iam::1:role/ecsTaskRole, but ecsTaskRole is {ROLES}/ecsTaskRole",
        "set task.task_role to another name",
        task_definition={**definition(), "taskRoleArn": "arn:aws:iam::1:role/ecsTaskRole"},
    ),
    case(
        "roles.execution",
        "pass",
        "ecsTaskExecutionRole can be assumed by ecs-tasks",
        execution_role=WITH_PATH,
        task_definition={**definition(), "executionRoleArn": WITH_PATH["Arn"]},
    ),
    case(
        "roles.execution",
        "pass",
        "ecsTaskExecutionRole can be assumed by ecs-tasks",
        task_definition={**definition(), "executionRoleArn": f"{ROLES}/before"},
    ),
    case(
        "roles.service-linked",
        "warn",
        "AWSServiceRoleForECS",
        "inv create-ecs-cluster",
        service_linked_role=None,
    ),
    case(
        "roles.pull",
        "fail",
        "ecsTaskExecutionRole is not allowed to ecr:BatchGetImage on arn:r",
        "inv create-iam-policies",
        may_pull=[Decision("ecr:BatchGetImage", "arn:r", "implicitDeny")],
    ),
    case(
        "roles.logs",
        "fail",
        "is explicitly denied logs:PutLogEvents on arn:s",
        may_log=[Decision("logs:PutLogEvents", "arn:s", "explicitDeny")],
    ),
    case("roles.secrets", "pass", "no secrets are named"),
    case(
        "roles.secrets",
        "fail",
        "is not allowed to read KEY",
        "inv create-iam-policies",
        NAMED,
        secrets=[secret()],
        may_read_secrets=NO_SECRET,
    ),
    case(
        "roles.secrets",
        "fail",
        "is not allowed to read KEY of agent",
        f"name {SECRET} in container.secrets or in task-definitions/",
        secrets=[secret("KEY of agent")],
        may_read_secrets=NO_SECRET,
        covered=frozenset(),
    ),
    case(
        "ecs.image",
        "fail",
        "agent:7 is not in its repository",
        "push it there",
        other_images={"123456789012.dkr.ecr.us-east-2.amazonaws.com/agent:7": None},
    ),
    case(
        "roles.secrets",
        "skip",
        "AWS refused it (AccessDenied: no)",
        "",
        NAMED,
        secrets=[secret()],
        may_read_secrets=DENIED,
    ),
    case(
        "roles.secrets",
        "pass",
        "ecsTaskExecutionRole can read 1 of 1 secrets",
        "",
        NAMED,
        secrets=[secret()],
        may_read_secrets=[Decision("secretsmanager:GetSecretValue", SECRET, "allowed")],
    ),
    case("roles.decrypt", "pass", "no secret has a customer managed key"),
    case(
        "roles.decrypt",
        "pass",
        "can decrypt with the secrets' own keys",
        may_decrypt=[Decision("kms:Decrypt", "arn:key", "allowed")],
    ),
    case(
        "roles.decrypt",
        "fail",
        "is not allowed to kms:Decrypt on arn:key",
        "allow kms:Decrypt on arn:key",
        may_decrypt=[Decision("kms:Decrypt", "arn:key", "implicitDeny")],
    ),
    case("roles.pass", "pass", "role deploy can pass the roles to ECS"),
    case(
        "roles.pass",
        "fail",
        "role deploy cannot pass ecsTaskRole",
        "allow iam:PassRole on arn:aws:iam::1:role/ecsTaskRole to role deploy",
        may_pass=[Decision("iam:PassRole", "arn:aws:iam::1:role/ecsTaskRole", "implicitDeny")],
    ),
    case("roles.pass", "skip", "there are no roles to pass", may_pass=[]),
    case(
        "roles.pull",
        "skip",
        "ecr:BatchGetImage depends on aws:SourceVpce, which IAM's policy simulator does not know",
        may_pull=[Decision("ecr:BatchGetImage", "arn:r", "implicitDeny", ("aws:SourceVpce",))],
    ),
    case(
        "roles.pull",
        "skip",
        "ecr:BatchGetImage depends on aws:MultiFactorAuthPresent",
        may_pull=[Decision("ecr:BatchGetImage", "arn:r", "explicitDeny", ("aws:MultiFactorAuthPresent",))],
    ),
    case(
        "roles.decrypt",
        "skip",
        "kms:Decrypt depends on the key's own policy",
        may_decrypt=[Decision("kms:Decrypt", "arn:key", "implicitDeny", doubt="the key's own policy")],
    ),
    case(
        "roles.pull",
        "fail",
        "is explicitly denied ecr:BatchGetImage",
        may_pull=[
            Decision("ecr:BatchCheckLayerAvailability", "arn:r", "implicitDeny", ("aws:SourceVpce",)),
            Decision("ecr:BatchGetImage", "arn:r", "explicitDeny"),
        ],
    ),
    # secrets
    case(
        "secrets.exist",
        "fail",
        "KEY: the secret does not exist or has no value",
        "container.secrets",
        NAMED,
        secrets=[secret(found=False)],
    ),
    case(
        "secrets.exist",
        "skip",
        "1 of 2 secrets: refused",
        secrets=[secret(), secret("B", found=None, unknown="refused")],
    ),
    case(
        "secrets.form",
        "fail",
        "KEY has a JSON key in the wrong form",
        ":<key>::",
        task_definition=definition(secrets=[{"name": "KEY", "valueFrom": f"{SECRET}:k"}]),
    ),
    case("secrets.form", "pass", "1 by JSON key", "", {"container": {"secrets": {"KEY": f"{SECRET}:k::"}}}),
    # network
    case("network.subnets", "pass", "2 subnets in 2 zones of vpc-1"),
    case(
        "network.subnets",
        "warn",
        "1 subnet in 1 zone of vpc-1: if that zone fails, all tasks stop",
        "network.task_subnets",
        {"network": {"task_subnets": ["subnet-0a"]}},
        network=[subnet("a", "a")],
    ),
    case(
        "network.subnets",
        "fail",
        "2 subnets in 1 zone",
        "network.subnets",
        network=[subnet("a", "a"), subnet("b", "a")],
    ),
    case("network.subnets", "fail", "of vpc-1, vpc-2", network=[subnet("a", "a"), subnet("b", "b", "vpc-2")]),
    case(
        "network.subnets",
        "fail",
        "no default VPC: why",
        "make one",
        network=RefusedError("no default VPC.", "why", "make one"),
    ),
    case("network.routes", "pass", "both subnets route to an internet gateway"),
    case(
        "network.routes",
        "fail",
        "subnet-b has no route to the internet",
        "0.0.0.0/0",
        route_tables=[route_table("igw-1"), route_table(None, "subnet-b")],
    ),
    case(
        "network.routes",
        "fail",
        "subnet-a, subnet-b has no route to the internet",
        route_tables=[route_table("nat-1", State="blackhole")],
    ),
    case(
        "network.routes",
        "pass",
        "but VPC endpoints",
        route_tables=[route_table(None)],
        endpoints=VPC_ENDPOINTS,
    ),
    case(
        "network.routes",
        "fail",
        "no VPC endpoint for secretsmanager",
        "",
        NAMED,
        route_tables=[route_table(None)],
        endpoints=VPC_ENDPOINTS,
    ),
    case("network.routes", "skip", "AWS refused it", route_tables=DENIED),
    case(
        "network.public-address",
        "warn",
        "no effect in subnet-a, subnet-b",
        "network.public: false",
        route_tables=[route_table("nat-1")],
    ),
    case(
        "network.public-address",
        "fail",
        "no public address, and subnet-a",
        "network.public: true",
        service=service(network={"assignPublicIp": "DISABLED"}),
    ),
    case(
        "network.public-address",
        "pass",
        "VPC endpoints lead to what a task needs",
        service=service(network={"assignPublicIp": "DISABLED"}),
        endpoints=VPC_ENDPOINTS,
    ),
    case(
        "network.public-address",
        "pass",
        "do not need one",
        "",
        PRIVATE,
        service=None,
        route_tables=[route_table("nat-1")],
    ),
    # security groups
    case("security.visitors", "pass", "lobster-alb-sg lets tcp 80 in from anywhere"),
    case(
        "security.visitors",
        "fail",
        "allows no inbound traffic on tcp 80",
        "inv create-security-groups",
        security_groups=[group("lobster-alb-sg", [anywhere(8080)])],
    ),
    case(
        "security.visitors",
        "warn",
        "in from sg-other only",
        security_groups=[group("lobster-alb-sg", [from_group("sg-other", 80)])],
    ),
    case("security.visitors", "pass", "lets tcp 80 in from anywhere", load_balancer=None, listeners=DENIED),
    case(
        "security.visitors",
        "fail",
        "allows no inbound traffic on tcp 443",
        "",
        {"load_balancer": {"certificate": "arn:aws:acm:us-east-2:123456789012:certificate/1"}},
        listeners=[],
    ),
    case(
        "security.visitors",
        "fail",
        "other allows no inbound traffic on tcp 80",
        load_balancer=load_balancer(SecurityGroups=["sg-other"]),
        security_groups=[group("lobster-alb-sg", [anywhere(80)]), group("other", [])],
    ),
    case(
        "security.visitors",
        "pass",
        "lobster-alb-sg lets tcp 80 in from CloudFront only",
        "",
        FRONTED,
        security_groups=[
            group("lobster-alb-sg", [from_group("sg-CloudFront-VPCOrigins-Service-SG", 80)]),
            group("CloudFront-VPCOrigins-Service-SG", []),
        ],
    ),
    case(
        "security.visitors",
        "pass",
        "in from CloudFront only",
        "",
        FRONTED,
        security_groups=[group("lobster-alb-sg", [from_prefix_list("pl-1", 80)])],
    ),
    case(
        "security.visitors",
        "fail",
        "in from 0.0.0.0/0, and not from CloudFront",
        "inv create-security-groups",
        FRONTED,
    ),
    case(
        "security.visitors",
        "warn",
        "lets in 0.0.0.0/0 besides CloudFront",
        "inv create-security-groups",
        FRONTED,
        security_groups=[group("lobster-alb-sg", [from_prefix_list("pl-1", 80), anywhere(80)])],
    ),
    case("security.visitors", "skip", "there is no security group lobster-alb-sg", security_groups=[]),
    case(
        "security.load-balancer-out",
        "fail",
        "allows no outbound traffic to the tasks on tcp 8501",
        security_groups=[group("lobster-alb-sg", [], [anywhere(443)])],
    ),
    # zones, addresses, what the account blocks, what it may have
    case(
        "network.subnets",
        "warn",
        "it is in the Local Zone us-east-2b, where Fargate does not run",
        "choose other subnets",
        zones={"us-east-2a": zone(), "us-east-2b": zone("local-zone")},
    ),
    case(
        "network.subnets",
        "warn",
        "its zone us-east-2b is impaired",
        "choose other subnets",
        zones={"us-east-2a": zone(), "us-east-2b": zone(state="impaired")},
    ),
    case(
        "network.subnets",
        "warn",
        "EC2 could not provision it (failed-insufficient-capacity)",
        "choose other subnets",
        network=[subnet("a", "a"), subnet("b", "b", State="failed-insufficient-capacity")],
    ),
    case(
        "network.subnets",
        "warn",
        "Fargate is not in its zone usw1-az2",
        given={"region": "us-west-1"},
        network=[
            subnet("a", "a", AvailabilityZoneId="usw1-az2"),
            subnet("b", "b", AvailabilityZoneId="usw1-az1"),
        ],
    ),
    case("network.addresses", "pass", "each subnet has"),
    case(
        "network.addresses",
        "warn",
        "subnet-a has 1 free addresses; a deployment needs up to 2",
        "larger subnets",
        network=[subnet("a", "a", AvailableIpAddressCount=1), subnet("b", "b")],
    ),
    case(
        "network.addresses",
        "fail",
        "subnet-a has 1, subnet-b has 0 free addresses",
        "larger subnets",
        network=[subnet("a", "a", AvailableIpAddressCount=1), subnet("b", "b", AvailableIpAddressCount=0)],
    ),
    case("network.public-access", "pass", "is off"),
    case(
        "network.public-access",
        "fail",
        "(block-ingress): visitors do not reach the load balancer",
        "create-vpc-block-public-access-exclusion --vpc-id vpc-1",
        public_access=blocking("block-ingress"),
    ),
    case(
        "network.public-access",
        "fail",
        "tasks in subnet-a, subnet-b reach nothing outside",
        public_access=blocking("block-bidirectional"),
        load_balancer=load_balancer(Scheme="internal"),
    ),
    case(
        "network.public-access",
        "fail",
        "tasks in subnet-a, subnet-b reach nothing outside",
        "declarative policy",
        public_access=blocking("block-bidirectional", ExclusionsAllowed="not-allowed"),
        load_balancer=load_balancer(Scheme="internal"),
        route_tables=[route_table("nat-1")],
    ),
    case(
        "network.public-access",
        "pass",
        "they need no internet gateway",
        public_access=blocking("block-ingress"),
        load_balancer=load_balancer(Scheme="internal"),
        route_tables=[route_table("nat-1")],
    ),
    case(
        "network.public-access",
        "fail",
        "(block-ingress): visitors do not reach the load balancer in subnet-a, subnet-b",
        "create-vpc-block-public-access-exclusion",
        FRONTED,
        public_access=blocking("block-ingress"),
        load_balancer=load_balancer(Scheme="internal"),
        route_tables=[route_table("nat-1")],
    ),
    case(
        "network.public-access",
        "pass",
        "excludes these subnets",
        public_access=blocking("block-bidirectional", "vpc/vpc-1"),
    ),
    case(
        "network.public-access",
        "fail",
        "visitors do not reach the load balancer in subnet-b",
        public_access=blocking("block-bidirectional", "subnet/subnet-a"),
    ),
    case("account.vcpus", "pass", "a deployment needs 1"),
    case(
        "account.vcpus",
        "warn",
        "allows this account 0.5 vCPU at once, and a deployment needs 1",
        "--quota-code L-3032A538",
        vcpus=0.5,
    ),
    case("account.vcpus", "fail", "and the tasks need 0.5", "request-service-quota-increase", vcpus=0.25),
    case("security.tasks", "pass", "lobster-ecs-sg lets tcp 8501 in from lobster-alb-sg"),
    case(
        "security.tasks",
        "fail",
        "lobster-ecs-sg lets tcp 8500 in from lobster-alb-sg; the container listens on 8501",
        "inv create-security-groups",
        security_groups=[
            group("lobster-alb-sg", []),
            group("lobster-ecs-sg", [from_group("sg-lobster-alb-sg", 8500)]),
        ],
    ),
    case(
        "security.tasks",
        "fail",
        "lobster-ecs-sg lets nothing in",
        security_groups=[group("lobster-alb-sg", []), group("lobster-ecs-sg", [])],
    ),
    case(
        "security.tasks",
        "warn",
        "from anywhere, past the load balancer",
        security_groups=[group("lobster-alb-sg", []), group("lobster-ecs-sg", [anywhere(8501)])],
    ),
    case(
        "security.tasks",
        "warn",
        "from sg-x only",
        security_groups=[group("lobster-alb-sg", []), group("lobster-ecs-sg", [from_group("sg-x", 8501)])],
    ),
    case(
        "security.tasks-out",
        "fail",
        "no outbound traffic to ECR",
        security_groups=[group("lobster-ecs-sg", [], [anywhere(80)])],
    ),
    case(
        "security.tasks-out",
        "warn",
        "lets tcp 443 out to sg-x only",
        security_groups=[group("lobster-ecs-sg", [], [from_group("sg-x", 443)])],
    ),
    # load balancer
    case(
        "load-balancer.active",
        "fail",
        "there is no load balancer lobster-alb",
        "inv setup-app",
        load_balancer=None,
    ),
    case(
        "load-balancer.active",
        "warn",
        "is being provisioned",
        "wait",
        load_balancer=load_balancer(State={"Code": "provisioning"}),
    ),
    case(
        "load-balancer.active",
        "fail",
        "is failed: no room",
        load_balancer=load_balancer(State={"Code": "failed", "Reason": "no room"}),
    ),
    case(
        "load-balancer.active",
        "warn",
        "is active_impaired",
        load_balancer=load_balancer(State={"Code": "active_impaired"}),
    ),
    case(
        "load-balancer.zones", "fail", "may start in us-east-2c", network=[subnet("a", "a"), subnet("c", "c")]
    ),
    case("load-balancer.web-acl", "pass", "no web ACL, as the settings say"),
    case("load-balancer.web-acl", "pass", f"{WEB_ACL}, which is not in the settings", protection=WEB_ACL),
    case("load-balancer.web-acl", "skip", "AWS refused it", protection=DENIED),
    case(
        "load-balancer.web-acl",
        "skip",
        "AWS refused it",
        given=PROTECTED,
        protection=DENIED,
        web_acl=FIREWALL,
    ),
    case(
        "load-balancer.web-acl", "skip", "AWS refused it", given=PROTECTED, protection=WEB_ACL, web_acl=DENIED
    ),
    case(
        "load-balancer.web-acl",
        "pass",
        "ours, 1 rule, else allow",
        given=PROTECTED,
        protection=WEB_ACL,
        web_acl=FIREWALL,
    ),
    case(
        "load-balancer.web-acl",
        "fail",
        "no web ACL protects the load balancer, not ours",
        "inv setup-application-load-balancer",
        given=PROTECTED,
        web_acl=FIREWALL,
    ),
    case(
        "load-balancer.web-acl",
        "fail",
        "arn:other protects the load balancer, not ours",
        "inv setup-application-load-balancer",
        given=PROTECTED,
        protection="arn:other",
        web_acl=FIREWALL,
    ),
    case(
        "load-balancer.web-acl", "fail", "there is no web ACL arn:aws:wafv2", "list-web-acls", given=PROTECTED
    ),
    case(
        "load-balancer.web-acl",
        "fail",
        "is in account 210987654321, not in 123456789012",
        "correct load_balancer.web_acl",
        given={"load_balancer": {"web_acl": WEB_ACL.replace("123456789012", "210987654321")}},
    ),
    case("load-balancer.sign-in", "pass", "no sign-in, as the settings say"),
    case(
        "load-balancer.sign-in",
        "pass",
        "visitors sign in at login.example.com, which is not in the settings",
        listeners=[asking()],
    ),
    case(
        "load-balancer.sign-in",
        "pass",
        "visitors sign in at login.example.com",
        given=SIGN_IN,
        listeners=[asking()],
    ),
    case(
        "load-balancer.sign-in",
        "fail",
        "HTTP:80 lets visitors in without a sign-in",
        "inv setup-application-load-balancer",
        given=SIGN_IN,
        listeners=[asking(), listener(TARGET_GROUP)],
    ),
    case(
        "load-balancer.sign-in",
        "skip",
        "no listener forwards to the tasks",
        given=SIGN_IN,
        listeners=[listener("arn:other")],
    ),
    case("load-balancer.distribution-web-acl", "pass", "no distribution, as the settings say"),
    case("load-balancer.distribution-web-acl", "skip", "AWS refused it", given=WALLED, distribution=DENIED),
    case("load-balancer.distribution-web-acl", "skip", "no distribution was found", given=WALLED),
    case(
        "load-balancer.distribution-web-acl",
        "pass",
        "no web ACL, as the settings say",
        given=FRONTED,
        distribution=before(),
    ),
    case(
        "load-balancer.distribution-web-acl",
        "pass",
        f"{THEIRS}, which is not in the settings",
        given=FRONTED,
        distribution=before(web_acl=THEIRS),
    ),
    case(
        "load-balancer.distribution-web-acl",
        "pass",
        "ours, 1 rule, else allow",
        given=WALLED,
        distribution=before(web_acl=THEIRS),
        front_web_acl=FIREWALL,
    ),
    case(
        "load-balancer.distribution-web-acl",
        "skip",
        "AWS refused it",
        given=WALLED,
        distribution=before(web_acl=THEIRS),
        front_web_acl=DENIED,
    ),
    case(
        "load-balancer.distribution-web-acl",
        "fail",
        f"there is no web ACL {THEIRS}",
        "list-web-acls --scope CLOUDFRONT --region us-east-1",
        given=WALLED,
        distribution=before(),
    ),
    case(
        "load-balancer.distribution-web-acl",
        "fail",
        "no web ACL protects the distribution, not ours",
        "inv setup-application-load-balancer",
        given=WALLED,
        distribution=before(),
        front_web_acl=FIREWALL,
    ),
    case(
        "load-balancer.distribution-web-acl",
        "fail",
        "is in account 210987654321, not in 123456789012",
        "correct front.web_acl",
        given={"front": {**WALLED["front"], "web_acl": THEIRS.replace("123456789012", "210987654321")}},
        distribution=before(web_acl=THEIRS),
    ),
    case(
        "load-balancer.distribution-web-acl",
        "pass",
        "lobster-us-east-2 lets in 2001:db8::/32, 203.0.113.0/24 only, as listed",
        given=LIMITED,
        distribution=before(web_acl=OWN),
        front_web_acl=OWN_ACL,
        front_ip_sets=IP_SETS,
    ),
    case(
        "load-balancer.distribution-web-acl",
        "skip",
        "AWS refused it",
        given=LIMITED,
        distribution=before(web_acl=OWN),
        front_web_acl=OWN_ACL,
        front_ip_sets=DENIED,
    ),
    case(
        "load-balancer.distribution-web-acl",
        "fail",
        "everybody can use the app",
        "inv setup-application-load-balancer",
        given=LIMITED,
        distribution=before(),
    ),
    case(
        "load-balancer.distribution-web-acl",
        "fail",
        f"{THEIRS} protects the distribution, not the stack's own web ACL",
        "inv setup-application-load-balancer",
        given=LIMITED,
        distribution=before(web_acl=THEIRS),
    ),
    case(
        "load-balancer.distribution-web-acl",
        "fail",
        "lobster-us-east-2 does not block addresses",
        "inv setup-application-load-balancer",
        given=LIMITED,
        distribution=before(web_acl=OWN),
        front_web_acl={**OWN_ACL, "DefaultAction": {"Allow": {}}},
        front_ip_sets=IP_SETS,
    ),
    case(
        "load-balancer.distribution-web-acl",
        "fail",
        "lobster-us-east-2 lets in 198.51.100.0/24, which load_balancer.allowed_cidrs does not list",
        "inv setup-application-load-balancer",
        given=LIMITED,
        distribution=before(web_acl=OWN),
        front_web_acl=OWN_ACL,
        front_ip_sets=[*IP_SETS, {"Addresses": ["198.51.100.0/24"]}],
    ),
    case(
        "load-balancer.distribution-web-acl",
        "warn",
        "lobster-us-east-2 does not let in 2001:db8::/32",
        "inv setup-application-load-balancer",
        given=LIMITED,
        distribution=before(web_acl=OWN),
        front_web_acl=OWN_ACL,
        front_ip_sets=IP_SETS[:1],
    ),
    case("load-balancer.distribution", "pass", "no distribution, as the settings say"),
    case("load-balancer.distribution", "skip", "AWS refused it", given=FRONTED, distribution=DENIED),
    case(
        "load-balancer.distribution",
        "pass",
        "distribution E1, https://d111111abcdef8.cloudfront.net",
        given=FRONTED,
        distribution=before(),
    ),
    case(
        "load-balancer.distribution",
        "fail",
        "no distribution leads to the load balancer",
        "inv setup-application-load-balancer",
        given=FRONTED,
    ),
    case(
        "load-balancer.distribution",
        "fail",
        "distribution E1 is disabled",
        "inv setup-application-load-balancer",
        given=FRONTED,
        distribution=before(enabled=False),
    ),
    case(
        "load-balancer.distribution",
        "fail",
        "does not pass on the visitors' Host",
        "inv setup-application-load-balancer",
        given=FRONTED,
        distribution=before(policy="b689b0a8-53d0-40ab-baf2-68738e2966ac"),
    ),
    case(
        "load-balancer.distribution",
        "warn",
        "distribution E1 is InProgress",
        "wait some minutes",
        given=FRONTED,
        distribution=before(status="InProgress"),
    ),
    case("load-balancer.listener", "pass", "HTTP:80 → lobster-tg"),
    case(
        "load-balancer.listener",
        "fail",
        "HTTP:80 does not forward to lobster-tg",
        listeners=[listener("arn:other")],
    ),
    case("load-balancer.listener", "fail", "has no listener", listeners=[]),
    case(
        "load-balancer.listener",
        "pass",
        "HTTP:80 → lobster-tg",
        listeners=[listener(Rules=[{"Actions": [{"Type": "forward", "TargetGroupArn": TARGET_GROUP}]}])],
    ),
    case(
        "load-balancer.listener",
        "fail",
        "does not forward",
        listeners=[
            listener(
                DefaultActions=[
                    {"ForwardConfig": {"TargetGroups": [{"TargetGroupArn": TARGET_GROUP, "Weight": 0}]}}
                ]
            )
        ],
    ),
    # targets
    case("targets.kind", "fail", "there is no target group lobster-tg", target_group=None),
    case("targets.kind", "fail", "of type instance", target_group=target_group(TargetType="instance")),
    case("targets.kind", "fail", "HTTP HTTP2", target_group=target_group(ProtocolVersion="HTTP2")),
    case("targets.kind", "warn", "HTTPS HTTP1 with", target_group=target_group(Protocol="HTTPS")),
    case(
        "targets.kind",
        "warn",
        "HTTP GRPC with",
        given=NO_SOCKET,
        target_group=target_group(ProtocolVersion="GRPC"),
    ),
    case(
        "targets.port",
        "pass",  # its port is for targets that are registered without one; ECS names that of each task
        "registered in lobster-tg with the container's port, 8501",
        target_group=target_group(Port=80),
        service=balanced(TARGET_GROUP, 8501),
    ),
    case(
        "targets.port",
        "fail",
        "ECS registers the tasks with port 8080; the container listens on 8501",
        "inv create-fargate-service",
        service=balanced(TARGET_GROUP, 8080),
    ),
    case("targets.port", "pass", "", service=balanced(TARGET_GROUP.replace("lobster-tg", "another"), 8080)),
    case(
        "targets.port",
        "fail",
        "the health check uses port 9000",
        target_group=target_group(HealthCheckPort="9000"),
    ),
    case("targets.port", "skip", "there is no target group", target_group=None),
    case(
        "targets.health-path",
        "warn",
        "it shows a web server, not that the app works",
        "/_stcore/health",
        target_group=target_group(HealthCheckPath="/healthz"),
    ),
    case(
        "targets.health-path", "pass", "", target_group=target_group(HealthCheckPath="/base/_stcore/health")
    ),
    case(
        "targets.health-path",
        "pass",
        "/healthz every 5 s",
        "",
        NO_SOCKET,
        target_group=target_group(HealthCheckPath="/healthz"),
    ),
    case("targets.healthy", "pass", "1 of 1 healthy"),
    case("targets.healthy", "pass", "1 of 1 healthy", target_health=[target("draining"), target("healthy")]),
    case(
        "targets.healthy",
        "fail",
        "0 of 1 healthy; one is unhealthy: Request timed out",
        "inv create-security-groups",
        target_health=[target("unhealthy", Reason="Target.Timeout", Description="Request timed out")],
    ),
    case(
        "targets.healthy",
        "fail",
        "0 of 1 healthy; one is unhealthy",
        "inv logs",
        target_health=[target("unhealthy")],
    ),
    case(
        "targets.healthy",
        "warn",
        "one is initial",
        "wait",
        target_health=[target("initial", Reason="Elb.InitialHealthChecking")],
    ),
    case(
        "targets.healthy",
        "warn",
        "1 of 2 healthy; the others are still starting",
        service=service(desiredCount=2),
    ),
    case("targets.healthy", "fail", "no target is registered; the desired count is 1", target_health=[]),
    case(
        "targets.healthy",
        "skip",
        "the service has no running task",
        target_health=[],
        service=service(runningCount=0),
    ),
    case("targets.healthy", "skip", "there is no service", service=None),
    # ecs
    case(
        "ecs.cluster", "fail", "there is no cluster lobster-cluster", "inv create-ecs-cluster", cluster=None
    ),
    case("ecs.cluster", "fail", "lobster-cluster is INACTIVE", cluster={"status": "INACTIVE"}),
    case("ecs.service", "fail", "there is no service", "inv create-fargate-service", service=None),
    case("ecs.service", "fail", "is DRAINING", service=service(status="DRAINING")),
    case(
        "ecs.service",
        "warn",
        "has a desired count of 0",
        "inv deploy",
        service=service(desiredCount=0, runningCount=0),
    ),
    case(
        "ecs.service",
        "fail",
        "0 of 1 tasks run; ECS says: (service s) was unable",
        "inv status",
        service=service(runningCount=0),
    ),
    case(
        "ecs.service",
        "warn",
        "a deployment is in progress",
        service=service(runningCount=0, deployments=[{"rolloutState": "IN_PROGRESS"}]),
    ),
    case(
        "ecs.revision",
        "fail",
        "there is no task definition",
        "inv create-task-definition",
        task_definition=None,
    ),
    case(
        "ecs.revision",
        "fail",
        "lobster-streamlit-task:3 is INACTIVE",
        task_definition={**definition(), "status": "INACTIVE"},
    ),
    case(
        "ecs.revision",
        "fail",
        "opens 80; container.port is 8501",
        task_definition=definition(portMappings=[{"containerPort": 80}]),
    ),
    case("ecs.image", "fail", "homara:v1 is not in the repository", "inv push-image", image=None),
    case("ecs.image", "pass", "is in the repository", expiry=ExpiryPosition(newer=3, kept=20)),
    case(
        "ecs.image",
        "warn",
        "expires with the next image",
        "images.keep: 8",
        expiry=ExpiryPosition(newer=3, kept=4),
    ),
    case(
        "ecs.image",
        "warn",
        "expires with the next image",
        "what is live is kept",
        expiry=ExpiryPosition(newer=3, kept=4, is_ours=True),
    ),
    case(
        "ecs.image",
        "pass",
        "in the repository",
        expiry=ExpiryPosition(newer=3, kept=4, live=True, is_ours=True),
    ),
    case(
        "ecs.image",
        "fail",
        "lets it expire within 24 hours",
        "images.keep: 10",
        expiry=ExpiryPosition(newer=4, kept=4, expires=True, live=True, is_ours=True),
    ),
    case(
        "ecs.image",
        "fail",
        "lets it expire within 24 hours: 3 images are newer, and 2 are kept",
        "images.keep: 8",
        expiry=ExpiryPosition(newer=3, kept=2, expires=True),
    ),
    case(
        "ecs.image",
        "fail",
        "it is older than 14 days",
        "deploy",
        expiry=ExpiryPosition(days=14, expires=True),
    ),
    case(
        "ecs.image",
        "fail",
        "archives it, after which it cannot be pulled, within 24 hours: it was not pulled for 30 days",
        "deploy",
        expiry=ExpiryPosition(days=30, since="pulled", expires=True, archives=True),
    ),
    case(
        "ecs.image",
        "warn",
        "is archived, and cannot be pulled any more, with the next image",
        "images.keep: 8",
        expiry=ExpiryPosition(newer=3, kept=4, archives=True),
    ),
    case(
        "ecs.image",
        "fail",
        "is archived, and cannot be pulled",
        "aws ecr update-image-storage-class --repository-name homara --image-id imageDigest=sha256:a",
        image={"imageDigest": "sha256:a", "imageTags": ["v1"], "imageStatus": "ARCHIVED"},
    ),
    case(
        "ecs.image",
        "fail",
        "is being restored from the archive, and cannot be pulled yet",
        "--repository-name homara --image-ids imageDigest=sha256:a --region us-east-2 shows ACTIVE",
        image={"imageDigest": "sha256:a", "imageTags": ["v1"], "imageStatus": "ACTIVATING"},
    ),
    case(
        "ecs.image",
        "fail",
        "agent:7 is archived, and cannot be pulled",
        "aws ecr update-image-storage-class --repository-name agent --image-id imageDigest=sha256:b",
        other_images={
            "123456789012.dkr.ecr.us-east-2.amazonaws.com/agent:7": {
                "imageDigest": "sha256:b",
                "imageStatus": "ARCHIVED",
            }
        },
    ),
    case("ecs.image", "pass", "homara@sha256:aaaaaaaaaaaa… (v1) is in the repository"),
    # logs
    case(
        "logs.group",
        "fail",
        "there is no log group /ecs/lobster-streamlit",
        "inv create-task",
        log_group=None,
    ),
    case(
        "logs.group",
        "fail",
        "there is no log group /ecs/agent in us-west-2, to which agent writes: no task can start",
        "aws logs create-log-group --log-group-name /ecs/agent --region us-west-2",
        other_log_groups=[
            ContainerLogGroup("proxy", "/ecs/proxy", "us-east-2", found=True),
            ContainerLogGroup("agent", "/ecs/agent", "us-west-2", found=False),
        ],
    ),
    case("logs.group", "warn", "without limit", log_group={"logGroupName": "/ecs/lobster-streamlit"}),
    case(
        "logs.options",
        "fail",
        "awslogs-region us-east-1, not us-east-2",
        "inv create-task-definition",
        task_definition=definition(
            logConfiguration={
                "logDriver": "awslogs",
                "options": {"awslogs-group": "/ecs/lobster-streamlit", "awslogs-region": "us-east-1"},
            }
        ),
    ),
    case(
        "logs.options",
        "warn",
        "logs with splunk",
        task_definition=definition(logConfiguration={"logDriver": "splunk"}),
    ),
    # answers
    case("answers.page", "pass", "GET / 200 in 8 ms"),
    case("answers.page", "fail", "GET / answers 503", "inv status", answers=FAILED),
    case("answers.websocket", "fail", "is refused (403)", answers=FAILED),
    case("answers.websocket", "pass", "the app has no WebSocket", "", NO_SOCKET),
    case("answers.page", "skip", "AWS refused it", answers=DENIED),
    # the Dockerfile
    case(
        "dockerfile.readable",
        "fail",
        "line 3: no",
        "correct the line",
        dockerfile=DockerfileError("line 3: no."),
    ),
    case("dockerfile.readable", "skip", "there is no Dockerfile.streamlit here", dockerfile=None),
    case(
        "dockerfile.expose",
        "warn",
        "EXPOSE 5001; container.port is 8501",
        "container.port: 5001",
        dockerfile=dockerfile("EXPOSE 5001"),
    ),
    case("dockerfile.expose", "pass", "no EXPOSE", dockerfile=dockerfile()),
    case(
        "dockerfile.expose",
        "warn",
        "EXPOSE 80, 443, 8502-9999; container.port is 8501",
        "set container.port to the one that the app listens on",
        dockerfile=dockerfile("EXPOSE 8502-9999 443 80 53/udp"),
    ),
    case(
        "dockerfile.port",
        "fail",
        "listens on 5001 (--server.port); container.port is 8501",
        "set container.port: 5001",
        dockerfile=dockerfile("ENV P=5001", "CMD streamlit run a.py --server.port=$P"),
    ),
    case(
        "dockerfile.port",
        "pass",
        "listens on 8501 (--server.port)",
        dockerfile=dockerfile("ENV PORT=10000", "CMD streamlit run a.py --server.port=${PORT:-10000}"),
    ),
    case(
        "dockerfile.port",
        "fail",
        "listens on 7000",
        "",
        {"container": {"command": ["streamlit", "run", "b.py", "--server.port=7000"]}},
    ),
    case(
        "dockerfile.readable",
        "pass",
        "streamlit run b.py --api-key ***",
        given={"container": {"command": ["streamlit", "run", "b.py", "--api-key", "hunter2secret"]}},
        dockerfile=dockerfile(),
    ),
    case(
        "dockerfile.signals",
        "pass",
        "streamlit run b.py --api-key *** receives SIGTERM",
        given={"container": {"command": ["streamlit", "run", "b.py", "--api-key", "hunter2secret"]}},
        dockerfile=dockerfile(),
    ),
    case(
        "dockerfile.command",
        "warn",
        "has a variable ($X) in ***",
        given={"container": {"command": ["streamlit", "run", "b.py", "--api-key", "hunter2secret$X"]}},
        dockerfile=dockerfile(),
    ),
    case(
        "dockerfile.port",
        "fail",
        "listens on 9999 (.streamlit/config.toml)",
        dockerfile=dockerfile('CMD ["streamlit", "run", "a"]'),
        streamlit_config={"port": 9999},
    ),
    case(
        "dockerfile.port",
        "skip",
        "cannot tell the port of ./start.sh from its command line",
        dockerfile=dockerfile('CMD ["./start.sh"]'),
    ),
    case(
        "dockerfile.address",
        "fail",
        "it listens on localhost (--server.address), which nothing outside",
        "0.0.0.0",
        dockerfile=dockerfile('CMD ["streamlit", "run", "a", "--server.address", "localhost"]'),
    ),
    case(
        "dockerfile.address",
        "fail",
        "127.0.0.1 (STREAMLIT_SERVER_ADDRESS)",
        dockerfile=dockerfile("ENV STREAMLIT_SERVER_ADDRESS=127.0.0.1", 'CMD ["streamlit", "run", "a"]'),
    ),
    case(
        "dockerfile.address", "pass", "every address", dockerfile=dockerfile('CMD ["streamlit", "run", "a"]')
    ),
    case(
        "dockerfile.signals",
        "warn",
        "does not pass SIGTERM on",
        '"exec"',
        dockerfile=dockerfile("CMD streamlit run a.py"),
    ),
    case(
        "dockerfile.signals",
        "pass",
        "receives SIGTERM",
        dockerfile=dockerfile("CMD exec streamlit run a.py"),
    ),
    *(
        case(
            "dockerfile.signals",
            status,
            saw,
            fix,
            dockerfile=dockerfile(f"STOPSIGNAL {signal}", "CMD exec streamlit run a.py"),
        )
        for signal, status, saw, fix in (
            ("SIGKILL", "warn", "STOPSIGNAL SIGKILL: each stop ends the app at once", "remove STOPSIGNAL"),
            ("kill", "warn", "STOPSIGNAL SIGKILL", ""),
            ("9", "warn", "STOPSIGNAL SIGKILL", ""),
            ("19", "warn", "STOPSIGNAL SIGSTOP: it halts the app", ""),
            ("SIGINT", "pass", "receives SIGINT", ""),
            ("3", "pass", "receives SIGQUIT", ""),
            ("15", "pass", "receives SIGTERM", ""),
            ("WINCH", "skip", "STOPSIGNAL SIGWINCH ends only a program that handles it", ""),
            ("SIGRTMIN+3", "pass", "receives SIGRTMIN+3", ""),
        )
    ),
    case(
        "dockerfile.signals",
        "warn",
        "does not pass SIGINT on",
        dockerfile=dockerfile("STOPSIGNAL 2", "CMD streamlit run a.py"),
    ),
    case(
        "dockerfile.health-check",
        "warn",
        "gives the app 3600000000 s to start; ECS ignores it",
        "--start-period",
        dockerfile=dockerfile("HEALTHCHECK --start-period=1000000h CMD curl localhost"),
    ),
    *(
        case(
            "dockerfile.port",
            "fail",
            f"the port is {number} (.streamlit/config.toml), and ports are from 1 to 65535",
            "let the command listen on 8501",
            dockerfile=dockerfile("CMD exec streamlit run a.py"),
            streamlit_config={"port": number},
        )
        for number in (0, 65536, 99999999999)
    ),
    case(
        "dockerfile.port",
        "fail",
        "the port is 99999999999 (--port), and ports are from 1 to 65535",
        dockerfile=dockerfile("CMD exec uvicorn a:b --port 99999999999"),
    ),
    case(
        "dockerfile.port",
        "skip",
        "starts nginx, streamlit: cannot tell which of them serves the load balancer",
        dockerfile=dockerfile("CMD nginx && streamlit run a.py --server.address 127.0.0.1"),
    ),
    case(
        "dockerfile.port",
        "skip",
        "the words of nginx do not name its port",
        dockerfile=dockerfile('CMD ["nginx"]'),
    ),
    case(
        "dockerfile.address",
        "fail",
        "it listens on 127.0.0.1 (--bind)",
        dockerfile=dockerfile('CMD ["gunicorn", "--bind", "127.0.0.1:8501", "app:server"]'),
    ),
    case(
        "dockerfile.expose",
        "pass",
        "EXPOSE 8501",
        dockerfile=dockerfile("EXPOSE 80:8501"),
    ),
    case(
        "dockerfile.readable",
        "warn",
        "EXPOSE 127.0.0.1:80:8501 contains a host port or address",
        dockerfile=dockerfile("EXPOSE 127.0.0.1:80:8501"),
    ),
    *(
        case(
            "dockerfile.command",
            "fail",
            f"{line.split()[0]} (line 2) has {said}",
            dockerfile=dockerfile(line),
        )
        for line, said in (
            ("CMD ['streamlit', 'run']", "single quotes"),
            ('CMD ["streamlit", "run", "app.py",]', "a comma too many"),
            ('ENTRYPOINT ["streamlit", "run" "app.py"]', "a comma missing"),
            ('CMD ["streamlit", "run", "app.py"] # start', "text behind the list"),
            ("CMD [“streamlit”, “run”]", "typographic quotes"),
            ('CMD [ "streamlit run app.py ]', "a quote missing"),
            ('CMD ["streamlit", "run"', "a bracket missing"),
            ('CMD ["python", "C:\\app.py"]', "a single backslash"),
            ("CMD [streamlit, run]", "no quotes"),
            ('CMD "streamlit", "run", "app.py"]', "a bracket missing"),
            ("CMD 'streamlit', 'run' ]", "a bracket missing"),
            ('CMD ("streamlit", "run")', "other brackets"),
            ('CMD {"streamlit", "run"}', "other brackets"),
            ("CMD ( 'streamlit', 'run' )", "other brackets"),
            ('CMD ["streamlit", "run")', "other brackets"),
            ('CMD ["streamlit", "run"}', "other brackets"),
            ('CMD ("streamlit", "run"]', "other brackets"),
            ("CMD \u201cstreamlit\u201d, \u201crun\u201d", "no brackets"),
            ('CMD "streamlit", "run", "app.py"', "no brackets"),
            ("ENTRYPOINT 'streamlit', 'run'", "no brackets"),
            ('CMD "streamlit run app.py"', "no brackets"),
            ('CMD "/usr/bin/python3 src/app.py"', "no brackets"),
            ('CMD "/opt/app --port 1"', "no brackets"),
            ('CMD " "', "no brackets"),
            ('CMD [ "streamlit", "run" ] && sleep 1', "text behind the list"),
            ("CMD [ 'streamlit', 'run' ]", "single quotes"),
            ("CMD ['streamlit', 'run',]", "several mistakes"),
        )
    ),
    *(
        case("dockerfile.command", "pass", "CMD", dockerfile=dockerfile(line))
        for line in (
            'CMD "./start.sh"',
            'CMD ("/opt/app" --port 1)',
            'CMD { "/opt/app", x; }',
            "CMD (cd /app && exec streamlit run app.py)",
            'CMD "streamlit" run app.py',
            "CMD exec 'my app', x",
            'CMD "/opt/my app/run"',
            "CMD './my app/run'",
            'CMD "$HOME/my app/run"',
            'CMD "${HOME}/my app/run"',
            'CMD ["./run it.sh"]',
            'CMD ["/opt/my app/run", "--port", "8501"]',
            'CMD [ "$X" = 1 ] && exec streamlit run app.py',
            """CMD [ 'a b' = "$X" ] || exec streamlit run app.py""",
            'CMD [ "$X" ]; exec streamlit run app.py',
            'CMD [[ "$X" == "y" ]] && exec streamlit run app.py',
            'CMD echo "a", "b"',
        )
    ),
    *(
        case("dockerfile.command", status, saw, fix, given, dockerfile=dockerfile(*lines))
        for status, saw, fix, given, lines in (
            (
                "fail",
                "CMD (line 2) has an operator (&&) in app.py && echo hi: a list is not read by a shell",
                "without the list",
                {},
                ['CMD ["streamlit", "run", "app.py && echo hi"]'],
            ),
            (
                "fail",
                "CMD (line 3) has an operator (|) in |",
                '"sh", "-c"',
                {},
                ['ENTRYPOINT ["streamlit", "run"]', 'CMD ["app.py", "|", "tee", "log"]'],
            ),
            (
                "fail",
                "ENTRYPOINT (line 2) has a word of the shell's own (exec)",
                "",
                {},
                ['ENTRYPOINT ["exec", "run"]'],
            ),
            (
                "fail",
                "container.command has an operator (&&) in &&",
                "",
                {"container": {"command": "streamlit run app.py && echo hi"}},
                ['CMD ["run"]'],
            ),
            (
                "fail",
                "gives the shell one word as its script, which does not use the words behind it: run app.py",
                "one list item",
                {},
                ['CMD ["sh", "-c", "streamlit", "run", "app.py"]'],
            ),
            (
                "warn",
                "CMD (line 3) has a variable ($PORT) in $PORT: a list is not read by a shell, so entry.sh gets it",
                "nothing, if that is intended",
                {},
                ['ENTRYPOINT ["./entry.sh"]', 'CMD ["run", "$PORT"]'],
            ),
            ("pass", "CMD", "", {}, ['CMD ["sh", "-c", "a && b"]']),
            ("pass", "CMD", "", {}, ['CMD ["python", "-c", "x = 1; print(x)"]']),
            ("pass", "ENTRYPOINT and CMD", "", {}, ['ENTRYPOINT ["sh", "-c"]', 'CMD ["run a && b"]']),
            ("fail", "no program called run a", "", {}, ['ENTRYPOINT ["tini", "--"]', 'CMD ["run a"]']),
            ("warn", "no program called run a", "", {}, ['ENTRYPOINT ["./entry.sh"]', 'CMD ["run a"]']),
            ("pass", "ENTRYPOINT", "", {"container": {"command": ["a"]}}, ["ENTRYPOINT ./run"]),
            ("pass", "CMD", "", {}, ["CMD streamlit run app.py && echo $X"]),
            ("pass", "CMD", "", {}, ['SHELL ["python", "-c"]', "CMD a && b"]),
            ("pass", "ENTRYPOINT and CMD", "", {}, ['ENTRYPOINT ["./entry.sh"]', "CMD run && echo $X"]),
            ("pass", "ENTRYPOINT and CMD", "", {}, ["ENTRYPOINT run", 'CMD ["a && b", "$X"]']),
        )
    ),
    *(
        case("dockerfile.command", status, saw, fix, given, dockerfile=dockerfile(*lines))
        for status, saw, fix, given, lines in (
            (
                "fail",
                "CMD (line 2) has several words in one list item in --server.port 9000: streamlit gets it as it is",
                "write each word of the command as a separate list item",
                {},
                ['CMD ["streamlit", "run", "a.py", "--server.port 9000"]'],
            ),
            (
                "fail",
                "CMD (line 3) has several words in one list item in a.py --server.port=9000",
                "",
                {},
                ['ENTRYPOINT ["streamlit", "run"]', 'CMD ["a.py --server.port=9000"]'],
            ),
            (
                "fail",
                "ENTRYPOINT (line 2) has several words in one list item in run a.py",
                "",
                {},
                ['ENTRYPOINT ["streamlit", "run a.py"]'],
            ),
            (
                "fail",
                "container.command has several words in one list item in --bind 0.0.0.0:8501",
                "",
                {"container": {"command": ["gunicorn", "--bind 0.0.0.0:8501", "a:b"]}},
                ['CMD ["run"]'],
            ),
            (
                "fail",
                "ENTRYPOINT (line 2) has streamlit run a.py in one item of its list: there is no program called",
                "",
                {},
                ['ENTRYPOINT ["tini", "--", "streamlit run a.py"]'],
            ),
            (
                "fail",
                "has an option and its value in one list item in -c streamlit run a.py: sh gets it",
                'write "-c" and the whole script as two list items',
                {},
                ['CMD ["sh", "-c streamlit run a.py"]'],
            ),
            (
                "fail",
                "CMD (line 2) has quotes around the whole script",
                "remove the quotes",
                {},
                ['CMD ["bash", "-c", "\'streamlit run a.py\'"]'],
            ),
            (
                "fail",
                "has quotes in a list item in 'a.py'",
                "remove the quotes",
                {},
                ['CMD ["streamlit", "run", "\'a.py\'"]'],
            ),
            (
                "fail",
                "has a dash in the place of hyphens in \u2014server.port=9000",
                "plain hyphens",
                {},
                ['CMD ["streamlit", "run", "a.py", "\u2014server.port=9000"]'],
            ),
            (
                "warn",
                "has several words in one list item in --port 80: entry.sh gets it",
                "nothing, if that is intended; or write each word",
                {},
                ['CMD ["./entry.sh", "--port 80"]'],
            ),
            (
                "fail",
                "the shell does not wait for what is in front of the last &, and the task ends with it",
                "remove the &",
                {},
                ["CMD streamlit run a.py &"],
            ),
            (
                "fail",
                "the shell does not wait",
                "",
                {"container": {"command": ["sh", "-c", "streamlit run a.py &"]}},
                ['CMD ["run"]'],
            ),
            (
                "fail",
                "CMD (line 2) has quotes around the list",
                "remove the quotes around the list",
                {},
                ["""CMD '["streamlit", "run"]'"""],
            ),
            (
                "fail",
                "CMD (line 2) has other brackets",
                "begin the list with [",
                {},
                ['CMD \uff3b"streamlit", "run"\uff3d'],
            ),
            *(
                (
                    "fail",
                    "has text before the list",
                    "right behind the name",
                    {},
                    [f'{text}["streamlit", "run"]'],
                )
                for text in ("CMD = ", "ENTRYPOINT =", "CMD : ")
            ),
        )
    ),
    *(
        case(name, "skip", "an item of the command's list is not one word", dockerfile=dockerfile(line))
        for name in ("dockerfile.port", "dockerfile.address")
        for line in (
            'CMD ["streamlit", "run", "a.py --server.port=8501"]',
            'CMD ["streamlit", "run", "a.py", "--server.port 8501"]',
            'ENTRYPOINT ["tini", "--", "streamlit run a.py"]',
        )
    ),
    case(
        "dockerfile.command",
        "fail",
        "CMD (line 2) begins with streamlit run: there is no program of that name",
        dockerfile=dockerfile('CMD ["streamlit run", "app.py"]'),
    ),
    *(
        case(
            "dockerfile.command",
            "fail",
            f"there is no program called {word}",
            dockerfile=dockerfile(f"CMD {json.dumps([word])}"),
        )
        for word in (
            "/usr/bin/python app.py",
            "/opt/run --port 1",
            "./run /srv",
            "/venv/bin/streamlit run a.py",
            "/usr/local/bin/npm start",
            "./start.sh 8501",
        )
    ),
    *(
        case(
            "dockerfile.port",
            "fail",
            f"the port is {text} ({by}), which is no number: without a shell nothing replaces a variable",
            "CMD exec",
            dockerfile=dockerfile(f"CMD {json.dumps(words)}"),
        )
        for text, by, words in (
            ("$PORT", "--server.port", ["streamlit", "run", "app.py", "--server.port=$PORT"]),
            ("${PORT}", "--bind", ["gunicorn", "--bind", "0.0.0.0:${PORT}", "app:server"]),
            ("$PORT", "--port", ["uvicorn", "app:app", "--port", "$PORT"]),
        )
    ),
    case(
        "dockerfile.port",
        "fail",
        "the port is 85o1 (--server.port), which is no number",
        dockerfile=dockerfile('CMD ["streamlit", "run", "app.py", "--server.port=85o1"]'),
    ),
    case(
        "dockerfile.address",
        "fail",
        "it listens on 127.0.0.1 (--bind)",
        dockerfile=dockerfile('CMD ["gunicorn", "--bind", "127.0.0.1:$PORT", "app:server"]'),
    ),
    case(
        "dockerfile.command",
        "fail",
        "there is no program called streamlit run app.py",
        dockerfile=dockerfile('CMD ["streamlit run app.py"]'),
    ),
    case(
        "dockerfile.command", "pass", "CMD", dockerfile=dockerfile("CMD [ -f x ] && exec streamlit run a.py")
    ),
    case("dockerfile.command", "pass", "the base image's command is used", dockerfile=dockerfile()),
    *(
        case(
            "dockerfile.command",
            "fail",
            "CMD (line 3) is in shell form behind an ENTRYPOINT in exec form",
            "write CMD as a list too",
            dockerfile=dockerfile(f"ENTRYPOINT {entry}", "CMD app.py --server.port=80"),
        )
        for entry in (
            '["streamlit", "run"]',
            '["tini", "--", "streamlit", "run"]',
            '["python", "-m", "streamlit", "run"]',
            '["/bin/bash"]',
            '["/bin/sh", "-c"]',
        )
    ),
    *(
        case(
            "dockerfile.command",
            "pass",
            "ENTRYPOINT and CMD",
            dockerfile=dockerfile(f"ENTRYPOINT {entry}", "CMD streamlit run app.py"),
        )
        for entry in ('["tini", "--"]', '["./entry.sh"]', '["/entry"]', '["sh", "-c", "exec \\"$@\\"", "--"]')
    ),
    case(
        "dockerfile.port",
        "skip",
        "is in shell form behind an ENTRYPOINT",
        dockerfile=dockerfile('ENTRYPOINT ["streamlit", "run"]', "CMD app.py"),
    ),
    case(
        "dockerfile.port",
        "skip",
        "the words of gunicorn do not name its port",
        dockerfile=dockerfile('CMD ["gunicorn", "a:b"]'),
        gunicorn_file_binds=True,
    ),
    case(
        "dockerfile.signals",
        "skip",
        "looks as if it should be",
        dockerfile=dockerfile("CMD ['streamlit', 'run']"),
    ),
    case(
        "dockerfile.start-scripts",
        "fail",
        "the lines of entry.sh end in CR LF",
        "dos2unix entry.sh, and in .gitattributes: entry.sh text eol=lf",
        start_scripts=(FaultyScript("entry.sh", "interpreter"),),
    ),
    case(
        "dockerfile.start-scripts",
        "fail",
        "the lines of /entry.sh in Dockerfile.streamlit end in CR LF",
        "dos2unix Dockerfile.streamlit",
        start_scripts=(FaultyScript("Dockerfile.streamlit", "interpreter", "/entry.sh"),),
    ),
    case(
        "dockerfile.start-scripts",
        "fail",
        "the shell takes the CR for a part of each line's last word",
        "dos2unix entry.sh",
        start_scripts=(FaultyScript("entry.sh", "shell"),),
    ),
    case(
        "dockerfile.start-scripts",
        "warn",
        "later lines of entry.sh end in CR LF, and the shell takes the CR for a part of their last word",
        "dos2unix entry.sh",
        start_scripts=(FaultyScript("entry.sh", "line"),),
    ),
    case(
        "dockerfile.start-scripts",
        "fail",
        "entry.sh begins with a byte order mark, so Linux does not see its #!, and no task starts",
        "dos2unix --remove-bom entry.sh",
        start_scripts=(FaultyScript("entry.sh", "byte-order-mark"),),
    ),
    case("dockerfile.start-scripts", "skip", "there is no Dockerfile.streamlit here", dockerfile=None),
    case(
        "dockerfile.base-path",
        "fail",
        "served at /tools/board, where /_stcore/health, /, /_stcore/stream is not",
        "health_check.path: /tools/board/_stcore/health",
        dockerfile=dockerfile('CMD ["streamlit", "run", "a", "--server.baseUrlPath=tools/board"]'),
    ),
    case(
        "dockerfile.base-path",
        "pass",
        "and so are the checked paths",
        given={
            "health_check": {"path": "/b/_stcore/health"},
            "probe": {"path": "/b", "websocket": "/b/_stcore/stream"},
        },
        dockerfile=dockerfile('CMD ["streamlit", "run", "a", "--server.baseUrlPath=b"]'),
    ),
    case("dockerfile.signals", "skip", "the base image's command", dockerfile=dockerfile()),
    *(
        case(
            id_,
            "skip",
            "a quote, a bracket or a here-document in it is open",
            dockerfile=dockerfile('CMD exec streamlit run "a.py'),
        )
        for id_ in ("dockerfile.signals", "dockerfile.port", "dockerfile.address")
    ),
    case(
        "dockerfile.signals",
        "skip",
        "whether it passes SIGTERM on",
        dockerfile=dockerfile("CMD trap 'kill $!' TERM; streamlit run a.py & wait"),
    ),
    case(
        "dockerfile.signals",
        "skip",
        "is in shell form behind an ENTRYPOINT",
        dockerfile=dockerfile('ENTRYPOINT ["streamlit", "run"]', "CMD app.py"),
    ),
    *(
        case(
            "dockerfile.signals",
            "pass",
            "receives SIGTERM",
            dockerfile=parse(f"{stages}\nCMD streamlit run a.py"),
        )
        for stages in ("FROM python:3.13-alpine", "FROM amazonlinux:2023", "FROM alpine:3.20 AS a\nFROM a")
    ),
    case(
        "dockerfile.address",
        "skip",
        "cannot tell the address that streamlit listens on (--server.address)",
        dockerfile=dockerfile("CMD streamlit run a.py --server.address $(hostname -i)"),
    ),
    case(
        "dockerfile.base-path",
        "skip",
        "cannot tell the path that streamlit serves the app on",
        dockerfile=dockerfile("CMD streamlit run a.py --server.baseUrlPath $(cat path)"),
    ),
    case(
        "dockerfile.port",
        "pass",
        "the command listens on 8501 (--port)",
        dockerfile=dockerfile('ENTRYPOINT ["uvicorn", "a:b", "--port", "8000"]', 'CMD ["--port", "8501"]'),
    ),
    case(
        "dockerfile.signals",
        "skip",
        "./start.sh has to pass SIGTERM on",
        dockerfile=dockerfile('ENTRYPOINT ["./start.sh"]'),
    ),
    case("dockerfile.user", "warn", "runs as root", "USER", dockerfile=dockerfile()),
    case("dockerfile.user", "warn", "runs as root", dockerfile=dockerfile("USER root:root")),
    case(
        "dockerfile.health-check",
        "warn",
        "HEALTHCHECK (line 2) is ignored by ECS",
        dockerfile=dockerfile("HEALTHCHECK CMD curl x"),
    ),
    case(
        "dockerfile.health-check",
        "warn",
        "HEALTHCHECK (line 2) gives the app 600 s to start; the load balancer's checks count from 60 s on",
        "set health_check.grace_period: 600",
        dockerfile=dockerfile("HEALTHCHECK --start-period=10m CMD curl x"),
    ),
    case(
        "dockerfile.health-check",
        "warn",
        "is ignored by ECS",
        dockerfile=dockerfile("HEALTHCHECK --start-period=10m CMD curl x"),
        service=service(healthCheckGracePeriodSeconds=600),
    ),
    case("dockerfile.health-check", "pass", "", dockerfile=dockerfile("HEALTHCHECK NONE")),
    case(
        "dockerfile.health-check",
        "pass",
        "has a health check of its own",
        dockerfile=dockerfile("HEALTHCHECK CMD curl x"),
        task_definition=definition(healthCheck={"command": ["CMD", "x"]}),
    ),
    case(
        "security.tasks",
        "skip",
        "no security group lobster-ecs-sg",
        security_groups=[],
        service=service(networkConfiguration={}),
    ),
    case(
        "dockerfile.base",
        "warn",
        "FROM python:latest can change to another image",
        dockerfile=parse("FROM python:latest"),
    ),
    case(
        "dockerfile.base",
        "warn",
        "FROM host:5000/python can change",
        dockerfile=parse("FROM host:5000/python AS a\nFROM a"),
    ),
    case("dockerfile.base", "pass", "", dockerfile=parse(f"FROM python@sha256:{'a' * 64}\nFROM scratch")),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.id}-{case.status}-{case.saw[:30]}")
def test_says(case: Case) -> None:
    found = check(case.id, case.given, **case.changes)
    assert (found.status, case.saw in found.saw, case.fix in (found.fix or "")) == (
        case.status,
        True,
        True,
    ), found


def test_every_check_has_cases() -> None:
    untold = set(CHECKS) - {case.id for case in CASES}
    assert untold == set()


def test_one_refused_reading_stops_no_other_check() -> None:
    report = diagnose(facts(route_tables=DENIED))
    skipped = [each.id for each in report.checks if each.status == "skip"]
    assert skipped == ["network.routes", "network.public-address"]
    assert report.ok


def _ways() -> list[str]:
    """The members of EC2's Route that say where it leads, by botocore's model, but for those whose end is known."""
    route = botocore.session.get_session().get_service_model("ec2").shape_for("Route")
    named = [each for each in route.members if each.endswith(("Id", "Arn"))]
    about = ("Destination", "InstanceOwner", "NatGatewayId")
    return [each for each in named if not each.startswith(about)]


@pytest.mark.parametrize("kind", _ways())
@pytest.mark.parametrize("name", ["network.routes", "network.public-address"])
def test_a_way_of_a_kind_that_is_not_known_is_not_held_against_it(kind: str, name: str) -> None:
    """An id of a kind of its own: a virtual private gateway is a GatewayId, as an internet gateway is."""
    way = {"DestinationCidrBlock": "0.0.0.0/0", kind: "other-1", "State": "active"}
    by_list = {"DestinationPrefixListId": "pl-1", kind: "other-1", "State": "active"}
    half = {"DestinationCidrBlock": "0.0.0.0/1", kind: "other-1", "State": "active"}
    for route in (way, by_list, half):
        table = {"Routes": [LOCAL, route], "Associations": [{"Main": True}]}
        found = check(name, route_tables=[table])
        assert found.status == "skip", (route, found)


def test_a_gateway_endpoint_and_a_route_of_ipv6_are_no_way_out() -> None:
    routes = [
        LOCAL,
        {"DestinationPrefixListId": "pl-1", "GatewayId": "vpce-1", "State": "active"},
        {"DestinationIpv6CidrBlock": "::/0", "EgressOnlyInternetGatewayId": "eigw-1", "State": "active"},
    ]
    table = {"Routes": routes, "Associations": [{"Main": True}]}
    assert check("network.routes", route_tables=[table]).status == "fail"


def test_every_fault_names_its_mending() -> None:
    for case in CASES:
        if case.status == "fail":
            assert check(case.id, case.given, **case.changes).fix, case
