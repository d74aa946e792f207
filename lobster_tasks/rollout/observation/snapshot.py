"""The state of a deployment at one moment, as frozen data.

Everything is identified: our deployment is the one that our UpdateService created, its record is what
DescribeServiceDeployments returns for it, and our tasks are those that it started. Counts alone prove nothing:
they are the same after a rollback as after a success.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from .aws_words import BY_USER
from .deployment_configuration import circuit_breaker

# Final statuses of a service deployment (ECS API reference, "ServiceDeployment").
FINAL_STATUSES = frozenset({"SUCCESSFUL", "STOPPED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED"})
# The stop reason of replaced tasks, which did not fail (ECS, "Stopped tasks error codes").
_REPLACED = "Scaling activity initiated by"


def short(arn: str) -> str:
    """The last part of an ARN or id; for a task, its first four characters."""
    last = arn.rsplit("/", 1)[-1]
    return f"{last[:4]}…" if len(last) == 32 else last


def revision_of(task_definition: str) -> str:
    """``41`` of ``arn:…:task-definition/family:41``."""
    return task_definition.rsplit(":", 1)[-1]


@dataclass(frozen=True)
class TargetGroup:
    """The target group in which the service registers one port of its tasks."""

    arn: str
    container: str
    port: int

    @classmethod
    def all_of(cls, service: Mapping[str, Any]) -> tuple[TargetGroup, ...]:
        """The target groups of a described service."""
        return tuple(
            cls(each["targetGroupArn"], each["containerName"], each["containerPort"])
            for each in service.get("loadBalancers", [])
            if "targetGroupArn" in each
        )


@dataclass(frozen=True)
class Rollout:
    """The identity of a deployment that is followed.

    ``deployment`` is the id of our deployment (``ecs-svc/…``), None where only the revision is known. ``started``
    says that our tasks are those which this deployment started; otherwise they are those of the revision.
    ``recorded`` says that the deployment has a record of its own, created after ``earlier`` (an ARN) and about
    ``created_at``. ``image_mib`` is for the timeline, ``requested`` is the reference that was requested, for a
    repeated command. ``is_first`` says that there was no release before.
    """

    cluster: str
    service: str
    task_definition: str
    previous: str | None = None
    deployment: str | None = None
    started: bool = True
    recorded: bool = True
    created_at: datetime | None = None
    earlier: str | None = None
    target_groups: tuple[TargetGroup, ...] = ()
    image_mib: int | None = None
    requested: str = "T"
    is_first: bool = False

    @property
    def region(self) -> str:
        """The service's region."""
        parts = self.task_definition.split(":")
        return parts[3] if len(parts) > 3 else ""

    @property
    def target_group_arns(self) -> tuple[str, ...]:
        """ARNs of the target groups."""
        return tuple(group.arn for group in self.target_groups)

    def owns(self, task: Task) -> bool:
        """Whether a task belongs to our deployment."""
        if task.task_definition != self.task_definition:
            return False
        return not self.started or task.started_by == self.deployment


@dataclass(frozen=True)
class Deployment:
    """One entry of a service's ``deployments``."""

    id: str
    status: str
    task_definition: str
    desired: int
    running: int
    failed: int
    rollout: str
    reason: str
    created_at: datetime

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Deployment:
        """From DescribeServices."""
        return cls(
            raw["id"],
            raw["status"],
            raw["taskDefinition"],
            raw.get("desiredCount", 0),
            raw.get("runningCount", 0),
            raw.get("failedTasks", 0),
            raw.get("rolloutState", ""),
            raw.get("rolloutStateReason", ""),
            raw["createdAt"],
        )


@dataclass(frozen=True)
class Event:
    """One of the service's events."""

    id: str
    at: datetime
    message: str


