"""The ECS cluster, the task definition and the service."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import uuid4

from ..account import describe_service, describe_services, find_service, find_task_definition, is_at_rest
from ..aws import Aws
from ..errors import LobsterError, OutOfTimeError
from ..secrecy import shown_member
from ..settings import ADOPTED_TAG, BEFORE_TAG, STACK_TAG
from .ecr import Repository
from .iam import Role
from .load_balancing import Listener, TargetGroup
from .logs import LogGroup
from .neighbours import Neighbours
from .network import Network, SecurityGroup
from .resource import Attributes, Live, LiveResources, Resource, attached, attaching, tag_list, tags_of
from .task_definition import differences, normalise

# The tag of an image that does not exist: task definitions have it before the first release.
NO_RELEASE = "no-release-yet"
_DRAINED_WITHIN_SECONDS = 900.0
_SERVING_WITHIN_SECONDS = 1800.0
_FAILED = ("PRIMARY", "FAILED")
_REVISIONS_LOOKED_AT = 10
_SERVICE_GONE = ("ServiceNotFoundException", "ClusterNotFoundException")
# Tags of an adopted service: its task definition and its desired count before.
_RAN, _COUNT = f"{BEFORE_TAG}:task-definition", f"{BEFORE_TAG}:desired-count"
_GOES_BACK = "goes_back"
# Members of a container whose keys the user chooses, and the noun for one of them.
_ENVIRONMENT, _SECRETS = "environment", "secrets"
_NOUNS = {_ENVIRONMENT: "environment", _SECRETS: "secret"}
# Attribute → the members of UpdateService that change it.
_MEMBERS = {
    "subnets": ("networkConfiguration",),
    "security-groups": ("networkConfiguration",),
    "public-address": ("networkConfiguration",),
    "target-group": ("loadBalancers",),
    "minimum-healthy-percent": ("deploymentConfiguration",),
    "maximum-percent": ("deploymentConfiguration", "availabilityZoneRebalancing"),
    "circuit-breaker": ("deploymentConfiguration",),
    "health-check-grace-period": ("healthCheckGracePeriodSeconds",),
    "tags-on-tasks": ("propagateTags",),
}


@dataclass(frozen=True)
class Cluster(Resource):
    """An ECS cluster; on Fargate it has no properties except its name."""

    kind: ClassVar[str] = "cluster"

    def read(self, aws: Aws, known: LiveResources) -> Live | None:
        """DescribeClusters; a deleted cluster stays INACTIVE for a while and counts as absent."""
        answer = aws.call("ecs:DescribeClusters", self.label, clusters=[self.name], include=["TAGS"])
        active = [cluster for cluster in answer["clusters"] if cluster["status"] == "ACTIVE"]
        if not active:
            return None
        return Live(active[0]["clusterArn"], {}, _tags(active[0]), active[0])

    def desired(self, known: LiveResources) -> Attributes:
        """No attributes: it only has to exist."""
        return {}

    def create(self, aws: Aws, known: LiveResources) -> Live:
        """CreateCluster, which also creates ECS's service-linked role."""
        answer = aws.call("ecs:CreateCluster", self.label, clusterName=self.name, tags=_listed(self.tags))
        made = answer["cluster"]
        return Live(made["clusterArn"], {}, self.tags, made)

    def update(self, aws: Aws, live: Live, changed: frozenset[str], known: LiveResources) -> Live:
        """No attribute can differ."""
        return live

    def used_by(self, neighbours: Neighbours, live: Live, known: LiveResources) -> tuple[str, ...]:
        """Services in it that are not the stack's, tasks outside services, and container instances."""
        count = live.raw.get("registeredContainerInstancesCount", 0)
        instances = [f"{count} container instance{'' if count == 1 else 's'}"] if count else []
        return (*neighbours.in_cluster(live.id), *instances)

    def delete(self, aws: Aws, live: Live) -> None:
        """DeleteCluster, as soon as its last task has stopped; LobsterError where it has other services."""
        clusters = aws.call("ecs:DescribeClusters", self.label, clusters=[self.name])["clusters"]
        if any(cluster.get("activeServicesCount") for cluster in clusters):  # our service is deleted by now
            raise LobsterError(
                f"{self.label} was not deleted.",
                "services that are not of this stack run in it",
                "move or delete them, then run the same command again",
            )

        def delete() -> None:
            aws.find("ecs:DeleteCluster", ("ClusterNotFoundException",), self.label, cluster=self.name)

        busy: dict[str, tuple[str, ...]] = {
            "ClusterContainsServicesException": (),  # services that are still draining
            "ClusterContainsTasksException": (),
            "UpdateInProgressException": (),
        }
        aws.retry_while(delete, busy, _DRAINED_WITHIN_SECONDS)

    def tag(self, aws: Aws, live: Live, tags: Mapping[str, str]) -> None:
        """TagResource."""
        _tag(aws, self, live, tags)

    def untag(self, aws: Aws, live: Live, names: tuple[str, ...]) -> None:
        """UntagResource."""
        _untag(aws, self, live.id, names)


