"""App Runner's state in one account and region. The data plane's lock guards all of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ..kernel.data_plane import DataPlane
from ..kernel.place import Place

AwsDict = dict[str, Any]

CREATE, UPDATE, DEPLOY = "CREATE_SERVICE", "UPDATE_SERVICE", "START_DEPLOYMENT"
PAUSE, RESUME, DELETE = "PAUSE_SERVICE", "RESUME_SERVICE", "DELETE_SERVICE"
BUSY = "OPERATION_IN_PROGRESS"


def now() -> datetime:
    """The current time, for answers."""
    return datetime.now(UTC)


@dataclass
class Operation:
    """An asynchronous operation, as in ListOperations."""

    id: str
    type: str
    target: str
    status: str = "PENDING"
    started_at: datetime = field(default_factory=now)
    updated_at: datetime = field(default_factory=now)
    ended_at: datetime | None = None

    def enter(self, status: str) -> None:
        """Set a status; SUCCEEDED, FAILED and the results of a rollback are final."""
        self.status, self.updated_at = status, now()
        if not status.endswith(("PENDING", "IN_PROGRESS")):
            self.ended_at = self.updated_at


@dataclass
class Companion:
    """An auto scaling or observability configuration, a connector, an ingress connection, or a connection.

    ``body`` is its description in AWS's shape.
    """

    kind: str
    arn: str
    name: str
    body: AwsDict
    tags: dict[str, str]
    revision: int = 1

    @property
    def gone(self) -> bool:
        """Whether it was deleted."""
        return self.body.get("Status") in ("INACTIVE", "inactive", "DELETED")


@dataclass(frozen=True)
class Configuration:
    """A service's configuration in AWS's shape, with all defaults."""

    source: AwsDict
    instance: AwsDict
    health: AwsDict
    network: AwsDict
    scaling: Companion
    observability: AwsDict | None = None

    @property
    def image(self) -> AwsDict | None:
        """The image repository; None for a service from source code."""
        found: AwsDict | None = self.source.get("ImageRepository")
        return found

    @property
    def runs_here(self) -> bool:
        """Whether its image is in ECR; other images are not available offline."""
        return self.image is not None and self.image["ImageRepositoryType"] == "ECR"

    @property
    def runtime(self) -> AwsDict:
        """Port, variables, secrets and start command, from either kind of source."""
        if self.image is not None:
            return dict(self.image["ImageConfiguration"])
        code = self.source["CodeRepository"].get("CodeConfiguration", {})
        return dict(code.get("CodeConfigurationValues", {}))

    @property
    def port(self) -> int:
        """The program's port."""
        return int(self.runtime.get("Port", "8080"))

    @property
    def access_role(self) -> str | None:
        """The ARN of the role that pulls the image."""
        found: str | None = self.source.get("AuthenticationConfiguration", {}).get("AccessRoleArn")
        return found

    @property
    def instance_role(self) -> str | None:
        """The ARN of the program's role, which also reads its secrets."""
        found: str | None = self.instance.get("InstanceRoleArn")
        return found


@dataclass
class Domain:
    """A custom domain of a service; ``body`` is its CustomDomain."""

    body: AwsDict

    @property
    def hosts(self) -> set[str]:
        """The host names of an active domain."""
        name = self.body["DomainName"]
        more = {f"www.{name}"} if self.body["EnableWWWSubdomain"] else set()
        return {name, *more} if self.body["Status"] == "active" else set()


@dataclass
class Service:
    """A service with its operations, newest first.

    ``deployed`` is the configuration of the serving instances, ``digest`` their image. ``seen_digest`` is the
    last pushed image, deployed or not.
    """

    name: str
    id: str
    arn: str
    url: str
    configuration: Configuration
    encryption: AwsDict | None
    tags: dict[str, str]
    status: str = BUSY
    created_at: datetime = field(default_factory=now)
    updated_at: datetime = field(default_factory=now)
    deleted_at: datetime | None = None
    operations: list[Operation] = field(default_factory=list)
    domains: dict[str, Domain] = field(default_factory=dict)
    deployed: Configuration | None = None
    digest: str | None = None
    seen_digest: str | None = None

    @property
    def gone(self) -> bool:
        """Whether it was deleted."""
        return self.status == "DELETED"

    def enter(self, status: str) -> None:
        """Set the status."""
        self.status, self.updated_at = status, now()
        if status == "DELETED":
            self.deleted_at = self.updated_at


@dataclass
class AppRunnerState:
    """App Runner's state in one account and region, by ARN."""

    plane: DataPlane
    account: str
    region: str
    services: dict[str, Service] = field(default_factory=dict)
    companions: dict[str, Companion] = field(default_factory=dict)

    @property
    def place(self) -> Place:
        """The account and region."""
        return Place(self.account, self.region)

    def arn(self, resource: str) -> str:
        """An ARN in this account and region."""
        return f"arn:aws:apprunner:{self.region}:{self.account}:{resource}"

    def living(self) -> list[Service]:
        """The services that are not deleted, in order of creation."""
        return [service for service in self.services.values() if not service.gone]
