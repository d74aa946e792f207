"""What an Application Load Balancer does with requests.

Quotes are from the Application Load Balancers user guide unless they name another source.
"""

from __future__ import annotations

import hashlib
import json
import re
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
import requests

from tests.embedded.balanced import PORT, Balanced, answers
from tests.embedded.sites import MEGABYTE
from tests.embedded_process import PATIENCE, eventually

Answer = Callable[[int], bytes | None]


def get(balanced: Balanced, path: str = "/", **more: object) -> requests.Response:
    """GET through the load balancer."""
    return requests.get(balanced.url + path, timeout=PATIENCE, **more)  # type: ignore[arg-type]


def is_own_page(answer: requests.Response, status: int, title: str) -> bool:
    """Whether an answer is the load balancer's own error page."""
    assert answer.status_code == status
    assert answer.headers["Server"] == "awselb/2.0"
    assert answer.headers["Content-Type"] == "text/html"
    return f"<h1>{status} {title}</h1>" in answer.text


def exchange(balanced: Balanced, request: bytes, patience: float = 20) -> bytes:
    """What comes back for raw bytes, until the load balancer closes."""
    host, _, port = balanced.host.partition(":")
    with socket.create_connection((host, int(port)), timeout=patience) as client:
        client.sendall(request)
        return b"".join(iter(lambda: client.recv(65_536), b""))


# What the target gets


def test_the_request_arrives_as_it_was_sent(balanced: Balanced) -> None:
    """The Host header is not changed, nor path, query string and other headers ("Host header preservation")."""
    site = balanced.add("one")
    get(balanced, "/a%20b/c?d=%2F&e", headers={"Host": "app.example.com", "X-Mine": "Kept"})
    seen = site.seen[-1]
    assert (seen.path, seen.header("Host"), seen.header("X-Mine")) == (
        "/a%20b/c?d=%2F&e",
        "app.example.com",
        "Kept",
    )


def test_the_host_header_of_the_dns_name_keeps_its_port(balanced: Balanced) -> None:
    """A WebSocket's Origin is compared with Host, so that what the client wrote must arrive."""
    site = balanced.add("one")
    get(balanced)
    assert site.seen[-1].header("Host") == balanced.host


def test_forwarded_headers(balanced: Balanced) -> None:
    """ "X-Forwarded-For", "X-Forwarded-Proto" and "X-Forwarded-Port" say whence the client came."""
    site = balanced.add("one")
    get(balanced, headers={"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Port": "1"})
    seen = site.seen[-1]
    assert seen.header("X-Forwarded-For") == "203.0.113.7, 127.0.0.1"
    assert seen.header("X-Forwarded-Proto") == "http"
    assert [value for name, value in seen.headers if name.lower() == "x-forwarded-port"] == ["80"]


@pytest.mark.parametrize(("mode", "expected"), [("preserve", "203.0.113.7"), ("remove", None)])
def test_forwarded_for_modes(balanced: Balanced, mode: str, expected: str | None) -> None:
    """routing.http.xff_header_processing.mode: append, preserve or remove (LoadBalancerAttribute)."""
    site = balanced.add("one")
    balanced.set_balancer(routing__http__xff_header_processing__mode=mode)
    get(balanced, headers={"X-Forwarded-For": "203.0.113.7"})
    assert site.seen[-1].header("X-Forwarded-For") == expected


def test_a_request_gets_a_trace_id(balanced: Balanced) -> None:
    """ "X-Amzn-Trace-Id: Root=1-67891233-abcdef012345678912345678"."""
    site = balanced.add("one")
    get(balanced)
    found = site.seen[-1].header("X-Amzn-Trace-Id") or ""
    assert re.fullmatch("Root=1-[0-9a-f]{8}-[0-9a-f]{24}", found)