@dataclass(frozen=True)
class TaskDefinition(Resource):
    """The newest revision of a family; changing it means registering a new revision.

    ``definition`` is the rendered RegisterTaskDefinition input as JSON text. Its image of ``container`` is used only
    while the family has no revision: afterwards releases set the image, and a new revision keeps it. The family is
    the stack's if one of its newest revisions is, because revisions that people register have no tag.
    """

    kind: ClassVar[str] = "task-definition"
    exact: ClassVar[bool] = True
    execution_role: Role
    task_role: Role
    log_group: LogGroup
    repository: Repository
    container: str
    definition: str

    def read(self, aws: Aws, known: LiveResources) -> Live | None:
        """ListTaskDefinitions for the newest ACTIVE revisions, then DescribeTaskDefinition."""
        newest = aws.call(
            "ecs:ListTaskDefinitions",
            self.label,
            familyPrefix=self.name,
            sort="DESC",
            maxResults=_REVISIONS_LOOKED_AT,
        )["taskDefinitionArns"]
        if not newest:
            return None
        first, *older = newest
        answer = self._describe(aws, first)
        definition, tags = answer["taskDefinition"], _tags(answer)
        while STACK_TAG not in tags and older:
            tags = _tags(self._describe(aws, older.pop(0)))
        attributes = dict(_flat(definition, self.container))
        return Live(definition["taskDefinitionArn"], attributes, tags, definition)

    def desired(self, known: LiveResources) -> Attributes:
        """All properties of the rendered template except the image."""
        return dict(_flat(json.loads(self.definition), self.container))

    def desired_when_adopted(self, live: Live, known: LiveResources) -> Attributes:
        """All of them: a new revision does not change existing ones."""
        return self.desired(known)

    def describe(self, attribute: str, value: Any) -> str:
        """The value with stars for secrets; empty for an environment variable, which may be a misplaced one."""
        container, *members = attribute.split(".", 2)
        if members[:1] == [_ENVIRONMENT]:
            return ""
        is_json = isinstance(value, str) and value[:1] in ("[", "{")
        shown = json.dumps(shown_member((members or [container])[0], json.loads(value))) if is_json else value
        return super().describe(attribute, shown)

    def words(self, attribute: str) -> str:
        """The attribute in words, with its container if that is not the app's."""
        container, *members = attribute.split(".", 2)
        if len(members) < 2:
            return " ".join((container, *members))
        of = "" if container == self.container else f" of {container}"
        return f"{_NOUNS[members[0]]} {members[1]}{of}"

    def create(self, aws: Aws, known: LiveResources) -> Live:
        """RegisterTaskDefinition with an image that does not exist, because the repository may contain anything."""
        return self._register(aws, self._image())

    def update(self, aws: Aws, live: Live, changed: frozenset[str], known: LiveResources) -> Live:
        """RegisterTaskDefinition with the previous revision's image; returns the new revision."""
        return self._register(aws, self._image_in(live.raw) or self._image())

    def delete(self, aws: Aws, live: Live) -> None:
        """DeregisterTaskDefinition for every ACTIVE revision of the stack; an adopted one only loses our tags."""
        for arn in aws.pages("ecs:ListTaskDefinitions", "taskDefinitionArns", familyPrefix=self.name):
            tags = _tags(self._describe(aws, arn))
            if ADOPTED_TAG in tags:
                _untag(aws, self, arn, (STACK_TAG, ADOPTED_TAG))
            elif tags.get(STACK_TAG) == self.stack:
                aws.call("ecs:DeregisterTaskDefinition", self.label, taskDefinition=arn)

    def release(self, aws: Aws, live: Live) -> None:
        """As ``delete``, because a family has adopted and own revisions."""
        self.delete(aws, live)

    def used_by(self, neighbours: Neighbours, live: Live, known: LiveResources) -> tuple[str, ...]:
        """Other services that run the family and could not start new tasks without it."""
        return neighbours.with_family(self.name)

    def tag(self, aws: Aws, live: Live, tags: Mapping[str, str]) -> None:
        """TagResource on the newest revision."""
        _tag(aws, self, live, tags)

    def untag(self, aws: Aws, live: Live, names: tuple[str, ...]) -> None:
        """UntagResource on the newest revision."""
        _untag(aws, self, live.id, names)

    def _describe(self, aws: Aws, arn: str) -> dict[str, Any]:
        return aws.call("ecs:DescribeTaskDefinition", self.label, taskDefinition=arn, include=["TAGS"])

    def _register(self, aws: Aws, image: str) -> Live:
        definition = json.loads(self.definition)
        for container in definition["containerDefinitions"]:
            if container["name"] == self.container:
                container["image"] = image
        made = aws.call("ecs:RegisterTaskDefinition", self.label, **definition)["taskDefinition"]
        made = self._twin_before(aws, made, definition) or made
        return Live(made["taskDefinitionArn"], {}, self.tags, made)

    def _twin_before(
        self, aws: Aws, made: Mapping[str, Any], definition: Mapping[str, Any]
    ) -> dict[str, Any] | None:
        """The same revision that somebody else registered just before; it is used instead of ours."""
        before = f"{self.name}:{made['revision'] - 1}"
        absent = ("ClientException",)
        answer = aws.find(
            "ecs:DescribeTaskDefinition", absent, before, taskDefinition=before, include=["TAGS"]
        )
        twin = answer["taskDefinition"] if answer else None
        if twin is None or twin["status"] != "ACTIVE" or differences(twin, definition):
            return None
        if _tags(answer or {}).get(STACK_TAG) != self.stack:
            return None
        aws.call("ecs:DeregisterTaskDefinition", self.label, taskDefinition=made["taskDefinitionArn"])
        return dict(twin)

    def _image(self) -> str:
        return str(self._image_in(json.loads(self.definition)))

    def _image_in(self, definition: Mapping[str, Any]) -> str | None:
        containers = definition.get("containerDefinitions", [])
        return next((each["image"] for each in containers if each["name"] == self.container), None)


