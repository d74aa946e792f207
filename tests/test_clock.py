"""Time as AWS counts it, which can be stopped."""

from __future__ import annotations

import threading
import time

import pytest

from lobster_tasks.clock import Clock
from lobster_tasks.errors import InterruptedRunError
from tests.embedded_process import PATIENCE


def test_time_runs_at_its_speed() -> None:
    slow, fast = Clock(), Clock(speed=10_000)
    fast.sleep(10)
    passed, real = fast.now(), slow.now()
    assert passed > 10 > real


def test_stamps_are_seconds_since_1970_and_ages_are_seconds_of_the_clock() -> None:
    clock = Clock(speed=20)
    hour_ago = clock.ago(3600)
    assert time.time() - hour_ago == pytest.approx(180, abs=5)
    assert clock.age(hour_ago) == pytest.approx(3600, abs=100)


def test_what_is_found_ends_a_wait_and_so_does_its_time() -> None:
    clock, looks = Clock(speed=1000), iter(["", "", "there", "later"])
    assert clock.until(lambda: next(looks), within=3600, every=1) == "there"
    assert next(looks) == "later"
    began = clock.now()
    assert clock.until(lambda: "", within=10, every=1) is None
    assert clock.now() - began >= 10


def test_stopping_wakes_every_sleeper_and_lets_nobody_sleep_again() -> None:
    clock, asleep, woken = Clock(), threading.Barrier(4), []

    def sleep() -> None:
        asleep.wait()
        try:
            clock.sleep(3600)
        except InterruptedRunError:
            woken.append(True)

    sleepers = [threading.Thread(target=sleep) for _ in range(3)]
    for sleeper in sleepers:
        sleeper.start()
    asleep.wait()
    clock.stop()
    for sleeper in sleepers:
        sleeper.join(timeout=PATIENCE)
    assert woken == [True] * 3
    with pytest.raises(InterruptedRunError):
        clock.sleep(0)