def test_a_trace_id_is_kept(balanced: Balanced) -> None:
    """ "If the X-Amzn-Trace-Id header is present and has a Self field, the load balancer updates the value"."""
    site = balanced.add("one")
    root = "Root=1-67891233-abcdef012345678912345678"
    get(balanced, headers={"X-Amzn-Trace-Id": f"Self=1-1-1;{root};CalledFrom=app"})
    found = site.seen[-1].header("X-Amzn-Trace-Id") or ""
    assert re.fullmatch(f"Self=1-[0-9a-f]{{8}}-[0-9a-f]{{24}};{root};CalledFrom=app", found)


def test_hop_by_hop_headers_stay(balanced: Balanced) -> None:
    """Headers that are about one connection are not forwarded (RFC 9110, 7.6.1)."""
    site = balanced.add("one")
    get(balanced, headers={"Connection": "X-Private", "X-Private": "1", "TE": "trailers", "Keep-Alive": "5"})
    names = {name.lower() for name, _ in site.seen[-1].headers}
    assert not names & {"connection", "x-private", "te", "keep-alive"}


def test_invalid_header_fields_are_dropped_if_wanted(balanced: Balanced) -> None:
    """routing.http.drop_invalid_header_fields.enabled: names that are not ``[A-Za-z0-9-]+`` are removed."""
    site = balanced.add("one")
    get(balanced, headers={"X_Under": "1"})
    assert site.seen[-1].header("X_Under") == "1"
    balanced.set_balancer(routing__http__drop_invalid_header_fields__enabled="true")
    get(balanced, headers={"X_Under": "1"})
    assert site.seen[-1].header("X_Under") is None


# What the client gets


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_every_method_passes(balanced: Balanced, method: str) -> None:
    """A load balancer forwards whatever the method (but TRACE)."""
    site = balanced.add("one")
    assert requests.request(method, balanced.url, timeout=PATIENCE).text == "one"
    assert site.seen[-1].method == method


def test_head_has_headers_and_no_body(balanced: Balanced) -> None:
    """The Content-Length of a response to HEAD is what GET would have (RFC 9110, 9.3.2)."""
    balanced.add("one")
    with requests.Session() as session:
        answer = session.head(balanced.url, timeout=PATIENCE)
        assert (answer.headers["Content-Length"], answer.text) == ("3", "")
        assert session.get(balanced.url, timeout=PATIENCE).text == "one"


def test_the_targets_headers_arrive(balanced: Balanced) -> None:
    """A target's own ``Server`` header is kept; its connection headers are not."""
    balanced.add("one")
    answer = get(balanced)
    assert (answer.headers["X-Site"], answer.headers["Server"]) == ("one", "site")
    assert "Connection" not in answer.headers


def test_headers_pass_byte_by_byte(balanced: Balanced) -> None:
    """Old programs send header values in Latin-1; they are nobody's business but the client's."""
    answer = OK.replace(b"OK\r\n", b"OK\r\nX-Name: caf\xe9\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n", 1)
    with raw_target(balanced, lambda _: answer) as got:
        head = exchange(balanced, b"GET / HTTP/1.1\r\nHost: a\r\nX: caf\xe9\r\nConnection: close\r\n\r\n")
    assert b"\r\nX: caf\xe9\r\n" in got[0]
    assert b"\r\nX-Name: caf\xe9\r\n" in head
    assert (head.count(b"Set-Cookie: a=1"), head.count(b"Set-Cookie: b=2")) == (1, 1)
    assert b"\r\nServer:" not in head
    assert b"\r\nContent-Type:" not in head


def test_connections_are_kept_open_on_both_sides(balanced: Balanced) -> None:
    """ "Application Load Balancers use HTTP/1.1 on backend connections by default", and keep them open."""
    site = balanced.add("one")
    balanced.add("two")
    balanced.deregister(balanced.addresses["two"])
    site.seen.clear()
    with requests.Session() as session:
        for _ in range(5):
            with session.get(balanced.url, timeout=PATIENCE, stream=True) as answer:
                client = answer.raw.connection.sock.getsockname()
                assert answer.text == "one"
                assert answer.raw.connection is None or client == answer.raw.connection.sock.getsockname()
    assert len({seen.connection for seen in site.seen}) == 1


