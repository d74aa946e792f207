"""The HTTP client, with real servers."""

from __future__ import annotations

import select
import socket
import socketserver
import ssl
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, ProxyManager

from embedded_aws.cloudfront.authority import Authority
from lobster_tasks.http_client import Client, WatchedAdapter, get
from tests.embedded_process import PATIENCE
from tests.serving import in_background


class Page(BaseHTTPRequestHandler):
    """Serves a page of ten bytes and a redirect to it, and 404 otherwise; connections are persistent."""

    protocol_version = "HTTP/1.1"
    asked: list[tuple[str, str, int]]

    def do_GET(self) -> None:
        """Answer, and record the path, the Host header and the client's port."""
        self.asked.append((self.path, self.headers["Host"], self.client_address[1]))
        statuses = {"/page": 200, "/old": 302}
        self.send_response(statuses.get(self.path, 404))
        self.send_header("X-Served-By", "Test")
        self.send_header("Set-Cookie", "seen=1")
        if self.path == "/old":
            self.send_header("Location", "/page")
        self.send_header("Content-Length", "10")
        self.end_headers()
        self.wfile.write(b"0123456789")

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def address() -> Iterator[str]:
    """The URL of such a server."""
    Page.asked = []
    with in_background(ThreadingHTTPServer(("127.0.0.1", 0), Page)) as address:
        yield f"http://{address}"


def test_an_answer(address: str) -> None:
    answer = get(f"{address}/page", PATIENCE)
    assert (answer.status, answer.said, answer.body, answer.error) == (200, "200", b"0123456789", None)
    assert (answer.headers["x-served-by"], answer.cookies) == ("Test", frozenset({"seen"}))
    assert answer.milliseconds > 0


def test_no_more_of_the_body_is_read_than_is_asked_for(address: str) -> None:
    assert [get(f"{address}/page", PATIENCE, most=most).body for most in (0, 4)] == [b"", b"0123"]


def test_a_redirect_is_an_answer_unless_it_is_to_be_followed(address: str) -> None:
    assert get(f"{address}/old", PATIENCE).headers["location"] == "/page"
    assert get(f"{address}/old", PATIENCE, follow=True).status == 200


def test_what_is_refused_is_an_answer_with_its_words(address: str) -> None:
    answer = get(f"{address}/gone", PATIENCE)
    assert (answer.status, answer.said, answer.body) == (404, "404", b"0123456789")
    assert str(answer.error) == f"404 Client Error: Not Found for url: {address}/gone"


def test_where_nobody_answers_it_is_said_why() -> None:
    with in_background(ThreadingHTTPServer(("127.0.0.1", 0), Page)) as address:
        pass
    answer = get(f"http://{address}/", PATIENCE)
    assert (answer.status, answer.said, answer.headers) == (None, "ConnectionError", {})
    assert answer.error


def test_visitors_of_a_name_keep_their_connection(address: str) -> None:
    with Client("app.example.com", by_proxy=False) as client:
        assert [client.request(f"{address}/page", PATIENCE).status for _ in range(2)] == [200, 200]
    (first, second) = Page.asked
    assert first == second
    assert first[:2] == ("/page", "app.example.com")


def test_an_authority_is_trusted_instead_of_this_machines_own() -> None:
    ours, others = Authority(), Authority()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    server.socket = ours.certify(["127.0.0.1"]).context().wrap_socket(server.socket, server_side=True)
    with in_background(server) as address:
        for authority, said in ((ours.pem, "200"), (others.pem, "SSLError"), ("", "SSLError")):
            with Client(authority=authority) as client:
                assert client.request(f"https://{address}/page", PATIENCE).said == said


# A server that is never silent, and never done

DRIPS = {
    "headers": b"HTTP/1.1 200 OK\r\nX: ",
    "body": b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    "until it closes": b"HTTP/1.0 200 OK\r\n\r\n",
}


class Drip(socketserver.BaseRequestHandler):
    """Begins an answer, and goes on with it byte by byte for as long as somebody listens."""

    begins = b""
    tells = b"x"

    def handle(self) -> None:
        """Answer."""
        self.request.recv(65536)
        with suppress(OSError):
            self.request.sendall(self.begins)
            while not select.select([self.request], [], [], 0.05)[0]:  # readable is closed
                self.request.sendall(self.tells)


