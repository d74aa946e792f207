"""What others run in the account, to find out before a deletion whether they use a resource."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ..account import (
    APP_RUNNER_REGIONS,
    describe_app_runner_services,
    describe_services,
    find_task_definition,
)
from ..aws import Aws
from ..errors import AwsCallError
from ..in_parallel import in_parallel

AwsDict = Mapping[str, Any]
_AT_ONCE = 8
_TASKS_A_CALL = 100  # tasks per DescribeTasks


@dataclass(frozen=True)
class StackNames:
    """Names of what the stack itself runs: families, cluster and service."""

    families: tuple[str, ...] = ()
    cluster: str = ""
    service: str = ""

    def has(self, service: AwsDict) -> bool:
        """Whether a service, in the shape of DescribeServices, is the stack's."""
        cluster = service["clusterArn"].rpartition("/")[2]
        return (cluster, service["serviceName"]) == (self.cluster, self.service)


@dataclass(frozen=True)
class Neighbours:
    """``definitions`` are task definitions of other families: the newest ones, and those that services run.

    ``services`` are those of all clusters in the region without the stack's; ``tasks`` are those of the stack's
    cluster.
    """

    aws: Aws
    definitions: Sequence[AwsDict] = ()
    services: Sequence[AwsDict] = ()
    tasks: Sequence[AwsDict] = ()

    @classmethod
    def of(cls, aws: Aws, own: StackNames) -> Neighbours:
        """Read them: ListTaskDefinitionFamilies, ListClusters, ListServices, ListTasks, and the describing
        operations."""
        operation, label = "ecs:ListTaskDefinitionFamilies", "the task definitions"
        clusters: list[str] = aws.pages("ecs:ListClusters", "clusterArns", "the clusters")
        found = _side_by_side([partial(_services, aws, each) for each in clusters])
        services = [each for some in found for each in some if not own.has(each)]
        families = aws.pages(operation, "families", label, status="ACTIVE")
        run = [each["taskDefinition"] for each in services if each["status"] == "ACTIVE"]
        others = [each for each in dict.fromkeys((*families, *run)) if _family(each) not in own.families]
        definitions = _side_by_side([partial(find_task_definition, aws, each) for each in others])
        here = [each for each in clusters if each.rpartition("/")[2] == own.cluster]
        tasks = _tasks(aws, here[0]) if here else []
        return cls(aws, tuple(each for each in definitions if each), tuple(services), tuple(tasks))

    def in_cluster(self, arn: str) -> tuple[str, ...]:
        """The services in a cluster, and the tasks of the stack's cluster outside services."""
        services = [_service_words(each) for each in self.services if each["clusterArn"] == arn]
        alone = [each["group"] for each in self.tasks if not _of_service(each)]
        return (*services, *dict.fromkeys(f"task of {each}" for each in alone))

    def with_target_group(self, arn: str) -> tuple[str, ...]:
        """The services whose tasks are registered with a target group."""
        used = (each for each in self.services if arn in _target_groups(each))
        return tuple(map(_service_words, used))

    def with_family(self, name: str) -> tuple[str, ...]:
        """The services that run a family."""
        running = (each for each in self.services if _family(each["taskDefinition"]) == name)
        return tuple(map(_service_words, running))

    def in_group(self, group: str, interfaces: Collection[str]) -> tuple[str, ...]:
        """The services with tasks in a security group, and such tasks outside services.

        ``interfaces`` are the security group's network interfaces.
        """
        services = [_service_words(each) for each in self.services if group in _groups(each)]
        alone = [each for each in self.tasks if not _of_service(each) and _interfaces(each) & set(interfaces)]
        return (*services, *dict.fromkeys(f"task of {each['group']}" for each in alone))

    def with_role(self, arn: str) -> tuple[str, ...]:
        """The families whose tasks have a role."""
        named = {arn, arn.rpartition("/")[2]}  # a role can be given by name alone, too
        return _named(each for each in self.definitions if named & _roles(each))

    def with_image_of(self, repository: str) -> tuple[str, ...]:
        """The families with an image from a repository (URI)."""
        used = (each for each in self.definitions if repository in map(_repository, _images(each)))
        return _named(used)

    def app_runner_with_image_of(self, repository: str) -> tuple[str, ...]:
        """The region's App Runner services with an image from a repository (URI), or why they are not known."""
        if self.aws.region not in APP_RUNNER_REGIONS:
            return ()
        try:
            services = describe_app_runner_services(self.aws)
        except AwsCallError as refused:
            return (f"perhaps App Runner services, which were not checked: {refused.why}",)
        used = (each for each in services if _repository(_image_of_app_runner(each)) == repository)
        return tuple(f"App Runner service {each['ServiceName']}" for each in used)

    def with_log_group(self, name: str) -> tuple[str, ...]:
        """The families that log to a log group."""
        return _named(each for each in self.definitions if name in _log_groups(each))