def test_a_client_that_asks_to_close_is_closed(balanced: Balanced) -> None:
    """``Connection: close`` is answered by closing (RFC 9112, 9.6)."""
    balanced.add("one")
    got = exchange(balanced, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert got.endswith(b"one")


def test_an_old_client_without_host_header(balanced: Balanced) -> None:
    """ "For HTTP/1.0 requests from clients that do not have a host header, the load balancer generates a host header
    for the HTTP/1.1 requests sent on the backend connections."
    """
    site = balanced.add("one")
    assert exchange(balanced, b"GET / HTTP/1.0\r\n\r\n").endswith(b"one")
    assert site.seen[-1].header("Host")


def test_a_large_upload_is_streamed(balanced: Balanced) -> None:
    """There is no limit to a request's body."""
    balanced.add("one")
    body = bytes(range(256)) * (20 * MEGABYTE // 256)
    answer = requests.put(f"{balanced.url}/upload", data=body, timeout=600)
    assert answer.json() == {"length": len(body), "sha256": hashlib.sha256(body).hexdigest()}


def test_a_chunked_upload_is_streamed(balanced: Balanced) -> None:
    """A request with ``Transfer-Encoding: chunked`` arrives as one."""
    site = balanced.add("one")

    def chunks() -> Iterator[bytes]:
        for _ in range(50):
            yield b"y" * 100_000

    answer = requests.post(f"{balanced.url}/upload", data=chunks(), timeout=600)
    assert answer.json()["length"] == 5_000_000
    assert site.seen[-1].header("Transfer-Encoding") == "chunked"


def test_an_upload_that_waits_for_leave_gets_it(balanced: Balanced) -> None:
    """``Expect: 100-continue`` is answered before the body comes, as curl asks for large bodies."""
    balanced.add("one")
    host, _, port = balanced.host.partition(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as client:
        head = b"POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
        client.sendall(head)
        assert client.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"hello")
        assert b'"length": 5' in client.recv(1000)


def test_a_large_download_is_streamed(balanced: Balanced) -> None:
    """A response without Content-Length arrives whole."""
    balanced.add("one")
    with get(balanced, "/download?megabytes=20", stream=True) as answer:
        assert answer.headers["Transfer-Encoding"] == "chunked"
        assert sum(len(chunk) for chunk in answer.iter_content(65_536)) == 20 * MEGABYTE


def test_events_arrive_as_they_are_sent(balanced: Balanced) -> None:
    """Server-sent events are not held back."""
    site = balanced.add("one")
    with get(balanced, "/events", stream=True) as answer:
        lines = answer.iter_lines(chunk_size=1)
        assert next(lines) == b"data: first"
        site.release.set()
        assert [line for line in lines if line] == [b"data: second"]


def test_a_client_that_leaves_is_noticed(balanced: Balanced) -> None:
    """HTTP 460: "the client closed the connection"; the target's connection is closed too."""
    site = balanced.add("one")
    host, _, port = balanced.host.partition(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as client:
        client.sendall(b"GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
        eventually(lambda: [seen for seen in site.seen if seen.path == "/wait"])
    assert eventually(lambda: site.gone) == ["/wait"]


# Whom it asks


def test_targets_take_turns(balanced: Balanced) -> None:
    """load_balancing.algorithm.type is ``round_robin`` by default (TargetGroupAttribute)."""
    for name in ("one", "two"):
        balanced.add(name)
    assert Counter(get(balanced).text for _ in range(20)) == {"one": 10, "two": 10}


def test_the_least_busy_target_is_asked(balanced: Balanced) -> None:
    """least_outstanding_requests: "the target with the lowest number of in progress requests"."""
    sites = {name: balanced.add(name) for name in ("one", "two")}
    balanced.set_group(load_balancing__algorithm__type="least_outstanding_requests")
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(get, balanced, "/wait")
        busy = eventually(
            lambda: next((n for n, s in sites.items() if any("/wait" in x.path for x in s.seen)), None)
        )
        others = {get(balanced).text for _ in range(10)}
        sites[busy].release.set()
        assert waiting.result().text == f"{busy} waited"
    assert others == {"one", "two"} - {busy}


def test_unhealthy_targets_get_nothing_while_one_is_healthy(balanced: Balanced) -> None:
    """ "If there is at least one healthy target in a target group, the load balancer routes requests only to the
    healthy targets."
    """
    balanced.add("well")
    ill = balanced.add("ill")
    ill.health = 500
    balanced.await_state(balanced.addresses["ill"], "unhealthy")
    assert {get(balanced).text for _ in range(10)} == {"well"}


def test_new_targets_get_nothing_while_one_is_healthy(balanced: Balanced) -> None:
    """ "Before a target can receive requests from the load balancer, it must pass the initial health checks." """
    balanced.add("well")
    fresh = balanced.start("fresh")
    fresh.health = 500
    balanced.elb.modify_target_group(TargetGroupArn=balanced.target_group, UnhealthyThresholdCount=10)
    balanced.register(balanced.addresses["fresh"])
    assert {get(balanced).text for _ in range(10)} == {"well"}
    assert balanced.health(balanced.addresses["fresh"])["State"] == "initial"


def test_it_fails_open(balanced: Balanced) -> None:
    """ "If a target group contains only unhealthy registered targets, the load balancer routes requests to all
    those targets, regardless of their health status."
    """
    for name in ("one", "two"):
        balanced.add(name).health = 500
    for name in ("one", "two"):
        balanced.await_state(balanced.addresses[name], "unhealthy")
    answers_ = [get(balanced) for _ in range(10)]
    assert {answer.status_code for answer in answers_} == {200}
    assert {answer.text for answer in answers_} == {"one", "two"}


def test_the_number_of_healthy_targets_that_is_enough(balanced: Balanced) -> None:
    """target_group_health.unhealthy_state_routing.minimum_healthy_targets.count: "If the number of healthy targets is
    below this value, send traffic to all targets, including unhealthy targets" (TargetGroupAttribute).
    """
    balanced.add("well")
    balanced.add("ill").health = 500
    balanced.await_state(balanced.addresses["ill"], "unhealthy")
    prefix = "target_group_health__unhealthy_state_routing__minimum_healthy_targets"
    balanced.set_group(**{f"{prefix}__count": 2})
    assert {get(balanced).text for _ in range(10)} == {"well", "ill"}
    balanced.set_group(**{f"{prefix}__count": 1, f"{prefix}__percentage": 51})
    assert {get(balanced).text for _ in range(10)} == {"well", "ill"}
    balanced.set_group(**{f"{prefix}__percentage": 50})
    assert {get(balanced).text for _ in range(10)} == {"well"}


# When it cannot


def test_no_targets(balanced: Balanced) -> None:
    """HTTP 503: "The target groups for the load balancer have no registered targets." """
    balanced.await_active()
    assert is_own_page(get(balanced), 503, "Service Temporarily Unavailable")


def test_a_target_that_refuses(balanced: Balanced) -> None:
    """HTTP 502: "The load balancer received a TCP RST from the target when attempting to establish a connection." """
    balanced.add("one").stop()
    assert is_own_page(get(balanced), 502, "Bad Gateway")


def test_a_target_that_hangs_up(balanced: Balanced) -> None:
    """HTTP 502: "The target closed the connection with a TCP RST or a TCP FIN while the load balancer had an
    outstanding request to the target."
    """
    balanced.add("one")
    assert is_own_page(get(balanced, "/die"), 502, "Bad Gateway")


def test_a_target_that_speaks_no_http(balanced: Balanced) -> None:
    """HTTP 502: "The target response is malformed"."""
    with raw_target(balanced, lambda _: b"SSH-2.0-OpenSSH_9.6\r\n"):
        assert is_own_page(get(balanced), 502, "Bad Gateway")


def test_a_target_that_is_too_slow(balanced: Balanced) -> None:
    """HTTP 504: "The load balancer established a connection to the target but the target did not respond before
    the idle timeout period elapsed."
    """
    balanced.add("one")
    balanced.set_balancer(idle_timeout__timeout_seconds=1)
    assert is_own_page(get(balanced, "/wait"), 504, "Gateway Time-out")


def test_a_target_behind_a_closed_security_group(balanced: Balanced) -> None:
    """HTTP 504: "The load balancer failed to establish a connection to the target before the connection timeout
    expired (10 seconds)."
    """
    site = balanced.add("one")
    balanced.ec2.revoke_security_group_ingress(GroupId=balanced.inner, IpPermissions=closing(balanced.outer))
    eventually(lambda: get(balanced).status_code == 504)
    assert is_own_page(get(balanced), 504, "Gateway Time-out")
    balanced.allow_from(balanced.inner, balanced.outer, PORT)
    assert eventually(lambda: get(balanced).text == site.name)


def closing(group: str) -> list[dict[str, object]]:
    """The permission that lets the load balancer reach the targets."""
    pairs = [{"GroupId": group}]
    return [{"IpProtocol": "tcp", "FromPort": PORT, "ToPort": PORT, "UserIdGroupPairs": pairs}]


def test_a_response_that_breaks_off(balanced: Balanced) -> None:
    """The client learns of it: its connection is closed before the promised length."""
    balanced.add("one")
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.ConnectionError)):
        get(balanced, "/half")


def test_trace_is_refused(balanced: Balanced) -> None:
    """HTTP 405: "The client used the TRACE method, which is not supported by Application Load Balancers." """
    balanced.add("one")
    answer = requests.request("TRACE", balanced.url, timeout=PATIENCE)
    assert is_own_page(answer, 405, "Method Not Allowed")


def test_too_many_hops(balanced: Balanced) -> None:
    """HTTP 463: "an X-Forwarded-For request header with more than 30 IP addresses"."""
    balanced.add("one")
    assert get(balanced, headers={"X-Forwarded-For": ", ".join(["203.0.113.7"] * 30)}).status_code == 200
    assert get(balanced, headers={"X-Forwarded-For": ", ".join(["203.0.113.7"] * 31)}).status_code == 463


@pytest.mark.parametrize(
    "request_",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 17_000 + b"\r\n\r\n",
        b"GET /" + b"y" * 17_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n"
        + b"".join(b"X-%d: " % n + b"y" * 11_000 + b"\r\n" for n in range(6))
        + b"\r\n",
    ],
    ids=["malformed", "long header", "long line", "long head"],
)
def test_bad_requests(balanced: Balanced, request_: bytes) -> None:
    """HTTP 400: "malformed", or "16 K per request line, 16 K per single header, or 64 K for the entire request
    header" ("Troubleshoot your Application Load Balancers").
    """
    balanced.add("one")
    got = exchange(balanced, request_)
    assert got.startswith((b"HTTP/1.0 400 Bad Request\r\n", b"HTTP/1.1 400 Bad Request\r\n"))
    assert b"Server: awselb/2.0\r\n" in got


@pytest.mark.parametrize(("count", "status"), [(31, 200), (34, 502)])
def test_a_response_with_a_large_head(balanced: Balanced, count: int, status: int) -> None:
    """HTTP 502: "The target response header exceeded 32 K for the entire response header"."""
    balanced.add("one")
    assert get(balanced, f"/headers?count={count}").status_code == status


def test_a_client_that_does_not_send_its_body(balanced: Balanced) -> None:
    """HTTP 408: "The client did not send data before the idle timeout period expired." """
    balanced.add("one")
    balanced.set_balancer(idle_timeout__timeout_seconds=1)
    got = exchange(balanced, b"POST /upload HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n")
    assert got.startswith(b"HTTP/1.1 408 ")


def test_an_idle_client_is_closed(balanced: Balanced) -> None:
    """idle_timeout.timeout_seconds: a connection on which nothing passes for so long is closed."""
    balanced.add("one")
    balanced.set_balancer(idle_timeout__timeout_seconds=1)

    def closes() -> bool:
        try:
            return exchange(balanced, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", patience=3).endswith(b"one")
        except TimeoutError:
            return False

    assert eventually(closes)


# Stale connections


@contextmanager
def raw_target(balanced: Balanced, answer: Answer) -> Iterator[list[bytes]]:
    """A registered target that answers each connection's n-th request with ``answer(n)``; None hangs up.

    Yields the requests that came in, but health checks, which are answered well.
    """
    ip = balanced.make_address()
    got: list[bytes] = []
    with socket.create_server((balanced.loopback(ip), PORT)) as server:
        server.settimeout(0.1)
        over = threading.Event()
        thread = threading.Thread(target=_serve_raw, args=(server, answer, got, over))
        thread.start()
        balanced.register(ip)
        balanced.await_state(ip, "healthy")
        balanced.await_active()
        try:
            yield got
        finally:
            over.set()
            thread.join()


def _serve_raw(server: socket.socket, answer: Answer, got: list[bytes], over: threading.Event) -> None:
    threads = []
    while not over.is_set():
        try:
            client, _ = server.accept()
        except TimeoutError:
            continue
        threads.append(threading.Thread(target=_answer_raw, args=(client, answer, got, over)))
        threads[-1].start()
    for thread in threads:
        thread.join(timeout=PATIENCE)


def _answer_raw(client: socket.socket, answer: Answer, got: list[bytes], over: threading.Event) -> None:
    number = 0
    with client:
        while request := _receive(client, over):
            if request.startswith(b"GET /health "):
                client.sendall(OK)
                continue
            number += 1
            got.append(request)
            reply = answer(number)
            if reply is None:
                return
            at_once, _, later = reply.partition(LATER)
            client.sendall(at_once.removesuffix(b"ok") if request.startswith(b"HEAD") else at_once)
            if later:
                over.wait(0.1)
                client.sendall(later)
                got.append(LATER)


def _receive(client: socket.socket, over: threading.Event) -> bytes:
    """What comes next; nothing when the other side closes or the test is over."""
    client.settimeout(0.1)
    while not over.is_set():
        try:
            return client.recv(65_536)
        except TimeoutError:
            continue
        except OSError:
            return b""
    return b""


LATER = b"|later|"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def first_only(number: int) -> bytes | None:
    """A target that closes kept-alive connections when the next request comes."""
    return OK if number == 1 else None


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "DELETE", "PUT"])
def test_a_request_that_meets_a_closing_connection_is_sent_again(balanced: Balanced, method: str) -> None:
    """An idempotent request may be repeated on a new connection (RFC 9110, 9.2.2); no client sees the race of a
    target that closes an idle connection.
    """
    with raw_target(balanced, first_only) as got:
        for _ in range(4):
            assert requests.request(method, balanced.url, timeout=PATIENCE).status_code == 200
    assert len(got) == 7  # all but the first twice: before on the connection that the one before left


