"""The clock: AWS's time, which can be stopped."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from itertools import count, islice

import pytest

from lobster_tasks.clock import Clock
from lobster_tasks.errors import InterruptedRunError
from tests.clocks import PatientClock
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
    assert clock.poll(lambda: next(looks), within=3600, every=1) == "there"
    assert next(looks) == "later"
    began = clock.now()
    assert clock.poll(lambda: "", within=10, every=1) == ""
    assert clock.now() - began >= 10


def test_what_is_waited_for_is_said_by_the_caller_and_the_last_look_is_kept() -> None:
    clock, numbers = Clock(speed=1000), count(1)
    assert clock.poll(lambda: next(numbers), within=3600, every=1, until=lambda each: each == 3) == 3
    assert clock.poll(lambda: next(numbers), within=0, every=1, until=lambda each: each == 3) == 4


def test_a_look_that_began_in_time_is_not_the_last() -> None:
    """However slow the call is: otherwise changes during it would be missed."""
    clock, looks = PatientClock(speed=1000), []

    def look() -> bool:
        looks.append(clock.now())
        clock.sleep(100)
        return len(looks) > 1

    assert clock.poll(look, within=60, every=2)
    assert looks == [0, 102]


class PassingError(Exception):
    """A temporary error."""


def passes(error: BaseException) -> bool:
    """Whether an error is temporary."""
    return isinstance(error, PassingError)


def raising(*given: str | BaseException) -> Callable[[], str]:
    """A function that returns the given values in order, and raises those that are errors."""
    left = iter(given)

    def look() -> str:
        found = next(left)
        if isinstance(found, BaseException):
            raise found
        return found

    return look


def test_errors_that_pass_are_looked_past() -> None:
    clock, told = PatientClock(speed=1000), []

    def every(found: str | None) -> float:
        told.append(found)
        return 1 if found else 5

    look = raising("a", PassingError(), "b", "c")
    assert list(islice(clock.repeat(look, every, passes=passes), 3)) == ["a", "b", "c"]
    assert (told, clock.now()) == (["a", None, "b"], 7)


def test_other_errors_are_raised_and_so_is_the_last() -> None:
    clock = PatientClock(speed=1000)
    with pytest.raises(KeyError):
        clock.poll(raising("", KeyError()), within=60, every=1, passes=passes)
    with pytest.raises(PassingError):
        clock.poll(raising("", PassingError(), PassingError()), within=2, every=1, passes=passes)


def test_work_is_begun_again_while_its_error_passes() -> None:
    clock, told = PatientClock(speed=1000), []
    errors = [PassingError(), PassingError()]
    assert clock.retry(raising(*errors, "done"), 60, passes, told.append) == "done"
    assert told == errors
    with pytest.raises(PassingError) as last:
        clock.retry(raising(*errors), 0, passes, told.append)
    assert last.value is errors[0]


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
