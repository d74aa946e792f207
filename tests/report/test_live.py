"""The clock of a rollout that moves."""

from __future__ import annotations

import pytest

from lobster_tasks.report.live import bar, clock_line
from lobster_tasks.rollout.observation.timeline import Progress

from .drawn import drawn


@pytest.mark.parametrize(
    ("done", "shown"),
    [(0, "▕    ▏"), (0.5, "▕██  ▏"), (1, "▕████▏"), (7, "▕████▏"), (-1, "▕    ▏")],
)
def test_a_bar(done: float, shown: str) -> None:
    assert bar(done, 4) == shown


def test_the_phase_the_time_and_what_is_expected() -> None:
    progress = Progress(31.0, (), None, "health", 70.0)
    [line] = drawn(clock_line(progress), 80)
    assert line == "  Wait for health             0:31  ▕█████████           ▏  expected ~1:10"


def test_nothing_is_expected_of_a_first_release() -> None:
    [line] = drawn(clock_line(Progress(5.0, (), None, "start")), 80)
    assert line == "  Start the tasks             0:05"