def test_what_comes_unasked_is_nobodys_answer(balanced: Balanced) -> None:
    """Some servers say 408 before they close an idle connection; the next request goes on another one."""
    unasked = OK + LATER + b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"
    with raw_target(balanced, lambda _: unasked) as got:
        for count in range(1, 4):
            assert requests.post(balanced.url, timeout=PATIENCE).status_code == 200
            eventually(lambda count=count: got.count(LATER) == count)


def test_a_request_with_effects_is_not_sent_again(balanced: Balanced) -> None:
    """A POST that met a closing connection may have been done (RFC 9110, 9.2.2): HTTP 502."""
    with raw_target(balanced, first_only) as got:
        assert get(balanced).status_code == 200
        assert requests.post(balanced.url, timeout=PATIENCE).status_code == 502
        assert sum(request.startswith(b"POST") for request in got) == 1


def test_a_request_with_a_body_goes_on_a_connection_that_cannot_be_stale(balanced: Balanced) -> None:
    """A body is sent once, so it is not tried on a connection that the target may be closing."""
    with raw_target(balanced, first_only):
        for _ in range(4):
            assert get(balanced).status_code == 200
            assert requests.post(balanced.url, data=b"body", timeout=PATIENCE).status_code == 200


def test_a_target_that_hangs_up_on_new_connections_too_is_asked_no_more(balanced: Balanced) -> None:
    """HTTP 502: what met a kept connection is sent again on a new one, and not a third time."""
    with raw_target(balanced, lambda _: None) as got:
        assert get(balanced).status_code == 502
        assert len(got) == 2
        assert get(balanced).status_code == 502
        assert len(got) == 3  # now there is no kept connection


