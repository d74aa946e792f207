"""A task's lifecycle: PROVISIONING, PENDING, ACTIVATING, RUNNING, DEACTIVATING, STOPPING, DEPROVISIONING, STOPPED.

Source: Developer Guide, "Amazon ECS task lifecycle". A task is a coroutine on the data-plane thread; state is
accessed with the data plane's lock held, and pulls and process starts run in worker threads.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TypeVar

from ..agent.agent_errors import AgentError
from ..elbv2.balancer import Balancer
from ..moto.adapter import AwsError
from ..runtime.images import Image
from ..runtime.runtime import Runtime
from . import dependencies, network, texts
from .agent import Agent, PreparedContainer
from .health import check_container
from .model import ContainerState, EcsState, RegisteredTarget, Task, monotonic, now

T = TypeVar("T")

TICK = 0.05
"""Real seconds between checks of a task or service."""

PROVISIONING = 4.0
"""AWS seconds for attaching a network interface."""

INITIALISING = 2.0
"""AWS seconds before a pull: credentials, secrets, log streams."""

PULL_MIB_PER_SECOND = 60.0
ACTIVATING = 1.0
"""AWS seconds for registering targets."""

DEPROVISIONING = 4.0
"""AWS seconds for detaching the network interface."""


class TaskLifecycle:
    """Runs one task from its creation to STOPPED."""

    def __init__(
        self,
        runtime: Runtime,
        balancer: Balancer,
        agent: Agent,
        workers: Executor,
        state: EcsState,
        task: Task,
    ) -> None:
        self._plane = state.plane
        self._runtime = runtime
        self._balancer = balancer
        self._workers = workers
        self._state = state
        self._task = task
        self._agent = agent
        self._checks: list[asyncio.Task[None]] = []

    async def run(self) -> None:
        """Run the task until STOPPED; when cancelled, its containers are killed."""
        try:
            if await self._provision() and await self._start():
                await self._activate()
                await self._watch()
            await self._wind_down()
        finally:
            for check in self._checks:
                check.cancel()

    # Starting

    async def _provision(self) -> bool:
        task = self._task
        try:
            with self._plane.lock:
                task.interface = network.attach(self._state, task)
                task.times["connectivityAt"] = now()
        except AwsError as error:
            task.stop("TaskFailedToStart", _interface_error(error))
            return False
        await self._until(lambda: task.order is not None, PROVISIONING)
        return task.order is None

    async def _start(self) -> bool:
        task = self._task
        with self._plane.lock:
            task.enter("PENDING", pullStartedAt=now())
        try:
            await self._initialise()
        except AgentError as failure:
            await self._failed_to_start(failure)
        return task.order is None

    async def _initialise(self) -> None:
        task = self._task
        await self._until(lambda: task.order is not None, INITIALISING)
        with self._plane.lock:
            prepared = self._agent.prepare(self._state, task)
        images = [await self._pull(one.container) for one in prepared]
        size = sum(image.size_bytes for image in images) / 2**20
        await self._until(lambda: task.order is not None, size / PULL_MIB_PER_SECOND)
        task.times["pullStoppedAt"] = now()
        pairs = zip(prepared, images, strict=True)
        await asyncio.gather(*(self._start_in_turn(one, image) for one, image in pairs))

    async def _pull(self, container: ContainerState) -> Image:
        task = self._task
        image = await self._work(lambda: self._agent.pull(self._state, task, container))
        with self._plane.lock:
            container.digest, container.image_volumes = image.digest, image.volumes
            if task.revision and container.definition.get("versionConsistency") != "disabled":
                task.revision.digests.setdefault(container.name, image.digest)
        return image

    async def _start_in_turn(self, prepared: PreparedContainer, image: Image) -> None:
        """Start a container once its dependencies are met; not at all when the task ends before."""
        task, container = self._task, prepared.container

        def settled() -> bool:
            over = task.order is not None or self._exited() is not None
            return over or dependencies.ready(container, task.containers) or bool(self._hopeless(container))

        await self._until(settled)
        if hopeless := self._hopeless(container):
            raise AgentError(hopeless, container.name)
        if task.order is None and dependencies.ready(container, task.containers):
            await self._start_container(prepared, image)

    def _hopeless(self, container: ContainerState) -> str | None:
        return dependencies.impossible(container, self._task.containers)

    async def _start_container(self, prepared: PreparedContainer, image: Image) -> None:
        container = prepared.container

        def start() -> None:
            process = self._agent.start(self._task, prepared, image)
            with self._plane.lock:
                container.process, container.last_status = process, "RUNNING"
                gone = self._task.abandoned
            if gone:
                process.kill()

        await self._work(start)
        if (check := container.definition.get("healthCheck")) and check["command"][0] != "NONE":
            looking = check_container(self._plane, self._runtime.containers, self._workers, container)
            self._checks.append(asyncio.ensure_future(looking))

    async def _failed_to_start(self, failure: AgentError) -> None:
        await self._until(lambda: self._task.order is not None, failure.after)
        with self._plane.lock:
            self._task.stop("TaskFailedToStart", failure.reason)
            for container in self._task.containers:
                if container.name == failure.container:
                    container.reason = failure.reason

    async def _activate(self) -> None:
        task = self._task
        with self._plane.lock:
            task.enter("ACTIVATING")
            for item in task.placement.load_balancers if task.service else ():
                self._register(RegisteredTarget(item["targetGroupArn"], self._ip, item["containerPort"]))
        await self._until(lambda: task.order is not None or self._exited() is not None, ACTIVATING)
        with self._plane.lock:
            if task.order is None:
                task.enter("RUNNING", startedAt=now())
                task.running_since = monotonic()

    def _register(self, target: RegisteredTarget) -> None:
        try:
            self._balancer.register(target.group, target.ip, target.port)
        except AwsError:  # the target group does not exist; the service never becomes healthy
            return
        self._task.targets.append(target)
        if self._task.service:
            self._task.service.registered.append(target.group)

    @property
    def _ip(self) -> str:
        assert self._task.interface is not None
        return self._task.interface.private_ip

    # Running

    async def _watch(self) -> None:
        """Wait until the task is stopped or an essential container exits."""
        task = self._task
        await self._until(lambda: task.order is not None or self._exited() is not None)
        with self._plane.lock:
            exited = self._exited()
            if exited is not None and task.order is None:
                self._note_exit(exited)
                task.stop("EssentialContainerExited", texts.ESSENTIAL_EXITED)

    def _exited(self) -> ContainerState | None:
        for container in self._task.containers:
            self._note_exit(container)
        return next(
            (one for one in self._task.containers if one.essential and one.exit_code is not None), None
        )

    def _note_exit(self, container: ContainerState) -> None:
        process = container.process
        if process is None or process.poll() is None or container.last_status == "STOPPED":
            return
        container.last_status, container.exit_code = "STOPPED", process.poll()
        if process.out_of_memory:
            container.reason = texts.OUT_OF_MEMORY

    # Ending

    async def _wind_down(self) -> None:
        task = self._task
        if task.order is not None and task.order.code == "SpotInterruption":
            await self._end_containers()  # SIGTERM is the warning, and comes before targets are deregistered
        await self._drain()
        with self._plane.lock:
            task.enter("STOPPING")
        await self._end_containers()
        with self._plane.lock:
            task.enter("DEPROVISIONING", executionStoppedAt=now())
        await asyncio.sleep(self._plane.pace.real(DEPROVISIONING))
        with self._plane.lock:
            self._give_back()
            for container in task.containers:
                container.last_status = "STOPPED"
            task.enter("STOPPED", stoppedAt=now())

    async def _drain(self) -> None:
        """Deregister the targets; while containers run, wait until each has drained."""
        task = self._task
        with self._plane.lock:
            if not task.targets:
                return
            task.enter("DEACTIVATING")
            for target in task.targets:
                self._deregister(target)
        if self._exited() is None:
            await self._until(lambda: self._exited() is not None or not self._draining())

    def _deregister(self, target: RegisteredTarget) -> None:
        if self._task.service:
            self._task.service.drained.append((self._task.id, target.group))
        try:
            self._balancer.deregister(target.group, target.ip, target.port)
        except AwsError:  # the target group and its targets are deleted
            return

    def _draining(self) -> bool:
        return any(self._balancer.health(t.group, t.ip, t.port) is not None for t in self._task.targets)

    async def _end_containers(self) -> None:
        running = [one for one in self._task.containers if one.process is not None]
        await asyncio.gather(*(self._end(container) for container in running))

    async def _end(self, container: ContainerState) -> None:
        """Send SIGTERM, then SIGKILL after stopTimeout."""
        process = container.process
        assert process is not None
        if process.poll() is None:
            await self._work(process.terminate)
            given = self._plane.pace.for_program(container.stop_timeout)
            await self._until(lambda: process.poll() is not None, seconds=given)
        if process.poll() is None:
            await self._work(process.kill)
            await self._until(lambda: process.poll() is not None)
        with self._plane.lock:
            self._note_exit(container)

    def _give_back(self) -> None:
        interface = self._task.interface
        if interface is None:
            return
        for target in self._task.targets:
            self._balancer.forget(target.group, target.ip, target.port)
        network.detach(self._state, interface)
        self._runtime.release(interface.vpc_id, interface.private_ip)

    # Waiting

    async def _until(
        self, done: Callable[[], bool], aws_seconds: float | None = None, seconds: float | None = None
    ) -> None:
        """Wait until ``done``, or for ``aws_seconds`` of AWS's, or for real ``seconds``."""
        given = seconds if aws_seconds is None else self._plane.pace.real(aws_seconds)
        end = None if given is None else monotonic() + given
        while not done():
            left = TICK if end is None else end - monotonic()
            if left <= 0:
                return
            await asyncio.sleep(min(TICK, left))

    async def _work(self, job: Callable[[], T]) -> T:
        """Run a blocking job in a worker thread."""
        return await asyncio.get_running_loop().run_in_executor(self._workers, job)


def _interface_error(error: AwsError) -> str:
    return (
        "Unexpected EC2 error while attempting to Create Network Interface with public IP assignment in subnet: "
        f"{error.code}: {error.message}"
    )
