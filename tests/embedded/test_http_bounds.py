"""What one connection may take of the embedded AWS: so much, for so long; and what is no HTTP is never carried out.

RFC 9112 (HTTP/1.1): 400 for a message that is malformed, 408 for one that does not come, 413 for one that is too large.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from embedded_aws.endpoint.keep_alive import TOO_LARGE, HttpServer, Limits
from embedded_aws.moto.dispatch import Answer
from tests.embedded_process import EmbeddedProcess, eventually

HEAD = b"POST / HTTP/1.1\r\nHost: localhost\r\n"


class Served:
    """A server, and the bodies of the requests that it let through."""

    def __init__(self, **limits: Any) -> None:
        self.bodies: list[bytes] = []
        self.server = HttpServer(0, Limits(**limits))
        self.server.application = self._answer

    def _answer(self, environ: dict[str, Any]) -> Answer:
        if environ[TOO_LARGE]:
            return Answer(413, (), b"")
        self.bodies.append(environ["wsgi.input"].read())
        return Answer(200, (), b"done")

    def connect(self) -> socket.socket:
        """A connection to it."""
        return socket.create_connection(("127.0.0.1", self.server.port), timeout=600)

    def send(self, *parts: bytes) -> bytes:
        """Everything that is answered until the connection ends."""
        with self.connect() as connection:
            for part in parts:
                connection.sendall(part)
            return everything(connection)


def everything(connection: socket.socket) -> bytes:
    """What comes until the other side ends."""
    heard = b""
    while data := connection.recv(65536):
        heard += data
    return heard


@contextmanager
def served(**limits: Any) -> Iterator[Served]:
    """A server with these limits."""
    made = Served(**limits)
    thread = threading.Thread(target=made.server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.server.shutdown()
        made.server.server_close()
        thread.join()


def sized(body: bytes, *more: bytes) -> bytes:
    """A request with a body."""
    return b"".join([HEAD, *more, b"Content-Length: %d\r\n\r\n" % len(body), body])


def chunked(*chunks: bytes) -> bytes:
    """A request whose body comes in chunks."""
    framed = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    return HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + framed + b"0\r\n\r\n"


CLOSE = b"Connection: close\r\n"


class TestBodies:
    def test_as_large_as_is_taken(self) -> None:
        with served(body=1000) as one:
            assert one.send(sized(b"x" * 1000, CLOSE)).startswith(b"HTTP/1.1 200")
            assert one.send(chunked(b"x" * 400, b"x" * 600).replace(HEAD, HEAD + CLOSE)).startswith(
                b"HTTP/1.1 200"
            )
            assert one.bodies == [b"x" * 1000] * 2

    @pytest.mark.parametrize(
        "request_",
        [sized(b"x" * 1001), sized(b"x" * 100_000), chunked(b"x" * 1001), chunked(*[b"x" * 100] * 50)],
        ids=["by one byte", "by far", "one chunk", "many chunks"],
    )
    def test_larger_ones_are_refused_and_the_connection_ends(self, request_: bytes) -> None:
        """RFC 9110, 15.5.14: 413 Content Too Large; the client gets to read it."""
        with served(body=1000) as one:
            heard = one.send(request_)
            assert heard.startswith(b"HTTP/1.1 413")
            assert heard.count(b"HTTP/1.1") == 1
            assert one.bodies == []

    def test_one_that_asks_first_is_told_before_it_sends(self) -> None:
        """RFC 9110, 10.1.1: Expect: 100-continue."""
        with served(body=1000) as one:
            head = HEAD + b"Expect: 100-continue\r\nContent-Length: 5000\r\n\r\n"
            assert one.send(head).startswith(b"HTTP/1.1 413")

    def test_one_that_breaks_off_is_not_carried_out(self) -> None:
        with served() as one, one.connect() as connection:
            connection.sendall(HEAD + b"Content-Length: 100\r\n\r\nDeleteEverything")
            connection.shutdown(socket.SHUT_WR)
            assert everything(connection).startswith(b"HTTP/1.1 400")
            assert one.bodies == []

    @pytest.mark.parametrize(
        "framing",
        [
            b"Content-Length: -5\r\n\r\nx",
            b"Content-Length: x\r\n\r\nx",
            b"Content-Length: +1\r\n\r\nx",
            b"Content-Length: 1, 1\r\n\r\nx",
            b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
            b"Content-Length: " + b"9" * 5000 + b"\r\n\r\nx",
            b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
            b"Transfer-Encoding: gzip\r\n\r\n",
            b"Transfer-Encoding: gzip, chunked\r\n\r\n",
            b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n1\r\nx\r\n0\r\n\r\n",
            b"Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
            b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
            b"Transfer-Encoding: chunked, chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
            b"Transfer-Encoding: chunked\r\n\r\n0x1\r\nx\r\n0\r\n\r\n",
            b"Transfer-Encoding: chunked\r\n\r\n+1\r\nx\r\n0\r\n\r\n",
            b"Transfer-Encoding: chunked\r\n\r\n 1\r\nx\r\n0\r\n\r\n",
            b"Transfer-Encoding: chunked\r\n\r\n1_0\r\n" + b"x" * 16 + b"\r\n0\r\n\r\n",
            b"Transfer-Encoding: chunked\r\n\r\n1\nx\n0\n\n",
            b"Transfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n0\r\n\r\n",
            b"Transfer-Encoding: chunked\r\n\r\n" + b"0" * 9000 + b"1\r\nx\r\n0\r\n\r\n",
            b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n",
            b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nno trailer\r\n\r\n",
            b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n" + b"X: y\r\n" * 1000 + b"\r\n",
            b"Transfer-Encoding: chunked\r\n\r\n-1\r\nx\r\n0\r\n\r\n",
            b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
            b"Transfer-Encoding: chunked\r\n\r\n5\r\nx",
        ],
        ids=lambda framing: repr(framing[:60]),
    )
    def test_a_length_that_can_be_read_in_two_ways_is_refused(self, framing: bytes) -> None:
        """RFC 9112, 6.3: such a message 'ought to be handled as an error'."""
        with served() as one, one.connect() as connection:
            connection.sendall(HEAD + framing)
            connection.shutdown(socket.SHUT_WR)
            heard = everything(connection)
            assert heard.startswith(b"HTTP/1.1 400")
            assert heard.count(b"HTTP/1.1") == 1
            assert one.bodies == []

    def test_chunks_of_http_1_0_are_refused(self) -> None:
        """RFC 9112, 6.1: 'MUST treat the message as if the framing is faulty'."""
        with served() as one:
            assert one.send(chunked(b"x").replace(b"HTTP/1.1", b"HTTP/1.0", 1)).startswith(b"HTTP/1.1 400")
            assert one.bodies == []

    @pytest.mark.parametrize(
        "body",
        [
            b'2;name=value\r\nab\r\n3 ; q="a;b" ;c\r\ncde\r\n0;last\r\n\r\n',
            b"0002\r\nab\r\n3\r\ncde\r\n000\r\n\r\n",
            b"5\r\nabcde\r\n0\r\nExpires: never\r\nX-Checksum:\r\n\r\n",
        ],
        ids=["extensions", "zeros", "trailers"],
    )
    def test_extensions_of_chunks_and_trailers_are_passed_over(self, body: bytes) -> None:
        """RFC 9112, 7.1.1: 'A recipient MUST ignore unrecognized chunk extensions'; 7.1.2: trailers may be discarded.
        The next request begins after them.
        """
        head = HEAD + b"Transfer-Encoding:  Chunked \r\n\r\n"
        with served(idle=5) as one:
            assert one.send(head + body + sized(b"next", CLOSE)).count(b"HTTP/1.1 200") == 2
            assert one.bodies == [b"abcde", b"next"]


class TestUploads:
    """A registry's client sends a layer in one body: its bounds are those of the disk."""

    UPLOAD = b"PATCH /v2/x HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic x\r\n"

    def upload(self, body: bytes, head: bytes = UPLOAD) -> bytes:
        """A request with a body, and no more after it."""
        return head + CLOSE + b"Content-Length: %d\r\n\r\n" % len(body) + body

    def test_larger_ones_are_taken(self) -> None:
        with served(body=1000, upload=5000) as one:
            assert one.send(self.upload(b"x" * 5000)).startswith(b"HTTP/1.1 200")
            assert one.bodies == [b"x" * 5000]

    def test_up_to_their_own_bound(self) -> None:
        with served(body=1000, upload=5000) as one:
            assert one.send(self.upload(b"x" * 5001)).startswith(b"HTTP/1.1 413")
            assert one.send(chunked(b"x" * 5001).replace(HEAD, self.UPLOAD)).startswith(b"HTTP/1.1 413")
            assert one.bodies == []

    def test_the_disk_is_not_filled(self) -> None:
        with served(body=1000, free=1024**6) as one:
            assert one.send(self.upload(b"x")).startswith(b"HTTP/1.1 413")

    @pytest.mark.parametrize(
        "head",
        [
            UPLOAD.replace(b"Authorization: Basic x\r\n", b""),  # as a page may send it
            UPLOAD.replace(b"Basic x", b"AWS4-HMAC-SHA256 x"),
            UPLOAD.replace(b"/v2/x", b"/"),
            UPLOAD
            + b"Origin: https://evil.example\r\n",  # the browser has the name and password from the URL
            UPLOAD + b"Sec-Fetch-Site: cross-site\r\n",
            UPLOAD.replace(b"localhost", b"evil.example"),
        ],
    )
    def test_others_are_no_uploads(self, head: bytes) -> None:
        with served(body=1000, upload=5000) as one:
            assert one.send(self.upload(b"x" * 5000, head)).startswith(b"HTTP/1.1 413")

    def test_have_time_while_they_come(self) -> None:
        """A minute is for one piece, not for a layer: an engine packs it while it sends."""
        with served(request=3.0) as one, one.connect() as connection:
            connection.sendall(self.UPLOAD + CLOSE + b"Transfer-Encoding: chunked\r\n\r\n")
            began, sent = time.monotonic(), 0
            while time.monotonic() < began + 4:
                connection.sendall(b"1\r\nx\r\n")
                time.sleep(0.05)
                sent += 1
            connection.sendall(b"0\r\n\r\n")
            assert everything(connection).startswith(b"HTTP/1.1 200")
            assert one.bodies == [b"x" * sent]

    def test_end_when_nothing_comes(self) -> None:
        with served(request=0.2) as one:
            head = self.UPLOAD + b"Content-Length: 10\r\n\r\n12345"
            assert one.send(head).startswith(b"HTTP/1.1 408")


