"""The HTTP server: a thread for each connection, connections kept open between calls."""

from __future__ import annotations

import io
import logging
import socket
import struct
import sys
from collections.abc import Callable
from socketserver import TCPServer, ThreadingMixIn
from typing import Any

from .dispatch import Answer
from .moto_door import MotoRequestHandler
from .pages import SEALED

log = logging.getLogger(__name__)

REPLACED = ("connection", "content-length", "date", "server", "transfer-encoding")
Application = Callable[[dict[str, Any]], Answer | None]


class Handler(MotoRequestHandler):
    """Reads a request whole, and writes the answer whole, in one packet where it fits."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server_version = "lobster-tasks"
    sys_version = ""
    server: HttpServer

    def run_wsgi(self) -> None:
        """Answer one request; None from the application drops the connection."""
        environ = self.make_environ()
        self._read_body(environ)
        answer = self.server.application(environ)
        if answer is None:
            self._drop()
        else:
            self._write(answer)

    def handle_expect_100(self) -> bool:
        """Let the client send its body."""
        self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self.wfile.flush()
        return True

    def _read_body(self, environ: dict[str, Any]) -> None:
        chunked = environ.pop("wsgi.input_terminated", False)
        source = environ["wsgi.input"]
        body = source.read() if chunked else source.read(int(environ.get("CONTENT_LENGTH") or 0))
        environ.pop("HTTP_TRANSFER_ENCODING", None)
        environ["CONTENT_LENGTH"] = str(len(body))
        environ["wsgi.input"] = io.BytesIO(body)

    def _write(self, answer: Answer) -> None:
        self.send_response(answer.status)
        length = str(len(answer.body))
        for name, value in answer.headers:
            if name.lower() == "content-length" and self.command == "HEAD":
                length = value
            elif name.lower() not in REPLACED and not name.lower().startswith("access-control-"):
                self.send_header(name, value)
        for name, value in SEALED:
            self.send_header(name, value)
        self.send_header("Content-Length", length)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)
        self.wfile.flush()

    def _drop(self) -> None:
        """Reset the connection, as a broken network does."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nothing: the endpoint has its own log."""


class HttpServer(ThreadingMixIn, TCPServer):
    """Serves ``application`` on 127.0.0.1; OSError (EADDRINUSE) when the port is taken."""

    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128
    multithread = True
    multiprocess = False
    ssl_context = None

    application: Application

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """One line for a request that is not HTTP, or breaks off."""
        log.warning("a request could not be read: %s", sys.exception())

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.server_address[1])
