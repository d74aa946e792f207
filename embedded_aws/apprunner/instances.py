"""The instances of a service: pulls the image with the access role, reads secrets with the instance role."""

from __future__ import annotations

import asyncio
import shlex
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from ..agent import container_secrets
from ..agent.image_pull import ImageReference
from ..agent.permissions import Permissions
from ..proxy.upstream import BrokenError, Connection, Pool, Reach, UnreachableError
from ..runtime.images import Image, PullError
from ..runtime.interface import CannotStart, Container, ContainerSpec, Isolation
from ..runtime.runtime import Runtime
from .model import AppRunnerState, Configuration

PLATFORM = "linux/amd64"
PULLS = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
NETWORK = "apprunner"
"""Represents App Runner's own VPC, in which instances have their addresses."""


class StartError(Exception):
    """An instance cannot be started; the text is App Runner's message in the service's log."""


@dataclass(eq=False)
class Instance:
    """A running instance; ``requests`` is how many it is serving."""

    id: str
    configuration: Configuration
    address: str
    reach: Reach
    container: Container
    pool: Pool
    started: float
    failures: int = 0
    requests: int = 0
    accepted: bool = field(default=False)

    async def answers(self, seconds: float) -> bool:
        """Make one health check within ``seconds`` (real); ``accepted`` records whether the port was ever open."""
        health = self.configuration.health
        try:
            async with asyncio.timeout(seconds):
                connection = await Connection.open(*self.reach(), seconds=seconds)
                self.accepted = True
                try:
                    return health["Protocol"] == "TCP" or await self._asked(connection, health["Path"])
                finally:
                    connection.abort()
        except (TimeoutError, BrokenError, UnreachableError):
            return False

    async def _asked(self, connection: Connection, path: str) -> bool:
        head = f"GET {path} HTTP/1.1\r\nHost: {self.address}:{self.configuration.port}\r\n"
        connection.send_head(f"{head}User-Agent: Envoy/HC\r\n\r\n".encode(), "GET", None)
        return 200 <= (await connection.reply()).message.code < 400


class UnrestrictedEgress:
    """Does not restrict connections: App Runner fetches secrets from outside the account's networks."""

    def timeout(self, service: str, region: str, host: str) -> str | None:
        """None: every service is reachable."""
        return None


class Starter:
    """Creates instances of one service; every method blocks."""

    def __init__(self, runtime: Runtime, url: str, state: AppRunnerState, service_id: str) -> None:
        self._plane = state.plane
        self._runtime = runtime
        self._url = runtime.containers.endpoint_for_tasks(url)
        self._state = state
        self._session = service_id

    def pull(self, configuration: Configuration) -> Image:
        """Pull a configuration's image with its access role; StartError."""
        assert configuration.image is not None
        reference = configuration.image["ImageIdentifier"]
        allowed = Permissions(self._state.account, configuration.access_role, self._session)
        with self._plane.lock:
            denied = allowed.denial("ecr:GetAuthorizationToken") or any(
                allowed.denial(action, ImageReference.of(reference).arn) for action in PULLS
            )
        if denied:
            raise StartError(
                "Failed to pull your application image. "
                "Reason: Invalid Access Role in AuthenticationConfiguration."
            )
        try:
            return self._runtime.containers.pull(self._state.account, self._state.region, reference, PLATFORM)
        except PullError as error:
            raise StartError(f"Failed to pull your application image. Reason: {error}") from error

    def environment(self, configuration: Configuration) -> dict[str, str]:
        """The environment variables, with secrets and the port; StartError when a secret cannot be read."""
        runtime = configuration.runtime
        allowed = Permissions(self._state.account, configuration.instance_role, self._session)
        named = runtime.get("RuntimeEnvironmentSecrets", {})
        definition = {"secrets": [{"name": name, "valueFrom": at} for name, at in named.items()]}
        try:
            with self._plane.lock:
                secrets = container_secrets.fetch(
                    self._state.place, definition, allowed, UnrestrictedEgress()
                )
        except container_secrets.SecretError as error:
            raise StartError(f"Failed to read the secrets of your application. Reason: {error}") from error
        own = {
            "AWS_REGION": self._state.region,
            "AWS_DEFAULT_REGION": self._state.region,
            "AWS_EXECUTION_ENV": "AWS_APP_RUNNER",
            "AWS_ENDPOINT_URL": self._url,  # unlike on AWS: keeps the program's own AWS calls here
        }
        given: Mapping[str, str] = runtime.get("RuntimeEnvironmentVariables", {})
        return own | dict(given) | secrets | {"PORT": str(configuration.port)}

    def start(
        self,
        configuration: Configuration,
        image: Image,
        environment: Mapping[str, str],
        log: Callable[[str], Callable[[str], None]],
    ) -> Instance:
        """Start one instance; ``log`` returns the log of an instance by its id. StartError."""
        identity = uuid.uuid4().hex
        address = self._runtime.addresses.loopback(NETWORK, identity)
        command = configuration.runtime.get("StartCommand")
        with self._plane.lock:
            stream = log(identity)
        role = {}
        if configuration.instance_role:
            url = f"{self._url}/_embedded/instances/{identity}/credentials"
            role["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = url
        start = ContainerSpec(
            image=image,
            address=address,
            log=stream,
            command=_words(command) if command else None,
            environment={**role, **environment},
            memory_limit_mib=int(configuration.instance["Memory"]),
            ports=(configuration.port,),
            isolation=Isolation(task_cpus=int(configuration.instance["Cpu"]) / 1024),
        )
        try:
            container = self._runtime.containers.start(start)
        except CannotStart as error:
            self._runtime.release(NETWORK, identity)
            raise StartError(f"Your application stopped or failed to start. {error}") from error
        reach = partial(self._runtime.containers.reach, address, configuration.port)
        started = self._plane.loop.time()
        return Instance(identity, configuration, address, reach, container, Pool(reach), started)

    def release(self, instance: Instance) -> None:
        """Release the address of an instance that has ended."""
        self._runtime.release(NETWORK, instance.id)


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError as error:  # an unclosed quote
        raise StartError(f"Your application stopped or failed to start. {error}: {command}") from error
