"""The instances of one service: started beside the current ones, checked, switched to, monitored and replaced."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import TypeVar

from ..runtime.images import Image
from ..runtime.interface import ContainerRuntime
from .instances import Instance, Starter, StartError
from .journal import Journal
from .model import AppRunnerState, Configuration, Service

T = TypeVar("T")

TICK = 0.05  # real seconds
STOPPING = 30.0
"""AWS seconds between SIGTERM and SIGKILL."""


class Fleet:
    """The instances of one service; its coroutines run on the data-plane thread."""

    def __init__(
        self,
        runtime: ContainerRuntime,
        starter: Starter,
        workers: Executor,
        state: AppRunnerState,
        service: Service,
    ) -> None:
        self._plane = state.plane
        self._runtime = runtime
        self._workers = workers
        self._starter = starter
        self._journal = Journal(state, service)
        self._watching: asyncio.Task[None] | None = None
        self.serving: list[Instance] = []
        self.known: set[Instance] = set()

    async def prepare(self, configuration: Configuration) -> Image:
        """Pull the image; StartError."""
        return await self._work(lambda: self._starter.pull(configuration))

    async def launch(self, configuration: Configuration, image: Image) -> list[Instance]:
        """Start the minimum number of instances, and wait until they are healthy; StartError, after which none is
        left."""
        count = configuration.scaling.body["MinSize"]
        started = [await self._start(configuration, image) for _ in range(count)]
        try:
            await asyncio.gather(*(self._until_healthy(instance) for instance in started))
        except StartError:
            await self._end(started)
            raise
        return started

    async def switch(self, instances: list[Instance], image: Image) -> None:
        """Route requests to ``instances``, then end the previous ones."""
        before, self.serving = self.serving, instances
        self._stop_watching()
        self._watching = asyncio.create_task(self._watch(image))
        await self._end(before)

    async def stop(self) -> None:
        """End every instance."""
        self._stop_watching()
        ending, self.serving = self.serving, []
        await self._end(ending)

    def abandon(self) -> None:
        """Stop monitoring, on a reset."""
        if self._watching is not None:
            self._plane.loop.call_soon_threadsafe(self._watching.cancel)
        self.serving = []

    def _stop_watching(self) -> None:
        if self._watching is not None:
            self._watching.cancel()
            self._watching = None

    async def _start(self, configuration: Configuration, image: Image) -> Instance:
        def start() -> Instance:
            environment = self._starter.environment(configuration)
            return self._starter.start(configuration, image, environment, self._journal.application)

        made = await self._work(start)
        self.known.add(made)
        return made

    async def _until_healthy(self, instance: Instance) -> None:
        successes = 0
        while successes < instance.configuration.health["HealthyThreshold"]:
            successes = successes + 1 if await self._check(instance) else 0
            if self._is_lost(instance):
                raise StartError(_reason(instance))
            await asyncio.sleep(self._interval(instance))

    async def _check(self, instance: Instance) -> bool:
        """Make one health check; count consecutive failures, except refusals while a program may still be
        starting."""
        seconds = self._plane.pace.for_program(instance.configuration.health["Timeout"])
        healthy = await instance.answers(seconds)
        age = self._plane.loop.time() - instance.started
        booting = not instance.accepted and self._runtime.may_boot(instance.address, age)
        instance.failures = 0 if healthy or booting else instance.failures + 1
        return healthy

    def _is_lost(self, instance: Instance) -> bool:
        exited = instance.container.poll() is not None
        return exited or instance.failures >= instance.configuration.health["UnhealthyThreshold"]

    def _interval(self, instance: Instance) -> float:
        return self._plane.pace.real(instance.configuration.health["Interval"], at_least=TICK)

    async def _watch(self, image: Image) -> None:
        """Check the serving instances, and replace lost ones."""
        while self.serving:
            await asyncio.sleep(self._interval(self.serving[0]))
            await asyncio.gather(*(self._check(instance) for instance in self.serving))
            for lost in [instance for instance in self.serving if self._is_lost(instance)]:
                await self._replace(lost, image)

    async def _replace(self, lost: Instance, image: Image) -> None:
        with self._plane.lock:
            self._journal.event(_reason(lost))
        try:
            fresh = await self._start(lost.configuration, image)
            await self._until_healthy(fresh)
        except StartError:
            return  # the next check tries again
        self.serving = [fresh if one is lost else one for one in self.serving]
        await self._end([lost])

    async def _end(self, instances: Sequence[Instance]) -> None:
        await asyncio.gather(*(self._end_one(instance) for instance in instances))

    async def _end_one(self, instance: Instance) -> None:
        await self._until(lambda: instance.requests == 0, STOPPING)
        instance.pool.close()
        container = instance.container
        if container.poll() is None:
            await self._work(container.terminate)
            await self._until(lambda: container.poll() is not None, STOPPING)
        if container.poll() is None:
            await self._work(container.kill)
            await self._until(lambda: container.poll() is not None, STOPPING)
        self.known.discard(instance)
        self._starter.release(instance)

    async def _until(self, done: Callable[[], bool], aws_seconds: float) -> None:
        end = self._plane.loop.time() + self._plane.pace.real(aws_seconds, at_least=1.0)
        while not done() and self._plane.loop.time() < end:
            await asyncio.sleep(TICK)

    async def _work(self, job: Callable[[], T]) -> T:
        """Run a blocking job in a worker thread."""
        return await asyncio.get_running_loop().run_in_executor(self._workers, job)


def _reason(instance: Instance) -> str:
    code = instance.container.poll()
    if code is not None:
        return (
            "Your application stopped or failed to start. See logs for more information.  "
            f"Container exit code: {code}"
        )
    health = instance.configuration.health
    path = f"[Path: '{health['Path']}'], " if health["Protocol"] == "HTTP" else ""
    return (
        f"Health check failed on protocol `{health['Protocol']}` {path}[Port: '{instance.configuration.port}']. "
        "Check your configured port number. For more information, see the application logs."
    )