@dataclass(frozen=True)
class Service(Resource):
    """The ECS service on Fargate behind the target group; ``more_groups`` are ids of additional security groups.

    The running task definition and the desired count are not part of it: ``inv deploy`` and scaling set them.
    ``desired_count`` is what the first release will start. An adopted service keeps its former task definition and
    count in tags, and gets them back when it is released.

    While a load balancer takes the place of another one, the service is in the target groups of both, in
    ``former_target_group`` until ``leaves_former``.
    """

    kind: ClassVar[str] = "service"
    fixed: ClassVar[frozenset[str]] = frozenset({"launch-type", "deployment-controller"})
    additions: ClassVar[frozenset[str]] = frozenset({"security-groups"})
    decisive: ClassVar[frozenset[str]] = frozenset({"target-group"})
    cluster: Cluster
    task_definition: TaskDefinition
    network: Network
    security_group: SecurityGroup
    target_group: TargetGroup
    listeners: tuple[Listener, ...]
    container: str
    port: int
    public: bool
    desired_count: int
    minimum_healthy_percent: int
    maximum_percent: int
    rollback: bool
    grace_period: int
    more_groups: tuple[str, ...] = ()
    former_target_group: TargetGroup | None = None
    leaves_former: bool = False

    def read(self, aws: Aws, known: LiveResources) -> Live | None:
        """DescribeServices; a deleted service stays INACTIVE for a while and counts as absent."""
        if self.cluster not in known:
            return None
        service = describe_service(aws, self.cluster.name, self.name, self.label, tags=True)
        if service is None or service["status"] != "ACTIVE":
            return None
        names = {live.id: resource.name for resource, live in known.items()}
        attributes, tags = _service_attributes(service, names), _tags(service)
        return Live(
            service["serviceArn"], attributes, tags, {**service, **self._before(aws, tags.get(_RAN, ""))}
        )

    def desired(self, known: LiveResources) -> Attributes:
        """Network, target group, and how tasks are replaced."""
        return {
            "launch-type": "FARGATE",
            "deployment-controller": "ECS",
            "subnets": self._subnets(known),
            "security-groups": tuple(sorted((self.security_group.name, *self.more_groups))),
            "public-address": self.public,
            "target-group": ", ".join(
                _target_words(each.name, self.container, self.port) for each in self._target_groups(known)
            ),
            "minimum-healthy-percent": self.minimum_healthy_percent,
            "maximum-percent": self.maximum_percent,
            "circuit-breaker": _breaker_words(True, self.rollback),
            "health-check-grace-period": self.grace_period,
            "tags-on-tasks": "SERVICE",
        }

    def uses_former(self, known: LiveResources) -> bool:
        """Whether it stays in the target group of a load balancer that another one replaces."""
        live, group = (
            known.get(self),
            known.get(self.former_target_group) if self.former_target_group else None,
        )
        if live is None or group is None or self.leaves_former:
            return False
        return group.id in _target_group_arns(live.raw)

    def _target_groups(self, known: LiveResources) -> tuple[TargetGroup, ...]:
        former = self.former_target_group
        return (self.target_group, former) if former and self.uses_former(known) else (self.target_group,)

    def desired_when_adopted(self, live: Live, known: LiveResources) -> Attributes:
        """Its own security groups and ours, which admits the load balancer."""
        groups = {*live.attributes["security-groups"], self.security_group.name, *self.more_groups}
        return {"security-groups": tuple(sorted(groups))}

    def create(self, aws: Aws, known: LiveResources) -> Live:
        """CreateService without tasks: only ``inv deploy`` starts them."""
        token = uuid4().hex  # the call is idempotent: with a lost answer it returns the same service again
        self._await_drained(aws)
        made = aws.call(
            "ecs:CreateService",
            self.label,
            cluster=self.cluster.name,
            serviceName=self.name,
            taskDefinition=known[self.task_definition].id,
            desiredCount=0,
            launchType="FARGATE",
            tags=_listed(self.tags),
            enableECSManagedTags=True,
            clientToken=token,
            **self._parameters(known),
        )["service"]
        return Live(made["serviceArn"], {}, self.tags, made)

    def update(self, aws: Aws, live: Live, changed: frozenset[str], known: LiveResources) -> Live:
        """UpdateService with the differing members only: some members restart every task.

        Other target groups are waited for until tasks serve in them. Raises LobsterError, OutOfTimeError.
        """
        members = {member for attribute in changed for member in _MEMBERS[attribute]}
        desired = self._parameters(known)
        if live.adopted:
            desired["networkConfiguration"] = self._widened(live, desired["networkConfiguration"])
            had = live.raw["networkConfiguration"]["awsvpcConfiguration"].get("securityGroups", [])
            ours = [known[self.security_group].id, *self.more_groups]
            if told := attaching(live, [each for each in ours if each not in had]):
                self.tag(aws, live, told)
        parameters = {key: value for key, value in desired.items() if key in members}
        where = {"cluster": self.cluster.name, "service": self.name}
        aws.call("ecs:UpdateService", self.label, **where, **parameters)
        if "loadBalancers" in parameters and live.raw.get("desiredCount"):
            self._await_serving(aws, parameters["loadBalancers"])
        return live

    def delete(self, aws: Aws, live: Live) -> None:
        """DeleteService, and wait until its last task has stopped."""
        where = {"cluster": self.cluster.name}
        aws.find("ecs:DeleteService", _SERVICE_GONE, self.label, service=self.name, force=True, **where)
        self._await_drained(aws)

    def tag(self, aws: Aws, live: Live, tags: Mapping[str, str]) -> None:
        """TagResource."""
        _tag(aws, self, live, tags)

    def untag(self, aws: Aws, live: Live, names: tuple[str, ...]) -> None:
        """UntagResource."""
        _untag(aws, self, live.id, names)

    def adopt(self, aws: Aws, live: Live) -> None:
        """Record its task definition and desired count, which no API returns after a release."""
        before = {
            _RAN: live.raw["taskDefinition"].rpartition("/")[2],
            _COUNT: str(live.raw["desiredCount"]),
        }
        self.tag(aws, live, {**self.tags, **before, ADOPTED_TAG: self.stack})

    def relies_on_additions(self, live: Live) -> bool:
        """Whether it keeps our task definition, because its former one is not available."""
        return not live.raw.get(_GOES_BACK)

    def dependencies_when_released(self, live: Live, known: LiveResources) -> tuple[Resource, ...]:
        """Its dependencies without our revision and security group, where it gets its former ones back."""
        if not live.raw.get(_GOES_BACK):
            return self.dependencies
        own, group = self._own_groups(live), known.get(self.security_group)
        spared: set[Resource] = set()
        if live.tags[_RAN].partition(":")[0] != self.task_definition.name:
            spared.add(self.task_definition)
        if group and group.id not in own:
            spared.add(self.security_group)
        return tuple(each for each in self.dependencies if each not in spared)

    def release_note(self, live: Live) -> str:
        """The task definition that it gets back, or why it keeps the current one."""
        now, before = live.raw["taskDefinition"].rpartition("/")[2], live.tags.get(_RAN, "")
        if not before:
            return f"keeps {now}: its earlier task definition is unknown"
        if not live.raw.get(_GOES_BACK):
            return f"keeps {now}: {before}, which it ran before, is not ACTIVE"
        told = [before] if now != before else []
        if str(live.raw["desiredCount"]) != live.tags[_COUNT]:
            told.append(f"a desired count of {live.tags[_COUNT]}")
        return f"goes back to {' and '.join(told)}" if told else ""

    def withdraw(self, aws: Aws, live: Live, known: LiveResources) -> None:
        """UpdateService to its former task definition, count and security groups, and wait for the deployment.

        The count stays where another party's auto scaling controls it. Raises LobsterError, OutOfTimeError.
        """
        if not live.raw.get(_GOES_BACK):
            return
        members: dict[str, Any] = {}
        if live.raw["taskDefinition"].rpartition("/")[2] != live.tags[_RAN]:
            members["taskDefinition"] = live.tags[_RAN]
        if live.raw["desiredCount"] != int(live.tags[_COUNT]) and not _scaled_by_others(known):
            members["desiredCount"] = int(live.tags[_COUNT])
        network = live.raw.get("networkConfiguration", {}).get("awsvpcConfiguration", {})
        own = self._own_groups(live)
        if own != network.get("securityGroups", []):
            groups = (
                {"securityGroups": own} if own else {}
            )  # without security groups it has the VPC's default one, as before
            rest = {name: value for name, value in network.items() if name != "securityGroups"}
            members["networkConfiguration"] = {"awsvpcConfiguration": {**rest, **groups}}
        if members:
            where = {"cluster": self.cluster.name, "service": self.name}
            aws.call("ecs:UpdateService", self.label, **where, **members)
            self._await_back(aws, live.tags[_RAN])

    def release(self, aws: Aws, live: Live) -> None:
        """As any resource, and remove the tags of its former state."""
        super().release(aws, live)
        self.untag(aws, live, (_RAN, _COUNT, *attached(live)))

    def _before(self, aws: Aws, ran: str) -> dict[str, bool]:
        """Whether an adopted service can get its former task definition back: ECS starts only ACTIVE revisions."""
        if not ran:
            return {}
        found = find_task_definition(aws, ran, self.label)
        return {_GOES_BACK: bool(found and found["status"] == "ACTIVE")}

    def _own_groups(self, live: Live) -> list[str]:
        """The security groups of an adopted service's tasks without the added ones."""
        network = live.raw.get("networkConfiguration", {}).get("awsvpcConfiguration", {})
        added = attached(live).values()
        return [each for each in network.get("securityGroups", []) if each not in added]

    def _await_serving(self, aws: Aws, balancers: list[dict[str, Any]]) -> None:
        """Wait until every task is in these target groups, and healthy there."""
        groups, seen = {each["targetGroupArn"] for each in balancers}, False

        def is_over() -> bool:
            nonlocal seen
            service = find_service(aws, self.cluster.name, self.name, self.label) or {}
            deployments = service.get("deployments", [])
            is_set = groups == _target_group_arns(service)
            failed = any((each["status"], each.get("rolloutState")) == _FAILED for each in deployments)
            if failed or (seen and not is_set):
                names = ", ".join(sorted(each.split("/")[-2] for each in groups))
                raise LobsterError(
                    f"{self.label} did not move to {names}.",
                    "ECS has rolled the deployment back, or somebody else has changed the service meanwhile",
                    "check inv status, fix the release, then run the same command again",
                )
            seen = is_set
            return is_set and is_at_rest(service)

        if not aws.clock.poll(is_over, _SERVING_WITHIN_SECONDS, 3):
            raise OutOfTimeError(
                f"{self.label} still replaces its tasks after {_SERVING_WITHIN_SECONDS / 60:.0f} minutes.",
                "the previous tasks go on serving",
                "run the same command again once inv status shows that the deployment has ended",
            )

    def _await_back(self, aws: Aws, ran: str) -> None:
        def settled() -> str:
            (service,) = describe_services(aws, self.cluster.name, [self.name], self.label)
            primary = next(each for each in service["deployments"] if each["status"] == "PRIMARY")
            state = str(primary.get("rolloutState"))
            if state == "FAILED":
                raise LobsterError(
                    f"{self.label} did not get back to {ran}.",
                    primary.get("rolloutStateReason", ""),
                    "check inv status, fix the service, then run the same command again",
                )
            return state if state == "COMPLETED" and len(service["deployments"]) == 1 else ""

        if not aws.clock.poll(settled, _DRAINED_WITHIN_SECONDS, 3):
            raise OutOfTimeError(
                f"{self.label} is not back at {ran} after {_DRAINED_WITHIN_SECONDS:.0f} s.",
                next_step="run the same command again",
            )

    def _subnets(self, known: LiveResources) -> tuple[str, ...]:
        own, balancer = tuple(sorted(self.network.task_subnets)), self.listeners[0].load_balancer
        return own or (balancer.common_subnets(known) if self.uses_former(known) else balancer.subnets(known))

    def _parameters(self, known: LiveResources) -> dict[str, Any]:
        return {
            "networkConfiguration": {
                "awsvpcConfiguration": {
                    "subnets": list(self._subnets(known)),
                    "securityGroups": [known[self.security_group].id, *self.more_groups],
                    "assignPublicIp": "ENABLED" if self.public else "DISABLED",
                }
            },
            "loadBalancers": [
                {
                    "targetGroupArn": known[each].id,
                    "containerName": self.container,
                    "containerPort": self.port,
                }
                for each in self._target_groups(known)
            ],
            "deploymentConfiguration": {
                "minimumHealthyPercent": self.minimum_healthy_percent,
                "maximumPercent": self.maximum_percent,
                "deploymentCircuitBreaker": {"enable": True, "rollback": self.rollback},
            },
            "healthCheckGracePeriodSeconds": self.grace_period,
            "propagateTags": "SERVICE",
            # Rebalancing needs a maximum above 100 percent; with one it is not changed.
            **({} if self.maximum_percent > 100 else {"availabilityZoneRebalancing": "DISABLED"}),
        }

    def _widened(self, live: Live, desired: Mapping[str, Any]) -> dict[str, Any]:
        """The network configuration of an adopted service, with our security groups added."""
        theirs = live.raw["networkConfiguration"]["awsvpcConfiguration"]
        ours = desired["awsvpcConfiguration"]["securityGroups"]
        groups = list(dict.fromkeys([*theirs.get("securityGroups", []), *ours]))
        return {"awsvpcConfiguration": {**theirs, "securityGroups": groups}}

    def _await_drained(self, aws: Aws) -> None:
        if not aws.clock.poll(lambda: not self._is_draining(aws), _DRAINED_WITHIN_SECONDS, 3):
            raise OutOfTimeError(
                f"{self.label} still drains after {_DRAINED_WITHIN_SECONDS:.0f} s.",
                next_step="run the same command again",
            )

    def _is_draining(self, aws: Aws) -> bool:
        service = find_service(aws, self.cluster.name, self.name, self.label)
        return service is not None and service["status"] == "DRAINING"


