"""Runs work along a dependency graph, in parallel where nodes do not depend on each other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Generic, TypeVar

from ..clock import Clock
from ..errors import InterruptedRunError

Node = TypeVar("Node", bound=Hashable)
_WORKERS = 16


def run(
    nodes: Iterable[Node],
    dependencies: Callable[[Node], Iterable[Node]],
    work: Callable[[Node], None],
    name: Callable[[Node], str],
    clock: Clock,
    *,
    changes: bool = True,
) -> None:
    """Do ``work`` for every node, each after its dependencies (those not in ``nodes`` count as done).

    When a node fails, no further node is started, running work is finished, and the first error is raised with
    the others as notes. On Ctrl-C InterruptedRunError names the running work, if the work ``changes`` something.
    """
    crew = _Workers(nodes, dependencies, work, name)
    try:
        crew.start()
        crew.join()
    except KeyboardInterrupt:
        clock.stop()
        in_flight = crew.stop()
        crew.join()
        raise _interrupted(sorted(map(name, in_flight)) if changes else None) from None
    _raise_first(crew.errors)
    assert not crew.left, "the work stopped without an error"


class _Workers(Generic[Node]):
    """Distributes the work in a thread of its own, because Ctrl-C interrupts the main thread at any point."""

    def __init__(
        self,
        nodes: Iterable[Node],
        dependencies: Callable[[Node], Iterable[Node]],
        work: Callable[[Node], None],
        name: Callable[[Node], str],
    ) -> None:
        self.errors: list[BaseException] = []
        self._waiting = {node: set(dependencies(node)) for node in nodes}
        for required in self._waiting.values():
            required.intersection_update(self._waiting)
        self._work, self._name = work, name
        self._running: dict[Future[None], Node] = {}
        self._in_flight: set[Node] = set()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._go, name="converge")

    @property
    def left(self) -> int:
        """The number of nodes that are not done."""
        return len(self._waiting)

    def start(self) -> None:
        """Start the work."""
        self._thread.start()

    def join(self) -> None:
        """Wait until everything is done, or after a failure until the running work is finished."""
        if self._thread.ident is not None:
            self._thread.join()

    def stop(self) -> set[Node]:
        """Start no further node; returns the nodes whose work is running."""
        self._stopped.set()
        return set(self._in_flight)

    def _go(self) -> None:
        with ThreadPoolExecutor(_WORKERS) as pool:
            while self._goes_on() or self._running:
                if self._goes_on():
                    self._begin(pool)
                self._finish()

    def _goes_on(self) -> bool:
        return bool(self._waiting) and not self.errors

    def _begin(self, pool: ThreadPoolExecutor) -> None:
        under_way = set(self._running.values())
        for node, required in self._waiting.items():
            if not required and node not in under_way:
                self._running[pool.submit(self._do, node)] = node
        if not self._running:
            left = ", ".join(map(self._name, self._waiting))
            self.errors.append(AssertionError(f"circular dependency: {left}"))

    def _do(self, node: Node) -> None:
        if self._stopped.is_set():
            return  # the other nodes are skipped
        self._in_flight.add(node)
        try:
            self._work(node)
        finally:
            self._in_flight.discard(node)

    def _finish(self) -> None:
        done, _ = wait(self._running, return_when=FIRST_COMPLETED)
        for future in done:
            node = self._running.pop(future)
            del self._waiting[node]
            if (error := future.exception()) is not None:
                self.errors.append(error)
                continue
            for required in self._waiting.values():
                required.discard(node)


def _raise_first(errors: list[BaseException]) -> None:
    if not errors:
        return
    first, *others = errors
    for other in others:
        first.add_note(f"also: {other}")
    raise first


def _interrupted(in_flight: list[str] | None) -> InterruptedRunError:
    if in_flight is None:
        return InterruptedRunError(
            "Interrupted while reading the account; nothing was changed.",
            next_step="run the same command again",
        )
    return InterruptedRunError(
        "Interrupted.",
        f"in progress: {', '.join(in_flight) or 'nothing'}; created resources stay, and nothing else was started",
        "run the same command again; it continues where this one stopped",
    )
