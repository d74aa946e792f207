"""Everything that an ECS service stands on, made with boto3: network, roles, logs, image, load balancer."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import requests

from tests.embedded.images import ImageSpec, push, web_app
from tests.embedded_process import PATIENCE, EmbeddedProcess, eventually

EXECUTION_POLICY = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "ecs-tasks.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
APP_RUNNER_TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "tasks.apprunner.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
PORT = 8501
FAST_HEALTH = {
    "HealthCheckPath": "/health",
    "HealthCheckIntervalSeconds": 5,
    "HealthCheckTimeoutSeconds": 4,
    "HealthyThresholdCount": 2,
    "UnhealthyThresholdCount": 2,
}


@dataclass
class Stack:
    """One cluster ``c`` with what its services need; parts are made when first asked for."""

    aws: EmbeddedProcess

    @cached_property
    def ecs(self) -> Any:
        """A client."""
        return self.aws.client("ecs")

    @cached_property
    def elb(self) -> Any:
        """A client."""
        return self.aws.client("elbv2")

    @cached_property
    def ec2(self) -> Any:
        """A client."""
        return self.aws.client("ec2")

    @cached_property
    def vpc(self) -> str:
        """The default VPC."""
        found = self.ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
        return str(found[0]["VpcId"])

    @cached_property
    def subnets(self) -> list[str]:
        """Two of its subnets, in two zones."""
        found = self.ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [self.vpc]}])["Subnets"]
        return [subnet["SubnetId"] for subnet in found[:2]]

    @cached_property
    def group(self) -> str:
        """A security group that lets everybody in."""
        made = self.ec2.create_security_group(GroupName="open", Description="open", VpcId=self.vpc)
        everybody = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
        self.ec2.authorize_security_group_ingress(GroupId=made["GroupId"], IpPermissions=[everybody])
        return str(made["GroupId"])

    @property
    def network(self) -> dict[str, Any]:
        """networkConfiguration."""
        config = {"subnets": self.subnets, "securityGroups": [self.group], "assignPublicIp": "ENABLED"}
        return {"awsvpcConfiguration": config}

    def role(self, name: str, *, trust: Mapping[str, Any] = TRUST, policies: Sequence[str] = ()) -> str:
        """Make a role and return its ARN."""
        iam = self.aws.client("iam")
        made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
        for arn in policies:
            iam.attach_role_policy(RoleName=name, PolicyArn=arn)
        return str(made["Role"]["Arn"])

    @cached_property
    def execution_role(self) -> str:
        """The usual execution role."""
        return self.role("execution", policies=[EXECUTION_POLICY])

    @cached_property
    def logs(self) -> str:
        """A log group's name."""
        self.aws.client("logs").create_log_group(logGroupName="/ecs/app")
        return "/ecs/app"

    @cached_property
    def cluster(self) -> str:
        """The cluster's name."""
        return str(self.ecs.create_cluster(clusterName="c")["cluster"]["clusterName"])

    def image(self, spec: ImageSpec | None = None, tag: str = "v1") -> str:
        """Push an image, ``web_app`` unless told otherwise; returns its reference."""
        return push(self.aws.client("ecr"), spec or web_app(), tag=tag).reference

    @cached_property
    def app(self) -> str:
        """The image ``web_app`` as it is, pushed once."""
        return self.image()

    def log_options(self, **more: str) -> dict[str, Any]:
        """logConfiguration."""
        options = {
            "awslogs-group": self.logs,
            "awslogs-region": "us-east-2",
            "awslogs-stream-prefix": "web",
            **more,
        }
        return {"logDriver": "awslogs", "options": options}

    def container(self, image: str, name: str = "app", **more: Any) -> dict[str, Any]:
        """A container definition."""
        ports = [{"containerPort": PORT}]
        return {"name": name, "image": image, "essential": True, "portMappings": ports, **more}

    def definition(self, *containers: dict[str, Any], family: str = "f", **more: Any) -> str:
        """Register a task definition and return its ARN."""
        given = {
            "family": family,
            "requiresCompatibilities": ["FARGATE"],
            "networkMode": "awsvpc",
            "cpu": "256",
            "memory": "512",
            "executionRoleArn": self.execution_role,
            "containerDefinitions": list(containers) or [self.container(self.app)],
            **more,
        }
        return str(self.ecs.register_task_definition(**given)["taskDefinition"]["taskDefinitionArn"])

    @cached_property
    def load_balancer(self) -> dict[str, Any]:
        """An internet-facing load balancer, as DescribeLoadBalancers shows it."""
        made = self.elb.create_load_balancer(Name="lb", Subnets=self.subnets, SecurityGroups=[self.group])
        return dict(made["LoadBalancers"][0])

    @cached_property
    def url(self) -> str:
        """Where the load balancer answers, once it does."""
        host, _, port = self.load_balancer["DNSName"].partition(":")

        def answers() -> bool:
            with socket.socket() as asked:
                return asked.connect_ex((host, int(port))) == 0

        eventually(answers)
        return f"http://{host}:{port}"

    def target_group(self, name: str = "tg", delay: int = 10, **more: Any) -> str:
        """A target group of type ip, without a listener."""
        given = {
            "Protocol": "HTTP",
            "Port": PORT,
            "VpcId": self.vpc,
            "TargetType": "ip",
            **FAST_HEALTH,
            **more,
        }
        arn = str(self.elb.create_target_group(Name=name, **given)["TargetGroups"][0]["TargetGroupArn"])
        attribute = {"Key": "deregistration_delay.timeout_seconds", "Value": str(delay)}
        self.elb.modify_target_group_attributes(TargetGroupArn=arn, Attributes=[attribute])
        return arn

    def listener(self, target_group: str, port: int = 80) -> str:
        """A listener that forwards to a target group."""
        made = self.elb.create_listener(
            LoadBalancerArn=self.load_balancer["LoadBalancerArn"],
            Protocol="HTTP",
            Port=port,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": target_group}],
        )
        return str(made["Listeners"][0]["ListenerArn"])

    @cached_property
    def served_group(self) -> str:
        """A target group behind the load balancer's port 80."""
        arn = self.target_group()
        self.listener(arn)
        return arn

    @property
    def balanced(self) -> list[dict[str, Any]]:
        """loadBalancers."""
        return [{"targetGroupArn": self.served_group, "containerName": "app", "containerPort": PORT}]

    def service(self, definition: str, name: str = "s", desired: int = 1, **more: Any) -> dict[str, Any]:
        """Create a service; behind the load balancer with ``loadBalancers=stack.balanced``."""
        given = {
            "cluster": self.cluster,
            "serviceName": name,
            "taskDefinition": definition,
            "desiredCount": desired,
            "networkConfiguration": self.network,
            **more,
        }
        if "capacityProviderStrategy" not in given:
            given.setdefault("launchType", "FARGATE")
        else:
            self.associate()
        return dict(self.ecs.create_service(**given)["service"])

    def associate(self, *providers: str) -> None:
        """Give the cluster its capacity providers, both of Fargate's unless told otherwise."""
        named = list(providers) or ["FARGATE", "FARGATE_SPOT"]
        self.ecs.put_cluster_capacity_providers(
            cluster=self.cluster, capacityProviders=named, defaultCapacityProviderStrategy=[]
        )

    def update(self, name: str = "s", **more: Any) -> dict[str, Any]:
        """UpdateService."""
        return dict(self.ecs.update_service(cluster=self.cluster, service=name, **more)["service"])

    def describe(self, name: str = "s", **more: Any) -> dict[str, Any]:
        """The service now."""
        return dict(self.ecs.describe_services(cluster=self.cluster, services=[name], **more)["services"][0])

    def messages(self, name: str = "s") -> list[str]:
        """The service's events, oldest first."""
        return [event["message"] for event in reversed(self.describe(name)["events"])]

    def completed(self, name: str = "s", within: float = PATIENCE) -> dict[str, Any]:
        """The service, once its only deployment is COMPLETED."""

        def look() -> dict[str, Any] | None:
            seen = self.describe(name)
            states = [(one["status"], one["rolloutState"]) for one in seen["deployments"]]
            return seen if states == [("PRIMARY", "COMPLETED")] else None

        return eventually(look, within) or {}

    def tasks(self, name: str | None = None, status: str = "RUNNING", **more: Any) -> list[dict[str, Any]]:
        """Described tasks by desired status, of one service if named."""
        service = {"serviceName": name} if name else {}
        arns = self.ecs.list_tasks(cluster=self.cluster, desiredStatus=status, **service, **more)["taskArns"]
        if not arns:
            return []
        described = self.ecs.describe_tasks(cluster=self.cluster, tasks=arns, include=["TAGS"])
        return list(described["tasks"])

    def last_stopped(self, name: str = "s") -> dict[str, Any]:
        """The task of a service that was stopped last; the events of earlier ones may be gone, for ECS keeps 100."""
        return max(self.tasks(name, "STOPPED"), key=lambda task: task["stoppingAt"])

    def run(self, definition: str, **more: Any) -> dict[str, Any]:
        """RunTask; the task as it was answered."""
        answer = self.ecs.run_task(
            cluster=self.cluster,
            taskDefinition=definition,
            launchType="FARGATE",
            networkConfiguration=self.network,
            **more,
        )
        return dict(answer["tasks"][0])

    def task(self, arn: str) -> dict[str, Any]:
        """One task now."""
        return dict(self.ecs.describe_tasks(cluster=self.cluster, tasks=[arn])["tasks"][0])

    def reaches(self, arn: str, status: str, within: float = PATIENCE) -> dict[str, Any]:
        """A task, once it is in ``status``."""

        def look() -> dict[str, Any] | None:
            seen = self.task(arn)
            return seen if seen["lastStatus"] == status else None

        return eventually(look, within) or {}

    def deployments(self, name: str = "s") -> list[dict[str, Any]]:
        """Described service deployments, newest first."""
        listed = self.ecs.list_service_deployments(cluster=self.cluster, service=name)["serviceDeployments"]
        arns = [one["serviceDeploymentArn"] for one in listed]
        described = self.ecs.describe_service_deployments(serviceDeploymentArns=arns)["serviceDeployments"]
        return sorted(described, key=lambda one: arns.index(one["serviceDeploymentArn"]))

    def get(self, path: str = "/") -> requests.Response:
        """A request through the load balancer."""
        return requests.get(f"{self.url}{path}", timeout=PATIENCE)