@pytest.mark.parametrize("by_tls", [False, True], ids=["plain", "TLS"])
@pytest.mark.parametrize("what", DRIPS)
def test_an_answer_that_never_ends_is_given_up(what: str, by_tls: bool) -> None:
    """A socket's timeout is about silence only (Python, socket.settimeout: "a non-zero value … raise timeout if the
    timeout period value has elapsed before the operation has completed"; each recv is an operation)."""
    tells = b"1\r\nx\r\n" if what == "chunks" else b"x"
    handler = type("Handler", (Drip,), {"begins": DRIPS[what], "tells": tells})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    authority = Authority()
    if by_tls:
        context = authority.certify(["127.0.0.1"]).context()
        server.socket = context.wrap_socket(server.socket, server_side=True)
    with in_background(server) as address, Client(authority=authority.pem, by_proxy=False) as client:
        answer = client.request(f"http{'s' if by_tls else ''}://{address}/", PATIENCE, whole=0.5)
    assert (answer.status, answer.said) == (None, "ReadTimeout")
    assert str(answer.error) == "no whole answer within 0.5 s"


def test_a_client_goes_on_after_an_answer_that_it_has_given_up(address: str) -> None:
    handler = type("Handler", (Drip,), {"begins": DRIPS["body"]})
    with Client(by_proxy=False) as client:
        with in_background(ThreadingHTTPServer(("127.0.0.1", 0), handler)) as drips:
            assert client.request(f"http://{drips}/", PATIENCE, whole=0.5).said == "ReadTimeout"
        assert client.request(f"{address}/page", PATIENCE).body == b"0123456789"


class Elsewhere(BaseHTTPRequestHandler):
    """Redirects to itself, each time after a while, unless the client closes the connection."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer."""
        select.select([self.connection], [], [], 0.1)
        self.send_response(302)
        self.send_header("Location", "/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Log nothing."""


def test_redirects_take_no_longer_together_than_one_answer() -> None:
    """Thirty of them, as many as requests follows, would take six times as long."""
    with in_background(ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)) as address, Client() as client:
        answer = client.request(f"http://{address}/", PATIENCE, whole=0.5, follow=True)
    assert (answer.said, str(answer.error)) == ("ReadTimeout", "no whole answer within 0.5 s")


class Tunnel(socketserver.BaseRequestHandler):
    """A proxy that is spoken to by TLS, and lets the client through to one server."""

    server_at = ("", 0)

    def handle(self) -> None:
        """Answer CONNECT, and carry bytes both ways until one side closes."""
        client: ssl.SSLSocket = self.request
        assert client.recv(65536).startswith(b"CONNECT ")
        with suppress(OSError), socket.create_connection(self.server_at) as server:
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            while True:
                ready = select.select([client, server], [], [])[0]
                for one, other in ((client, server), (server, client)):
                    if one in ready:
                        told = one.recv(65536)  # more than a TLS record has
                        if not told:
                            return
                        other.sendall(told)


def test_an_answer_that_never_ends_is_given_up_in_tls_in_tls_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """There, urllib3's connection is no socket of Python, but has one."""
    authority = Authority()
    trusted = tmp_path / "authority.pem"
    trusted.write_text(authority.pem, encoding="utf-8")
    context = authority.certify(["127.0.0.1"]).context()
    drips = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Drip,), {"begins": DRIPS["body"]}))
    drips.socket = context.wrap_socket(drips.socket, server_side=True)
    handler = type("Handler", (Tunnel,), {"server_at": drips.server_address})
    proxy = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    proxy.socket = context.wrap_socket(proxy.socket, server_side=True)
    for name in ("NO_PROXY", "no_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(trusted))
    with in_background(drips) as address, in_background(proxy) as by, Client() as client:
        monkeypatch.setenv("HTTPS_PROXY", f"https://{by}")
        answer = client.request(f"https://{address}/", PATIENCE, whole=0.5)
    assert (answer.said, str(answer.error)) == ("ReadTimeout", "no whole answer within 0.5 s")


def test_a_proxy_with_connections_of_its_own_keeps_them() -> None:
    """As SOCKS has, whose connections take arguments that no other does."""

    class Other(ProxyManager):
        """Has its own classes, like urllib3's SOCKSProxyManager."""

    others = {"http": HTTPConnectionPool, "https": HTTPSConnectionPool}
    adapter = WatchedAdapter()
    own = adapter.proxy_manager["socks5://127.0.0.1:1"] = Other("http://127.0.0.1:1")
    own.pool_classes_by_scheme = others
    assert adapter.proxy_manager_for("socks5://127.0.0.1:1").pool_classes_by_scheme is others
    assert adapter.proxy_manager_for("http://127.0.0.1:1").pool_classes_by_scheme is not others
