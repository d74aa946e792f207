"""What every way to run tasks has in common: a container to start, a running one, and the runtime of both."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from ..kernel.data_plane import Component
from .images import DISK, Image


class CannotStart(Exception):  # noqa: N818 (ECS calls it CannotStartContainerError)
    """A container's program cannot be run.

    The text is ECS's reason for the container; ``exit_code`` is 126 or 127, as in docker.
    """

    def __init__(self, problem: str, exit_code: int = 127) -> None:
        super().__init__(
            "CannotStartContainerError: ResourceInitializationError: failed to create new container runtime "
            "task: failed to create shim task: OCI runtime create failed: runc create failed: "
            f"unable to start container process: {problem}: unknown"
        )
        self.exit_code = exit_code


@dataclass(frozen=True)
class Isolation:
    """How a container is kept apart, as its definition says.

    ``user`` overrides the image's. ``task_cpus`` is how many processors the task may use, ``cpu_units`` the
    container's share of them (0: the least). ``ulimits`` are pairs of a soft and a hard limit, by name.
    ``memory_reservation_mib`` is the soft limit.
    """

    user: str | None = None
    read_only_root: bool = False
    task_cpus: float | None = None
    cpu_units: int = 0
    memory_reservation_mib: int | None = None
    ulimits: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    added_capabilities: Sequence[str] = ()
    dropped_capabilities: Sequence[str] = ()


@dataclass(frozen=True)
class Mount:
    """A volume of a task at a ``path`` (absolute, without a slash at its end) of a container.

    ``volume`` is its name in the task; it is empty when the first container mounts it. ``from_image``: then it gets
    what the image has at the path.
    """

    volume: str
    path: str
    read_only: bool = False
    from_image: bool = False


@dataclass(frozen=True)
class Tmpfs:
    """A file system in memory at a ``path`` of a container, of ``size_mib`` MiB, with options of mount(8)."""

    path: str
    size_mib: int
    options: Sequence[str] = ()


@dataclass(frozen=True)
class ContainerSpec:
    """A container to start.

    ``command`` and ``entry_point`` override the image's; as in docker, an overriding entry point discards the
    image's command. ``environment`` is added to the image's. ``address`` is the task's loopback address;
    containers of one task share it, and their localhost. ``memory_limit_mib`` is for this container,
    ``task_memory_mib`` for all at its address together; above that, the largest one is killed.
    ``ports`` are those of the task. ``platform`` is the task's platform. ``init`` runs the program below an init
    process (``initProcessEnabled``), so that it is not PID 1. ``host_name`` is the container's (``HOSTNAME``).
    ``mounts`` are volumes that it shares with the containers at its address, ``tmpfs`` folders of its own.
    ``isolation`` is what only a container of an engine has; processes run without it.
    """

    image: Image
    address: str
    log: Callable[[str], None]
    command: Sequence[str] | None = None
    entry_point: Sequence[str] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    working_directory: str | None = None
    memory_limit_mib: int | None = None
    task_memory_mib: int | None = None
    platform: str = "linux/amd64"
    init: bool = False
    host_name: str | None = None
    ports: Sequence[int] = ()
    mounts: Sequence[Mount] = ()
    tmpfs: Sequence[Tmpfs] = ()
    isolation: Isolation = field(default_factory=lambda: Isolation())

    @property
    def folder(self) -> str:
        """The working directory, a path of the image."""
        return self.working_directory or self.image.working_directory

    @property
    def full_environment(self) -> dict[str, str]:
        """The image's environment and the given one."""
        named = {"HOSTNAME": self.host_name} if self.host_name else {}
        return {**named, **self.image.environment, **self.environment}

    @property
    def full_command(self) -> list[str]:
        """Entry point and command together."""
        if self.entry_point:
            return [*self.entry_point, *(self.command or ())]
        return [*self.image.entry_point, *(self.command or self.image.command)]


class Container(Protocol):
    """A started container. No method waits, except ``wait``; any thread may call them."""

    @property
    def out_of_memory(self) -> bool:
        """Whether it was killed for its memory."""

    def poll(self) -> int | None:
        """The exit status (128 + signal for one that ended it) once all output is logged; None before."""

    def wait(self, timeout: float | None = None) -> int | None:
        """``poll()`` after the end, or after ``timeout`` real seconds."""

    def terminate(self) -> None:
        """Send the stop signal to the main process; as PID 1 it gets the signal only if it handles it."""

    def kill(self) -> None:
        """Send SIGKILL to every process of the container."""

    def terminal(self, command: Sequence[str]) -> list[str] | None:
        """The words that, on a terminal of this machine, run a command inside; None where there are none."""

    def longest_wait(self) -> float:
        """Seconds that its longest-waiting thread has waited for a processor; infinite where all have ended."""


class ContainerRuntime(Component, Protocol):
    """Starts containers, limits their memory, and ends them all when the embedded AWS ends."""

    def pull(self, account: str, region: str, reference: str, platform: str, disk: int = DISK) -> Image:
        """Make an image ready to run, on a disk of ``disk`` bytes; blocks. As ``Images.pull``; raises PullError."""

    def start(self, spec: ContainerSpec) -> Container:
        """Start a container; blocks until its program runs. Raises CannotStart."""

    def execute(
        self, container: Container, command: Sequence[str], log: Callable[[str], None] = ...
    ) -> Container:
        """Run another program in a container (a health check, ECS Exec); it ends when the container does.

        Raises CannotStart.
        """

    def vacate(self, address: str) -> None:
        """Release what the task at an address had besides its containers, which have ended: its volumes, its
        network; does not wait."""

    def may_boot(self, address: str, seconds: float) -> bool:
        """Whether a program at an address may still be starting, ``seconds`` (real) after its start."""

    def reach(self, address: str, port: int) -> tuple[str, int]:
        """The host and port on this machine at which a task's ``port`` is reached; asked for each connection."""

    def endpoint_for_tasks(self, url: str) -> str:
        """The URL by which programs in tasks reach the embedded AWS, whose own is ``url``."""


def nowhere(_line: str) -> None:
    """The log of what nobody reads."""
