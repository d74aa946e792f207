"""A plan that keeps out the machine that it is made on."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import IPv4Address
from typing import Any, ClassVar

import pytest

from lobster_tasks import stack
from lobster_tasks.account import find_own_address
from lobster_tasks.aws import Aws
from lobster_tasks.converge import Change, Difference, Lockout, Plan
from lobster_tasks.converge.lockout import limits, lockout
from lobster_tasks.errors import LobsterError
from lobster_tasks.report.plans import plan_json
from lobster_tasks.settings import ADOPTED_TAG, load
from lobster_tasks.stack import Live
from tests.embedded_process import EmbeddedProcess
from tests.serving import in_background

OFFICE, OTHERS = "203.0.113.0/24", "2001:db8::/32"
LISTED = (OFFICE, OTHERS)
FRONTED = {"front": {"kind": "cloudfront"}}
INTERNAL = {"internal": True}
GROUP, V4, V6 = (
    "security-group/lobster-alb-sg",
    "IP-set/lobster-us-east-2-ipv4",
    "IP-set/lobster-us-east-2-ipv6",
)
ACL, DISTRIBUTION = "web-ACL/lobster-us-east-2", "distribution/lobster-us-east-2"


def planned(*changed: str, live: Live | None = None, load_balancer: Any = None, **given: Any) -> Plan:
    """A plan that creates everything; or one that changes ``attribute`` of ``label`` for each ``label attribute``."""
    section = {"allowed_cidrs": list(LISTED), **(load_balancer or {})}
    whole = stack.build(load({**given, "load_balancer": section}), "123456789012")
    found = {each.label: each for each in whole.resources if not each.former}
    told = [each.split() for each in changed]
    changes = [
        Change("update", found[label], "", (Difference(name, name, "", ""),)) for label, name in told
    ] or [Change("create", each, "") for each in whole.resources]
    return Plan("lobster", tuple(changes), (), dict.fromkeys(whole.resources, live))


THERE = Live("id", {})


@pytest.mark.parametrize(
    ("made", "limited"),
    [
        (planned(), LISTED),
        (planned(**FRONTED), LISTED),
        (planned(load_balancer={"allowed_cidrs": None}), ()),
        (planned(load_balancer={"allowed_cidrs": None}, **FRONTED), ()),
        (planned(load_balancer={"allowed_cidrs": [OFFICE, "0.0.0.0/0"]}), ()),
        (planned(load_balancer=INTERNAL), ()),
        (planned(f"{GROUP} ingress", live=THERE), LISTED),
        (planned(f"{GROUP} egress", live=THERE), ()),
        (planned(f"{GROUP} ingress", live=Live("id", {}, {ADOPTED_TAG: "lobster"})), ()),
        (planned(f"{GROUP} ingress", live=THERE, load_balancer=INTERNAL), ()),
        (planned(f"{GROUP} ingress", live=THERE, **FRONTED), ()),
        (planned(f"{V4} addresses", live=THERE, **FRONTED), (OFFICE,)),
        (planned(f"{V6} addresses", live=THERE, **FRONTED), (OTHERS,)),
        (planned(f"{ACL} default-action", live=THERE, **FRONTED), LISTED),
        (planned(f"{DISTRIBUTION} web-ACL", live=THERE, **FRONTED), LISTED),
        (planned(f"{DISTRIBUTION} comment", live=THERE, **FRONTED), ()),
    ],
)
def test_a_plan_limits_visitors_where_it_changes_the_list(made: Plan, limited: tuple[str, ...]) -> None:
    assert limits(made) == limited


def test_the_ranges_contain_this_machines_address_or_not() -> None:
    def here() -> IPv4Address:
        return IPv4Address("203.0.113.9")

    assert lockout((OFFICE, "198.51.100.0/24"), here) is None
    assert lockout(("198.51.100.0/24", OTHERS), here) == Lockout("own-address-not-allowed", "203.0.113.9")


def test_what_cannot_be_found_out_is_not_checked() -> None:
    def nowhere() -> IPv4Address:
        raise LobsterError("The address of this machine is not known.", "nobody tells it")

    assert lockout((OFFICE,), nowhere) == Lockout("own-address-not-checked", why="nobody tells it")
    found = lockout((OTHERS,), nowhere)
    assert found is not None
    assert found.code == "own-address-not-checked"
    assert "IPv6" in found.why


def test_programs_get_a_code() -> None:
    made = Plan("lobster", (), (), {}, lockout=Lockout("own-address-not-checked", why="nobody tells it"))
    told = plan_json(made, applied=False, url=None, before=None, after=None)["warnings"]
    message = "Not checked whether this machine can still use the app, because nobody tells it."
    assert told == [{"code": "own-address-not-checked", "message": message}]


class Teller(BaseHTTPRequestHandler):
    """Answers with ``status`` and ``body``, whatever is asked."""

    status: ClassVar = 200
    body: ClassVar = b""
    hosts: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        """Answer, and record the Host header."""
        self.hosts.append(self.headers["Host"])
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(self.body)))
        self.end_headers()
        self.wfile.write(self.body)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def teller() -> Iterator[Aws]:
    """AWS behind an endpoint that is a ``Teller``."""
    Teller.status, Teller.hosts = 200, []
    with in_background(ThreadingHTTPServer(("127.0.0.1", 0), Teller)) as address:
        yield Aws("us-east-2", endpoint_url=f"http://{address}")


def test_the_address_is_asked_of_the_endpoint_for_awss_host(teller: Aws) -> None:
    Teller.body = b"203.0.113.9\n"
    assert find_own_address(teller) == IPv4Address("203.0.113.9")
    assert Teller.hosts == ["checkip.amazonaws.com"]


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (503, b"", "checkip.amazonaws.com did not return an address (503)"),
        (200, b"<html>Sign in</html>", "is not an IPv4 address"),
        (200, b"2001:db8::9\n", "is not an IPv4 address"),
        (200, b"\xff\xfe", "is not an IPv4 address"),
        (200, b"", "is not an IPv4 address"),
    ],
)
def test_an_answer_without_the_address_is_an_error_with_its_reason(
    teller: Aws, status: int, body: bytes, why: str
) -> None:
    Teller.status, Teller.body = status, body
    with pytest.raises(LobsterError) as unknown:
        find_own_address(teller)
    assert why in unknown.value.why


def test_no_answer_is_an_error_too() -> None:
    with pytest.raises(LobsterError) as unknown:
        find_own_address(Aws("us-east-2", endpoint_url="http://127.0.0.1:9"))
    assert "did not return an address (ConnectionError)" in unknown.value.why


def test_the_embedded_aws_tells_it(embedded: EmbeddedProcess) -> None:
    aws = Aws("us-east-2", endpoint_url=embedded.url)
    assert find_own_address(aws) == IPv4Address("127.0.0.1")
    assert embedded.calls() == []