# When it listens


def test_nothing_listens_before_the_load_balancer_is_active(balanced: Balanced) -> None:
    """State ``provisioning``: "The load balancer is being set up"; its name answers when it is ``active``."""
    made = balanced.make_balancer("second")
    assert made["State"]["Code"] == "provisioning"
    assert not answers(f"http://{made['DNSName']}")


def test_a_load_balancer_without_listener_takes_no_connections(balanced: Balanced) -> None:
    """ "A listener checks for connection requests from clients"; before the first, and after the last."""
    balanced.add("one")
    balanced.elb.delete_listener(ListenerArn=balanced.listener)
    eventually(lambda: not answers(balanced.url))
    balanced.listener = balanced.listen(80, balanced.forward(balanced.target_group))
    eventually(lambda: answers(balanced.url))


def test_a_deleted_load_balancer_is_gone(balanced: Balanced) -> None:
    """DeleteLoadBalancer "also deletes its listeners"; nothing answers any more."""
    balanced.add("one")
    with requests.Session() as session:
        assert session.get(balanced.url, timeout=PATIENCE).text == "one"
        balanced.elb.delete_load_balancer(LoadBalancerArn=balanced.arn)
        eventually(lambda: not answers(balanced.url))
        with pytest.raises(requests.ConnectionError):
            session.get(balanced.url, timeout=10)


