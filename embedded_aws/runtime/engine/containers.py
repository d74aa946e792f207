"""Tasks as pods of containers of docker or podman.

Real: everything that the image and the definition say of a container, its kernel limits, and its network: 127.0.0.1
is the task's own, and 169.254.170.2 the endpoint for tasks. The task's memory is the limit of all containers together,
as on Fargate, where ``Engine.limits_together``; elsewhere it is each one's. Not real: only ports are reached that a
definition or the image names; a task does not reach another one by its private address; the disk has the engine's
size. See ``pod``, ``gateway`` and ``labels``.
"""

from __future__ import annotations

import json
import os
import tempfile
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from ...kernel.data_plane import DataPlane
from ..addresses import real_port
from ..images import DISK, Image, Images
from ..interface import CannotStart, Container, ContainerSpec, nowhere
from . import arguments
from .arguments import TASK_ENDPOINT, Variables
from .client import Engine, EngineError
from .container import Attached, EngineContainer, NeverRan
from .gateway import Network
from .labels import Labels, remove_leftovers, remove_own
from .library import Library

LOOPBACK = "127.0.0.1"
NOBODY = (LOOPBACK, 0)
"""A port at which nothing listens."""
ORDERS_AT_ONCE = 8


@dataclass(frozen=True)
class Pod:
    """The container that holds a task's network: its id, and the published port of each port.

    ``volumes`` are the engine's names of the task's volumes.
    """

    id: str
    published: dict[int, int] = field(default_factory=dict)
    volumes: dict[str, str] = field(default_factory=dict)