class TestHeaders:
    @pytest.mark.parametrize(
        "line",
        [
            b"no colon\r\n",
            b"Origin : x\r\n",
            b"Origin\t: x\r\n",
            b" folded\r\n",
            b": no name\r\n",
            b"X(Y): z\r\n",
            b"X: a\rOrigin: b\r\n",
            b"X: a\0b\r\n",
            b"From here\r\n",
            b"Host: 127.0.0.1\r\n",
            b"X\xe9: y\r\n",
        ],
        ids=repr,
    )
    @pytest.mark.parametrize("place", ["first", "last"])
    def test_a_line_that_is_no_field_is_refused(self, line: bytes, place: str) -> None:
        """RFC 9112, 5.1: 'A server MUST reject, with a response status code of 400, any received request message that
        contains whitespace between a header field name and colon'; 5.2 (folding), 2.2 (bare CR), 3.2 (two Hosts).
        """
        start, host = HEAD.split(b"\r\n", 1)
        lines = line + host if place == "first" else host + line
        with served() as one:
            heard = one.send(b"%b\r\n%bOrigin: https://evil.example\r\n\r\n" % (start, lines))
            assert heard.startswith(b"HTTP/1.1 400")
            assert one.bodies == []

    @pytest.mark.parametrize("head", [HEAD, HEAD + b"Content-Length: 0\r\n", HEAD + b"Content-Len"])
    def test_a_header_that_breaks_off_is_refused(self, head: bytes) -> None:
        """RFC 9112, 8: an incomplete request is not carried out."""
        with served() as one, one.connect() as connection:
            connection.sendall(head)
            connection.shutdown(socket.SHUT_WR)
            assert everything(connection).startswith(b"HTTP/1.1 400")
            assert one.bodies == []

    @pytest.mark.parametrize(
        "line",
        [b"X-Any:\r\n", b"X:a\r\n", b"X:\ty \t\r\n", b"X: \xe9\r\n", b"X: a\n", b"!#$%&'*+-.^_`|~1: y\r\n"],
    )
    def test_a_line_that_is_one_is_taken(self, line: bytes) -> None:
        """RFC 9112, 5: field-line = field-name ":" OWS field-value OWS; 2.2: a single LF may end it."""
        with served() as one:
            assert one.send(sized(b"x", line, CLOSE)).startswith(b"HTTP/1.1 200")

    def test_a_length_with_blanks_around_it(self) -> None:
        with served() as one:
            request_ = sized(b"abc", CLOSE).replace(b"Length: 3", b"Length: \t3 ")
            assert one.send(request_).startswith(b"HTTP/1.1 200")
            assert one.bodies == [b"abc"]

    def test_a_target_that_is_no_url_is_refused(self) -> None:
        with served() as one:
            assert one.send(HEAD.replace(b" / ", b" http://[x ") + b"\r\n").startswith(b"HTTP/1.1 400")
            assert one.bodies == []


