"""Amazon ECS's state in one account and region: clusters, task definitions, services, deployments and tasks.

The data plane's lock guards all of it. Times are the real clock's, in UTC.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ..ec2.interfaces import NetworkInterface
from ..kernel.data_plane import DataPlane
from ..kernel.place import Place
from ..runtime.interface import Container as Process
from . import names

AwsDict = dict[str, Any]


def now() -> datetime:
    """The current time, for answers."""
    return datetime.now(UTC)


@dataclass
class Cluster:
    """A cluster; ``settings`` are members that are returned as they were given."""

    name: str
    arn: str
    settings: AwsDict
    tags: dict[str, str]
    status: str = "ACTIVE"


@dataclass
class TaskDefinition:
    """One revision of a family; ``body`` is DescribeTaskDefinition's answer without times and status."""

    arn: str
    family: str
    revision: int
    body: AwsDict
    tags: dict[str, str]
    registered_at: datetime
    registered_by: str
    status: str = "ACTIVE"
    deregistered_at: datetime | None = None
    delete_requested_at: datetime | None = None

    @property
    def containers(self) -> list[AwsDict]:
        """The container definitions, with AWS's defaults filled in."""
        definitions: list[AwsDict] = self.body["containerDefinitions"]
        return definitions


@dataclass(frozen=True)
class Placement:
    """Where and how the tasks of a revision run; members are in AWS's shape."""

    network: AwsDict
    load_balancers: tuple[AwsDict, ...] = ()
    launch_type: str | None = None
    strategy: tuple[AwsDict, ...] = ()
    platform_version: str = "LATEST"


@dataclass
class Revision:
    """A service revision. The first task that pulls sets ``digests`` (container -> digest)."""

    arn: str
    definition: TaskDefinition
    placement: Placement
    created_at: datetime
    digests: dict[str, str] = field(default_factory=dict)


@dataclass
class ServiceDeployment:
    """A service deployment, as in DescribeServiceDeployments."""

    arn: str
    target: Revision
    sources: tuple[Revision, ...]
    configuration: AwsDict
    created_at: datetime
    requested: int
    status: str = "PENDING"
    reason: str | None = None
    stage: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    stopped_at: datetime | None = None
    updated_at: datetime | None = None
    rollback: AwsDict | None = None
    failures: int = 0
    tripped: bool = False
    last_counts: dict[str, tuple[int, int]] = field(default_factory=dict)
    forgotten: bool = False

    @property
    def over(self) -> bool:
        """Whether the status is final."""
        return self.status in ("SUCCESSFUL", "STOPPED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED")


@dataclass
class Deployment:
    """A deployment, as in DescribeServices; a rollback is a second one of the same service deployment."""

    id: str
    revision: Revision
    record: ServiceDeployment
    created_at: datetime
    updated_at: datetime
    status: str = "PRIMARY"
    rollout: str = "IN_PROGRESS"
    reason: str = ""
    desired: int = 0
    failed_tasks: int = 0
    deadlock_told: bool = False

    def settle(self, rollout: str, reason: str) -> None:
        """Set the rollout state."""
        self.rollout, self.reason, self.updated_at = rollout, reason, now()


@dataclass
class ContainerState:
    """One container of a task."""

    name: str
    arn: str
    definition: AwsDict
    runtime_id: str
    last_status: str = "PENDING"
    exit_code: int | None = None
    reason: str | None = None
    digest: str | None = None
    image_volumes: tuple[str, ...] = ()
    health: str = "UNKNOWN"
    process: Process | None = None

    @property
    def essential(self) -> bool:
        """Whether the task ends with this container."""
        return bool(self.definition["essential"])

    @property
    def stop_timeout(self) -> float:
        """AWS seconds between SIGTERM and SIGKILL."""
        return float(self.definition.get("stopTimeout", 30))


@dataclass(frozen=True)
class RegisteredTarget:
    """A registered target of a task."""

    group: str
    ip: str
    port: int


@dataclass(frozen=True)
class StopOrder:
    """Why a task is stopped."""

    code: str
    reason: str


