"""An account to which the library brings releases, and in which others meddle by plain boto3."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

from lobster_tasks import converge, settings, stack, templates
from lobster_tasks.aws import Aws
from lobster_tasks.rollout import Outcome, Progress, Snapshot, deploy, follow
from lobster_tasks.settings import Settings
from tests.embedded.images import Pushed, push, web_app
from tests.embedded_process import PATIENCE, EmbeddedProcess, control, eventually

FAST = (
    *("deployment.deregistration_delay=5", "health_check.unhealthy_threshold=2"),
    "deployment.wait_minutes=300",  # of AWS's time, of which little is much here
)


@dataclass
class Account:
    """The account with the stack in it, by the library (``aws``) and by plain boto3 (``client``)."""

    embedded: EmbeddedProcess
    aws: Aws
    settings: Settings
    looked: float = 0.0
    seen: Snapshot | None = None
    heals_when_said: str = ""

    def observe(self, progress: Progress) -> None:
        """Keep what was seen last, and when (seconds since 1970); take faults back when they were told."""
        if progress.snapshot is not None:
            self.looked, self.seen = time.time(), progress.snapshot
        if self.heals_when_said and any(self.heals_when_said in sentence for sentence in progress.said):
            self.clear_faults()

    @property
    def only_the_new_release_answers(self) -> bool:
        """Whether, when it was looked at last, nothing but tasks of the new release could answer a new request."""
        assert self.seen is not None
        new = {task.ip for task in self.seen.running}
        return bool(new) and all(each.ip in new for each in self.seen.targets if each.state == "healthy")

    def client(self, service: str) -> Any:
        """A boto3 client that knows nothing of the library."""
        return self.embedded.client(service)

    def push(self, tag: str, **environment: str) -> Pushed:
        """Push the test app under a tag; it answers with the tag."""
        return push(self.client("ecr"), web_app(VERSION=tag, **environment), repository="homara", tag=tag)

    def delete_image(self, tag: str) -> None:
        """Delete the image with a tag, whatever other tags it has."""
        ecr, where = self.client("ecr"), {"repositoryName": "homara"}
        (found,) = ecr.describe_images(**where, imageIds=[{"imageTag": tag}])["imageDetails"]
        ecr.batch_delete_image(**where, imageIds=[{"imageDigest": found["imageDigest"]}])

    def deploy(self, tag: str, **options: Any) -> Outcome:
        """Push and deploy."""
        self.push(tag, **options)
        return deploy(self.aws, self.settings, tag, observe=self.observe)

    def follow(self, image: str = "", **members: Any) -> Outcome:
        """What comes of a definition that somebody else registers and deploys; ``members`` are the container's."""
        arn = self.register(image or self.image, **members)
        self.update(taskDefinition=arn, desiredCount=1)
        return follow(self.aws, self.settings, arn, observe=self.observe)

    @property
    def image(self) -> str:
        """The image of a release that is well."""
        return self.push("good").by_digest

    def service(self) -> dict[str, Any]:
        """As DescribeServices has it."""
        where = {"cluster": self.settings.cluster, "services": [self.settings.service]}
        found: dict[str, Any] = self.client("ecs").describe_services(**where)["services"][0]
        return found

    def await_completed(self) -> None:
        """Wait until ECS calls the newest deployment completed."""
        eventually(lambda: self.service()["deployments"][0]["rolloutState"] == "COMPLETED")

    def update(self, **members: Any) -> None:
        """UpdateService by somebody else."""
        where = {"cluster": self.settings.cluster, "service": self.settings.service}
        self.client("ecs").update_service(**where, **members)

    def register(self, image: str, **members: Any) -> str:
        """Register the settings' definition with an image, as somebody else would; ``members`` are the container's."""
        definition = templates.task_definition(self.settings, self.aws.account, "aws", image)
        container = definition["containerDefinitions"][0]
        over = {name: members.pop(name) for name in list(members) if name in definition}
        made = {**definition, **over, "containerDefinitions": [{**container, **members}]}
        answer = self.client("ecs").register_task_definition(**made)
        return str(answer["taskDefinition"]["taskDefinitionArn"])

    def revisions(self) -> list[str]:
        """The ARNs of the family's revisions."""
        found = self.client("ecs").list_task_definitions(familyPrefix=self.settings.task.family)
        arns: list[str] = found["taskDefinitionArns"]
        return arns

    def calls(self) -> Counter[str]:
        """The operations that were called since they were last forgotten."""
        answer = control.get(f"{self.embedded.url}/_embedded/calls", timeout=PATIENCE).json()
        return Counter(call["operation"] for call in answer if call["mutating"])

    def forget_calls(self) -> None:
        """Count calls from here on."""
        control.delete(f"{self.embedded.url}/_embedded/calls", timeout=PATIENCE).raise_for_status()

    def fails_until_said(self, sentence: str, **rule: Any) -> None:
        """Put a fault rule in force until a release has said something with ``sentence`` in it."""
        self.heals_when_said = sentence
        self.order_fault(**rule)

    def order_fault(self, **rule: Any) -> None:
        """Put a fault rule in force."""
        control.post(
            f"{self.embedded.url}/_embedded/faults", json=[rule], timeout=PATIENCE
        ).raise_for_status()

    def clear_faults(self) -> None:
        """Take every fault rule back."""
        control.delete(f"{self.embedded.url}/_embedded/faults", timeout=PATIENCE).raise_for_status()

    def with_settings(self, *flags: str) -> Account:
        """The same account, other settings."""
        return Account(self.embedded, self.aws, settings.load({}, flags=(*FAST, *flags)))