def test_a_security_group_may_keep_clients_out(balanced: Balanced) -> None:
    """ "The security group for the load balancer must allow inbound traffic from the clients on the listener
    ports"; else packets are dropped and the client gets no answer.
    """
    balanced.add("one")
    closed = balanced.make_group("closed")
    balanced.elb.set_security_groups(LoadBalancerArn=balanced.arn, SecurityGroups=[closed])
    eventually(lambda: not in_time(balanced.url))
    balanced.elb.set_security_groups(LoadBalancerArn=balanced.arn, SecurityGroups=[balanced.outer])
    eventually(lambda: in_time(balanced.url))


def from_range(cidr: str, first: int = 80, last: int = 80, protocol: str = "tcp") -> dict[str, Any]:
    """A permission for a range of addresses."""
    peers: dict[str, Any] = {"IpRanges": [{"CidrIp": cidr}]}
    if ":" in cidr:
        peers = {"Ipv6Ranges": [{"CidrIpv6": cidr}]}
    return {"IpProtocol": protocol, "FromPort": first, "ToPort": last, **peers}


EVERYTHING = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "127.0.0.1/32"}]}
ADMISSIONS: dict[str, tuple[list[dict[str, Any]], bool]] = {
    "no rule": ([], False),
    "the client's own address": ([from_range("127.0.0.1/32")], True),
    "a range around it": ([from_range("127.0.0.0/8")], True),
    "another range": ([from_range("192.0.2.0/24")], False),
    "another range and its own": ([from_range("192.0.2.0/24"), from_range("127.0.0.0/30")], True),
    "another port": ([from_range("127.0.0.1/32", 443, 443)], False),
    "ports around it": ([from_range("127.0.0.1/32", 1, 1024)], True),
    "another protocol": ([from_range("127.0.0.1/32", protocol="udp")], False),
    "every protocol": ([EVERYTHING], True),
    "everybody of the other family": ([from_range("::/0")], False),
}


