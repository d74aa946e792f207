"""The loopback port of a load balancer, service or distribution: the first byte distinguishes TLS from plain HTTP."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from enum import Enum
from functools import partial

from aiohttp import HttpVersion10, HttpVersion11, web
from aiohttp.web_protocol import RequestHandler

from . import pages

TLS_HANDSHAKE = 0x16  # the first byte that a TLS client sends
LINE_LIMIT = 16_384  # per request line and per header, "Troubleshoot your ALB", HTTP 400
BACKLOG = 512
SPOKEN = (HttpVersion10, HttpVersion11)
"""Versions of HTTP that a request names in its first line; HTTP/2 has none, and is not spoken here."""

ErrorPage = Callable[[int], web.Response]
"""Returns the page for a status; the connection ends with it."""

BALANCERS_PAGE: ErrorPage = partial(pages.page, close=True)

Handle = Callable[[bool, web.BaseRequest], Awaitable[web.StreamResponse]]


class _Protocol(RequestHandler):
    """aiohttp's request parsing, with the proxy's own error pages."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """The page for a request that is not HTTP (400), or that failed here (500, which is logged).

        A ConnectionError drops the client's connection, as does any error after the response has begun.
        """
        if isinstance(exc, ConnectionError):
            raise exc
        if status != 400:
            self.log_exception("a request failed in the proxy", exc_info=exc)
        if request.writer.output_size > 0:
            raise ConnectionError("the response has begun")
        page: ErrorPage = self._manager.error_page  # type: ignore[union-attr]
        return page(400 if status == 400 else 500)


class _Server(web.Server):
    error_page: ErrorPage

    def __call__(self) -> RequestHandler:
        return _Protocol(self, loop=self._loop, **self._kwargs)


class Mode(Enum):
    """How connections are handled."""

    CLOSED = "refused: nothing listens yet"
    REFUSING = "closed at once: no listener any more"
    SILENT = "never answered: security groups drop the packets"
    SERVING = "served"


class FrontDoor:
    """Owns the port from the creation of the load balancer on, so that its DNS name never changes.

    ``handle(secure, request)`` answers a request. ``error_page`` is for input that is not HTTP, or has lines longer
    than ``line_limit``; by default it is a load balancer's.
    """

    def __init__(
        self,
        handle: Handle,
        error_page: ErrorPage = BALANCERS_PAGE,
        line_limit: int = LINE_LIMIT,
    ) -> None:
        self._handle = handle
        self._error_page = error_page
        self._line_limit = line_limit
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self._mode = Mode.CLOSED
        self._idle = 60.0
        self._servers: dict[bool, _Server] = {}
        self._old_servers: list[_Server] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._let_through = asyncio.Event()
        self.plain = False
        self.tls: ssl.SSLContext | None = None

    @property
    def port(self) -> int:
        """The port, also before anything listens."""
        return int(self._socket.getsockname()[1])

    def set_idle(self, seconds: float) -> None:
        """Set how many real seconds a connection may be idle; applies to new connections."""
        if seconds != self._idle:
            self._idle = seconds
            self._old_servers += self._servers.values()
            self._servers = {}

    def set_mode(self, mode: Mode) -> None:
        """Change how connections are handled; on the data-plane thread."""
        never_listened = self._mode is Mode.CLOSED and mode is Mode.REFUSING
        if mode is self._mode or mode is Mode.CLOSED or never_listened:
            return
        loop = asyncio.get_running_loop()
        if self._mode is Mode.CLOSED:
            self._socket.listen(BACKLOG)
        loop.remove_reader(self._socket)
        if mode is Mode.SILENT:
            self._let_through.clear()
        else:
            self._let_through.set()
            loop.add_reader(self._socket, self._accept)
        self._mode = mode

    def close(self) -> None:
        """Close the port and every connection; on the data-plane thread."""
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._socket)
        self._socket.close()
        for task in self._tasks:
            task.cancel()
        for server in [*self._servers.values(), *self._old_servers]:
            for connection in server.connections:
                connection.force_close()

    def _accept(self) -> None:
        try:
            connection, _ = self._socket.accept()
        except OSError:  # the client has disconnected already
            return
        if self._mode is not Mode.SERVING:
            connection.close()
            return
        connection.setblocking(False)
        task = asyncio.get_running_loop().create_task(self._serve(connection))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, connection: socket.socket) -> None:
        try:
            first = await self._first_byte(connection)
            await self._let_through.wait()
            secure = first == TLS_HANDSHAKE
            if first is None or not (self.tls if secure else self.plain):
                connection.close()
                return
            await asyncio.get_running_loop().connect_accepted_socket(
                self._server(secure), connection, ssl=self.tls if secure else None
            )
        except OSError:  # the client disconnected, or the handshake failed
            connection.close()
        except asyncio.CancelledError:
            connection.close()
            raise

    async def _first_byte(self, connection: socket.socket) -> int | None:
        """The client's first byte, which stays unread; None if the client closes or sends nothing."""
        loop = asyncio.get_running_loop()
        readable = asyncio.Event()
        loop.add_reader(connection, readable.set)
        try:
            async with asyncio.timeout(self._idle):
                await readable.wait()
            data = connection.recv(1, socket.MSG_PEEK)
        except (TimeoutError, OSError):
            return None
        finally:
            loop.remove_reader(connection)
        return data[0] if data else None

    def _server(self, secure: bool) -> _Server:
        if secure not in self._servers:

            async def handle(request: web.BaseRequest) -> web.StreamResponse:
                given = request._version  # what ``version`` is from then on, when it is first asked for
                if given not in SPOKEN:
                    status = 400 if given < HttpVersion10 else 505
                    request._version = HttpVersion11  # which aiohttp writes into the answer
                    return self._error_page(status)
                return await self._handle(secure, request)

            self._servers[secure] = _Server(
                handle,
                handler_cancellation=True,
                keepalive_timeout=self._idle,
                access_log=None,
                auto_decompress=False,
                max_line_size=self._line_limit,
                max_field_size=self._line_limit,
                lingering_time=2.0,
            )
            self._servers[secure].error_page = self._error_page
        return self._servers[secure]
