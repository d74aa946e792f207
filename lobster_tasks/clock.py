"""The only source of time, so that a rehearsal can run faster than real time, and the only place that waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import inf
from typing import TYPE_CHECKING, TypeVar

from .errors import InterruptedRunError

if TYPE_CHECKING:
    from tenacity import RetryCallState, Retrying

T = TypeVar("T")
Passes = Callable[[BaseException], bool]


def _never(_: BaseException) -> bool:
    return False


@dataclass(frozen=True)
class Clock:
    """A clock in AWS's seconds.

    ``speed`` is how many of its seconds pass in one real second: 1 against AWS, the speed of the embedded AWS
    in a rehearsal, so that durations read as they would on AWS.
    """

    speed: float = 1.0
    _start: float = field(default_factory=time.monotonic, repr=False)
    _stopped: threading.Event = field(default_factory=threading.Event, repr=False)

    def now(self) -> float:
        """Seconds since this clock was created."""
        return (time.monotonic() - self._start) * self.speed

    def ago(self, seconds: float) -> float:
        """The time ``seconds`` ago as a timestamp in seconds since 1970, as in AWS's answers."""
        return time.time() - seconds / self.speed

    def age(self, stamp: float) -> float:
        """How many seconds of this clock have passed since ``stamp``, which is in seconds since 1970."""
        return (time.time() - stamp) * self.speed

    def stopwatch(self) -> float:
        """Real seconds, to measure programs, which run no faster at a higher ``speed``."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait for ``seconds`` of this clock; raises InterruptedRunError once the clock is stopped."""
        if self._stopped.wait(seconds / self.speed):
            raise InterruptedRunError("Interrupted.")

    def poll(
        self,
        look: Callable[[], T],
        within: float,
        every: float,
        *,
        until: Callable[[T], object] = bool,
        passes: Passes = _never,
    ) -> T:
        """Call ``look`` every ``every`` seconds and return the first result for which ``until`` holds.

        After ``within`` seconds, return the last result. Errors are handled as in ``repeat``.
        """
        for found in self.repeat(look, lambda _: every, within, passes):
            if until(found):
                break
        return found

    def repeat(
        self,
        look: Callable[[], T],
        every: Callable[[T | None], float],
        within: float = inf,
        passes: Passes = _never,
    ) -> Iterator[T]:
        """Call ``look`` again and again until ``within`` seconds are over, and yield each result.

        ``every`` returns the seconds until the next call, from the result; it gets None after an error for which
        ``passes`` holds. Any other error is raised, and so is the last one when the time is over.
        """
        latest: list[T] = []

        def goes_on(state: RetryCallState) -> bool:
            error = state.outcome.exception() if state.outcome else None
            return error is None or passes(error)

        def wait(_: RetryCallState) -> float:
            return every(latest[0] if latest else None)

        for attempt in self._retrying(within, goes_on, wait):
            latest.clear()
            with attempt:
                latest.append(look())
            yield from latest

    def retry(
        self, work: Callable[[], T], within: float, passes: Passes, tell: Callable[[BaseException], None]
    ) -> T:
        """Call ``work`` again for ``within`` seconds while it raises an error for which ``passes`` holds; return
        its result.

        ``tell`` is called with each such error. The pauses grow from half a second to five. The last error is raised
        unchanged.
        """
        from tenacity import retry_if_exception, wait_exponential

        def before_sleep(state: RetryCallState) -> None:
            error = state.outcome and state.outcome.exception()
            assert error
            tell(error)

        wait = wait_exponential(multiplier=0.5, min=0.5, max=5)
        return self._retrying(within, retry_if_exception(passes), wait, before_sleep)(work)

    def _retrying(
        self,
        within: float,
        goes_on: Callable[[RetryCallState], bool],
        wait: Callable[[RetryCallState], float],
        before_sleep: Callable[[RetryCallState], None] | None = None,
    ) -> Retrying:
        """Retries by this clock. A try that began in time is followed by one more, or a slow call would be the
        only one."""
        from tenacity import Retrying

        deadline, is_last = self.now() + within, False

        def begin(_: RetryCallState) -> None:
            nonlocal is_last
            is_last = self.now() >= deadline

        return Retrying(
            before=begin,
            retry=goes_on,
            stop=lambda _: is_last,
            wait=wait,
            sleep=self.sleep,
            before_sleep=before_sleep,
            retry_error_callback=lambda state: state.outcome.result() if state.outcome else None,
        )

    def stop(self) -> None:
        """Wake every sleeping thread, so that Ctrl-C ends all waits."""
        self._stopped.set()
