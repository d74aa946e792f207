"""A healthy account as facts, to be made unwell one thing at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lobster_tasks.dockerfile import parse
from lobster_tasks.doctor import diagnose
from lobster_tasks.doctor.check import Check
from lobster_tasks.doctor.facts import Decision, Facts, Name, Reading, Secret
from lobster_tasks.errors import LobsterError
from lobster_tasks.probe import Answer, Probe
from lobster_tasks.settings import load

ACCOUNT = "123456789012"
SECRET = f"arn:aws:secretsmanager:us-east-2:{ACCOUNT}:secret:openai-x1Y2z3"
TARGET_GROUP = f"arn:aws:elasticloadbalancing:us-east-2:{ACCOUNT}:targetgroup/lobster-tg/1"
TRUST = {
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    ]
}
DOCKERFILE = """
FROM python:3.13-slim
WORKDIR /app
COPY . .
USER 10001
EXPOSE 8501
CMD ["streamlit", "run", "app.py", "--server.port=8501", "--server.address=0.0.0.0"]
"""


def anywhere(port: int | None = None) -> dict[str, Any]:
    """A rule for everybody: one port, or everything."""
    ports = {"IpProtocol": "-1"} if port is None else {"IpProtocol": "tcp", "FromPort": port, "ToPort": port}
    return {**ports, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}


def from_group(group: str, port: int) -> dict[str, Any]:
    """A rule for a group."""
    ports = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port}
    return {**ports, "UserIdGroupPairs": [{"GroupId": group}]}


def from_prefix_list(prefix_list: str, port: int) -> dict[str, Any]:
    """A rule for the addresses of a prefix list."""
    ports = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port}
    return {**ports, "PrefixListIds": [{"PrefixListId": prefix_list}]}


def group(name: str, let_in: list[Any], out: list[Any] | None = None) -> dict[str, Any]:
    """A security group."""
    return {
        "GroupId": f"sg-{name}",
        "GroupName": name,
        "IpPermissions": let_in,
        "IpPermissionsEgress": [anywhere()] if out is None else out,
    }


def service(**changes: Any) -> dict[str, Any]:
    """A service with one task."""
    network = {
        "subnets": ["subnet-a", "subnet-b"],
        "securityGroups": ["sg-lobster-ecs-sg"],
        "assignPublicIp": "ENABLED",
    }
    found = {
        "status": "ACTIVE",
        "desiredCount": 1,
        "runningCount": 1,
        "deployments": [{"rolloutState": "COMPLETED"}],
        "events": [{"message": "(service s) was unable to place a task."}],
        "networkConfiguration": {"awsvpcConfiguration": network},
    }
    network.update(changes.pop("network", {}))
    return found | changes


def definition(**container: Any) -> dict[str, Any]:
    """A task definition."""
    options = {"awslogs-group": "/ecs/lobster-streamlit", "awslogs-region": "us-east-2"}
    app = {
        "name": "lobster-streamlit",
        "image": f"{ACCOUNT}.dkr.ecr.us-east-2.amazonaws.com/homara:v1",
        "portMappings": [{"containerPort": 8501}],
        "logConfiguration": {"logDriver": "awslogs", "options": options},
    }
    return {
        "family": "lobster-streamlit-task",
        "revision": 3,
        "status": "ACTIVE",
        "containerDefinitions": [app | container],
    }


def target_group(**changes: Any) -> dict[str, Any]:
    """A target group."""
    return {
        "TargetGroupArn": TARGET_GROUP,
        "TargetType": "ip",
        "Protocol": "HTTP",
        "ProtocolVersion": "HTTP1",
        "Port": 8501,
        "HealthCheckPath": "/_stcore/health",
        "HealthCheckPort": "traffic-port",
        "HealthCheckIntervalSeconds": 5,
    } | changes


def load_balancer(**changes: Any) -> dict[str, Any]:
    """A load balancer in two zones."""
    return {
        "State": {"Code": "active"},
        "Scheme": "internet-facing",
        "SecurityGroups": ["sg-lobster-alb-sg"],
        "AvailabilityZones": [
            {"ZoneName": "us-east-2a", "SubnetId": "subnet-a"},
            {"ZoneName": "us-east-2b", "SubnetId": "subnet-b"},
        ],
    } | changes


def listener(*target_groups: str, **changes: Any) -> dict[str, Any]:
    """A listener on port 80 that forwards."""
    forward = {
        "Type": "forward",
        "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": each} for each in target_groups]},
    }
    return {"Protocol": "HTTP", "Port": 80, "DefaultActions": [forward], "Rules": []} | changes


def target(state: str, **health: str) -> dict[str, Any]:
    """A target's health."""
    return {"TargetHealth": {"State": state, **health}}


def subnet(name: str, zone: str, vpc: str = "vpc-1", **more: Any) -> dict[str, Any]:
    """A subnet."""
    return {"SubnetId": f"subnet-{name}", "AvailabilityZone": f"us-east-2{zone}", "VpcId": vpc, **more}


def zone(kind: str = "availability-zone", state: str = "available") -> dict[str, Any]:
    """A zone, as DescribeAvailabilityZones has it."""
    return {"ZoneType": kind, "State": state}