@dataclass(frozen=True)
class Service:
    """The service, from DescribeServices; ``events`` newest first.

    ``breaks`` says that its circuit breaker is on, ``rolls_back`` that it also rolls back, ``grace`` is the health
    check grace period in seconds.
    """

    status: str
    desired: int
    running: int
    pending: int
    task_definition: str
    deployments: tuple[Deployment, ...]
    events: tuple[Event, ...] = ()
    rolls_back: bool = False
    breaks: bool = False
    grace: int = 0

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Service:
        """From DescribeServices."""
        breaks, rolls_back = circuit_breaker(raw)
        return cls(
            raw["status"],
            raw.get("desiredCount", 0),
            raw.get("runningCount", 0),
            raw.get("pendingCount", 0),
            raw.get("taskDefinition", ""),
            tuple(Deployment.of(each) for each in raw.get("deployments", [])),
            tuple(Event(each["id"], each["createdAt"], each["message"]) for each in raw.get("events", [])),
            rolls_back,
            breaks,
            raw.get("healthCheckGracePeriodSeconds", 0),
        )

    @property
    def primary(self) -> Deployment | None:
        """The PRIMARY deployment: in progress or completed."""
        return next((each for each in self.deployments if each.status == "PRIMARY"), None)


@dataclass(frozen=True)
class ServiceDeployment:
    """ECS's record of one deployment, which remains with its final status after the deployment has ended.

    ``revision`` is its service revision (ARN); ``threshold`` is 0 without a circuit breaker.
    """

    arn: str
    status: str
    reason: str = ""
    failures: int = 0
    threshold: int = 0
    stage: str = ""
    revision: str = ""

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> ServiceDeployment:
        """From DescribeServiceDeployments."""
        counts = raw.get("deploymentCircuitBreaker", {})
        is_off = counts.get("status") == "DISABLED"
        return cls(
            raw["serviceDeploymentArn"],
            raw["status"],
            raw.get("statusReason", ""),
            counts.get("failureCount", 0),
            0 if is_off else counts.get("threshold", 0),
            raw.get("lifecycleStage", ""),
            raw.get("targetServiceRevision", {}).get("arn", ""),
        )


@dataclass(frozen=True)
class Container:
    """One container of a task; ``reason`` is the agent's for a failure, ``health`` is that of its own health
    check."""

    name: str
    status: str
    exit_code: int | None = None
    reason: str = ""
    health: str = ""


@dataclass(frozen=True)
class Task:
    """One task; ``started_by`` is the id of the deployment that started it."""

    arn: str
    status: str
    desired_status: str
    task_definition: str
    started_by: str
    ip: str = ""
    stop_code: str = ""
    stopped_reason: str = ""
    containers: tuple[Container, ...] = ()
    health: str = ""
    created_at: datetime | None = None
    pulled_at: datetime | None = None
    started_at: datetime | None = None
    stopped_at: datetime | None = None

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Task:
        """From DescribeTasks."""
        return cls(
            raw["taskArn"],
            raw["lastStatus"],
            raw.get("desiredStatus", ""),
            raw["taskDefinitionArn"],
            raw.get("startedBy", ""),
            _address(raw),
            raw.get("stopCode", ""),
            raw.get("stoppedReason", ""),
            tuple(_container(each) for each in raw.get("containers", [])),
            raw.get("healthStatus", ""),
            raw.get("createdAt"),
            raw.get("pullStoppedAt"),
            raw.get("startedAt"),
            raw.get("stoppedAt"),
        )

    @property
    def short(self) -> str:
        """The first four characters of its id, for people."""
        return short(self.arn)

    @property
    def running(self) -> bool:
        """Whether it is running and should be."""
        return self.status == "RUNNING" and self.desired_status == "RUNNING"

    @property
    def is_starting(self) -> bool:
        """Whether it was created and is not running yet."""
        return self.status in ("PROVISIONING", "PENDING", "ACTIVATING")

    @property
    def ended(self) -> bool:
        """Whether it has stopped for good."""
        return self.status == "STOPPED"

    @property
    def failed(self) -> bool:
        """Whether it stopped, or is stopping, without having been replaced by a newer task."""
        was_replaced = self.stop_code != BY_USER and self.stopped_reason.startswith(_REPLACED)
        return bool(self.stopped_reason) and not was_replaced

    @property
    def exited(self) -> bool:
        """Whether one of its programs ran and exited."""
        return any(each.exit_code is not None for each in self.containers)

    @property
    def why_stopped(self) -> str:
        """Why it stopped: ECS's reason, the agent's reasons, the exit codes."""
        parts = [self.stopped_reason]
        parts += [each.reason for each in self.containers if each.reason and each.reason not in parts]
        parts += [f"exit code {each.exit_code}" for each in self.containers if each.exit_code is not None]
        return ", ".join(part for part in parts if part)


