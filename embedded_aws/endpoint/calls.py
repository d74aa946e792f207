"""Records the calls that the endpoint has served, so that tests can verify them."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from ..iam.access.query import AuthorizationQuery
from ..moto.wire import Call

KEPT = 100_000

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ServedCall:
    """One call: its number since the start, what handled it (``package:Class`` or ``moto``), and the result.

    ``status`` is None when the connection was dropped. ``asked`` are the authorization queries about a caller that
    IAM knows.
    """

    n: int
    service: str
    operation: str
    mutating: bool
    region: str
    handler: str
    status: int | None
    asked: tuple[AuthorizationQuery, ...] = ()


class CallLog:
    """The last calls, oldest first; safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._calls: deque[ServedCall] = deque(maxlen=KEPT)
        self._n = 0

    def add(
        self, call: Call, handler: str, status: int | None, asked: Iterable[AuthorizationQuery] = ()
    ) -> None:
        """Record an answered call."""
        with self._lock:
            self._n += 1
            served = ServedCall(
                self._n,
                call.service,
                call.operation,
                call.mutating,
                call.region,
                handler,
                status,
                tuple(asked),
            )
            self._calls.append(served)
        log.info("%d %s %s -> %s", served.n, call.region, call, status or "dropped")

    def clear(self) -> None:
        """Forget the calls; numbering continues."""
        with self._lock:
            self._calls.clear()

    def listing(self) -> list[dict[str, Any]]:
        """Every recorded call, as JSON-ready objects."""
        with self._lock:
            return [asdict(served) for served in self._calls]