def _scaled_by_others(known: LiveResources) -> bool:
    targets = (each for each in known if each.kind == "scalable-target")
    return any(each.is_shared(known[each]) for each in targets)


def _service_attributes(service: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    network = service.get("networkConfiguration", {}).get("awsvpcConfiguration", {})
    deployment = service.get("deploymentConfiguration", {})
    breaker = deployment.get("deploymentCircuitBreaker", {})
    groups = network.get("securityGroups", [])
    return {
        "launch-type": service.get("launchType", "FARGATE"),  # not set with capacity providers (Spot)
        "deployment-controller": service.get("deploymentController", {}).get("type", "ECS"),
        "subnets": tuple(sorted(network.get("subnets", []))),
        "security-groups": tuple(sorted(names.get(group, group) for group in groups)),
        "public-address": network.get("assignPublicIp") == "ENABLED",
        "target-group": ", ".join(_target(each, names) for each in service.get("loadBalancers", [])),
        "minimum-healthy-percent": deployment.get("minimumHealthyPercent"),
        "maximum-percent": deployment.get("maximumPercent"),
        "circuit-breaker": _breaker_words(breaker.get("enable", False), breaker.get("rollback", False)),
        "health-check-grace-period": service.get("healthCheckGracePeriodSeconds", 0),
        "tags-on-tasks": service.get("propagateTags", "NONE"),
    }


def _target_group_arns(service: Mapping[str, Any]) -> set[str]:
    return {str(each.get("targetGroupArn")) for each in service.get("loadBalancers", [])}


def _target(entry: Mapping[str, Any], names: Mapping[str, str]) -> str:
    target = entry.get("targetGroupArn") or entry.get("loadBalancerName", "")
    return _target_words(names.get(target, target), entry["containerName"], entry["containerPort"])


def _target_words(group: str, container: str, port: int) -> str:
    return f"{group} on {container}:{port}"


def _breaker_words(enabled: bool, rollback: bool) -> str:
    return f"on, {'with' if rollback else 'without'} rollback" if enabled else "off"


def _flat(definition: Mapping[str, Any], main: str) -> Iterator[tuple[str, Any]]:
    """A task definition as attributes with one value each, without the image of the container ``main``.

    Their codes are those of members: ``cpu``, ``app.command``, ``app.environment.NAME``, ``app.secrets.NAME``.
    """
    normal = normalise(definition)
    for container in normal.pop("containerDefinitions", []):
        name = container.pop("name")
        if name == main:
            container.pop("image", None)
        for variable in container.pop("environment", []):
            yield f"{name}.{_ENVIRONMENT}.{variable['name']}", variable.get("value", "")
        for secret in container.pop("secrets", []):
            yield f"{name}.{_SECRETS}.{secret['name']}", secret["valueFrom"]
        for key, value in container.items():
            yield f"{name}.{key}", json.dumps(value, sort_keys=True)
    for key, value in normal.items():
        if key != "tags":
            yield key, value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _listed(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return tag_list(tags, "key", "value")


def _tags(described: Mapping[str, Any]) -> dict[str, str]:
    return tags_of(described.get("tags", []), "key", "value")


def _tag(aws: Aws, resource: Resource, live: Live, tags: Mapping[str, str]) -> None:
    aws.call("ecs:TagResource", resource.label, resourceArn=live.id, tags=_listed(tags))


def _untag(aws: Aws, resource: Resource, arn: str, names: tuple[str, ...]) -> None:
    aws.call("ecs:UntagResource", resource.label, resourceArn=arn, tagKeys=list(names))
