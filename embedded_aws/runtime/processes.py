"""Containers as processes of this machine.

Real: the program, its environment, output, exit status, signals (including those that PID 1 does not get),
memory limit, and an address of its own. Not real: the file system is the machine's (see ``roots.py``), the
user is the one who runs the embedded AWS (an image's ``USER`` is recorded, but not used), a volume can be
written to where it is mounted read-only (see ``volumes.py``), and programs other than Python use the address
only where their command line contains it (see ``shim``).
"""

from __future__ import annotations

import asyncio
import itertools
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from ..kernel.data_plane import DataPlane
from .addresses import TaskAddresses, real_port
from .command import ProcessSpec, prepare, reach_localhost
from .container import ProcessContainer
from .images import DISK, Image, Images
from .interface import CannotStart, Container, ContainerSpec, nowhere
from .memory import MIB, exceeds, resident_bytes, trees
from .programs import PROGRAMS, write_programs
from .removal import remove
from .roots import Root, make_root
from .volumes import TaskVolumes
from .waiting import waited_seconds

SAMPLES_PER_SECOND = 5  # memory samples, in real time


class Processes:
    """Starts containers, monitors their memory, and ends them all when the embedded AWS ends."""

    def __init__(self, plane: DataPlane, images: Images) -> None:
        self._plane = plane
        self._images = images
        self._numbers = itertools.count(1)
        self._resets = 0
        self._running: dict[ProcessContainer, _RunningContainer] = {}
        self._containers = images.folder / "containers"
        self._volumes = TaskVolumes(images.folder / "volumes")
        self._programs = images.folder / PROGRAMS
        write_programs(self._programs)

    def pull(self, account: str, region: str, reference: str, platform: str, disk: int = DISK) -> Image:
        """Pull and unpack an image; see ``Images.pull``."""
        return self._images.pull(account, region, reference, platform, disk)

    def reach(self, address: str, port: int) -> tuple[str, int]:
        """The task's own loopback address."""
        return address, real_port(port)

    def endpoint_for_tasks(self, url: str) -> str:
        """The same: a task is a process of this machine."""
        return url

    def start(self, spec: ContainerSpec) -> ProcessContainer:
        """Start a container; blocks for about 30 ms, longer for a large image. Raises CannotStart."""
        resets = self._resets  # before it waits for a reset
        self._plane.wake()
        folder = self._containers / str(next(self._numbers))
        try:
            root = _root(spec, folder)
            self._volumes.mount(spec, root)
            launch = self._prepare(spec, root, spec.full_command)
            if spec.platform != spec.image.platform:
                launch = _for_another_machine(launch)
            container = ProcessContainer(launch, _stop_signal(spec), spec.log)
        except CannotStart:
            remove(folder)
            raise
        limit = spec.memory_limit_mib
        self._keep(container, _RunningContainer(limit * MIB if limit else None, root, spec, folder), resets)
        return container

    def execute(
        self, container: Container, command: Sequence[str], log: Callable[[str], None] = nowhere
    ) -> ProcessContainer:
        """Run another program in a container (a health check, ECS Exec); it ends when the container does.

        In a command that is not Python's, ``localhost:port`` is replaced by the address that listens there in the
        container, so that curl reaches it. Raises CannotStart.
        """
        resets = self._resets
        with self._plane.lock:
            kept = self._running.get(cast(ProcessContainer, container))
        if kept is None or container.poll() is not None:
            raise CannotStart("container is not running")
        launch = self._prepare(kept.spec, kept.root, command)
        other = ProcessContainer(
            reach_localhost(launch, TaskAddresses(kept.spec.address)), -signal.SIGTERM, log
        )
        self._keep(other, _RunningContainer(None, kept.root, kept.spec, None), resets)
        return other

    def vacate(self, address: str) -> None:
        """Give up its volumes, which ``run`` removes."""
        self._volumes.give_up(address)

    def may_boot(self, address: str, seconds: float) -> bool:
        """Whether a program at an address may still be starting, ``seconds`` (real) after its start.

        It has the pace's ``boot_allowance``; time that it waited for a processor does not count.
        """
        allowed = self._plane.pace.boot_allowance
        return seconds < allowed or seconds - waited_seconds(self._supervisors(address)) < allowed

    def _supervisors(self, address: str) -> list[int]:
        with self._plane.lock:
            running = list(self._running.items())
        here = (one for one, kept in running if kept.spec.address == address)
        return [container.supervisor_pid for container in here if container.poll() is None]

    def _prepare(self, spec: ContainerSpec, root: Root, command: Sequence[str]) -> ProcessSpec:
        network = TaskAddresses(spec.address)
        return prepare(root, network, command, spec.full_environment, spec.folder, self._programs)

    def _keep(self, container: ProcessContainer, kept: _RunningContainer, resets: int) -> None:
        with self._plane.lock:
            late = resets != self._resets
            if not late:
                self._running[container] = kept
        if late:
            container.abandon()
            raise CannotStart("the embedded AWS was emptied meanwhile")

    async def run(self) -> None:
        """Kill containers above their memory limit, and clean up after those that have ended."""
        while True:
            await self._plane.tick(1 / SAMPLES_PER_SECOND)
            self._watch_memory()
            await self._tidy()

    def _watch_memory(self) -> None:
        with self._plane.lock:
            watched = {
                container: kept
                for container, kept in self._running.items()
                if kept.is_limited and container.poll() is None and not container.out_of_memory
            }
        if not watched:
            return
        found = trees(container.supervisor_pid for container in watched)
        for container, kept in watched.items():
            if kept.limit is not None and exceeds(found[container.supervisor_pid], kept.limit):
                container.kill_for_memory()
        for limit, containers in _tasks(watched):
            held = {one: found[one.supervisor_pid] for one in containers if not one.out_of_memory}
            if exceeds([process for each in held.values() for process in each], limit):
                max(held, key=lambda one: resident_bytes(held[one])).kill_for_memory()

    async def _tidy(self) -> None:
        with self._plane.lock:
            ended = [each for each in self._running if each.poll() is not None]
            gone = [self._running.pop(each) for each in ended]
            folders = [kept.folder for kept in gone if kept.folder is not None]
            roots = {kept.root for kept in gone if kept.folder is not None}
            orphans = [each for each, kept in self._running.items() if kept.root in roots]
        for orphan in orphans:
            orphan.kill()
        for folder in (*folders, *self._volumes.given_up()):
            await asyncio.to_thread(remove, folder)

    def reset(self) -> None:
        """End every container without logging anything more."""
        self._resets += 1
        for container in self._running:
            container.mute_and_kill()
        for container, kept in self._running.items():
            container.abandon()
            if kept.folder is not None:
                remove(kept.folder)
        self._running.clear()
        self._volumes.clear()

    def close(self) -> None:
        """Nothing: ``reset`` has released everything."""