class TestTime:
    @pytest.mark.parametrize("begun", [b"P", HEAD, HEAD + b"X: ", HEAD + b"Content-Length: 10\r\n\r\n12345"])
    def test_a_request_that_does_not_end_is_ended(self, begun: bytes) -> None:
        """RFC 9110, 15.5.9: 408 Request Timeout."""
        with served(request=0.2) as one:
            assert one.send(begun).startswith(b"HTTP/1.1 408")
            assert one.bodies == []

    def test_one_that_comes_byte_by_byte_is_ended_too(self) -> None:
        """However often something comes: the request as a whole has its time."""
        with served(request=0.3, idle=600) as one, one.connect() as connection:
            connection.settimeout(0.02)
            heard = b""
            for _ in range(2000):
                try:
                    connection.sendall(b"x")
                    heard += connection.recv(1000)
                except TimeoutError:
                    continue
                except ConnectionError:
                    break
                if heard:
                    break
            assert heard.startswith(b"HTTP/1.1 408")

    def test_an_idle_connection_is_closed_without_a_word(self) -> None:
        with served(idle=0.2) as one:
            assert one.send(b"") == b""
            heard = one.send(sized(b"x"))
            assert heard.startswith(b"HTTP/1.1 200")
            assert heard.endswith(b"done")

    def test_others_are_answered_meanwhile(self) -> None:
        with served() as one, one.connect() as slow:
            slow.sendall(HEAD)
            assert one.send(sized(b"x", CLOSE)).startswith(b"HTTP/1.1 200")

    def test_requests_may_follow_at_once(self) -> None:
        """Pipelining."""
        with served(idle=0.3) as one:
            assert one.send(sized(b"a") + sized(b"b") + sized(b"c", CLOSE)).count(b"HTTP/1.1 200") == 3
            assert one.bodies == [b"a", b"b", b"c"]


