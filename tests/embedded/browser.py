"""A real browser, somebody's website, and that website's name made to lead to another address (DNS rebinding)."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.embedded_process import PATIENCE

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SITE = "evil.example"
ADDRESS = "127.0.0.2"
"""Where the site is: not an address that the embedded AWS listens on, so that it may have the same port."""


class _Handler(BaseHTTPRequestHandler):
    """Serves one page, takes its report, and passes everything else on, byte by byte, where it is rebound."""

    server: Website

    def do_GET(self) -> None:
        if self.path == "/page":
            self._answer(self.server.page.encode(), "text/html")
        else:
            self._pass_on()

    def do_POST(self) -> None:
        if self.path == "/report":
            self.server.report = json.loads(self._body())
            self.server.reported.set()
            self._answer(b"", "text/plain")
        else:
            self._pass_on()

    def do_OPTIONS(self) -> None:
        self._pass_on()

    def _body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _pass_on(self) -> None:
        """Send the request on as the browser would, had its name led to the embedded AWS."""
        if self.server.rebound_to is None:
            self._answer(b"", "text/plain")
            return
        self.headers.replace_header("Connection", "close")
        with socket.create_connection(self.server.rebound_to) as there:
            there.sendall(f"{self.requestline}\r\n{self.headers.as_string(maxheaderlen=0)}".encode("latin-1"))
            there.sendall(self._body())
            while data := there.recv(65536):
                self.wfile.write(data)
        self.close_connection = True

    def _answer(self, body: bytes, content_type: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


class Website(ThreadingHTTPServer):
    """``http://evil.example:PORT/page`` with ``page``; what is not the site's own goes to ``rebound_to``."""

    daemon_threads = True

    def __init__(self, page: str, port: int = 0, rebound_to: tuple[str, int] | None = None) -> None:
        super().__init__((ADDRESS, port), _Handler)
        self.page, self.rebound_to = page, rebound_to
        self.report: dict[str, Any] = {}
        self.reported = threading.Event()

    def visit(self, profile: Path, within: float = 90) -> dict[str, Any]:
        """Show the page in a browser until it reports; what it reports. AssertionError where it never does."""
        with self._served(), self._shown(profile) as shown:
            assert self.reported.wait(within), (
                f"the page never reported; the browser ran: {shown.poll() is None}"
            )
        return self.report

    @contextmanager
    def _served(self) -> Iterator[None]:
        thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            self.shutdown()
            self.server_close()
            thread.join()

    def _shown(self, profile: Path) -> AbstractContextManager[subprocess.Popen[bytes]]:
        resolve = f"--host-resolver-rules=MAP {SITE} {ADDRESS}"
        return shown(profile, f"http://{SITE}:{self.server_port}/page", resolve)


@contextmanager
def shown(profile: Path, url: str, *flags: str) -> Iterator[subprocess.Popen[bytes]]:
    """Show a page in a browser for the duration of the block; ``profile`` is an empty folder for what it keeps."""
    assert BROWSER is not None
    command = [
        BROWSER,
        "--headless",
        "--no-sandbox",  # tests run as root, too
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--no-proxy-server",
        "--remote-debugging-port=0",  # keeps a headless browser open
        f"--user-data-dir={profile}",
        *flags,
        url,
    ]
    quiet = subprocess.DEVNULL
    with subprocess.Popen(command, stdin=quiet, stdout=quiet, stderr=quiet) as browser:
        try:
            yield browser
        finally:
            browser.terminate()
            browser.wait(timeout=PATIENCE)


def trusting(authority: Path) -> str:
    """The flag of a browser that accepts what this authority (a file in PEM) has signed."""
    key = x509.load_pem_x509_certificate(authority.read_bytes()).public_key()
    info = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"--ignore-certificate-errors-spki-list={b64encode(sha256(info).digest()).decode()}"
