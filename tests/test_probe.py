"""Probing real servers on loopback, and the descriptions of their answers."""

from __future__ import annotations

import http
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from websockets.asyncio.server import ServerConnection, serve
from websockets.datastructures import Headers
from websockets.frames import CloseCode
from websockets.http11 import Request, Response
from websockets.server import ServerProtocol

from lobster_tasks.clock import Clock
from lobster_tasks.forwarding import ForwardingRule
from lobster_tasks.probe import PublicEndpoint, certificate_error, get, probe, shake_hands, url_of
from tests.web_socket import running

CLOCK = Clock(speed=100)
STREAM = "/_stcore/stream"


@contextmanager
def serving(
    answer: Callable[[Request], int | tuple[int, Headers] | None] = lambda _: None, **options: Any
) -> Iterator[str]:
    """A server that answers with a status (and headers), or with a handshake for None; yields its URL."""

    def process(_: ServerConnection, request: Request) -> Response | None:
        found = answer(request)
        if found is None:
            return None
        status, headers = found if isinstance(found, tuple) else (found, Headers())
        return Response(status, http.HTTPStatus(status).phrase, headers, b"")

    async def stay(_: ServerConnection) -> None:
        pass

    scheme = "https" if "ssl" in options else "http"
    with running(lambda: serve(stay, "127.0.0.1", 0, process_request=process, **options)) as server:
        yield f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.fixture