@pytest.mark.parametrize("case", ADMISSIONS)
def test_clients_are_let_in_by_their_addresses(balanced: Balanced, case: str) -> None:
    """Amazon VPC User Guide, 'Security group rules': "You can specify allow rules, but not deny rules", each with a
    protocol, a port range and a source; "when you first create a security group, it has no inbound rules. Therefore, no
    inbound traffic is allowed until you add inbound rules"; "a single IPv4 address … use the /32 prefix length"; an
    IPv4 source lets in no IPv6 address, nor the other way round. Elastic Load Balancing, 'Security groups for your
    Application Load Balancer': inbound, 'listener port'.
    """
    rules, is_let_in = ADMISSIONS[case]
    balanced.add("one")
    group = balanced.make_group("clients")
    if rules:
        balanced.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=rules)
    balanced.elb.set_security_groups(LoadBalancerArn=balanced.arn, SecurityGroups=[group])
    eventually(lambda: in_time(balanced.url) == is_let_in)


def test_the_rules_of_all_groups_count_together(balanced: Balanced) -> None:
    """ "When you associate multiple security groups with a resource, the rules from each security group are aggregated
    to form a single set of rules" (Amazon VPC User Guide).
    """
    balanced.add("one")
    closed, opened = balanced.make_group("closed"), balanced.make_group("opened")
    balanced.allow(opened, 80, CidrIp="127.0.0.1/32")
    balanced.elb.set_security_groups(LoadBalancerArn=balanced.arn, SecurityGroups=[closed])
    eventually(lambda: not in_time(balanced.url))
    balanced.elb.set_security_groups(LoadBalancerArn=balanced.arn, SecurityGroups=[closed, opened])
    eventually(lambda: in_time(balanced.url))


