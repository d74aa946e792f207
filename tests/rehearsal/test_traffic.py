"""Visitors of a rehearsal: whom they count as turned away."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from statistics import fmean

import pytest

from lobster_tasks.aws import Aws
from lobster_tasks.rehearsal.traffic import Traffic, TrafficByName
from tests.embedded.zones import Zone, simple
from tests.embedded_process import EmbeddedProcess, eventually
from tests.serving import in_background

DOMAIN = "app.example.com"


class Silent(BaseHTTPRequestHandler):
    """Answers without a body, and logs nothing."""

    def answer(self, status: int) -> None:
        """Answer with a status."""
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def answering(status: int) -> Iterator[str]:
    """A server that answers everything with a status; its address."""

    class Page(Silent):
        def do_GET(self) -> None:
            self.answer(status)

    with in_background(ThreadingHTTPServer(("127.0.0.1", 0), Page)) as address:
        yield address


@pytest.mark.parametrize(
    ("status", "turned_away"), [(200, False), (302, False), (401, False), (404, True), (503, True)]
)
def test_who_gets_no_page_is_turned_away(status: int, turned_away: bool) -> None:
    with answering(status) as address, Traffic(f"http://{address}", "/") as visitors:
        eventually(lambda: visitors.sent > 3)
    assert visitors.failures == ({str(status): visitors.sent} if turned_away else {})


def test_who_gets_an_error_page_is_turned_away_whatever_its_status() -> None:
    class Page(Silent):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("X-Cache", "Error from cloudfront")
            self.send_header("Content-Length", "0")
            self.end_headers()

    with (
        in_background(ThreadingHTTPServer(("127.0.0.1", 0), Page)) as address,
        Traffic(f"http://{address}", "/") as visitors,
    ):
        eventually(lambda: visitors.sent > 3)
    assert visitors.failures == {"200, an error page of CloudFront": visitors.sent}


def test_visitors_who_think_longer_than_they_wait_form_no_queue() -> None:
    """Whom a server answers one by one: all four wait there again and again, or seldom more than one."""
    with one_by_one(0.02) as (address, waiting), Traffic(f"http://{address}", "/", thinking_seconds=0.0):
        eventually(lambda: waiting.count(4) > 9)
    with one_by_one(0.02) as (address, waiting):
        with Traffic(f"http://{address}", "/", thinking_seconds=0.0, thinking_ratio=9.0) as visitors:
            eventually(lambda: visitors.sent > 60)
        assert fmean(waiting) < 2


@contextmanager
def one_by_one(seconds: float) -> Iterator[tuple[str, list[int]]]:
    """A server that needs ``seconds`` for an answer; its address, and how many visitors waited at each arrival."""
    waiting: list[int] = []
    one, counting, there = threading.Lock(), threading.Lock(), set[threading.Thread]()

    class Page(Silent):
        def do_GET(self) -> None:
            with counting:
                there.add(threading.current_thread())
                waiting.append(len(there))
            with one:
                time.sleep(seconds)
            with counting:
                there.discard(threading.current_thread())
            self.answer(200)

    with in_background(ThreadingHTTPServer(("127.0.0.1", 0), Page)) as address:
        yield address, waiting


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
