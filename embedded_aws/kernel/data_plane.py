"""The data plane: the thread that runs all components, the lock for their state, and their pace and faults.

moto's state is global to a process, so an embedded AWS is one process; start another for a second one.
A component is a long-lived object (balancer, Fargate scheduler, image store, …) that may run coroutines on the
data-plane thread, and that can be emptied (``reset``) and closed.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from typing import Any, Protocol

from .faults import Faults
from .pace import Pace

log = logging.getLogger(__name__)


class Component(Protocol):
    """One component of the data plane."""

    async def run(self) -> None:
        """Work until cancelled, on the data-plane thread."""

    def reset(self) -> None:
        """Discard all state and end every process; called with the data plane's lock held."""

    def close(self) -> None:
        """Release the machine's resources: processes, addresses, temporary folders."""


class DataPlane:
    """State shared by the request threads (control plane) and the data-plane thread.

    ``lock`` guards all state of this package; hold it briefly and never across I/O or ``await``.
    """

    def __init__(self, pace: Pace, young: bool = False) -> None:
        self.pace = pace
        self.components: Sequence[Component] = ()
        """Every component, in the order of starting and emptying."""
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
        """Whether the account is young: nothing of AWS was used in it yet (see ``young``)."""
        return self._young or self.faults.young_account

    def start(self) -> None:
        """Start the data-plane thread and every component's ``run`` on it."""
        self._thread.start()
        for component in self.components:
            self.spawn(component.run())

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine on the data-plane thread, from any thread; its exceptions are logged."""
        asyncio.run_coroutine_threadsafe(work, self.loop).add_done_callback(_report)

    async def tick(self, seconds: float) -> None:
        """Sleep for ``seconds`` real seconds, and longer while everything is empty and there are no calls."""
        await asyncio.sleep(seconds)
        await self._awake.wait()

    async def repeat(self, work: Callable[[], None], seconds: float) -> None:
        """Do ``work`` with the lock held, every ``seconds`` real seconds, until cancelled."""
        while True:
            with self.lock:
                work()
            await self.tick(seconds)

    def wake(self) -> None:
        """Resume the work of all components, from any thread."""
        if not self._resting:
            return
        with self.lock:
            self._resting = False
            self.loop.call_soon_threadsafe(self._awake.set)

    def reset(self) -> None:
        """Empty every component."""
        with self.lock:
            self.resets += 1
            self._resting = True  # first, so that a call in the meantime resumes the work
            self.loop.call_soon_threadsafe(self._awake.clear)
            for component in self.components:
                component.reset()

    def stop(self) -> None:
        """End every process and the data-plane thread; every component is closed even if another one raises."""
        with ExitStack() as ending:
            ending.callback(self.loop.close)
            for component in reversed(self.components):
                ending.callback(component.close)
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
        log.error("the data plane failed", exc_info=defect)