def closed_port() -> Iterator[str]:
    """The URL of a port on which nothing listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


@pytest.mark.parametrize("status", [200, 204, 302, 401])
def test_a_page_that_answers(status: int) -> None:
    with serving(lambda _: status) as url:
        answer = get(CLOCK, PublicEndpoint(url), "/")
    assert answer.ok
    assert answer.said.startswith(f"GET / {status} in ")
    assert answer.status == status


FROM_PAGES = Headers({"X-Cache": "Error from cloudfront", "Server": "AmazonS3"})
BALANCERS = Headers({"X-Cache": "Error from cloudfront", "Server": "awselb/2.0"})
APPS = Headers({"X-Cache": "Miss from cloudfront", "Server": "app"})
HIDING = {
    "CustomErrorResponses": {
        "Items": [
            {"ErrorCode": 502, "ResponsePagePath": "/sorry", "ResponseCode": "200"},
            {"ErrorCode": 504, "ResponsePagePath": "/sorry", "ResponseCode": "200"},
            {"ErrorCode": 500, "ResponsePagePath": "/sorry", "ResponseCode": "503"},
            {"ErrorCode": 404, "ErrorCachingMinTTL": 10},
        ]
    }
}


@pytest.mark.parametrize(
    ("status", "headers", "is_read", "said"),
    [
        (200, FROM_PAGES, True, "answers 200 with the distribution's own page for 502 or 504"),
        (200, FROM_PAGES, False, "answers 200 with the distribution's own page for an error"),
        (503, FROM_PAGES, True, "answers 503 with the distribution's own page for 500"),
        (503, FROM_PAGES, False, ""),  # as far as is known, the app's
        (503, BALANCERS, True, ""),
        (404, FROM_PAGES, True, ""),
        (200, APPS, True, ""),
    ],
)
def test_a_page_for_an_error_is_no_answer_of_the_app(
    status: int, headers: Headers, is_read: bool, said: str
) -> None:
    """CloudFront answers 200, if somebody wants it so, while the app does not answer at all."""
    distribution = {"Id": "E1", "DistributionConfig": HIDING} if is_read else None
    with serving(lambda _: (status, headers), server_header=None) as url:
        endpoint = PublicEndpoint(url, distribution=distribution)
        page, socket = get(CLOCK, endpoint, "/"), shake_hands(CLOCK, endpoint, STREAM)
    assert (page.is_error_page, socket.is_error_page) == (bool(said), bool(said))
    assert page.ok is (headers is APPS)
    if said:
        assert (page.said, socket.said) == (f"GET / {said}", f"WebSocket {STREAM} {said}")
        assert page.passing
        assert socket.passing


@pytest.mark.parametrize(
    ("status", "said", "passing"),
    [
        (404, "GET /app answers 404", False),
        (500, "GET /app answers 500", False),
        (502, "GET /app answers 502: the load balancer got no valid answer from the task", True),
        (503, "GET /app answers 503: the load balancer has no target for the request", True),
        (504, "GET /app answers 504: the load balancer got no answer from the task in time", True),
    ],
)
def test_a_page_that_answers_wrongly(status: int, said: str, passing: bool) -> None:
    with serving(lambda _: status) as url:
        answer = get(CLOCK, PublicEndpoint(url), "/app")
    assert (answer.ok, answer.said, answer.passing) == (False, said, passing)


SIGN_IN = "https://login.example.com/authorize"


@pytest.mark.parametrize(
    ("status", "location", "page", "socket"),
    [
        (
            302,
            f"{SIGN_IN}?client_id=a&state=b",
            "GET / 302 in N ms: visitors sign in at login.example.com",
            "WebSocket /_stcore/stream not opened: visitors sign in first",
        ),
        (302, "https://login.example.org/authorize", "GET / answers 302 without a sign-in", "answers 302"),
        (302, "/login", "GET / answers 302 without a sign-in", "answers 302"),
        (200, "", "GET / answers 200 without a sign-in", "answers 200 without an upgrade"),
        (503, "", "GET / answers 503: the load balancer has no target for the request", "answers 503"),
    ],
)
def test_a_page_behind_a_sign_in(status: int, location: str, page: str, socket: str) -> None:
    with serving(lambda _: (status, Headers(Location=location) if location else Headers())) as url:
        found = probe(CLOCK, PublicEndpoint(url, sign_in=SIGN_IN), "/", STREAM, within=0.0)
    assert found.websocket is not None
    assert re.sub(r"in \d+ ms", "in N ms", found.page.said) == page
    assert socket in found.websocket.said
    assert (found.page.ok, found.websocket.ok) == (
        (True, True) if "visitors sign in" in page else (False, False)
    )


def test_a_websocket_that_opens_without_the_sign_in_is_wrong() -> None:
    with serving() as url:
        answer = shake_hands(CLOCK, PublicEndpoint(url, sign_in=SIGN_IN), STREAM)
    assert (answer.ok, answer.said) == (False, "WebSocket /_stcore/stream opens without a sign-in")


def test_nothing_listens(closed_port: str) -> None:
    host = closed_port.removeprefix("http://")
    page, socket_ = (
        get(CLOCK, PublicEndpoint(closed_port), "/"),
        shake_hands(CLOCK, PublicEndpoint(closed_port), STREAM),
    )
    assert page.said == f"GET /: connection refused at {host}"
    assert socket_.said == f"WebSocket {STREAM}: connection refused at {host}"
    assert not page.reached
    assert page.passing
    assert socket_.passing


def test_a_name_that_dns_does_not_know() -> None:
    answer = get(CLOCK, PublicEndpoint("http://lobster-alb-1.invalid"), "/")
    assert answer.said == "GET /: DNS does not know the name yet at lobster-alb-1.invalid"
    assert answer.passing


def test_an_app_that_closes_in_the_same_breath_has_shaken_hands() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def upgrade_and_close() -> None:
            client, _ = listening.accept()
            with client:
                protocol = ServerProtocol()
                protocol.receive_data(client.recv(65536))
                [request] = protocol.events_received()
                assert isinstance(request, Request)
                protocol.send_response(protocol.accept(request))
                protocol.send_close(CloseCode.GOING_AWAY)
                client.sendall(b"".join(protocol.data_to_send()))

        thread = threading.Thread(target=upgrade_and_close)
        thread.start()
        answer = shake_hands(CLOCK, PublicEndpoint(f"http://127.0.0.1:{listening.getsockname()[1]}"), "/ws")
        thread.join()
    assert (answer.ok, answer.said) == (True, "WebSocket open")


def test_a_handshake_as_streamlit_wants_it() -> None:
    asked: list[Request] = []
    with serving(lambda request: asked.append(request), subprotocols=["streamlit"]) as url:
        answer = shake_hands(CLOCK, PublicEndpoint(url), STREAM)
    assert (answer.ok, answer.said) == (True, "WebSocket open")
    assert asked[0].headers["Origin"] == url
    assert asked[0].headers["Sec-WebSocket-Protocol"] == "streamlit"


def test_other_apps_are_offered_no_subprotocol() -> None:
    asked: list[Request] = []
    with serving(lambda request: asked.append(request)) as url:
        assert shake_hands(CLOCK, PublicEndpoint(url), "/ws").ok
    assert "Sec-WebSocket-Protocol" not in asked[0].headers


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (403, "answers 403; the app does not accept the Origin http"),
        (404, "answers 404"),
        (200, "answers 200 without an upgrade: there is no WebSocket at this path"),
        (503, "answers 503: the load balancer has no target for the request"),
    ],
)
def test_a_handshake_that_is_refused(status: int, said: str) -> None:
    with serving(lambda _: status) as url:
        answer = shake_hands(CLOCK, PublicEndpoint(url), STREAM)
    assert not answer.ok
    assert answer.said.startswith(f"WebSocket {STREAM} {said}")
    assert answer.passing is (status == 503)


def certificate(folder: Path) -> ssl.SSLContext:
    """A self-signed certificate for another name, like that of a visitors' host name."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "app.example.com")])
    begin = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, begin, begin + timedelta(days=1))
    signed = made.sign(key, hashes.SHA256())
    pem = folder / "server.pem"
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    pem.write_bytes(key.private_bytes(*plain) + signed.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


def test_https_with_a_certificate_for_another_name(tmp_path: Path) -> None:
    with serving(lambda request: 200 if request.path == "/" else None, ssl=certificate(tmp_path)) as url:
        found = probe(CLOCK, PublicEndpoint(url), "/", "/ws")
    assert url.startswith("https://")
    assert found.ok, found


def made_certificate(folder: Path, name: str, days: int) -> tuple[ssl.SSLContext, str]:
    """A server's context with a certificate that ends in some days, and the authority to trust, which is itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(
        subject, subject, key.public_key(), 1, now - timedelta(days=9), now + timedelta(days=days)
    )
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
    signed = made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    pem = folder / f"{name}.pem"
    plain = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    pem.write_bytes(key.private_bytes(*plain) + signed)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context, signed.decode()


@pytest.mark.parametrize(
    ("name", "days", "domain", "why"),
    [
        ("app.example.com", 1, "app.example.com", ""),
        ("www.example.com", 1, "*.example.com", ""),
        ("app.example.com", -1, "app.example.com", "expired"),
        ("other.example.com", 1, "app.example.com", "not valid for 'app.example.com'"),
    ],
)
def test_why_a_certificate_is_not_valid_for_a_domain(
    tmp_path: Path, name: str, days: int, domain: str, why: str
) -> None:
    context, authority = made_certificate(tmp_path, name, days)
    with serving(lambda _: 200, ssl=context) as url:
        told = certificate_error(PublicEndpoint(url, authority=authority), domain)
    assert (why in told, bool(told)) == (True, bool(why)), told


def test_where_nothing_answers_no_certificate_is_wrong(closed_port: str) -> None:
    closed = PublicEndpoint(closed_port.replace("http:", "https:"))
    assert certificate_error(closed, "app.example.com") == ""


def test_what_passes_is_asked_again() -> None:
    statuses = iter([503, 503, 200])
    with serving(lambda _: next(statuses)) as url:
        found = probe(CLOCK, PublicEndpoint(url), "/", None)
    assert found.ok
    assert found.websocket is None


def test_what_does_not_pass_is_asked_once() -> None:
    statuses = iter([404, 200])
    with serving(lambda _: next(statuses)) as url:
        assert not probe(CLOCK, PublicEndpoint(url), "/", None).ok


def test_patience_has_an_end(closed_port: str) -> None:
    found = probe(CLOCK, PublicEndpoint(closed_port), "/", STREAM, within=5)
    assert not found.ok
    assert [answer.reached for answer in found.answers] == [False, False]


def test_an_internal_load_balancer_is_asked_once(closed_port: str) -> None:
    found = probe(Clock(), PublicEndpoint(closed_port, internal=True), "/", None)
    assert not found.page.reached


def test_both_questions_have_to_be_answered() -> None:
    with serving(lambda request: 200 if request.path == "/" else 403) as url:
        found = probe(CLOCK, PublicEndpoint(url), "/", STREAM)
    assert found.page.ok
    assert not found.ok


@pytest.mark.parametrize(
    ("dns_name", "protocol", "port", "url"),
    [
        ("lb.example", "HTTP", 80, "http://lb.example"),
        ("lb.example", "HTTPS", 443, "https://lb.example"),
        ("lb.example", "HTTP", 8080, "http://lb.example:8080"),
        ("lb.example", "HTTPS", 8443, "https://lb.example:8443"),
        ("127.0.0.1:40001", "HTTP", 80, "http://127.0.0.1:40001"),
    ],
)
def test_the_address_of_a_listener(dns_name: str, protocol: str, port: int, url: str) -> None:
    assert url_of(dns_name, protocol, port) == url


def test_a_door_of_a_rule_is_asked_by_its_host_below_its_path() -> None:
    asked: list[Request] = []
    with serving(lambda request: asked.append(request) or 200) as url:
        endpoint = PublicEndpoint(
            url, name="app.example.com", rule=ForwardingRule("HTTP", 80, paths=("/app/*",))
        )
        found = probe(CLOCK, endpoint, "/", None)
    assert found.ok
    assert found.url == "http://app.example.com"
    assert [(each.headers["Host"], each.path) for each in asked] == [("app.example.com", "/app/")]
