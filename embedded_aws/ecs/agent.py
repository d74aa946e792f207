"""The Fargate agent: what happens between the attachment of a task's network interface and its first process.

Raises ``AgentError`` with the text that ECS reports as stoppedReason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..agent import container_logs, container_secrets, image_pull
from ..agent.agent_errors import FAILED_PULL, RETRIED_PULL, UNREACHABLE, AgentError, ServiceUnreachableError
from ..agent.image_pull import ImageReference
from ..agent.permissions import Permissions
from ..ec2.egress import Egress
from ..runtime.images import GIB, Image, PullError
from ..runtime.interface import CannotStart, Container, ContainerSpec, Isolation
from ..runtime.runtime import Runtime
from . import mounts, task_endpoint
from .model import ContainerState, EcsState, Task

AUTH = "ResourceInitializationError: unable to pull secrets or registry auth: "
RESOURCES = f"{AUTH}execution resource retrieval failed: "
LOGGER = "ResourceInitializationError: failed to validate logger args: "


UNSUPPORTED = (
    "environmentFiles",
    "repositoryCredentials",
    "firelensConfiguration",
)
UNSUPPORTED_VOLUMES = ("efsVolumeConfiguration", "s3filesVolumeConfiguration", "configuredAtLaunch")


@dataclass(frozen=True)
class PreparedContainer:
    """What a container needs besides its image."""

    container: ContainerState
    environment: Mapping[str, str]
    log: Callable[[str], None]


class Agent:
    """Prepares, pulls and starts the containers of tasks."""

    def __init__(self, runtime: Runtime, url: str) -> None:
        self._runtime = runtime
        self._url = runtime.containers.endpoint_for_tasks(url)

    def prepare(self, state: EcsState, task: Task) -> list[PreparedContainer]:
        """Fetch registry credentials and secrets, and create log streams, for every container; call it with the
        lock held."""
        for container in task.containers:
            _refuse_unsupported(task, container)
        allowed, egress = _permissions(state, task), _egress(state, task)
        try:
            for region in sorted(_registries(task)):
                self._check_token(region, allowed, egress)
            secrets = {one.name: self._secrets(state, one, allowed, egress) for one in task.containers}
            logs = {one.name: self._log(state, task, one, allowed, egress) for one in task.containers}
        except ServiceUnreachableError as error:
            raise AgentError(str(error), after=UNREACHABLE) from error
        return [
            PreparedContainer(one, self._environment(state, task, one) | secrets[one.name], logs[one.name])
            for one in task.containers
        ]

    def _check_token(self, region: str, allowed: Permissions, egress: Egress) -> None:
        host = f"api.ecr.{region}.amazonaws.com"
        if lost := egress.timeout("ecr.api", region, host):
            raise ServiceUnreachableError(
                f"{AUTH}The task cannot pull registry auth from Amazon ECR: There is a connection issue between the "
                "task and Amazon ECR. Check your task network configuration. operation error ECR: "
                "GetAuthorizationToken, exceeded maximum number of attempts, 3, https response error StatusCode: 0, "
                f'RequestID: , request send failed, Post "https://{host}/": {lost}'
            )
        if denied := allowed.denial("ecr:GetAuthorizationToken"):
            raise AgentError(
                f"{RESOURCES}unable to retrieve ecr registry auth: service call has been retried 3 time(s): {denied}"
            )

    def _secrets(
        self, state: EcsState, container: ContainerState, allowed: Permissions, egress: Egress
    ) -> dict[str, str]:
        try:
            return container_secrets.fetch(state.place, container.definition, allowed, egress)
        except container_secrets.SecretError as error:
            raise AgentError(f"{RESOURCES}{error}") from error

    def _log(
        self, state: EcsState, task: Task, container: ContainerState, allowed: Permissions, egress: Egress
    ) -> Callable[[str], None]:
        try:
            return container_logs.open_stream(state.place, container.definition, task.id, allowed, egress)
        except container_logs.LoggerError as error:
            raise AgentError(f"{LOGGER}{error}") from error

    def _environment(self, state: EcsState, task: Task, container: ContainerState) -> dict[str, str]:
        own = {
            "AWS_REGION": state.region,
            "AWS_DEFAULT_REGION": state.region,
            "AWS_EXECUTION_ENV": "AWS_ECS_FARGATE",
            "AWS_ENDPOINT_URL": self._url,  # unlike on AWS: keeps the program's own AWS calls here
            **task_endpoint.environment(self._url, task, container),
        }
        given = [*container.definition["environment"], *_override(task, container).get("environment", [])]
        return own | {variable["name"]: variable.get("value", "") for variable in given}

    def pull(self, state: EcsState, task: Task, container: ContainerState) -> Image:
        """Pull the container's image, by the digest that its service revision resolved first. Blocks."""
        reference, images = self._reference(task, container), self._runtime.images
        source = ImageReference.of(container.definition["image"])
        allowed, egress = _permissions(state, task), _egress(state, task)
        try:
            with state.plane.lock:
                image_pull.check_registry(source, egress, allowed)
                images.resolve(state.account, state.region, reference)
                image_pull.check_layers(source, egress, allowed)
            return self._runtime.containers.pull(
                state.account, state.region, reference, _platform(task), _disk(task)
            )
        except ServiceUnreachableError as error:
            raise AgentError(str(error), container.name, UNREACHABLE) from error
        except PullError as error:
            raise AgentError(
                str(error), container.name, RETRIED_PULL if error.is_retried else FAILED_PULL
            ) from error

    def _reference(self, task: Task, container: ContainerState) -> str:
        given: str = container.definition["image"]
        digest = task.revision.digests.get(container.name) if task.revision else None
        if digest is None or "@" in given:
            return given
        head, _, tail = given.rpartition("/")
        return f"{head}/{tail.split(':')[0]}@{digest}"

    def start(self, task: Task, prepared: PreparedContainer, image: Image) -> Container:
        """Start one container's process. Blocks."""
        container, definition = prepared.container, prepared.container.definition
        override = _override(task, container)
        assert task.interface is not None
        address = self._runtime.addresses.loopback(task.interface.vpc_id, task.interface.private_ip)
        start = ContainerSpec(
            image=image,
            command=override.get("command") or definition.get("command"),
            entry_point=definition.get("entryPoint"),
            environment=prepared.environment,
            address=address,
            memory_limit_mib=int(definition.get("memory") or task.definition.body["memory"]),
            task_memory_mib=int(task.definition.body["memory"]),
            platform=_platform(task),
            init=bool(definition.get("linuxParameters", {}).get("initProcessEnabled")),
            working_directory=definition.get("workingDirectory"),
            log=prepared.log,
            host_name=task.interface.private_dns,
            ports=_ports(task),
            mounts=mounts.mounts(container, task.containers),
            tmpfs=mounts.tmpfs(container),
            isolation=_isolation(task, container, override),
        )
        try:
            return self._runtime.containers.start(start)
        except CannotStart as error:
            raise AgentError(str(error), container.name) from error


