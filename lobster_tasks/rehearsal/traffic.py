"""Visitors: continuous requests over persistent connections, and one WebSocket that stays open."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException
from websockets.typing import Origin, Subprotocol

from ..aws import Aws
from ..http_client import Client, Response, trusting
from ..probe import PAGE_STATUSES

_VISITORS = 4
_THINKING_SECONDS = 0.01  # real ones: visitors have their own speed
_ANSWER_WITHIN_SECONDS = 30.0
_LOOKS_EVERY_SECONDS = 0.2


@dataclass
class Traffic:
    """Requests ``url`` + ``path`` for the duration of the block; an answer that is not a page, or none, is a
    failure.

    ``websocket`` is a path on which one connection is opened at the start and kept open. ``authority`` (PEM) is
    trusted instead of this machine's own. A new ``url`` applies from the next request on. After each answer a visitor
    pauses for ``thinking_seconds``, or for ``thinking_ratio`` times as long as the answer took, if that is longer: then
    visitors do not form a queue on a slow machine.
    """

    url: str
    path: str
    websocket: str | None = None
    name: str = "traffic"
    thinking_seconds: float = _THINKING_SECONDS
    thinking_ratio: float = 0.0
    authority: str = ""
    sent: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    socket_opened: bool = False
    socket_lived_seconds: float = 0.0
    _stop: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Self:
        workers = [self._visit] * _VISITORS + ([self._hold] if self.websocket else [])
        self._threads = [threading.Thread(target=work, daemon=True) for work in workers]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(_ANSWER_WITHIN_SECONDS)

    @property
    def failed(self) -> int:
        """How many requests failed."""
        return self.failures.total()

    @property
    def said(self) -> str:
        """The number of requests, and the kinds of failures."""
        kinds = "".join(f", {count} × {kind}" for kind, count in self.failures.most_common())
        return f"{self.sent} requests, {self.failed} failed{kinds}"

    def _visit(self) -> None:
        with self._client() as client:
            while not self._stop.is_set():
                began = time.monotonic()
                self._count(self._ask(client))
                took = time.monotonic() - began
                self._stop.wait(max(self.thinking_seconds, self.thinking_ratio * took))

    def _client(self) -> Client:
        # No proxy is needed for this machine, and looking for one takes a third of the time.
        return Client(authority=self.authority, by_proxy=False)

    def _ask(self, client: Client) -> str | None:
        # Redirects are not followed, because they may lead to other machines.
        return _failure(client.request(f"{self.url}{self.path}", _ANSWER_WITHIN_SECONDS))

    def _count(self, failure: str | None) -> None:
        with self._lock:
            self.sent += 1
            if failure:
                self.failures[failure] += 1

    def _hold(self) -> None:
        started = time.monotonic()
        try:
            # In one thread: over TLS, a thread that writes while another one reads loses data.
            asyncio.run(self._until_closed())
        except (WebSocketException, OSError) as error:
            if not self.socket_opened:
                self._count(f"WebSocket {type(error).__name__}")
        self.socket_lived_seconds = time.monotonic() - started

    async def _until_closed(self) -> None:
        async with self._connect() as socket:
            self.socket_opened = True
            while not self._stop.is_set():
                with suppress(TimeoutError):
                    await asyncio.wait_for(socket.recv(), _LOOKS_EVERY_SECONDS)

    def _connect(self) -> connect:
        assert self.websocket is not None
        parts = urlsplit(self.url)
        streamlit = self.websocket.endswith("/_stcore/stream")
        secure = parts.scheme == "https"
        return connect(
            f"{'wss' if secure else 'ws'}://{parts.netloc}{self.websocket}",
            origin=Origin(self.url),
            subprotocols=[Subprotocol("streamlit")] if streamlit else None,
            ssl=trusting(self.authority) if secure else None,
        )


def _failure(answer: Response) -> str | None:
    """The status of an answer that is not a page to visitors (as in the probe), or why there is none."""
    return None if answer.status in PAGE_STATUSES and not answer.is_error_page else answer.said


@dataclass(kw_only=True)
class TrafficByName(Traffic):
    """Visitors of a domain: they resolve it with Route 53, cache the address for the time to live, and connect to
    it.

    ``url`` contains the domain. They follow redirects to HTTPS, where no authority has signed an embedded AWS's
    certificate: the caller handles these warnings. They cache for at most ``ttl`` seconds of AWS's time.
    """

    aws: Aws
    zone: str
    ttl: float = 60.0
    _known: threading.local = field(default_factory=threading.local)

    def _client(self) -> Client:
        return Client(urlsplit(self.url).netloc, checked=False, by_proxy=False)

    def _ask(self, client: Client) -> str | None:
        domain = urlsplit(self.url).netloc
        address = self._where(domain)
        answer = client.request(f"http://{address}{self.path}", _ANSWER_WITHIN_SECONDS)
        target = urlsplit(answer.headers.get("location", ""))
        if (target.scheme, target.hostname) == ("https", domain):
            answer = client.request(f"https://{address}{self.path}", _ANSWER_WITHIN_SECONDS)
        return _failure(answer)

    def _where(self, domain: str) -> str:
        """The address in this visitor's resolver cache (TestDNSAnswer)."""
        if time.monotonic() >= getattr(self._known, "until", 0.0):
            asked = {"HostedZoneId": self.zone, "RecordName": domain, "RecordType": "A"}
            found = self.aws.call("route53:TestDNSAnswer", domain, **asked)
            self._known.address = found["RecordData"][0].rstrip(".")
            self._known.until = time.monotonic() + random.uniform(0.5, 1.0) * self.ttl / self.aws.clock.speed
        return str(self._known.address)
