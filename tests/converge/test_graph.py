"""Work runs along a graph: in order, side by side, and ends cleanly when something fails or is interrupted."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections.abc import Callable, Iterable, Mapping

import pytest

from lobster_tasks.clock import Clock
from lobster_tasks.converge import graph
from lobster_tasks.errors import InterruptedRunError, LobsterError
from tests.embedded_process import PATIENCE

# Which node needs which.
DIAMOND = {"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c")}


def run(needs: Mapping[str, Iterable[str]], work: Callable[[str], None], clock: Clock | None = None) -> None:
    """Run ``work`` for every node."""
    graph.run(needs, needs.__getitem__, work, lambda node: f"node {node}", clock or Clock())


def test_each_node_comes_after_those_it_needs() -> None:
    rng = random.Random(7)
    for _ in range(50):
        names = [f"n{number}" for number in range(20)]
        needs = {name: rng.sample(names[:place], min(place, 3)) for place, name in enumerate(names)}
        shuffled = {name: needs[name] for name in rng.sample(names, len(names))}
        done: list[str] = []
        run(shuffled, done.append)
        assert sorted(done) == sorted(names)
        assert all(done.index(needed) < done.index(name) for name in names for needed in needs[name])


def test_what_does_not_need_each_other_runs_side_by_side() -> None:
    together = threading.Barrier(2, timeout=PATIENCE)

    def work(node: str) -> None:
        if node in "bc":
            together.wait()  # both are here at once, or neither goes on

    run(DIAMOND, work)


def test_what_is_not_among_the_nodes_counts_as_done() -> None:
    done: list[str] = []
    run({"d": ("b", "c", "elsewhere"), "b": ("a",)}, done.append)
    assert done == ["b", "d"]


def test_nothing_to_do_is_done_at_once() -> None:
    run({}, lambda _: None)


def test_after_a_failure_nothing_is_begun_and_what_runs_is_finished() -> None:
    begun, failed = threading.Barrier(2, timeout=PATIENCE), threading.Event()
    finished: list[str] = []

    def work(node: str) -> None:
        if node == "b":
            begun.wait()
            failed.set()
            raise LobsterError("b failed")
        if node == "c":
            begun.wait()
            failed.wait(timeout=PATIENCE)
        finished.append(node)

    with pytest.raises(LobsterError, match="b failed"):
        run(DIAMOND, work)
    assert finished == ["a", "c"]


def test_the_first_error_carries_the_others_as_notes() -> None:
    together = threading.Barrier(2, timeout=PATIENCE)

    def work(node: str) -> None:
        if node in "bc":
            together.wait()
            raise LobsterError(f"{node} failed")

    with pytest.raises(LobsterError) as failed:
        run(DIAMOND, work)
    (note,) = failed.value.__notes__
    assert {failed.value.what, note.removeprefix("also: ")} == {"b failed", "c failed"}


def test_ctrl_c_names_what_is_in_flight_and_wakes_those_who_wait() -> None:
    clock, waiting, begun = Clock(), threading.Barrier(2, timeout=PATIENCE), []

    def work(node: str) -> None:
        begun.append(node)
        if node == "a":
            return
        waiting.wait()
        if node == "b":
            os.kill(os.getpid(), signal.SIGINT)
        clock.sleep(3600)

    with pytest.raises(InterruptedRunError) as interrupted:
        run(DIAMOND, work, clock)
    assert interrupted.value.why.startswith("in progress: node b, node c;")
    assert "run the same command again" in interrupted.value.next_step
    assert interrupted.value.exit_code == 130
    assert sorted(begun) == ["a", "b", "c"]


def test_nodes_that_need_each_other_are_a_defect_and_no_endless_loop() -> None:
    with pytest.raises(AssertionError, match="circular dependency: node a, node b"):
        run({"a": ("b",), "b": ("a",)}, lambda _: None)


def test_ctrl_c_while_only_reading_names_nothing_that_was_made() -> None:
    def work(_node: str) -> None:
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(InterruptedRunError) as interrupted:
        graph.run(DIAMOND, DIAMOND.__getitem__, work, str, Clock(), changes=False)
    assert "nothing was changed" in interrupted.value.what
    assert not interrupted.value.why