class EngineContainers:
    """Starts pods and containers, and removes them; see ``interface.ContainerRuntime``."""

    def __init__(self, plane: DataPlane, images: Images, engine: Engine, url: str) -> None:
        """``url`` is the embedded AWS's own. What killed ones left in the engine is removed."""
        self._plane = plane
        self._images = images
        self._engine = engine
        self._labels = Labels(images.folder)
        self._library = Library(engine, self._labels, images)
        self._network = Network(engine, self._labels, urlsplit(url).port or 80, plane.loop)
        self._making = threading.Lock()
        self._pods: dict[str, Pod] = {}
        self._running: set[EngineContainer] = set()
        self._orders = ThreadPoolExecutor(ORDERS_AT_ONCE, thread_name_prefix="engine")
        self._resets = 0
        remove_leftovers(engine)

    def pull(self, account: str, region: str, reference: str, platform: str, disk: int = DISK) -> Image:
        """Load an image into the engine; raises PullError."""
        stored = self._images.stored(reference, platform)
        self._library.load(stored)
        return stored.image

    def start(self, spec: ContainerSpec) -> Container:
        """Start a container in its task's pod, which is made for the first one. Raises CannotStart."""
        resets = self._resets  # before it waits for a reset
        self._plane.wake()
        if not spec.full_command:
            raise CannotStart("no command specified")
        if spec.platform != spec.image.platform:
            return NeverRan(spec.full_command[0], spec.log)
        try:
            return self._started(spec, resets)
        except EngineError as why:
            raise CannotStart(str(why)) from why

    def execute(
        self, container: Container, command: Sequence[str], log: Callable[[str], None] = nowhere
    ) -> Container:
        """Run another program in a container (`exec`)."""
        if not isinstance(container, EngineContainer) or container.poll() is not None:
            raise CannotStart("container is not running")
        running = Attached(self._engine, ["exec", container.name, *command], log)
        running.follow()
        return running

    def vacate(self, address: str) -> None:
        """Remove a task's pod and volumes."""
        with self._plane.lock:
            pod = self._pods.pop(address, None)
        if pod is not None:
            self._orders.submit(self._remove, pod)

    def _remove(self, pod: Pod) -> None:
        self._engine.try_to("rm", "--force", "--volumes", pod.id)
        if pod.volumes:
            self._engine.try_to("volume", "rm", "--force", *pod.volumes.values())

    def may_boot(self, address: str, seconds: float) -> bool:
        """Whether it has the pace's ``boot_allowance`` left."""
        return seconds < self._plane.pace.boot_allowance

    def reach(self, address: str, port: int) -> tuple[str, int]:
        """The published port of a task; the address itself where it is no task's."""
        pod = self._pods.get(address)
        if pod is None:
            return address, real_port(port)
        return (LOOPBACK, pod.published[port]) if port in pod.published else NOBODY

    def endpoint_for_tasks(self, url: str) -> str:
        """Where the pod listens."""
        return f"http://{TASK_ENDPOINT}"

    def _started(self, spec: ContainerSpec, resets: int) -> EngineContainer:
        pod = self._pod(spec, resets)
        try:
            name = self._created(spec, pod)
            folder = Path(tempfile.mkdtemp(dir=self._images.folder / "containers"))
            made = EngineContainer(
                self._engine, name, spec.image.stop_signal, spec.log, self._orders.submit, folder
            )
            self._keep(made, resets)
            return made
        finally:
            if resets != self._resets:  # a reset in the meantime has removed what there was, and no more
                self._remove(pod)

    def _pod(self, spec: ContainerSpec, resets: int) -> Pod:
        """The pod of a task, which is made for its first container; after a reset, one that is nobody's."""
        with self._making:
            with self._plane.lock:
                found = self._pods.get(spec.address) if resets == self._resets else None
            made = found or self._made_pod(spec)
            with self._plane.lock:
                if resets == self._resets:
                    self._pods[spec.address] = made
            return made

    def _made_pod(self, spec: ContainerSpec) -> Pod:
        ports = dict.fromkeys([*spec.ports, *spec.image.exposed_ports])
        gateway = self._network.open()
        labels = self._labels.arguments(task=spec.host_name or spec.address)
        image = self._library.pod()
        memory = spec.task_memory_mib if self._engine.limits_together else None
        words = arguments.pod(image, self._network.name, gateway, spec.host_name, ports, labels, memory)
        name = self._engine.run(*words).splitlines()[-1]
        told = self._engine.run("inspect", "--format", "{{json .NetworkSettings.Ports}}", name)
        return Pod(name, _published(json.loads(told) or {}))

    def _created(self, spec: ContainerSpec, pod: Pod) -> str:
        variables = Variables.of(spec.environment)
        labels = self._labels.arguments(task=spec.host_name or spec.address)
        self._make_volumes(spec, pod, labels)
        with self._file(variables.file) as file:
            words = arguments.container(
                spec,
                self._library.reference(spec.image),
                pod.id,
                labels,
                variables,
                file,
                self._engine,
                pod.volumes,
            )
            return self._engine.run(*words, environment=variables.others).splitlines()[-1]

    def _make_volumes(self, spec: ContainerSpec, pod: Pod, labels: Sequence[str]) -> None:
        with self._making:
            for volume in {mount.volume for mount in spec.mounts} - pod.volumes.keys():
                # with a name of its own: one that the engine names is removed with its first container
                name = f"embedded-aws-{uuid.uuid4().hex}"
                self._engine.run("volume", "create", *labels, name)
                pod.volumes[volume] = name

    @contextmanager
    def _file(self, text: str) -> Iterator[str]:
        """A file that only this user can read, for the duration of the block."""
        handle, path = tempfile.mkstemp(dir=self._images.folder)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", errors="surrogateescape") as file:
                file.write(text)
            yield path
        finally:
            os.unlink(path)

    def _keep(self, made: EngineContainer, resets: int) -> None:
        with self._plane.lock:
            late = resets != self._resets
            if not late:
                self._running = {one for one in self._running if one.poll() is None} | {made}
        if late:
            made.mute()
            self._engine.try_to("rm", "--force", "--volumes", made.name)
            raise CannotStart("the embedded AWS was emptied meanwhile")

    async def run(self) -> None:
        """Nothing: the engine does the work."""

    def reset(self) -> None:
        """Remove every container without logging anything more."""
        self._resets += 1
        for container in self._running:
            container.mute()
        is_used = bool(self._running or self._pods)
        if is_used:
            remove_own(self._engine, self._labels, tasks_only=True)
        for container in self._running:
            container.wait()
        if is_used:  # what was being removed in the meantime, and the volumes that it still used
            remove_own(self._engine, self._labels, tasks_only=True)
        self._running = set()
        self._pods.clear()

    def close(self) -> None:
        """Remove everything of this embedded AWS from the engine."""
        self._orders.shutdown(wait=True)
        self._network.close()
        remove_own(self._engine, self._labels)


def _published(told: dict[str, list[dict[str, str]] | None]) -> dict[int, int]:
    """The ports by what an engine tells: ``{"8501/tcp": [{"HostIp": …, "HostPort": …}]}``."""
    return {
        int(port.partition("/")[0]): int(bindings[0]["HostPort"])
        for port, bindings in told.items()
        if bindings
    }