@dataclass
class Task:
    """One task, from PROVISIONING until an hour after STOPPED."""

    id: str
    arn: str
    cluster: Cluster
    definition: TaskDefinition
    placement: Placement
    containers: list[ContainerState]
    group: str
    tags: dict[str, str]
    created_at: datetime
    service: Service | None = None
    revision: Revision | None = None
    capacity_provider: str | None = None
    started_by: str | None = None
    overrides: AwsDict = field(default_factory=dict)
    exec_enabled: bool = False
    last_status: str = "PROVISIONING"
    order: StopOrder | None = None
    attachment_id: str = field(default_factory=names.uuid)
    subnet: str = ""
    zone: str = ""
    interface: NetworkInterface | None = None
    targets: list[RegisteredTarget] = field(default_factory=list)
    times: dict[str, datetime] = field(default_factory=dict)
    running_since: float | None = None
    complaint: str | None = None
    was_healthy: bool = False
    counted: bool = False
    stop_told: bool = False
    version: int = 1
    abandoned: bool = False

    @property
    def live(self) -> bool:
        """Whether it is desired and has not stopped."""
        return self.order is None and self.last_status != "STOPPED"

    @property
    def ended(self) -> bool:
        """Whether its containers have ended."""
        return self.last_status in ("DEPROVISIONING", "STOPPED")

    @property
    def pending(self) -> bool:
        """Whether it is desired and not RUNNING yet."""
        return self.live and self.last_status in ("PROVISIONING", "PENDING", "ACTIVATING")

    def enter(self, status: str, **times: datetime) -> None:
        """Set a status of the task lifecycle, with its timestamps."""
        self.last_status = status
        self.times.update(times)
        self.version += 1

    def stop(self, code: str, reason: str) -> None:
        """Request that the task stops; the first reason is kept."""
        if self.order is None:
            self.order = StopOrder(code, reason)
            self.times.setdefault("stoppingAt", now())


@dataclass
class Service:
    """A service with its deployments, newest first."""

    name: str
    arn: str
    cluster: Cluster
    desired: int
    configuration: AwsDict
    grace: int
    tags: dict[str, str]
    options: AwsDict
    request: AwsDict
    created_at: datetime
    created_by: str
    status: str = "ACTIVE"
    deployments: list[Deployment] = field(default_factory=list)
    history: list[ServiceDeployment] = field(default_factory=list)
    last_good: Deployment | None = None
    tasks: list[Task] = field(default_factory=list)
    events: deque[AwsDict] = field(default_factory=lambda: deque(maxlen=100))
    steady: bool = False
    start_failures: int = 0
    not_before: float = 0.0
    unplaced_since: float | None = None
    registered: list[str] = field(default_factory=list)
    drained: list[tuple[str, str]] = field(default_factory=list)
    told: set[str] = field(default_factory=set)

    @property
    def primary(self) -> Deployment:
        """The newest deployment."""
        return self.deployments[0]

    @property
    def maximum(self) -> int:
        """The maximum number of tasks during a deployment (maximumPercent, rounded down)."""
        return self.desired * int(self.configuration["maximumPercent"]) // 100

    @property
    def minimum(self) -> int:
        """The minimum number of healthy tasks during a deployment (minimumHealthyPercent, rounded up)."""
        return -(-self.desired * int(self.configuration["minimumHealthyPercent"]) // 100)

    def tell(self, message: str) -> None:
        """Add a service event."""
        self.events.appendleft({"id": names.uuid(), "createdAt": now(), "message": message})

    def tell_once(self, message: str) -> None:
        """Add an event about a problem, unless this deployment has it already: ECS suppresses repetitions."""
        if message not in self.told:
            self.told.add(message)
            self.tell(message)

    def restart_counting(self) -> None:
        """Reset back-off, suppressed events and steady state for a new deployment."""
        self.start_failures, self.not_before, self.steady = 0, 0.0, False
        self.unplaced_since = None
        self.told.clear()

    def of(self, revision: Revision) -> list[Task]:
        """The tasks of a revision whose containers have not ended, including stopping ones."""
        return [task for task in self.tasks if task.revision is revision and not task.ended]

    def counts(self, revision: Revision) -> tuple[int, int]:
        """How many tasks of a revision are RUNNING, and how many are pending."""
        tasks = self.of(revision)
        return sum(task.last_status == "RUNNING" for task in tasks), sum(task.pending for task in tasks)


@dataclass
class EcsState:
    """Amazon ECS's state in one account and region."""

    plane: DataPlane
    account: str
    region: str
    clusters: dict[str, Cluster] = field(default_factory=dict)
    families: dict[str, list[TaskDefinition]] = field(default_factory=dict)
    services: dict[tuple[str, str], Service] = field(default_factory=dict)
    tasks: dict[str, Task] = field(default_factory=dict)
    account_settings: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def place(self) -> Place:
        """The account and region."""
        return Place(self.account, self.region)

    @property
    def root(self) -> str:
        """The ARN that is recorded as creator."""
        return f"arn:aws:iam::{self.account}:root"

    def arn(self, resource: str) -> str:
        """An ARN in this account and region."""
        return f"arn:aws:ecs:{self.region}:{self.account}:{resource}"


def monotonic() -> float:
    """Real seconds of a monotonic clock, for waits."""
    return time.monotonic()
