"""Forwards to the client: a target's response, streamed, or a WebSocket."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.http import StreamWriter
from multidict import CIMultiDict

from .upstream import BrokenError, Connection, Reply, SilentError

HOP_BY_HOP = frozenset({"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"})
NOTHING: Mapping[str, str] = {}
HIGH_WATER = 1 << 20  # bytes that may wait for a slow reader before the sender is paused


class Relayed(web.StreamResponse):
    """A target's response head, unchanged: aiohttp adds no ``Server`` and no ``Content-Type`` of its own.

    ``server`` replaces that header where the proxy names itself; ``more`` are headers that the proxy sets, and
    ``status`` replaces the target's.
    """

    def __init__(
        self,
        request: web.BaseRequest,
        reply: Reply,
        cookies: Iterable[str],
        *,
        at_once: bool = False,
        server: str | None = None,
        more: Mapping[str, str] = NOTHING,
        status: int | None = None,
    ) -> None:
        self._request = request
        message = reply.message
        named = message.headers.get("Connection", "").lower().split(",")
        dropped = HOP_BY_HOP | {name.strip() for name in named}
        headers = CIMultiDict((k, v) for k, v in message.headers.items() if k.lower() not in dropped)
        if message.code == 101:
            headers["Connection"], headers["Upgrade"] = "Upgrade", "websocket"
        if server is not None:
            headers["Server"] = server
        headers.update(more)
        for cookie in cookies:
            headers.add("Set-Cookie", cookie)
        reason = message.reason if status is None else None
        super().__init__(status=status or message.code, reason=reason, headers=headers)
        self._send_headers_immediately = not at_once
        self._unwanted = [name for name in ("Server", "Content-Type") if name not in headers]

    async def _prepare_headers(self) -> None:
        await super()._prepare_headers()
        for name in self._unwanted:
            self.headers.popall(name, None)

    async def _write_headers(self) -> None:
        """Write a head with bytes that are not UTF-8 here, because aiohttp omits them."""
        if all(value.isascii() for value in self.headers.values()):
            await super()._write_headers()
            return
        version = self._request.version
        lines = [f"HTTP/{version.major}.{version.minor} {self.status} {self.reason}"]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        head = "\r\n".join([*lines, "", ""]).encode("utf-8", "surrogateescape")
        if self._request.transport is None:
            raise ConnectionResetError("the client left")
        self._request.transport.write(head)
        self._request.writer.output_size += len(head)


async def send_reply(
    request: web.BaseRequest,
    reply: Reply,
    cookies: Iterable[str],
    server: str | None = None,
    more: Mapping[str, str] = NOTHING,
    status: int | None = None,
) -> web.StreamResponse:
    """Stream a response to the client; raises BrokenError or SilentError when the target does not finish it.

    ``server``, ``more`` and ``status`` as for ``Relayed``.
    """
    whole = reply.body.is_eof()
    response = Relayed(request, reply, cookies, at_once=whole, server=server, more=more, status=status)
    await response.prepare(request)
    if whole:
        await response.write_eof(reply.body.read_nowait())
        return response
    while chunk := await _next_chunk(reply):
        await response.write(chunk)
    await response.write_eof()
    return response


async def _next_chunk(reply: Reply) -> bytes:
    try:
        return await reply.body.readany()
    except aiohttp.SocketTimeoutError:
        raise SilentError from None
    except (aiohttp.ClientPayloadError, aiohttp.ClientConnectionError) as error:
        raise BrokenError(str(error)) from error


class Pipe:
    """Forwards bytes from one side of a WebSocket to the other.

    aiohttp passes it bytes as to its own WebSocket parser; frames are forwarded unparsed, so that whatever the
    two sides agreed on (extensions, fragments, close codes) stays valid.
    """

    def __init__(self, tunnel: Tunnel, source: Any, sink: Any, counts: bool = True) -> None:
        self._tunnel = tunnel
        self._counts = counts
        self._source = source
        self._sink = sink
        self._writer = StreamWriter(sink, tunnel.loop)
        self._waiting: asyncio.Task[None] | None = None

    def feed_data(self, data: bytes) -> tuple[bool, bytes]:
        """Forward bytes; returns ``(ended, rest)`` as aiohttp requires."""
        if self._counts:
            self._tunnel.active_at = self._tunnel.loop.time()
        out = self._sink.transport
        if out is None or out.is_closing():
            self._tunnel.end()
            return True, b""
        out.write(data)
        if out.get_write_buffer_size() > HIGH_WATER and self._waiting is None:
            self._source.transport.pause_reading()
            self._waiting = self._tunnel.loop.create_task(self._resume())
        return False, b""

    def feed_eof(self) -> None:
        """The source closed its side."""
        self._tunnel.end()

    async def _resume(self) -> None:
        try:
            await self._writer.drain()
        except ConnectionError:
            self._tunnel.end()
        self._waiting = None
        if self._source.transport is not None:
            self._source.transport.resume_reading()


class Tunnel:
    """An open WebSocket: forwards bytes until a side closes, ``idle`` real seconds pass, or it is cut.

    ``by_target_only``: only bytes from the target count as activity.
    """

    def __init__(self, idle: float, by_target_only: bool = False) -> None:
        self._by_target_only = by_target_only
        self.loop = asyncio.get_running_loop()
        self.active_at = self.loop.time()
        self._idle = idle
        self._ended = asyncio.Event()

    def end(self) -> None:
        """Close both sides."""
        self._ended.set()

    async def run(self, request: web.BaseRequest, connection: Connection, response: Relayed) -> None:
        """Answer 101 and forward bytes; the target's connection is closed when this returns."""
        front: Any = request.protocol
        back: Any = connection.protocol
        await response.prepare(request)
        try:
            front.set_parser(Pipe(self, front, back, counts=not self._by_target_only))
            back.set_parser(Pipe(self, back, front), None)
            await self._until_ended()
        finally:
            connection.close()
            if request.transport is not None:
                request.transport.close()

    async def _until_ended(self) -> None:
        while not self._ended.is_set():
            left = self.active_at + self._idle - self.loop.time()
            if left <= 0:
                return
            try:
                async with asyncio.timeout(left):
                    await self._ended.wait()
            except TimeoutError:
                continue