@dataclass(frozen=True)
class Target:
    """A target in a target group and its health."""

    group: str
    ip: str
    port: int
    state: str
    reason: str = ""
    description: str = ""

    @classmethod
    def of(cls, group: str, raw: Mapping[str, Any]) -> Target:
        """From DescribeTargetHealth."""
        health = raw.get("TargetHealth", {})
        return cls(
            group,
            raw["Target"]["Id"],
            raw["Target"]["Port"],
            health.get("State", "unknown"),
            health.get("Reason", ""),
            health.get("Description", ""),
        )

    @property
    def why(self) -> str:
        """Its state and the reason, as in ``unhealthy (Target.Timeout: Request timed out)``."""
        told = ": ".join(part for part in (self.reason, self.description) if part)
        return f"{self.state} ({told})" if told else self.state


@dataclass(frozen=True)
class Snapshot:
    """The state of a rollout at one moment; ``at`` in seconds of the clock."""

    at: float
    rollout: Rollout
    service: Service
    record: ServiceDeployment | None = None
    tasks: tuple[Task, ...] = ()
    targets: tuple[Target, ...] = ()

    @property
    def deployment(self) -> Deployment | None:
        """Our entry in the service's deployments; None once ECS has removed it."""
        deployments = self.service.deployments
        return next((each for each in deployments if each.id == self.rollout.deployment), None)

    @property
    def ours(self) -> tuple[Task, ...]:
        """The tasks of our deployment."""
        return tuple(task for task in self.tasks if self.rollout.owns(task))

    @property
    def others(self) -> tuple[Task, ...]:
        """The service's other tasks."""
        return tuple(task for task in self.tasks if not self.rollout.owns(task))

    @property
    def running(self) -> tuple[Task, ...]:
        """Our running tasks."""
        return tuple(task for task in self.ours if task.running)

    def targets_of(self, task: Task) -> tuple[Target, ...]:
        """A task's targets."""
        return tuple(target for target in self.targets if task.ip and target.ip == task.ip)

    def is_healthy(self, task: Task) -> bool:
        """Whether a task is a healthy target in every target group of the service."""
        healthy = {target.group for target in self.targets_of(task) if target.state == "healthy"}
        return healthy >= set(self.rollout.target_group_arns)

    @property
    def is_complete(self) -> bool:
        """Whether ECS's record calls our deployment successful: nothing rolls it back any more."""
        return self.record is not None and self.record.status == "SUCCESSFUL"

    @property
    def healthy(self) -> tuple[Task, ...]:
        """Our tasks that are running and healthy in every target group."""
        return tuple(task for task in self.running if self.is_healthy(task))


def _container(raw: Mapping[str, Any]) -> Container:
    return Container(
        raw["name"],
        raw.get("lastStatus", ""),
        raw.get("exitCode"),
        raw.get("reason", ""),
        raw.get("healthStatus", ""),
    )


def _address(raw: Mapping[str, Any]) -> str:
    """The task's private address: that of its network interface, or of its containers."""
    for attachment in raw.get("attachments", []):
        for detail in attachment.get("details", []):
            if detail.get("name") == "privateIPv4Address":
                return str(detail.get("value", ""))
    interfaces = [
        each for container in raw.get("containers", []) for each in container.get("networkInterfaces", [])
    ]
    return next((each["privateIpv4Address"] for each in interfaces if "privateIpv4Address" in each), "")
