"""Where public DNS leads a domain that is flattened to a distribution: its addresses are asked whose they are."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from lobster_tasks.account import Address, find_lead, is_at_edge
from lobster_tasks.dns import look_up
from tests.embedded.certificates import make_certificate
from tests.name_server import Records, public_dns
from tests.serving import in_background

APEX, EDGE = "example.org", "d111111abcdef8.cloudfront.net"
OLD, NEW = Address("abc.us-east-2.awsapprunner.com"), Address(EDGE, True, frozenset({APEX}))
ONE, OTHER, SIXTH = "192.0.2.1", "192.0.2.2", "2001:db8::1"
FLAT: Records = {
    APEX: {"A": [ONE, OTHER], "AAAA": [SIXTH]},
    "www.example.org": {"A": [ONE]},
    EDGE: {"A": ["192.0.2.129"]},
    OLD.name: {"A": ["192.0.2.65"]},
}


def lead(name: str, there: Address, *others: Address, answers: Mapping[str, bool | None]) -> str:
    """Where public DNS leads a name, where these addresses answer for it as CloudFront does, or not."""
    with public_dns(FLAT) as own:
        ask = partial(look_up, asked=own)
        return find_lead(name, there, ask, *others, at_edge=lambda _, address: answers[address]).where


@pytest.mark.parametrize(
    ("answers", "as_other", "as_there"),
    [
        ({ONE: True, OTHER: True, SIXTH: True}, "other", "there"),
        ({ONE: True, OTHER: True, SIXTH: None}, "other", "there"),  # a machine without IPv6
        ({ONE: True, OTHER: True, SIXTH: False}, "elsewhere", "there"),
        ({ONE: True, OTHER: False, SIXTH: True}, "elsewhere", "there"),
        ({ONE: True, OTHER: None, SIXTH: True}, "elsewhere", "there"),
        ({ONE: False, OTHER: False, SIXTH: None}, "elsewhere", "elsewhere"),
        ({ONE: None, OTHER: None, SIXTH: None}, "elsewhere", "elsewhere"),
    ],
)
def test_an_alias_is_served_by_the_one_distribution_that_has_it(
    answers: Mapping[str, bool | None], as_other: str, as_there: str
) -> None:
    """To an ``other`` address it leads where it does for all visitors, and ``there`` where it does for some."""
    assert lead(APEX, OLD, NEW, answers=answers) == as_other
    assert lead(APEX, NEW, answers=answers) == as_there


def test_a_name_that_is_no_alias_is_not_asked_for() -> None:
    """CloudFront would answer for another distribution, or refuse."""
    assert lead("www.example.org", OLD, NEW, answers={}) == "elsewhere"
    assert lead(APEX, OLD, Address(EDGE, True), answers={}) == "elsewhere"


class Edge(BaseHTTPRequestHandler):
    """Answers with some headers."""

    added: Mapping[str, str] = {}

    def do_GET(self) -> None:
        """Answer 403, as for a visitor whom a web ACL does not let in."""
        self.send_response(403)
        for name, value in self.added.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


OWN = {"X-Amz-Cf-Id": "x", "Via": "1.1 0a.cloudfront.net (CloudFront)"}


@pytest.mark.parametrize(
    ("name", "added", "is_edge"),
    [
        (APEX, OWN, True),
        (APEX, {**OWN, "Via": "1.1 varnish, 1.1 0a.cloudfront.net (CloudFront)"}, True),
        (APEX, {}, False),
        (APEX, {"X-Amz-Cf-Id": "x"}, False),
        (APEX, {"Via": OWN["Via"]}, False),
        ("other.example.org", OWN, False),  # another name's certificate
    ],
)
def test_whether_an_address_is_that_of_cloudfront(
    name: str, added: Mapping[str, str], is_edge: bool, tmp_path: Path
) -> None:
    made, file = make_certificate(APEX), tmp_path / "edge.pem"
    file.write_bytes(made.certificate + made.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Edge,), {"added": added}))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with in_background(server) as address:
        assert is_at_edge(name, address, made.certificate.decode()) is is_edge
    assert is_at_edge(name, address) is None  # nobody listens any more
