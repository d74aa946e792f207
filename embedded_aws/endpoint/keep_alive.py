"""The HTTP server: a thread per connection, persistent connections, and limits."""

from __future__ import annotations

import io
import logging
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from shutil import disk_usage
from socketserver import TCPServer, ThreadingMixIn
from tempfile import TemporaryFile, gettempdir
from typing import Any, BinaryIO, cast

from ..ecr.distribution import is_of_registry
from ..moto.adapter import MotoRequestHandler
from ..moto.dispatch import Answer
from . import framing
from .framing import MalformedRequestError
from .pages import SEALED, why_refused

log = logging.getLogger(__name__)

REPLACED = ("connection", "content-length", "date", "server", "transfer-encoding")
TOO_LARGE = "embedded.too_large"
"""A key of the environ: whether the request's body was too large and was left out."""
Application = Callable[[dict[str, Any]], Answer | None]


@dataclass(frozen=True)
class Limits:
    """The server's limits; seconds are real ones."""

    body: int = 64 * 1024**2
    """Bytes of a body. The largest call that the library needs is UploadLayerPart: 20 MB, in base64."""
    upload: int = 52_000 * 1024**2
    """Bytes of a layer that a registry's client sends at once (ECR: "Maximum layer size"); it is kept in a file."""
    free: int = 1024**3
    """Bytes of the disk that an upload leaves free."""
    request: float = 60.0
    """Seconds from the first byte of a request to its last; of an upload, from one piece to the next."""
    answer: float = 600.0
    """Seconds in which a client must accept an answer."""
    idle: float = 600.0
    """Seconds until a connection's next request begins."""
    connections: int = 1000


class SlowRequestError(Exception):
    """A request did not end in time."""


class _Reader(io.RawIOBase):
    """Reads from a client with timeouts: TimeoutError before a request, SlowRequestError within one."""

    def __init__(self, connection: socket.socket, limits: Limits) -> None:
        self._connection, self._limits = connection, limits
        self._until: float | None = None

    def readable(self) -> bool:
        """It is."""
        return True

    def await_request(self) -> None:
        """Expect a new request."""
        self._until = None

    def allow_more(self) -> None:
        """Begin the time for the rest of the request anew."""
        self._until = time.monotonic() + self._limits.request

    def readinto(self, buffer: Any, /) -> int:
        """Read available bytes, or wait for them."""
        began = self._until is not None
        left = self._limits.idle if self._until is None else self._until - time.monotonic()
        try:
            self._connection.settimeout(max(left, 0.001))
            read = self._connection.recv_into(buffer)
        except TimeoutError as late:
            if began:
                raise SlowRequestError from late
            raise
        if not began:
            self._until = time.monotonic() + self._limits.request
        return read


