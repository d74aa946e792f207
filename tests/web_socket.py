"""WebSockets for tests: calls that wait, as in ``websockets.sync``, over TLS too.

``websockets.sync`` reads and writes in two threads, and of OpenSSL "most objects are not safe for simultaneous use"
(openssl-threads(7)): over TLS a few of a thousand handshakes fail at the side that uses it. Here one thread does both,
with asyncio.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from functools import cache
from typing import Any, Self, TypeVar

from websockets.asyncio import client
from websockets.typing import Data, Subprotocol

from tests.embedded_process import PATIENCE

T = TypeVar("T")


_STARTING = threading.Lock()


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="web-socket", daemon=True).start()
    return loop


def _done(work: Coroutine[Any, Any, T]) -> T:
    with _STARTING:  # the cache alone lets two threads start one each
        loop = _loop()
    return asyncio.run_coroutine_threadsafe(work, loop).result()


@contextmanager
def running(make: Callable[[], AbstractAsyncContextManager[T]]) -> Iterator[T]:
    """What answers during the block: a server of ``websockets.asyncio``, which is made where it runs."""

    async def started() -> tuple[AbstractAsyncContextManager[T], T]:
        server = make()
        return server, await server.__aenter__()

    async def ended() -> None:
        await server.__aexit__(None, None, None)

    server, entered = _done(started())
    try:
        yield entered
    finally:
        _done(ended())


class WebSocket:
    """An open connection; it is closed at the end of its block. Errors are those of ``websockets``."""

    def __init__(self, connection: client.ClientConnection) -> None:
        self._connection = connection

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def subprotocol(self) -> Subprotocol | None:
        """What both ends have agreed upon."""
        return self._connection.subprotocol

    def send(self, message: Data | Iterable[Data]) -> None:
        """Send a message, or the parts of one as they come."""
        whole = isinstance(message, str | bytes | bytearray | memoryview)
        _done(self._connection.send(message if whole else _parts(iter(message))))  # type: ignore[arg-type]

    def recv(self, timeout: float | None = None) -> Data:
        """The next message, or TimeoutError after so many seconds."""
        return _done(asyncio.wait_for(self._connection.recv(), timeout))

    def close(self, code: int = 1000) -> None:
        """Close it, and wait until the other end has done so as well."""
        _done(self._connection.close(code))


async def _parts(parts: Iterator[Data]) -> AsyncIterator[Data]:
    while (part := await asyncio.to_thread(next, parts, None)) is not None:
        yield part


def connect(uri: str, **options: Any) -> WebSocket:
    """Open a connection, with the options of ``websockets.asyncio.client.connect``, and time for a slow machine."""
    options = {"open_timeout": PATIENCE, "close_timeout": PATIENCE, "ping_timeout": None, **options}

    async def opened() -> client.ClientConnection:
        return await client.connect(uri, **options)

    return WebSocket(_done(opened()))
