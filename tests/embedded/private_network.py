"""A VPC with one subnet that leads nowhere, to which a test adds ways out one by one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tests.embedded.ecs_stack import Stack

ANYWHERE = "0.0.0.0/0"
EVERYTHING = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": ANYWHERE}]}]
REGION = "us-east-2"
ENDPOINTS = ("ecr.api", "ecr.dkr", "logs", "secretsmanager", "ssm")


@dataclass
class PrivateNetwork:
    """10.0.0.0/16 with the subnet 10.0.1.0/24, whose route table is the VPC's main one."""

    stack: Stack

    @property
    def ec2(self) -> Any:
        """A client."""
        return self.stack.ec2

    @cached_property
    def vpc(self) -> str:
        """The VPC, with DNS host names."""
        made = str(self.ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"])
        self.ec2.modify_vpc_attribute(VpcId=made, EnableDnsHostnames={"Value": True})
        return made

    @cached_property
    def subnet(self) -> str:
        """Where the tasks are."""
        return self.make_subnet("10.0.1.0/24")

    @cached_property
    def main(self) -> str:
        """The main route table."""
        mine = [
            {"Name": "vpc-id", "Values": [self.vpc]},
            {"Name": "association.main", "Values": ["true"]},
        ]
        return str(self.ec2.describe_route_tables(Filters=mine)["RouteTables"][0]["RouteTableId"])

    @cached_property
    def gateway(self) -> str:
        """An attached internet gateway, to which nothing leads yet."""
        made = str(self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"])
        self.ec2.attach_internet_gateway(InternetGatewayId=made, VpcId=self.vpc)
        return made

    @cached_property
    def group(self) -> str:
        """The tasks' security group: everything out."""
        return self.make_group("tasks")

    @cached_property
    def endpoint_group(self) -> str:
        """The endpoints' security group: 443 from the tasks' group."""
        made = self.make_group("endpoints")
        pairs = [{"GroupId": self.group}]
        permission = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "UserIdGroupPairs": pairs}
        self.ec2.authorize_security_group_ingress(GroupId=made, IpPermissions=[permission])
        return made

    def make_subnet(self, cidr: str) -> str:
        """A subnet."""
        return str(self.ec2.create_subnet(VpcId=self.vpc, CidrBlock=cidr)["Subnet"]["SubnetId"])

    def make_group(self, name: str) -> str:
        """A security group without ingress."""
        made = self.ec2.create_security_group(GroupName=name, Description=name, VpcId=self.vpc)
        return str(made["GroupId"])

    def route(self, table: str, **target: str) -> None:
        """A default route."""
        self.ec2.create_route(RouteTableId=table, DestinationCidrBlock=ANYWHERE, **target)

    def make_table(self, subnet: str, **target: str) -> str:
        """A route table of a subnet's own, with a default route if a target is given."""
        made = str(self.ec2.create_route_table(VpcId=self.vpc)["RouteTable"]["RouteTableId"])
        self.ec2.associate_route_table(RouteTableId=made, SubnetId=subnet)
        if target:
            self.route(made, **target)
        return made

    def make_nat(self, subnet: str | None = None, **more: str) -> str:
        """A NAT gateway; in a public subnet of its own, unless told otherwise."""
        if subnet is None:
            subnet = self.make_subnet("10.0.2.0/24")
            self.make_table(subnet, GatewayId=self.gateway)
        if more.get("ConnectivityType") != "private":
            more["AllocationId"] = self.ec2.allocate_address(Domain="vpc")["AllocationId"]
        return str(self.ec2.create_nat_gateway(SubnetId=subnet, **more)["NatGateway"]["NatGatewayId"])

    def make_endpoint(self, service: str, **more: Any) -> str:
        """An interface endpoint in the tasks' subnet."""
        given = {
            "VpcId": self.vpc,
            "ServiceName": f"com.amazonaws.{REGION}.{service}",
            "VpcEndpointType": "Interface",
            "SubnetIds": [self.subnet],
            "SecurityGroupIds": [self.endpoint_group],
            "PrivateDnsEnabled": True,
            **more,
        }
        return str(self.ec2.create_vpc_endpoint(**given)["VpcEndpoint"]["VpcEndpointId"])

    def make_s3_endpoint(self, *tables: str, **more: str) -> str:
        """A gateway endpoint for S3 in route tables."""
        made = self.ec2.create_vpc_endpoint(
            VpcId=self.vpc,
            ServiceName=f"com.amazonaws.{REGION}.s3",
            VpcEndpointType="Gateway",
            RouteTableIds=list(tables),
            **more,
        )
        return str(made["VpcEndpoint"]["VpcEndpointId"])

    def make_all_endpoints(self, without: str = "") -> None:
        """Every endpoint that a task of ``definition`` needs, but one."""
        for service in ENDPOINTS:
            if service != without:
                self.make_endpoint(service)
        if without != "s3":
            self.make_s3_endpoint(self.main)

    def definition(self) -> str:
        """A task definition that needs ECR, S3, CloudWatch Logs, Secrets Manager and SSM."""
        secret = self.stack.aws.client("secretsmanager").create_secret(Name="key", SecretString="x")["ARN"]
        self.stack.aws.client("ssm").put_parameter(Name="pin", Value="x", Type="String")
        statement = {"Effect": "Allow", "Action": ["secretsmanager:*", "ssm:*"], "Resource": "*"}
        self.stack.aws.client("iam").put_role_policy(
            RoleName=self.stack.execution_role.split("/")[-1],
            PolicyName="secrets",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
        )
        secrets = [{"name": "KEY", "valueFrom": secret}, {"name": "PIN", "valueFrom": "pin"}]
        logs = self.stack.log_options()
        container = self.stack.container(self.stack.app, secrets=secrets, logConfiguration=logs)
        return self.stack.definition(container)

    def configuration(self, *, public: bool = False) -> dict[str, Any]:
        """networkConfiguration."""
        config = {
            "subnets": [self.subnet],
            "securityGroups": [self.group],
            "assignPublicIp": "ENABLED" if public else "DISABLED",
        }
        return {"awsvpcConfiguration": config}

    def run(self, definition: str | None = None, *, public: bool = False) -> str:
        """RunTask in the subnet; the task's ARN."""
        answer = self.stack.ecs.run_task(
            cluster=self.stack.cluster,
            taskDefinition=definition or self.stack.definition(),
            launchType="FARGATE",
            networkConfiguration=self.configuration(public=public),
        )
        return str(answer["tasks"][0]["taskArn"])

    def runs(self, definition: str | None = None, *, public: bool = False) -> None:
        """A task gets to RUNNING."""
        self.stack.reaches(self.run(definition, public=public), "RUNNING")

    def fails(self, definition: str | None = None, *, public: bool = False) -> dict[str, Any]:
        """A task that does not start; returns it, STOPPED."""
        task = self.stack.reaches(self.run(definition, public=public), "STOPPED")
        assert task["stopCode"] == "TaskFailedToStart"
        assert "startedAt" not in task
        return task
