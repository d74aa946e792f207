"""Visitors of a benchmark: kept-alive clients that ask without pause, and open WebSockets; and the app they visit."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import requests
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from lobster_tasks import converge, stack
from lobster_tasks.aws import Aws
from lobster_tasks.clock import Clock
from lobster_tasks.images import options_of, push_image
from lobster_tasks.rollout import deploy
from lobster_tasks.settings import Settings

CLIENTS, SOCKETS = 50, 10
_APP = """
import asyncio, os
from aiohttp import web

async def page(request):
    return web.Response(text=os.environ["RELEASE"])

async def stream(request):
    socket = web.WebSocketResponse()
    await socket.prepare(request)
    async for message in socket:
        await socket.send_str(message.data)
    return socket

app = web.Application()
app.add_routes([web.get("/ws", stream), web.get("/{path:.*}", page)])
web.run_app(app, host="0.0.0.0", port=8501, print=None)
"""
_DOCKERFILE = (
    'FROM python\nARG RELEASE\nENV RELEASE=$RELEASE\nCOPY app.py /app.py\nCMD ["python", "/app.py"]\n'
)


def an_account(url: str, speed: float) -> Aws:
    """The embedded AWS at ``url``, as the library sees it."""
    keys = {"aws_access_key_id": "benchmark", "aws_secret_access_key": "benchmark"}
    return Aws("us-east-2", clock=Clock(speed), endpoint_url=url, credentials=keys)


def first_release(aws: Aws, settings: Settings, folder: Path, *later: str) -> str:
    """Set up, push ``one`` and the tags ``later``, and release ``one``; its address."""
    (folder / "app.py").write_text(_APP)
    (folder / settings.dockerfile).write_text(_DOCKERFILE)
    converge.bring(aws, stack.build(settings, aws.account))
    for tag in ("one", *later):
        push_image(aws, settings, tag, folder, "process", options_of(settings, {"RELEASE": tag}))
    ended = deploy(aws, settings, "one")
    assert ended.url, ended
    return ended.url


@contextlib.contextmanager
def at_work(stop: threading.Event, work: Iterable[Callable[[], None]]) -> Iterator[None]:
    """All of ``work`` side by side as long as the block, at whose end ``stop`` is set and everybody waited for."""
    threads = [threading.Thread(target=each) for each in work]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=60)


@dataclass
class Crowd:
    """Clients that ask without pause, and WebSockets that speak ten times a second."""

    url: str
    answers: Counter[str] = field(default_factory=Counter)
    closed: list[float] = field(default_factory=list)
    started: float = 0.0
    _stop: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def failed(self) -> int:
        """Answers other than 200."""
        return self.answers.total() - self.answers["200"]

    @contextlib.contextmanager
    def present(self) -> Iterator[None]:
        """The crowd is there as long as the block."""
        ready = threading.Barrier(SOCKETS + 1)
        with at_work(self._stop, [self._ask] * CLIENTS + [partial(self._listen, ready)] * SOCKETS):
            ready.wait(timeout=60)
            self.started = time.monotonic()
            yield

    def _ask(self) -> None:
        with requests.Session() as session:
            while not self._stop.is_set():
                try:
                    answer = str(session.get(self.url, timeout=60).status_code)
                except requests.RequestException as error:
                    answer = type(error).__name__
                with self._lock:
                    self.answers[answer] += 1
                self._stop.wait(0.02)

    def _listen(self, ready: threading.Barrier) -> None:
        with connect(f"ws://{urlsplit(self.url).netloc}/ws") as socket:
            ready.wait(timeout=60)
            try:
                while not self._stop.is_set():
                    socket.send("still here")
                    socket.recv(timeout=10)
                    self._stop.wait(0.1)
            except (WebSocketException, TimeoutError):
                with self._lock:
                    self.closed.append(time.monotonic())