@dataclass(frozen=True)
class _RunningContainer:
    """Data of a running container: memory limit in bytes, and its folders."""

    limit: int | None
    root: Root
    spec: ContainerSpec
    folder: Path | None

    @property
    def is_limited(self) -> bool:
        """Whether its memory is monitored; additional programs' is not."""
        return self.folder is not None and bool(self.limit or self.spec.task_memory_mib)


def _tasks(watched: Mapping[ProcessContainer, _RunningContainer]) -> list[tuple[int, list[ProcessContainer]]]:
    """Containers that share an address, where there are several, and their limit in bytes."""
    by_address: dict[str, list[ProcessContainer]] = {}
    for container, kept in watched.items():
        if kept.spec.task_memory_mib:
            by_address.setdefault(kept.spec.address, []).append(container)
    return [
        ((watched[containers[0]].spec.task_memory_mib or 0) * MIB, containers)
        for containers in by_address.values()
        if len(containers) > 1
    ]


def _root(spec: ContainerSpec, folder: Path) -> Root:
    try:
        return make_root(spec.image.root, folder, spec.folder)
    except OSError as error:
        raise CannotStart(f"mkdir {spec.folder}: {str(error.strerror).lower()}", 126) from error


def _stop_signal(spec: ContainerSpec) -> int:
    name = spec.image.stop_signal
    try:
        number = int(name) if name.isdigit() else int(signal.Signals[f"SIG{name.removeprefix('SIG')}"])
    except KeyError:
        number = int(signal.SIGTERM)
    return -number if spec.init else number


def _for_another_machine(launch: ProcessSpec) -> ProcessSpec:
    """A program that this machine cannot load, like one for another processor."""
    program = launch.root.path / "tmp" / ".other-platform"
    program.write_bytes(b"\x7fELF")
    program.chmod(0o755)
    return replace(launch, program=program)
