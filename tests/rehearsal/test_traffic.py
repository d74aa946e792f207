"""Visitors of a rehearsal: whom they count as turned away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from lobster_tasks.aws import Aws
from lobster_tasks.rehearsal.traffic import Traffic, TrafficByName
from tests.embedded.zones import Zone, simple
from tests.embedded_process import EmbeddedProcess, eventually
from tests.serving import in_background

DOMAIN = "app.example.com"


@contextmanager
def answering(status: int) -> Iterator[str]:
    """A server that answers everything with a status; its address."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with in_background(ThreadingHTTPServer(("127.0.0.1", 0), Page)) as address:
        yield address


@pytest.mark.parametrize(
    ("status", "turned_away"), [(200, False), (302, False), (401, False), (404, True), (503, True)]
)
def test_who_gets_no_page_is_turned_away(status: int, turned_away: bool) -> None:
    with answering(status) as address, Traffic(f"http://{address}", "/") as visitors:
        eventually(lambda: visitors.sent > 3)
    assert visitors.failures == ({str(status): visitors.sent} if turned_away else {})


@pytest.mark.parametrize(("status", "turned_away"), [(200, False), (404, True)])
def test_so_is_who_is_led_there_by_name(
    aws: Aws, embedded: EmbeddedProcess, status: int, turned_away: bool
) -> None:
    zone = Zone(embedded)
    with answering(status) as address:
        zone.settle(simple(DOMAIN, address))
        with TrafficByName(f"http://{DOMAIN}", "/", aws=aws, zone=zone.id) as visitors:
            eventually(lambda: visitors.sent > 3)
    assert visitors.failures == ({str(status): visitors.sent} if turned_away else {})