class Handler(MotoRequestHandler):
    """Reads a complete request, and writes the answer at once, in one packet where it fits."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server_version = "lobster-tasks"
    sys_version = ""
    error_message_format = "%(code)d %(message)s\n"
    error_content_type = "text/plain"
    server: HttpServer
    rfile: io.BufferedReader

    def setup(self) -> None:
        """Read through the limits."""
        super().setup()
        self._reader = _Reader(self.connection, self.server.limits)
        self.rfile.close()
        self.rfile = io.BufferedReader(self._reader)

    def handle_one_request(self) -> None:
        """Handle one request; 408 where it does not end in time."""
        self._reader.await_request()
        self.requestline = self.request_version = ""
        try:
            super().handle_one_request()
        except SlowRequestError:
            self._refuse(408)

    def parse_request(self) -> bool:
        """Parse a request's head; 400 where it is invalid or ambiguous."""
        source, head = self.rfile, framing.HeadRecorder(self.rfile)
        self.rfile = cast(io.BufferedReader, head)
        try:
            if not super().parse_request():
                return False
            framing.check_head(head.lines, self.headers)
        except MalformedRequestError as why:
            self._refuse(400, str(why))
            return False
        finally:
            self.rfile = source
        return True

    def run_wsgi(self) -> None:
        """Answer one request; None from the application drops the connection."""
        with ExitStack() as kept:
            try:
                environ = self.make_environ()
                upload = _may_upload(environ)
                body: BinaryIO = kept.enter_context(_file() if upload else io.BytesIO())
                complete = self._read_body(body, upload)
            except (MalformedRequestError, ValueError) as why:  # ValueError: the target is not a URL
                self._refuse(400, str(why))
                return
            environ.pop("wsgi.input_terminated", None)
            environ.pop("HTTP_TRANSFER_ENCODING", None)
            environ[TOO_LARGE] = not complete
            environ["CONTENT_LENGTH"] = str(body.tell() if complete else 0)
            body.seek(0)
            environ["wsgi.input"] = body if complete else io.BytesIO()
            answer = self.server.application(environ)
        if answer is None:
            self._drop()
        else:
            self._write(answer)

    def handle_expect_100(self) -> bool:
        """Do nothing yet: 100 Continue is sent when the body is read."""
        return True

    def _read_body(self, body: BinaryIO, upload: bool) -> bool:
        """Whether the complete body was read into a file; one that is too large closes the connection."""
        limits = self.server.limits
        most = min(limits.upload, disk_usage(gettempdir()).free - limits.free) if upload else limits.body
        length = framing.length(self.headers, self.request_version)
        if length is not None and length > most:
            self._discard(length)
            return False
        self._let_come()
        for piece in framing.pieces(self.rfile, length):
            body.write(piece)
            if body.tell() > most:
                self.close_connection = True
                return False
            if upload:
                self._reader.allow_more()
        return True

    def _let_come(self) -> None:
        if self.headers.get("Expect", "").lower() == "100-continue":
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.wfile.flush()

    def _discard(self, length: int) -> None:
        """Read and discard the rest of a request, so that the client reads the answer."""
        self.close_connection = True
        if self.headers.get("Expect"):
            return
        left = min(length, 16 * self.server.limits.body)
        while left > 0 and (taken := len(self.rfile.read1(65536))):
            left -= taken

    def _refuse(self, status: int, why: str | None = None) -> None:
        self.close_connection = True
        self.send_error(status, why)
        self.wfile.flush()

    def _write(self, answer: Answer) -> None:
        self.connection.settimeout(self.server.limits.answer)
        self.send_response(answer.status)
        length = str(answer.file.size if answer.file else len(answer.body))
        for name, value in answer.headers:
            if name.lower() == "content-length" and self.command == "HEAD":
                length = value
            elif name.lower() not in REPLACED and not name.lower().startswith("access-control-"):
                self.send_header(name, value)
        for name, value in SEALED:
            self.send_header(name, value)
        self.send_header("Content-Length", length)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)
        self.wfile.flush()
        if self.command != "HEAD" and answer.file:
            with answer.file.path.open("rb") as file:
                self.connection.sendfile(file, answer.file.first, answer.file.size)

    def _drop(self) -> None:
        """Reset the connection, like a broken network."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing: the endpoint has its own log."""

    def log_error(self, format: str, *args: Any) -> None:
        """Log one line, at the level of calls."""
        log.info("a request was refused: %s", format % args)


def _may_upload(environ: dict[str, Any]) -> bool:
    """Whether a request may have a body as large as a layer: one of a signed-in client of a registry.

    A page can have a browser send the name and password of a URL.
    """
    return is_of_registry(environ) and "HTTP_AUTHORIZATION" in environ and why_refused(environ) is None


def _file() -> BinaryIO:
    """A file that is gone when it is closed, or the process ends."""
    return cast(BinaryIO, TemporaryFile())


class HttpServer(ThreadingMixIn, TCPServer):
    """Serves ``application`` on 127.0.0.1; OSError (EADDRINUSE) when the port is taken."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128
    multithread = True
    multiprocess = False
    ssl_context = None

    application: Application

    def __init__(self, port: int, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._free = threading.BoundedSemaphore(self.limits.connections)
        super().__init__(("127.0.0.1", port), Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread of its own, or close it where there are too many."""
        if self._free.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            log.info("a connection was refused: there are %d", self.limits.connections)
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection to its end."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: object, client_address: object) -> None:
        """Log one line for a request that is not HTTP, or breaks off."""
        log.warning("a request could not be read: %s", sys.exception())

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.server_address[1])