def route_table(gateway: str | None, *subnets: str, **route: str) -> dict[str, Any]:
    """A route table with a default route; the main one when it names no subnet."""
    kind = "NatGatewayId" if gateway and gateway.startswith("nat-") else "GatewayId"
    routes = (
        [{"DestinationCidrBlock": "0.0.0.0/0", kind: gateway, "State": "active"} | route] if gateway else []
    )
    return {
        "RouteTableId": "rtb-main",
        "Routes": [{"DestinationCidrBlock": "172.31.0.0/16", "GatewayId": "local"}, *routes],
        "Associations": [{"SubnetId": each} for each in subnets] or [{"Main": True}],
    }


def interface_endpoint(name: str, **changes: Any) -> dict[str, Any]:
    """An interface endpoint of a service, as DescribeVpcEndpoints returns it."""
    return {
        "VpcEndpointId": f"vpce-{name}",
        "ServiceName": f"com.amazonaws.us-east-2.{name}",
        "VpcEndpointType": "Interface",
        "State": "available",
        "PrivateDnsEnabled": True,
        "RouteTableIds": [],
        "Groups": [],
    } | changes


def s3_endpoint(**changes: Any) -> dict[str, Any]:
    """The gateway endpoint of S3, in the main route table."""
    given = {"VpcEndpointType": "Gateway", "PrivateDnsEnabled": False, "RouteTableIds": ["rtb-main"]}
    return interface_endpoint("s3", **{**given, **changes})


VPC_ENDPOINTS = [*(interface_endpoint(name) for name in ("ecr.api", "ecr.dkr", "logs")), s3_endpoint()]


def blocking(mode: str, *left_out: str, how: str = "allow-bidirectional", **more: str) -> dict[str, Any]:
    """VPC Block Public Access, and what it leaves out (``vpc/vpc-1``)."""
    arns = {f"arn:aws:ec2:us-east-2:{ACCOUNT}:{each}": how for each in left_out}
    return {"InternetGatewayBlockMode": mode, "exclusions": arns, **more}


def secret(name: str = "KEY", source: str = SECRET, found: bool | None = True, **more: Any) -> Secret:
    """A secret that is there."""
    return Secret(name, source, found, source, **more)


HEALTHY: Mapping[Name, Any] = {
    "identity": {"Arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/deploy/me"},
    "execution_role": {
        "Arn": f"arn:aws:iam::{ACCOUNT}:role/ecsTaskExecutionRole",
        "AssumeRolePolicyDocument": TRUST,
    },
    "task_role": {"Arn": f"arn:aws:iam::{ACCOUNT}:role/ecsTaskRole", "AssumeRolePolicyDocument": TRUST},
    "service_linked_role": {"RoleName": "AWSServiceRoleForECS"},
    "secrets": [],
    "may_pull": [Decision("ecr:BatchGetImage", "arn:repository", "allowed")],
    "may_log": [Decision("logs:PutLogEvents", "arn:stream", "allowed")],
    "may_read_secrets": [],
    "may_read_parameters": [],
    "may_decrypt": [],
    "may_pass": [Decision("iam:PassRole", "arn:role", "allowed")],
    "cluster": {"status": "ACTIVE"},
    "service": service(),
    "task_definition": definition(),
    "image": {"imageDigest": f"sha256:{'a' * 64}", "imageTags": ["v1"]},
    "other_images": {},
    "expiry": None,
    "covered": frozenset({SECRET}),
    "log_group": {"logGroupName": "/ecs/lobster-streamlit", "retentionInDays": 30},
    "other_log_groups": [],
    "network": [subnet("a", "a"), subnet("b", "b")],
    "zones": {"us-east-2a": zone(), "us-east-2b": zone()},
    "public_access": {"InternetGatewayBlockMode": "off", "exclusions": {}},
    "vcpus": 4000.0,
    "route_tables": [route_table("igw-1")],
    "endpoints": [],
    "security_groups": [
        group("lobster-alb-sg", [anywhere(80)]),
        group("lobster-ecs-sg", [from_group("sg-lobster-alb-sg", 8501)]),
    ],
    "load_balancer": load_balancer(),
    "listeners": [listener(TARGET_GROUP)],
    "web_acl": None,
    "protection": "",
    "distribution": None,
    "front_web_acl": None,
    "front_ip_sets": [],
    "target_group": target_group(),
    "target_health": [target("healthy")],
    "answers": Probe("http://lb", Answer(True, "GET / 200 in 8 ms"), Answer(True, "WebSocket open")),
    "dockerfile": parse(DOCKERFILE, name="Dockerfile.streamlit"),
    "streamlit_config": {},
    "gunicorn_file_binds": False,
    "start_scripts": (),
}


def facts(given: Mapping[str, Any] | None = None, **changes: Any) -> Facts:
    """The healthy account with settings ``given`` and some readings changed; an error is a refused reading."""
    values = {**HEALTHY, **changes}
    readings = {
        name: Reading(error=value) if isinstance(value, LobsterError) else Reading(value)
        for name, value in values.items()
    }
    return Facts(load(given or {}), ACCOUNT, "aws", readings)  # type: ignore[arg-type]


def check(name: str, given: Mapping[str, Any] | None = None, **changes: Any) -> Check:
    """One check of such an account."""
    return next(each for each in diagnose(facts(given, **changes)).checks if each.id == name)