def _side_by_side(works: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run the reads in groups, because AWS throttles more at a time."""
    groups = (works[start : start + _AT_ONCE] for start in range(0, len(works), _AT_ONCE))
    return [each for group in groups for each in in_parallel(*group)]


def _services(aws: Aws, cluster: str) -> list[AwsDict]:
    arns = aws.pages("ecs:ListServices", "serviceArns", cluster, cluster=cluster)
    found = describe_services(aws, cluster, arns, cluster)
    return [each for each in found if each["status"] != "INACTIVE"]


def _tasks(aws: Aws, cluster: str) -> list[AwsDict]:
    arns = aws.pages("ecs:ListTasks", "taskArns", cluster, cluster=cluster)
    batches = [arns[start : start + _TASKS_A_CALL] for start in range(0, len(arns), _TASKS_A_CALL)]
    answers = [aws.call("ecs:DescribeTasks", cluster, cluster=cluster, tasks=each) for each in batches]
    return [each for answer in answers for each in answer["tasks"]]


def _family(definition: str) -> str:
    """The family of a task definition's ARN, ``family:revision``, or family."""
    return definition.rpartition("/")[2].partition(":")[0]


def _target_groups(service: AwsDict) -> set[str]:
    return {each.get("targetGroupArn", "") for each in service.get("loadBalancers", ())}


def _groups(service: AwsDict) -> list[str]:
    network = service.get("networkConfiguration", {}).get("awsvpcConfiguration", {})
    return list(network.get("securityGroups", ()))


def _interfaces(task: AwsDict) -> set[str]:
    details = [each for attachment in task.get("attachments", ()) for each in attachment.get("details", ())]
    return {each["value"] for each in details if each["name"] == "networkInterfaceId"}


def _of_service(task: AwsDict) -> bool:
    return str(task.get("group", "")).startswith("service:")


def _service_words(service: AwsDict) -> str:
    return f"service {service['serviceName']}"


def _named(definitions: Iterable[AwsDict]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(f"task definition {each['family']}" for each in definitions))


def _roles(definition: AwsDict) -> set[str]:
    return {definition.get("executionRoleArn", ""), definition.get("taskRoleArn", "")}


def _images(definition: AwsDict) -> Iterator[str]:
    for container in definition.get("containerDefinitions", []):
        yield container.get("image", "")


def _image_of_app_runner(service: AwsDict) -> str:
    """The image of a service in the shape of DescribeService; empty for one from source code."""
    return str(service["SourceConfiguration"].get("ImageRepository", {}).get("ImageIdentifier", ""))


def _repository(image: str) -> str:
    """An image reference without tag and digest; a colon before the last slash begins a port."""
    name = image.partition("@")[0]
    host, slash, rest = name.rpartition("/")
    return host + slash + rest.partition(":")[0]


def _log_groups(definition: AwsDict) -> Iterator[str]:
    for container in definition.get("containerDefinitions", []):
        yield container.get("logConfiguration", {}).get("options", {}).get("awslogs-group", "")
