"""How two addresses are timed against each other, over real sockets."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from lobster_tasks.apprunner.parity import latency
from lobster_tasks.clock import Clock
from lobster_tasks.probe import PublicEndpoint

_STALL_SECONDS = 0.6
_SAMPLES = 3


@contextmanager
def serving(slow: int, order: list[str], name: str, *, slow_to_connect: bool = False) -> Iterator[str]:
    """A server whose first ``slow`` answers come late; it adds its name to ``order`` for each request.

    With ``slow_to_connect``, the first answer of every connection comes late too.
    """

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            if slow_to_connect:
                threading.Event().wait(_STALL_SECONDS)

        def do_GET(self) -> None:
            order.append(name)
            if order.count(name) <= slow:
                threading.Event().wait(_STALL_SECONDS)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def timed(slow: int) -> tuple[str, list[str]]:
    """The verdict on a new address whose first ``slow`` answers come late, and who was asked in which order."""
    order: list[str] = []
    with serving(0, order, "old") as old, serving(slow, order, "new") as new:
        return latency(Clock(), "/", PublicEndpoint(old), PublicEndpoint(new), _SAMPLES).verdict, order


def test_a_machine_that_was_busy_for_one_round_is_measured_again() -> None:
    verdict, order = timed(slow=_SAMPLES)
    assert verdict == "same"
    assert order.count("new") == 2 * _SAMPLES


def test_what_is_slow_in_every_round_differs() -> None:
    verdict, order = timed(slow=100)
    assert verdict == "differs"
    assert order.count("new") == 3 * _SAMPLES


def test_both_are_asked_in_turn_and_take_turns_at_being_first() -> None:
    _, order = timed(slow=0)
    assert order == ["new", "old", "old", "new", "new", "old"]


def test_what_opening_a_connection_takes_does_not_count() -> None:
    order: list[str] = []
    with serving(0, order, "old") as old, serving(0, order, "new", slow_to_connect=True) as new:
        row = latency(Clock(), "/", PublicEndpoint(old), PublicEndpoint(new), _SAMPLES)
    assert row.verdict == "same"
    assert order.count("new") == _SAMPLES