def _permissions(state: EcsState, task: Task) -> Permissions:
    role = task.overrides.get("executionRoleArn") or task.definition.body.get("executionRoleArn")
    return Permissions(state.account, role, task.id)


def _egress(state: EcsState, task: Task) -> Egress:
    assert task.interface is not None
    return Egress(state.place, task.interface)


def _registries(task: Task) -> set[str]:
    """The regions of the ECR registries of a task's images."""
    sources = (ImageReference.of(container.definition["image"]) for container in task.containers)
    return {source.region for source in sources if source.in_ecr}


def _refuse_unsupported(task: Task, container: ContainerState) -> None:
    """Refuse a container with unsupported features, instead of running it without them."""
    definition = container.definition
    driver = definition.get("logConfiguration", {}).get("logDriver", "awslogs")
    missing = [name for name in UNSUPPORTED if definition.get(name)]
    mounted = {each["sourceVolume"] for each in definition["mountPoints"]}
    volumes = [each for each in task.definition.body["volumes"] if each["name"] in mounted]
    missing += [name for name in UNSUPPORTED_VOLUMES if any(each.get(name) for each in volumes)]
    if driver != "awslogs":
        missing.append(f"log driver {driver}")
    if missing:
        reason = f"CannotCreateContainerError: the embedded AWS does not support {', '.join(missing)}"
        raise AgentError(reason, container.name)


def _override(task: Task, container: ContainerState) -> Mapping[str, Any]:
    given = task.overrides.get("containerOverrides", [])
    return next((one for one in given if one.get("name") == container.name), {})


def _ports(task: Task) -> list[int]:
    """The ports that the containers of a task share."""
    found = (one["containerPort"] for each in task.containers for one in each.definition["portMappings"])
    return list(dict.fromkeys(found))


def _isolation(task: Task, container: ContainerState, override: Mapping[str, Any]) -> Isolation:
    definition = container.definition
    capabilities = definition.get("linuxParameters", {}).get("capabilities", {})
    return Isolation(
        user=definition.get("user"),
        read_only_root=bool(definition.get("readonlyRootFilesystem")),
        task_cpus=int(task.overrides.get("cpu") or task.definition.body["cpu"]) / 1024,
        cpu_units=int(override.get("cpu") or definition["cpu"]),
        memory_reservation_mib=override.get("memoryReservation") or definition.get("memoryReservation"),
        ulimits={
            each["name"]: (each["softLimit"], each["hardLimit"]) for each in definition.get("ulimits", ())
        },
        added_capabilities=capabilities.get("add", ()),
        dropped_capabilities=capabilities.get("drop", ()),
    )


def _disk(task: Task) -> int:
    """The size of a task's disk in bytes (RegisterTaskDefinition, EphemeralStorage: 20 GiB, or 21 to 200 by
    request)."""
    given = task.overrides.get("ephemeralStorage") or task.definition.body.get("ephemeralStorage") or {}
    return int(given.get("sizeInGiB", 20)) * GIB


def _platform(task: Task) -> str:
    architecture = task.definition.body.get("runtimePlatform", {}).get("cpuArchitecture", "X86_64")
    return {"X86_64": "linux/amd64", "ARM64": "linux/arm64"}[architecture]
