"""The Fargate agent: all that happens between a task's network interface and its first process.

Raises ``AgentError`` with the text that ECS reports as stoppedReason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..runtime.images import Image, PullError
from ..runtime.processes import CannotStart, Container, ContainerStart
from ..world import World
from . import container_logs, container_secrets, task_endpoint
from .definition_rules import ECR_IMAGE
from .model import ContainerState, Room, Task
from .network import egress
from .permissions import Permissions

RESOURCES = (
    "ResourceInitializationError: unable to pull secrets or registry auth: "
    "execution resource retrieval failed: "
)
LOGGER = "ResourceInitializationError: failed to validate logger args: "


UNSUPPORTED = (
    "mountPoints",
    "volumesFrom",
    "environmentFiles",
    "repositoryCredentials",
    "firelensConfiguration",
)


class AgentError(Exception):
    """The task cannot start; ``in_container`` is whether the reason belongs to a container, too."""

    def __init__(self, reason: str, container: ContainerState | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.container = container


@dataclass(frozen=True)
class Prepared:
    """What a container is given besides its image."""

    container: ContainerState
    environment: Mapping[str, str]
    log: Callable[[str], None]


class Agent:
    """Prepares, pulls and starts the containers of tasks."""

    def __init__(self, world: World) -> None:
        self._world = world

    def prepare(self, room: Room, task: Task) -> list[Prepared]:
        """Registry credentials, secrets and log streams of every container; call it with the lock held."""
        if blocked := egress(task.placement.network):
            raise AgentError(blocked)
        for container in task.containers:
            _refuse_unsupported(container)
        allowed = _permissions(room, task)
        if any(ECR_IMAGE.match(container.definition["image"]) for container in task.containers):
            self._check_registry(allowed)
        secrets = {one.name: self._secrets(room, one, allowed) for one in task.containers}
        return [
            Prepared(
                one,
                self._environment(room, task, one) | secrets[one.name],
                self._log(room, task, one, allowed),
            )
            for one in task.containers
        ]

    def _check_registry(self, allowed: Permissions) -> None:
        if denied := allowed.denial("ecr:GetAuthorizationToken"):
            raise AgentError(
                f"{RESOURCES}unable to retrieve ecr registry auth: service call has been retried 3 time(s): {denied}"
            )

    def _secrets(self, room: Room, container: ContainerState, allowed: Permissions) -> dict[str, str]:
        try:
            return container_secrets.fetch(room, container.definition, allowed)
        except container_secrets.SecretError as error:
            raise AgentError(f"{RESOURCES}{error}") from error

    def _log(
        self, room: Room, task: Task, container: ContainerState, allowed: Permissions
    ) -> Callable[[str], None]:
        try:
            return container_logs.open_stream(room, container.definition, task.id, allowed)
        except container_logs.LoggerError as error:
            raise AgentError(f"{LOGGER}{error}") from error

    def _environment(self, room: Room, task: Task, container: ContainerState) -> dict[str, str]:
        own = {
            "AWS_REGION": room.region,
            "AWS_DEFAULT_REGION": room.region,
            "AWS_EXECUTION_ENV": "AWS_ECS_FARGATE",
            "AWS_ENDPOINT_URL": self._world.url,  # a liberty: so that the program's own AWS calls stay here
            **task_endpoint.environment(self._world.url, task, container),
        }
        given = [*container.definition["environment"], *_override(task, container).get("environment", [])]
        return own | {variable["name"]: variable.get("value", "") for variable in given}

    def pull(self, room: Room, task: Task, container: ContainerState) -> Image:
        """The container's image, by the digest that its service revision resolved first. Blocks."""
        reference = self._reference(task, container)
        self._check_pull(room, task, container)
        try:
            return self._world.images.pull(room.account, room.region, reference, _platform(task))
        except PullError as error:
            raise AgentError(str(error), container) from error

    def _check_pull(self, room: Room, task: Task, container: ContainerState) -> None:
        image = container.definition["image"]
        if not ECR_IMAGE.match(image):
            return
        account, _, _, region = image.split("/")[0].split(".")[:4]
        repository = image.split("/", 1)[1].split("@")[0].split(":")[0]
        arn = f"arn:aws:ecr:{region}:{account}:repository/{repository}"
        allowed = _permissions(room, task)
        for action in ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"):
            if allowed.denial(action, arn):
                raise AgentError(
                    "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref "
                    f"{image}: pulling from host {image.split('/')[0]} failed with status code [manifests "
                    f"{image.rsplit(':', 1)[-1]}]: 403 Forbidden",
                    container,
                )

    def _reference(self, task: Task, container: ContainerState) -> str:
        given: str = container.definition["image"]
        digest = task.revision.digests.get(container.name) if task.revision else None
        if digest is None or "@" in given:
            return given
        head, _, tail = given.rpartition("/")
        return f"{head}/{tail.split(':')[0]}@{digest}"

    def start(self, task: Task, prepared: Prepared, image: Image) -> Container:
        """Start one container's process. Blocks."""
        container, definition = prepared.container, prepared.container.definition
        override = _override(task, container)
        assert task.interface is not None
        address = self._world.addresses.loopback(task.interface.vpc_id, task.interface.private_ip)
        start = ContainerStart(
            image=image,
            command=override.get("command") or definition.get("command"),
            entry_point=definition.get("entryPoint"),
            environment=prepared.environment,
            address=address,
            memory_limit_mib=int(definition.get("memory") or task.definition.body["memory"]),
            platform=_platform(task),
            init=bool(definition.get("linuxParameters", {}).get("initProcessEnabled")),
            working_directory=definition.get("workingDirectory"),
            log=prepared.log,
            host_name=task.interface.private_dns,
        )
        try:
            return self._world.processes.start(start)
        except CannotStart as error:
            raise AgentError(str(error), container) from error


def _permissions(room: Room, task: Task) -> Permissions:
    role = task.overrides.get("executionRoleArn") or task.definition.body.get("executionRoleArn")
    return Permissions(room.account, role, task.id)


def _refuse_unsupported(container: ContainerState) -> None:
    """A task that would run without what it asked for would be a lie."""
    definition = container.definition
    driver = definition.get("logConfiguration", {}).get("logDriver", "awslogs")
    missing = [name for name in UNSUPPORTED if definition.get(name)]
    if driver != "awslogs":
        missing.append(f"log driver {driver}")
    if missing:
        reason = f"CannotCreateContainerError: the embedded AWS does not support {', '.join(missing)}"
        raise AgentError(reason, container)


def _override(task: Task, container: ContainerState) -> Mapping[str, Any]:
    given = task.overrides.get("containerOverrides", [])
    return next((one for one in given if one.get("name") == container.name), {})


def _platform(task: Task) -> str:
    architecture = task.definition.body.get("runtimePlatform", {}).get("cpuArchitecture", "X86_64")
    return {"X86_64": "linux/amd64", "ARM64": "linux/arm64"}[architecture]