def test_so_many_connections_and_no_more() -> None:
    """The next one is closed; when another has ended there is room again."""
    with served(connections=2) as one:
        first, second = one.connect(), one.connect()
        for connection in (first, second):
            connection.sendall(sized(b"x"))
            assert connection.recv(1000).startswith(b"HTTP/1.1 200")
        with one.connect() as third:
            assert third.recv(1000) == b""
        first.close()

        def served_again() -> bool:
            try:
                return one.send(sized(b"x", CLOSE)).startswith(b"HTTP/1.1 200")
            except ConnectionError:
                return False

        eventually(served_again)
        second.close()


@pytest.mark.parametrize("service", ["ecs", "iam", "route53", "sns"])
def test_a_client_understands_that_its_call_is_too_large(aws: EmbeddedProcess, service: str) -> None:
    """In each wire form. (The code is not documented; its text is HTTP's.)"""
    huge = "x" * (65 * 1024**2)
    calls: dict[str, Any] = {
        "ecs": lambda client: client.create_cluster(clusterName=huge),
        "iam": lambda client: client.create_user(UserName=huge),
        "route53": lambda client: client.create_hosted_zone(Name="x.example.", CallerReference=huge),
        "sns": lambda client: client.create_topic(Name=huge),
    }
    client = aws.client(service)
    with pytest.raises(client.exceptions.ClientError) as refused:
        calls[service](client)
    answer = refused.value.response
    assert answer["Error"] | {"Type": None} == {
        "Code": "RequestEntityTooLarge",
        "Message": "Request Entity Too Large",
        "Type": None,
    }
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 413
    assert aws.calls() == []