def beside(account: Account, name: str, *flags: str, first: bool = False, **service: Any) -> Account:
    """Another service in the same account, behind a load balancer of its own, which serves a release already.

    ``first`` leaves it without one, ``service`` are members of CreateService.
    """
    own = [
        f"service={name}",
        f"load_balancer.name={name}",
        f"load_balancer.target_group={name}",
        f"task.family={name}",
    ]
    made = account.with_settings(*own, *flags)
    group = _balance(account, made.settings, name)
    base = account.service()
    definition = base["taskDefinition"] if first else made.register(account.image)
    if used := [each["capacityProvider"] for each in service.get("capacityProviderStrategy", [])]:
        made.client("ecs").put_cluster_capacity_providers(
            cluster=made.settings.cluster, capacityProviders=used, defaultCapacityProviderStrategy=[]
        )
    made.client("ecs").create_service(
        cluster=made.settings.cluster,
        serviceName=name,
        **{
            "taskDefinition": definition,
            "desiredCount": 0 if first else 1,
            "networkConfiguration": base["networkConfiguration"],
            "loadBalancers": [
                {"targetGroupArn": group, "containerName": "lobster-streamlit", "containerPort": 8501}
            ],
            "deploymentConfiguration": base["deploymentConfiguration"],
            "healthCheckGracePeriodSeconds": 10,
            **({} if "capacityProviderStrategy" in service else {"launchType": "FARGATE"}),
            **service,
        },
    )
    made.await_completed()
    return made


def _balance(account: Account, chosen: Settings, name: str) -> str:
    """A load balancer that forwards to a target group of its own; the group's ARN."""
    elb, check = account.client("elbv2"), chosen.health_check
    like = elb.describe_load_balancers(Names=[account.settings.load_balancer.name])["LoadBalancers"][0]
    subnets = [zone["SubnetId"] for zone in like["AvailabilityZones"]]
    made = elb.create_load_balancer(Name=name, Subnets=subnets, SecurityGroups=like["SecurityGroups"])
    group = elb.create_target_group(
        Name=name,
        Protocol="HTTP",
        Port=chosen.container.port,
        VpcId=like["VpcId"],
        TargetType="ip",
        HealthCheckPath=check.path,
        HealthCheckIntervalSeconds=check.interval,
        HealthCheckTimeoutSeconds=check.timeout,
        HealthyThresholdCount=check.healthy_threshold,
        UnhealthyThresholdCount=check.unhealthy_threshold,
    )["TargetGroups"][0]["TargetGroupArn"]
    delay = {
        "Key": "deregistration_delay.timeout_seconds",
        "Value": str(chosen.deployment.deregistration_delay),
    }
    elb.modify_target_group_attributes(TargetGroupArn=group, Attributes=[delay])
    forward = {"Type": "forward", "TargetGroupArn": group}
    balancer = made["LoadBalancers"][0]["LoadBalancerArn"]
    elb.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=[forward])
    return str(group)


def set_up(embedded: EmbeddedProcess, aws: Aws, *flags: str) -> Account:
    """The stack as `inv setup-fargate` makes it before there is a release: the service stands at 0, and is at rest."""
    chosen = settings.load({}, flags=(*FAST, *flags))
    resources = stack.build(chosen, aws.account, aws.partition)
    converge.apply(aws, converge.plan(resources, converge.read(aws, resources)), lambda _: None)
    made = Account(embedded, aws, chosen)
    made.await_completed()
    return made


def said(outcome: Outcome) -> str:
    """The timeline as one text."""
    return "\n".join(moment.what for moment in outcome.timeline)
