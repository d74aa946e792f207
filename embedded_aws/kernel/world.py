"""The one embedded AWS of this process: its parts, its lock and its data-plane thread.

moto's state is global to a process, so an embedded AWS is one process; start another for a second one.
A part is a long-lived object (balancer, Fargate scheduler, image store, …) that may run coroutines on the
data-plane thread, and that can be emptied (``reset``) and closed.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Protocol

from .faults import Faults
from .pace import Pace

if TYPE_CHECKING:
    from ..apprunner.part import AppRunner
    from ..ecs.scheduler import Fargate
    from ..elbv2.balancer import Balancer
    from ..runtime.addresses import Addresses
    from ..runtime.images import Images
    from ..runtime.processes import Processes

log = logging.getLogger(__name__)


class Part(Protocol):
    """One part of the data plane."""

    async def run(self) -> None:
        """Work until cancelled, on the data-plane thread."""

    def reset(self) -> None:
        """Forget everything and end every process; called with the world's lock held."""

    def close(self) -> None:
        """Give back what the machine lent: processes, addresses, temporary folders."""


class World:
    """State shared by the request threads (control plane) and the data-plane thread.

    ``lock`` guards all state of ours; hold it briefly and never across I/O or ``await``.
    """

    addresses: Addresses
    images: Images
    processes: Processes
    balancer: Balancer
    fargate: Fargate
    apprunner: AppRunner
    url: str
    """Where the endpoint answers, for programs in tasks."""

    def __init__(self, pace: Pace, young: bool = False) -> None:
        self.pace = pace
        self._young = young
        self.faults = Faults()
        self.resets = 0
        self.lock = threading.RLock()
        self.loop = asyncio.new_event_loop()
        self._awake = asyncio.Event()
        self._resting = True
        self._thread = threading.Thread(target=self._run_loop, name="data-plane", daemon=True)

    @property
    def young(self) -> bool:
        """Whether nothing of AWS was used in the account yet (see ``young``)."""
        return self._young or self.faults.young_account

    @property
    def parts(self) -> list[Part]:
        """Every part, in the order in which they are started and emptied."""
        return [self.fargate, self.apprunner, self.balancer, self.processes, self.images, self.addresses]

    def start(self) -> None:
        """Start the data-plane thread and every part's ``run`` on it."""
        self._thread.start()
        for part in self.parts:
            self.spawn(part.run())

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine on the data-plane thread, from any thread; what it raises goes to the log."""
        asyncio.run_coroutine_threadsafe(work, self.loop).add_done_callback(_report)

    async def tick(self, seconds: float) -> None:
        """Sleep for so many real seconds, and on for as long as everything is empty and nobody calls."""
        await asyncio.sleep(seconds)
        await self._awake.wait()

    def wake(self) -> None:
        """Say, from any thread, that there may be something to do from now on."""
        if not self._resting:
            return
        with self.lock:
            self._resting = False
            self.loop.call_soon_threadsafe(self._awake.set)

    def reset(self) -> None:
        """Empty every part."""
        with self.lock:
            self.resets += 1
            self._resting = True  # first, so that a call that comes meanwhile wakes it afterwards
            self.loop.call_soon_threadsafe(self._awake.clear)
            for part in self.parts:
                part.reset()

    def stop(self) -> None:
        """End every process and the data-plane thread; every part is closed whatever another raises."""
        with ExitStack() as ending:
            ending.callback(self.loop.close)
            for part in reversed(self.parts):
                ending.callback(part.close)
            ending.callback(self._end_loop)
            self.reset()

    def _end_loop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._cancel_all(), self.loop).result(timeout=10)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(timeout=10)

    async def _cancel_all(self) -> None:
        others = [task for task in asyncio.all_tasks(self.loop) if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _run_loop(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()


def _report(done: Future[None]) -> None:
    if not done.cancelled() and (defect := done.exception()) is not None:
        log.error("the data plane failed: %s: %s", type(defect).__name__, defect, exc_info=defect)


_current: World | None = None


def open_world(world: World) -> None:
    """Make ``world`` the one that the response classes see."""
    global _current
    _current = world


def current() -> World:
    """The world of this process; RuntimeError before one is open."""
    if _current is None:
        raise RuntimeError("no embedded AWS is running in this process")
    return _current
