"""Small real web servers that tests put behind a load balancer."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import ssl
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from tests.embedded_process import PATIENCE

MEGABYTE = 1 << 20
LINE_LIMIT = 65_536  # bytes of a header, which a load balancer may make long


@dataclass
class Seen:
    """A request as the site got it."""

    method: str
    path: str
    headers: list[tuple[str, str]]
    connection: int

    def header(self, name: str) -> str | None:
        """The first header of this name."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


@dataclass(eq=False)
class Site:
    """A web server with a name, on one address, in a thread of its own.

    It answers ``/`` with its name; what else it does is in ``_routes``. ``health`` is the status that it answers
    to health checks; they are kept in ``checks``, all other requests in ``seen``.
    """

    name: str
    address: str
    port: int
    health: int = 200
    seen: list[Seen] = field(default_factory=list)
    checks: list[Seen] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    release: threading.Event = field(default_factory=threading.Event)
    tls: ssl.SSLContext | None = None

    def __post_init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._runner: web.AppRunner | None = None
        self._thread = threading.Thread(target=self._run, name=f"site {self.name}", daemon=True)
        self._thread.start()
        self._do(self._start())

    def connections(self) -> int:
        """How many connections are open."""
        assert self._runner is not None
        assert self._runner.server is not None
        return len(self._runner.server.connections)

    def hang_up(self) -> None:
        """Close every connection in the middle of whatever passes on it."""
        self.loop.call_soon_threadsafe(self._abort)

    def _abort(self) -> None:
        assert self._runner is not None
        assert self._runner.server is not None
        for connection in self._runner.server.connections:
            if connection.transport is not None:
                connection.transport.abort()

    def stop(self) -> None:
        """Stop serving; open connections are closed."""
        self.release.set()
        if self._runner is not None:
            self._do(self._end(self._runner))
            self._runner = None
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join(timeout=PATIENCE)
            self.loop.close()

    def _do(self, work: Any) -> None:
        asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout=PATIENCE)

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    async def _end(self, runner: web.AppRunner) -> None:
        """Stop accepting and let what is coming in settle first: asyncio drops it unclosed otherwise.

        TLS would end with what the client says to it, which may come after the loop has stopped.
        """
        asyncio.get_running_loop().remove_reader(self._socket)
        await asyncio.sleep(0.01)
        if self.tls:
            self._abort()
        await runner.cleanup()

    async def _start(self) -> None:
        app = web.Application(client_max_size=64 * MEGABYTE, middlewares=[self._note])
        for path, handler in self._routes().items():
            app.router.add_route("*", path, handler)
        self._runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=0.1, auto_decompress=False, max_field_size=LINE_LIMIT
        )
        await self._runner.setup()
        self._socket = socket.create_server((self.address, self.port), backlog=128)
        await web.SockSite(self._runner, self._socket, ssl_context=self.tls).start()

    def _routes(self) -> dict[str, Callable[[web.Request], Awaitable[web.StreamResponse]]]:
        return {
            "/health": self._health,
            "/upload": self._upload,
            "/download": self._download,
            "/events": self._events,
            "/wait": self._wait,
            "/die": self._die,
            "/half": self._half,
            "/cookie": self._cookie,
            "/headers": self._headers,
            "/ws": self._websocket,
            "/{rest:.*}": self._hello,
        }

    @web.middleware
    async def _note(self, request: web.Request, handler: Any) -> web.StreamResponse:
        headers = [(name.decode(), value.decode("latin-1")) for name, value in request.raw_headers]
        kept = self.checks if request.path == "/health" else self.seen
        kept.append(Seen(request.method, request.raw_path, headers, id(request.transport)))
        answered: web.StreamResponse = await handler(request)
        return answered

    async def _hello(self, request: web.Request) -> web.StreamResponse:
        headers = {"X-Site": self.name, "Connection": "keep-alive", "Server": "site"}
        return web.Response(text=self.name, headers=headers)

    async def _health(self, request: web.Request) -> web.StreamResponse:
        return web.Response(status=self.health, text="ok")

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        digest, length = hashlib.sha256(), 0
        async for chunk in request.content.iter_any():
            digest.update(chunk)
            length += len(chunk)
        return web.json_response({"length": length, "sha256": digest.hexdigest()})

    async def _download(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(int(request.query["megabytes"])):
            await response.write(b"x" * MEGABYTE)
        await response.write_eof()
        return response

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """One event at once, the next when the test says so."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        await response.write(b"data: first\n\n")
        try:
            await self._released(request)
            await response.write(b"data: second\n\n")
            await response.write_eof()
        except ConnectionError:
            self.gone.append(request.path)
        return response

    async def _wait(self, request: web.Request) -> web.StreamResponse:
        """Answers when the test says so."""
        await self._released(request)
        return web.Response(text=f"{self.name} waited")

    async def _released(self, request: web.Request) -> None:
        while not self.release.is_set():
            if request.transport is None:
                self.gone.append(request.path)
                raise ConnectionResetError("the client left")
            await asyncio.sleep(0.01)

    async def _die(self, request: web.Request) -> web.StreamResponse:
        """Closes the connection without an answer."""
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    async def _half(self, request: web.Request) -> web.StreamResponse:
        """Promises more than it sends."""
        response = web.StreamResponse(headers={"Content-Length": "100"})
        await response.prepare(request)
        await response.write(b"half")
        assert request.transport is not None
        request.transport.close()
        return response

    async def _cookie(self, request: web.Request) -> web.StreamResponse:
        response = web.Response(text=self.name)
        response.set_cookie("session", "1")
        return response

    async def _headers(self, request: web.Request) -> web.Response:
        """So many headers of 1000 bytes."""
        headers = {f"X-{number:03}": "y" * 993 for number in range(int(request.query["count"]))}
        return web.Response(text=self.name, headers=headers)

    async def _websocket(self, request: web.Request) -> web.StreamResponse:
        """Sends back what it gets; ``close <code>`` closes with that code, ``name`` says who it is."""
        opened = web.WebSocketResponse(protocols=("streamlit",), max_msg_size=0, heartbeat=None)
        await opened.prepare(request)
        async for message in opened:
            if message.type is aiohttp.WSMsgType.BINARY:
                await opened.send_bytes(message.data)
            elif message.data.startswith("close "):
                await opened.close(code=int(message.data[6:]), message=b"as asked")
            else:
                await opened.send_str(self.name if message.data == "name" else message.data)
        self.gone.append(f"websocket {opened.close_code}")
        return opened
