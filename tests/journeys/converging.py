"""An account in which the library makes a stack, and in which others meddle by plain boto3."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from lobster_tasks import converge, stack
from lobster_tasks.aws import Aws
from lobster_tasks.converge import Plan
from lobster_tasks.settings import Settings, load
from tests.clocks import PatientClock
from tests.embedded.firewalls import associate, web_acl
from tests.embedded_process import EmbeddedProcess

READ_ONLY = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
KINDS = {
    "average_cpu": "ECSServiceAverageCPUUtilization",
    "average_memory": "ECSServiceAverageMemoryUtilization",
    "requests_per_target": "ALBRequestCountPerTarget",
}
SCALABLE = {
    "ServiceNamespace": "ecs",
    "ResourceId": "service/lobster-cluster/lobster-streamlit-service",
    "ScalableDimension": "ecs:service:DesiredCount",
}
# What each of the six tasks converges.
SLICES: dict[str, tuple[str, ...]] = {
    "create-iam-policies": ("role",),
    "create-security-groups": ("security-group",),
    "setup-application-load-balancer": ("listener", "target-group"),
    "create-ecs-cluster": ("cluster",),
    "create-task-definition": ("task-definition",),
    "create-fargate-service": ("service",),
}
# Ids of the account's own, which differ from one empty account to the next, and what tags tell.
_ITS_OWN = ("vpc", "subnets", "region")


@dataclass(frozen=True)
class Account:
    """An account: ``converge`` and ``plan`` by the library, ``client`` for everybody else."""

    embedded: EmbeddedProcess
    aws: Aws
    settings: Settings

    def client(self, service: str) -> Any:
        """A boto3 client that knows nothing of the library."""
        return self.embedded.client(service)

    def with_settings(self, *flags: str, **given: Any) -> Account:
        """The same account with other settings."""
        return replace(self, settings=load(given, {}, flags))

    def resources(self, *kinds: str) -> stack.Stack:
        """The whole stack, or a slice."""
        whole = stack.build(self.settings, self.aws.account, self.aws.partition)
        return whole.slice(kinds) if kinds else whole

    def plan(self, *kinds: str, adopt: bool = False) -> Plan:
        """Read and plan."""
        desired = self.resources(*kinds)
        return converge.plan(desired, converge.read(self.aws, desired), adopt=adopt)

    def converge(self, *kinds: str, adopt: bool = False) -> Plan:
        """Read, plan, apply and verify, as the tasks do."""
        made = self.plan(*kinds, adopt=adopt)
        self.apply(made)
        converge.verify(self.aws, self.resources(*kinds))
        return made

    def verify(self) -> Plan:
        """Read again until it is as planned."""
        return converge.verify(self.aws, self.resources())

    def apply(self, made: Plan) -> None:
        """Apply."""
        converge.apply(self.aws, made, lambda _: None)

    def plan_removal(self, *, data: bool = False) -> Plan:
        """The plan of a teardown."""
        desired = self.resources()
        live = converge.read(self.aws, desired)
        others = converge.dependents(self.aws, desired, live)
        return converge.plan_removal(desired, live, others, keep_data=not data)

    def remove(self, *, data: bool = False) -> Plan:
        """Tear down."""
        made = self.plan_removal(data=data)
        self.apply(made)
        return made

    @contextmanager
    def no_change(self) -> Iterator[None]:
        """Nothing in the block changes the account."""
        self.embedded.forget_calls()
        yield
        assert self.changes() == {}

    def changes(self) -> Counter[str]:
        """The calls that changed something, as ``service:Operation``, since they were forgotten."""
        made = self.embedded.calls(mutating=True)
        return Counter(f"{call['service']}:{call['operation']}" for call in made)

    def snapshot(self) -> dict[str, Any]:
        """What the stack looks like, and how many things of each kind there are in the account."""
        desired = self.resources()
        found = converge.read(self.aws, desired)
        looks = {
            each.label: (live.stack, {k: v for k, v in live.attributes.items() if k not in _ITS_OWN})
            for each, live in found.items()
            if live is not None
        }
        return {**looks, "counts": self.counts()}

    def counts(self) -> dict[str, int]:
        """How many things there are, whosever they are; AWS's own service-linked roles left out."""
        elbv2, ecs, ec2 = (self.client(name) for name in ("elbv2", "ecs", "ec2"))
        balancers = [each["LoadBalancerArn"] for each in elbv2.describe_load_balancers()["LoadBalancers"]]
        clusters = ecs.list_clusters()["clusterArns"]
        groups = ec2.describe_security_groups()["SecurityGroups"]
        roles = self.client("iam").list_roles()["Roles"]
        return {
            "roles": len([each for each in roles if not each["Path"].startswith("/aws-service-role/")]),
            "log groups": len(self.client("logs").describe_log_groups()["logGroups"]),
            "repositories": len(self.client("ecr").describe_repositories()["repositories"]),
            "security groups": len(groups),
            "ingress rules": sum(_rules(group) for group in groups),
            "load balancers": len(balancers),
            "target groups": len(elbv2.describe_target_groups()["TargetGroups"]),
            "listeners": sum(
                len(elbv2.describe_listeners(LoadBalancerArn=arn)["Listeners"]) for arn in balancers
            ),
            "clusters": len(clusters),
            "services": sum(len(ecs.list_services(cluster=arn)["serviceArns"]) for arn in clusters),
            "revisions": len(ecs.list_task_definitions()["taskDefinitionArns"]),
        }


