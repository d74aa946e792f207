"""Runs work along a dependency graph, side by side where nothing stands between."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from ..clock import Clock
from ..errors import InterruptedRunError

Node = TypeVar("Node", bound=Hashable)
_WORKERS = 16


def run(
    nodes: Iterable[Node],
    needs: Callable[[Node], Iterable[Node]],
    work: Callable[[Node], None],
    name: Callable[[Node], str],
    clock: Clock,
) -> None:
    """Do ``work`` for every node, each after the nodes it needs (those not in ``nodes`` count as done).

    When one fails, nothing more is begun, what is under way is finished, and the first error is raised with
    the others as notes. On Ctrl-C InterruptedRunError names what was in flight.
    """
    waiting = {node: set(needs(node)) for node in nodes}
    for required in waiting.values():
        required.intersection_update(waiting)
    running: dict[Future[None], Node] = {}
    errors: list[BaseException] = []
    with ThreadPoolExecutor(_WORKERS) as pool:
        try:
            while (waiting and not errors) or running:
                if not errors:
                    _begin(waiting, running, pool, work)
                _finish(waiting, running, errors)
        except KeyboardInterrupt:
            clock.stop()
            pool.shutdown(wait=False, cancel_futures=True)
            raise _interrupted(running, name) from None
    _raise_first(errors)


def _begin(
    waiting: Mapping[Node, set[Node]],
    running: dict[Future[None], Node],
    pool: ThreadPoolExecutor,
    work: Callable[[Node], None],
) -> None:
    under_way = set(running.values())
    for node, required in waiting.items():
        if not required and node not in under_way:
            running[pool.submit(work, node)] = node


def _finish(
    waiting: dict[Node, set[Node]], running: dict[Future[None], Node], errors: list[BaseException]
) -> None:
    done, _ = wait(running, return_when=FIRST_COMPLETED)
    for future in done:
        node = running.pop(future)
        del waiting[node]
        if (error := future.exception()) is not None:
            errors.append(error)
            continue
        for required in waiting.values():
            required.discard(node)


def _raise_first(errors: list[BaseException]) -> None:
    if not errors:
        return
    first, *others = errors
    for other in others:
        first.add_note(f"also: {other}")
    raise first


def _interrupted(running: Mapping[Future[None], Node], name: Callable[[Node], str]) -> InterruptedRunError:
    in_flight = ", ".join(sorted(name(node) for node in running.values())) or "nothing"
    return InterruptedRunError(
        "Interrupted.",
        f"in flight: {in_flight}; what was made stays, what was not begun is not",
        "run the same command again; it takes up where this one stopped",
    )
