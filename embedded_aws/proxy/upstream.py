"""Persistent connections from the load balancer to targets.

aiohttp's client protocol parses HTTP; this module adds what a proxy needs: a connection is reused
only if nothing has arrived on it meanwhile (a target that closes an idle connection is noticed before the
request is sent, not after), and the caller decides what may be sent again.
"""

from __future__ import annotations

import asyncio
import select
import ssl
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import aiohttp
from aiohttp.client_proto import ResponseHandler
from aiohttp.http import RawResponseMessage
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.streams import StreamReader

Reach = Callable[[], tuple[str, int]]
"""Returns the host and port on this machine of a target."""

CONNECT_SECONDS = 3.0  # a loopback address answers or refuses at once, unless its backlog is full
LINE_LIMIT = 65_536  # a target's headers may be longer than a client's


class UnreachableError(Exception):
    """The connection to a target could not be opened; ``refused`` unless it timed out."""

    def __init__(self, refused: bool) -> None:
        super().__init__("refused" if refused else "timed out")
        self.refused = refused


class BrokenError(Exception):
    """The target closed or reset the connection, or sent data that is not HTTP."""


class SilentError(Exception):
    """The target sent nothing within the time limit."""


@dataclass(frozen=True)
class Reply:
    """The head of a target's response, and its body, which follows."""

    message: RawResponseMessage
    body: StreamReader


class Connection:
    """One connection to a target; serves one request after another."""

    def __init__(self, protocol: ResponseHandler, transport: asyncio.Transport) -> None:
        self.protocol = protocol
        self.transport = transport
        self.reused = False
        self._poll = select.poll()
        self._poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)

    @classmethod
    async def open(
        cls, address: str, port: int, tls: bool = False, seconds: float = CONNECT_SECONDS
    ) -> Connection:
        """Connect, within ``seconds`` (real); raises UnreachableError."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(seconds):
                transport, protocol = await loop.create_connection(
                    lambda: ResponseHandler(loop),
                    address,
                    port,
                    ssl=_any_certificate() if tls else None,
                )
        except TimeoutError:
            raise UnreachableError(refused=False) from None
        except OSError as error:
            raise UnreachableError(refused=True) from error
        return cls(protocol, transport)

    @property
    def usable(self) -> bool:
        """Whether it is open and quiet: the target has neither closed it nor sent unexpected data."""
        return self.protocol.is_connected() and not self.protocol.should_close and not self._poll.poll(0)

    def send_head(self, head: bytes, method: str, silence: float | None) -> None:
        """Send a request's head. ``silence`` is how many real seconds the target may be silent."""
        self.protocol.set_response_params(
            skip_payload=method == "HEAD",
            read_until_eof=True,
            auto_decompress=False,
            read_timeout=silence,
            max_line_size=LINE_LIMIT,
            max_field_size=LINE_LIMIT,
        )
        self.transport.write(head)
        self.protocol.start_timeout()

    def await_silence(self, seconds: float) -> None:
        """Set how many real seconds the target may be silent from now on."""
        self.protocol.read_timeout = seconds
        self.protocol.start_timeout()

    async def reply(self) -> Reply:
        """Wait for the response's head, after any ``100 Continue``; raises BrokenError or SilentError."""
        try:
            while True:
                message, body = await self.protocol.read()
                if message.code >= 200 or message.code == 101:
                    return Reply(message, body)
        except aiohttp.SocketTimeoutError:
            raise SilentError from None
        except (aiohttp.ClientError, HttpProcessingError, OSError) as error:
            raise BrokenError(str(error)) from error

    def close(self) -> None:
        """Close after all written data is sent."""
        self.protocol.close()

    def abort(self) -> None:
        """Close now; code that waits for the target gets BrokenError."""
        self.transport.abort()


class Pool:
    """The idle connections to one port of a target; ``reach`` returns where it is, for each new connection."""

    def __init__(self, reach: Reach, tls: bool = False) -> None:
        self._reach = reach
        self._tls = tls
        self._idle: deque[Connection] = deque()

    async def take(self, fresh: bool = False) -> Connection:
        """An open connection; a new one if ``fresh`` or if none is idle; raises UnreachableError."""
        while self._idle and not fresh:
            connection = self._idle.pop()
            if connection.usable:
                connection.reused = True
                return connection
            connection.close()
        return await Connection.open(*self._reach(), self._tls)

    def give_back(self, connection: Connection, message: RawResponseMessage) -> None:
        """Keep a connection whose response was read completely, if it can serve another request."""
        while self._idle and not self._idle[0].protocol.is_connected():
            self._idle.popleft()
        if message.should_close or connection.protocol.should_close:
            connection.close()
        else:
            connection.protocol.read_timeout = None
            self._idle.append(connection)

    def close(self) -> None:
        """Close the idle connections."""
        while self._idle:
            self._idle.pop().close()


def _any_certificate() -> ssl.SSLContext:
    """A TLS context without verification: a load balancer does not verify its targets' certificates."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