def _rules(group: dict[str, Any]) -> int:
    members = ("IpRanges", "Ipv6Ranges", "UserIdGroupPairs", "PrefixListIds")
    return sum(len(rule.get(member, [])) for rule in group["IpPermissions"] for member in members)


def account_of(embedded: EmbeddedProcess, speed: float) -> Account:
    """The account of an embedded AWS, with the plan's settings. One for many tests: clients take a while."""
    credentials = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "example"}
    aws = Aws(
        "us-east-2", endpoint_url=embedded.url, credentials=credentials, clock=PatientClock(speed=speed)
    )
    return Account(embedded, aws, load({}))


class Meddler:
    """Somebody who changes what the stack has made, by name."""

    def __init__(self, account: Account) -> None:
        self._account = account
        self.embedded = account.embedded
        self.iam, self.logs, self.ecr = (account.client(name) for name in ("iam", "logs", "ecr"))
        self.ec2, self.elbv2, self.ecs = (account.client(name) for name in ("ec2", "elbv2", "ecs"))
        self.scaling = account.client("application-autoscaling")
        self.acm = account.client("acm")

    @property
    def vpc(self) -> str:
        """The default VPC."""
        found = self.ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
        return str(found[0]["VpcId"])

    @property
    def subnets(self) -> list[str]:
        """The default VPC's subnets, by zone."""
        inside = [{"Name": "vpc-id", "Values": [self.vpc]}]
        found = self.ec2.describe_subnets(Filters=inside)["Subnets"]
        return [each["SubnetId"] for each in sorted(found, key=lambda each: each["AvailabilityZone"])]

    def group(self, name: str) -> str:
        """A security group's id."""
        named = [{"Name": "group-name", "Values": [name]}]
        return str(self.ec2.describe_security_groups(Filters=named)["SecurityGroups"][0]["GroupId"])

    @property
    def balancer(self) -> str:
        """The load balancer's ARN."""
        found = self.elbv2.describe_load_balancers(Names=["lobster-alb"])["LoadBalancers"]
        return str(found[0]["LoadBalancerArn"])

    @property
    def target_group(self) -> str:
        """The target group's ARN."""
        found = self.elbv2.describe_target_groups(Names=["lobster-tg"])["TargetGroups"]
        return str(found[0]["TargetGroupArn"])

    @property
    def listener(self) -> str:
        """The listener's ARN."""
        found = self.elbv2.describe_listeners(LoadBalancerArn=self.balancer)["Listeners"]
        return str(found[0]["ListenerArn"])

    def allow(self, name: str, port: int, source: str) -> None:
        """An ingress rule more, from a CIDR or a group."""
        self.ec2.authorize_security_group_ingress(
            GroupId=self.group(name), IpPermissions=[self._rule(port, source)]
        )

    def forbid(self, name: str, port: int, source: str) -> None:
        """An ingress rule less."""
        self.ec2.revoke_security_group_ingress(
            GroupId=self.group(name), IpPermissions=[self._rule(port, source)]
        )

    def _rule(self, port: int, source: str) -> dict[str, Any]:
        rule: dict[str, Any] = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port}
        if "/" in source:
            return rule | {"IpRanges": [{"CidrIp": source}]}
        return rule | {"UserIdGroupPairs": [{"GroupId": self.group(source)}]}

    def set_balancer(self, **attributes: str) -> None:
        """Load balancer attributes; ``__`` stands for a dot."""
        self.elbv2.modify_load_balancer_attributes(
            LoadBalancerArn=self.balancer, Attributes=_key_values(attributes)
        )

    def protect(self, name: str) -> None:
        """Associate a web ACL of somebody else's with the load balancer."""
        associate(self._account.embedded, web_acl(self._account.embedded, name), self.balancer)

    def set_target_group(self, **attributes: str) -> None:
        """Target group attributes; ``__`` stands for a dot."""
        self.elbv2.modify_target_group_attributes(
            TargetGroupArn=self.target_group, Attributes=_key_values(attributes)
        )

    def set_health(self, **members: Any) -> None:
        """Members of ModifyTargetGroup."""
        self.elbv2.modify_target_group(TargetGroupArn=self.target_group, **members)

    def forward_elsewhere(self) -> None:
        """Let the listener forward to a target group that is not ours."""
        made = self.elbv2.create_target_group(
            Name="elsewhere", Protocol="HTTP", Port=80, VpcId=self.vpc, TargetType="ip"
        )["TargetGroups"][0]
        action = {"Type": "forward", "TargetGroupArn": made["TargetGroupArn"]}
        self.elbv2.modify_listener(ListenerArn=self.listener, DefaultActions=[action])

    def set_service(self, **members: Any) -> None:
        """Members of UpdateService."""
        self.ecs.update_service(cluster="lobster-cluster", service="lobster-streamlit-service", **members)

    def run(self, image: str) -> None:
        """Release an image by hand: a revision with it, and one task of that."""
        self.set_service(taskDefinition=self.edit_container(image=image), desiredCount=1)

    def service(self) -> dict[str, Any]:
        """As DescribeServices has it."""
        found = self.ecs.describe_services(
            cluster="lobster-cluster", services=["lobster-streamlit-service"], include=["TAGS"]
        )
        service: dict[str, Any] = found["services"][0]
        return service

    def network(self, **members: Any) -> None:
        """Members of the service's awsvpcConfiguration."""
        now = self.service()["networkConfiguration"]["awsvpcConfiguration"]
        self.set_service(networkConfiguration={"awsvpcConfiguration": now | members})

    def newest(self) -> dict[str, Any]:
        """The newest revision."""
        found = self.ecs.describe_task_definition(taskDefinition="lobster-streamlit-task", include=["TAGS"])
        definition: dict[str, Any] = found["taskDefinition"]
        return definition

    def edit_definition(self, **members: Any) -> str:
        """Register a revision by hand, as a console does that knows nothing of tags; its ARN."""
        now = self.newest()
        taken = set(self.ecs.meta.service_model.operation_model("RegisterTaskDefinition").input_shape.members)
        again = {key: value for key, value in now.items() if key in taken} | members
        return str(self.ecs.register_task_definition(**again)["taskDefinition"]["taskDefinitionArn"])

    def edit_container(self, **members: Any) -> str:
        """The same, with other members of the container."""
        (container,) = self.newest()["containerDefinitions"]
        return self.edit_definition(containerDefinitions=[container | members])

    def register(self, family: str, container: dict[str, Any], **members: Any) -> str:
        """A revision of any family; its ARN."""
        made = self.ecs.register_task_definition(
            family=family,
            requiresCompatibilities=["FARGATE"],
            networkMode="awsvpc",
            cpu="256",
            memory="512",
            containerDefinitions=[container],
            **members,
        )
        return str(made["taskDefinition"]["taskDefinitionArn"])

    def scale_within(self, least: int, most: int) -> None:
        """Other bounds of auto scaling."""
        self.scaling.register_scalable_target(**SCALABLE, MinCapacity=least, MaxCapacity=most)

    def follow(self, metric: str, value: float) -> None:
        """Auto scaling of ours by a metric of ours, with another target."""
        predefined = {"PredefinedMetricType": KINDS[metric]}
        if metric == "requests_per_target":
            balancer = self.balancer.partition(":loadbalancer/")[2]
            predefined["ResourceLabel"] = f"{balancer}/{self.target_group.rpartition(':')[2]}"
        self._track(f"lobster-lobster-{metric}", value, predefined)

    def follow_elsewhere(self, value: float) -> None:
        """The same by the requests of another load balancer, as while that is being replaced."""
        other = "app/other/0123456789abcdef/targetgroup/other/0123456789abcdef"
        predefined = {"PredefinedMetricType": KINDS["requests_per_target"], "ResourceLabel": other}
        self._track("lobster-lobster-requests_per_target-2", value, predefined)

    def _track(self, name: str, value: float, predefined: dict[str, str]) -> None:
        tracking = {"TargetValue": value, "PredefinedMetricSpecification": predefined}
        self.scaling.put_scaling_policy(
            **SCALABLE,
            PolicyName=name,
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration=tracking,
        )

    def unfollow(self, metric: str) -> None:
        """Without the policy."""
        self.scaling.delete_scaling_policy(**SCALABLE, PolicyName=f"lobster-lobster-{metric}")


def _key_values(attributes: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key.replace("__", "."), "Value": value} for key, value in attributes.items()]


def trust(service: str) -> str:
    """A trust policy for a service."""
    allow = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return json.dumps({"Version": "2012-10-17", "Statement": [allow]})


def lifecycle(keep: int) -> str:
    """An ECR lifecycle policy of somebody else's."""
    selection = {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": keep}
    rule = {"rulePriority": 1, "selection": selection, "action": {"type": "expire"}}
    return json.dumps({"rules": [rule]})