def test_a_client_that_came_before_its_packets_were_dropped_hears_nothing(balanced: Balanced) -> None:
    """Dropped packets are neither answered nor refused; TCP sends them again, so they arrive when they may."""
    balanced.add("one")
    closed = balanced.make_group("closed")
    host, _, port = balanced.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port))) as client:
        balanced.elb.set_security_groups(LoadBalancerArn=balanced.arn, SecurityGroups=[closed])
        eventually(lambda: not in_time(balanced.url))
        client.sendall(b"GET / HTTP/1.1\r\nHost: one\r\n\r\n")
        client.settimeout(0.5)
        with pytest.raises(TimeoutError):
            client.recv(1)
        balanced.elb.set_security_groups(LoadBalancerArn=balanced.arn, SecurityGroups=[balanced.outer])
        client.settimeout(PATIENCE)
        assert client.recv(12) == b"HTTP/1.1 200"


def in_time(url: str) -> bool:
    """Whether anything is answered within half a second."""
    try:
        requests.get(url, timeout=0.5)
    except requests.Timeout:
        return False
    return True


def test_changes_of_the_listener_take_effect(balanced: Balanced) -> None:
    """ModifyListener: the next requests go where it says."""
    balanced.add("one")
    other = balanced.make_target_group("other")
    balanced.elb.modify_listener(ListenerArn=balanced.listener, DefaultActions=[balanced.forward(other)])
    assert get(balanced).status_code == 503
    balanced.add("two", target_group=other)
    assert get(balanced).text == "two"


def test_bodies_of_errors_are_html(balanced: Balanced) -> None:
    """The page that everybody knows."""
    balanced.await_active()
    assert get(balanced).text.split("\r\n") == [
        "<html>",
        "<head><title>503 Service Temporarily Unavailable</title></head>",
        "<body>",
        "<center><h1>503 Service Temporarily Unavailable</h1></center>",
        "</body>",
        "</html>",
        "",
    ]
    assert json.dumps(dict(get(balanced).headers)).count("awselb/2.0") == 1


VERSIONS = [("HTTP/2.0", 505), ("HTTP/0.9", 400)]


@pytest.mark.parametrize(("version", "status"), VERSIONS)
def test_another_version_of_http_is_refused(balanced: Balanced, version: str, status: int) -> None:
    """ "HTTP 505: Version not supported. The load balancer received an unexpected HTTP version request." ('Troubleshoot
    your Application Load Balancers'); its own answers are of HTTP/1.1. What it says to less than 1.0 is not documented.
    """
    site = balanced.add("one")
    answer = exchange(balanced, f"GET /x {version}\r\nHost: a\r\n\r\n".encode())
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert [seen for seen in site.seen if seen.path == "/x"] == []
