"""How often the names before a distribution or a load balancer are read, how many at once, and who is asked."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field, replace
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, cast

import pytest

from lobster_tasks import dns
from lobster_tasks.account import PublicDns
from lobster_tasks.aws import Aws
from lobster_tasks.errors import AwsCallError
from lobster_tasks.forwarding import ForwardingRule
from lobster_tasks.probe import PublicEndpoint
from lobster_tasks.rollout.observation.way import NamesReader, VisitorsPath, with_certificates, with_names
from lobster_tasks.settings import load
from tests.embedded.certificates import server_context
from tests.name_server import FAILS, Records, public_dns
from tests.serving import in_background

DISTRIBUTION = "d111111abcdef8"
HOST = f"{DISTRIBUTION}.cloudfront.net"
DOMAINS = ["app.example.com", "www.example.com"]
SETTINGS = load({"front": {"kind": "cloudfront"}, "domains": DOMAINS})


def path(id: str, *aliases: str, url: str = "https://d111111abcdef8.cloudfront.net") -> VisitorsPath:
    """The way through a distribution."""
    distribution = {"Id": id, "DistributionConfig": {"Aliases": {"Items": list(aliases)}}}
    endpoint = PublicEndpoint(url, distribution=distribution, dns_name=f"{id}.cloudfront.net")
    return VisitorsPath(SETTINGS, ("lobster-tg",), endpoint)


def balanced(name: str, protocol: str = "HTTPS", url: str = "", **more: Any) -> VisitorsPath:
    """The way by a load balancer, without a distribution."""
    rule, dns_name = ForwardingRule(protocol, 443), f"{name}.elb.amazonaws.com"
    url = url or f"{protocol.lower()}://{dns_name}"
    endpoint = PublicEndpoint(url, rule=rule, load_balancer=f"app/{name}/0", dns_name=dns_name, **more)
    return VisitorsPath(load({"domains": DOMAINS}), ("lobster-tg",), endpoint)


@dataclass
class Route53:
    """An account without a hosted zone, at a time of its clock; it counts the listings."""

    time: float = 0.0
    asked: list[str] = field(default_factory=list)
    endpoint_url: str | None = None

    @property
    def clock(self) -> Route53:
        """Its clock is itself."""
        return self

    def now(self) -> float:
        """The time."""
        return self.time

    def pages(self, operation: str, *_: str, **__: Any) -> list[dict[str, Any]]:
        """Nothing."""
        self.asked.append(operation)
        return []


def test_names_are_not_read_again_at_each_look() -> None:
    account = Route53()
    reads = NamesReader(cast(Aws, account), None)

    def listings(way: VisitorsPath, time: float) -> int:
        account.time = time
        names = reads(way).names
        assert [each.domain for each in names] == (DOMAINS if way.endpoint else [])
        return len(account.asked)

    assert listings(VisitorsPath(SETTINGS, ("lobster-tg",)), 0) == 0
    assert listings(path("E1"), 10) == 1
    assert listings(path("E1"), 20) == 1
    assert listings(path("E1"), 69) == 1
    assert listings(path("E1"), 70) == 2
    assert listings(path("E2"), 80) == 3
    assert listings(balanced("one", "HTTP"), 90) == 4
    assert listings(balanced("one", "HTTP"), 91) == 4
    assert listings(balanced("two", "HTTP"), 92) == 5
    assert listings(balanced("two", "HTTP"), 93) == 5


def test_an_internal_load_balancer_is_not_looked_for_in_public_dns() -> None:
    account = Route53()
    assert NamesReader(cast(Aws, account), None)(balanced("one", "HTTP", internal=True)).names == ()
    assert account.asked == []


def waits_for_all(server: socket.socket, met: list[bool]) -> None:
    """Take two connections and no TLS; note whether both are open at one time."""
    taken = [server.accept()[0] for _ in DOMAINS]
    met.append(all(is_open(each) for each in taken))
    for each in taken:
        each.close()


def is_open(connection: socket.socket) -> bool:
    """Whether the other side has not closed it."""
    connection.setblocking(False)
    try:
        while connection.recv(4096):
            pass
    except BlockingIOError:
        return True
    return False


@pytest.mark.parametrize("is_fronted", [True, False])
def test_the_certificates_of_all_domains_are_asked_for_at_once(is_fronted: bool) -> None:
    """A domain whose edge does not answer takes as long as ten do."""
    met: list[bool] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        listener = Thread(target=waits_for_all, args=(server, met))
        listener.start()
        url = f"https://127.0.0.1:{server.getsockname()[1]}"
        way = path("E1", *DOMAINS, url=url) if is_fronted else balanced("one", url=url)
        names = with_certificates(cast(Aws, Route53()), way).names
        listener.join()
    assert [(each.domain, each.certificate) for each in names] == [(each, "") for each in DOMAINS]
    assert met == [True]


@pytest.mark.parametrize(
    ("protocol", "endpoint_url", "is_told"),
    [("HTTPS", None, True), ("HTTPS", "http://127.0.0.1:4566", False), ("HTTP", None, False)],
)
def test_the_certificate_of_a_load_balancer_is_verified(
    protocol: str, endpoint_url: str | None, is_told: bool, tmp_path: Path
) -> None:
    """Where it has one, and not that of an embedded AWS, which nobody has signed."""
    server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.socket = server_context("localhost", tmp_path).wrap_socket(server.socket, server_side=True)
    with in_background(server) as there:
        way = balanced("one", protocol, url=f"https://{there}")
        names = with_certificates(cast(Aws, Route53(endpoint_url=endpoint_url)), way).names
    assert [bool(each.certificate) for each in names] == [is_told, is_told]


@pytest.mark.parametrize(
    ("is_fronted", "allowed", "reached", "is_told"),
    [
        (False, (), None, True),
        (False, (), False, False),
        (False, ("10.0.0.0/8",), None, False),
        (False, ("10.0.0.0/8",), False, False),
        (False, ("10.0.0.0/8",), True, True),
        (True, (), None, True),
        (True, (), False, True),
    ],
)
def test_no_certificate_is_waited_for_where_this_machine_is_not_let_in(
    is_fronted: bool, allowed: tuple[str, ...], reached: bool | None, is_told: bool, tmp_path: Path
) -> None:
    """Connections there are dropped, and end after ten seconds. A distribution takes everybody's, and refuses later."""
    server = HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.socket = server_context("localhost", tmp_path).wrap_socket(server.socket, server_side=True)
    with in_background(server) as there:
        url = f"https://{there}"
        way = (
            path("E1", *DOMAINS, url=url) if is_fronted else balanced("one", url=url, allowed_sources=allowed)
        )
        names = with_certificates(cast(Aws, Route53()), way, reached=reached).names
    assert [bool(each.certificate) for each in names] == [is_told, is_told]


APP = DOMAINS[0]
OWN, OTHERS = ["ns-1.awsdns-1.com."], ["ns.dns.example."]
DENIED = AwsCallError("AWS refused it.", "AccessDenied: no", code="AccessDenied", operation="route53:X")


@dataclass
class Zone:
    """An account whose Route 53 has the zone example.com, which leads a domain to the distribution; or denies."""

    records: tuple[str, ...] = (APP,)
    denies: bool = False
    endpoint_url: str = "http://127.0.0.1:4566"

    def pages(self, *_: str, **__: Any) -> list[dict[str, Any]]:
        """The hosted zones."""
        if self.denies:
            raise DENIED
        return [{"Id": "/hostedzone/Z1", "Name": "example.com."}]

    def call(self, *_: str, **asked: str) -> dict[str, Any]:
        """The records of a name."""
        name = f"{asked.get('StartRecordName', 'example.com')}."
        apex = {"Name": "example.com.", "Type": "NS", "ResourceRecords": [{"Value": each} for each in OWN]}
        soa = {"Name": "example.com.", "Type": "SOA", "ResourceRecords": []}
        led = ({"Name": f"{each}.", "Type": "A", "AliasTarget": {"DNSName": HOST}} for each in self.records)
        listed = [apex, soa, *led]
        return {"ResourceRecordSets": [each for each in listed if each["Name"] == name]}


LED: Records = {APP: {"CNAME": [f"{HOST}."]}, HOST: {"A": ["192.0.2.1", "192.0.2.2"]}}
HERE_TOO = "addresses that d111111abcdef8.cloudfront.net shares with other distributions: 192.0.2.1"


@pytest.mark.parametrize(
    ("account", "records", "known", "where", "saw"),
    [
        # The zone is delegated to, or public DNS does not answer: its records count.
        (Zone(), {"example.com": {"NS": OWN}}, True, "", ""),
        (Zone(), {"example.com": {FAILS: ["NS"]}}, True, "", ""),
        # The zone here is not the one that the internet asks.
        (Zone(), {"example.com": {"NS": OTHERS}, **LED}, False, "there", HOST),
        (Zone(), LED, False, "there", HOST),
        (
            Zone(),
            {
                "example.com": {"NS": OTHERS},
                APP: {"CNAME": ["x.awsapprunner.com."]},
                "x.awsapprunner.com": {},
            },
            False,
            "elsewhere",
            "x.awsapprunner.com",
        ),
        # The DNS is not in this account, or may not be read.
        (Zone(denies=True), LED, False, "there", HOST),
        (Route53(), {**LED, APP: {"A": ["192.0.2.1"]}}, False, "unknown", HERE_TOO),
        (Route53(), {**LED, APP: {"A": ["203.0.113.1"]}}, False, "elsewhere", "203.0.113.1"),
        (Route53(), {}, False, "nowhere", f"public DNS has no address for {APP}"),
        (Route53(), {APP: {FAILS: ["A"]}}, False, "unknown", f"public DNS does not answer for {APP}"),
    ],
)
def test_public_dns_says_what_route_53_here_does_not(
    account: Any, records: Records, known: bool, where: str, saw: str
) -> None:
    way = path(DISTRIBUTION)
    with public_dns(records) as own:
        ask = PublicDns(partial(dns.look_up, asked=own), partial(dns.name_servers, asked=own))
        (read, _) = with_names(cast(Aws, account), way, ask).names
    assert (read.records is not None) is known
    assert ((read.lead.where, saw in read.lead.saw) if read.lead else ("", True)) == (where, True), read


def test_a_load_balancer_is_known_by_its_addresses_too() -> None:
    records = {APP: {"A": ["198.51.100.1"]}, "one.elb.amazonaws.com": {"A": ["198.51.100.1"]}}
    with public_dns(records) as own:
        ask = PublicDns(partial(dns.look_up, asked=own), partial(dns.name_servers, asked=own))
        (read, _) = with_names(cast(Aws, Route53()), balanced("one", "HTTP"), ask).names
    assert (read.lead.where if read.lead else "") == "there"


FORMER = "lobster-alb-0.us-east-2.elb.amazonaws.com"


@dataclass
class Switching(Route53):
    """The same while a load balancer that another one replaces serves too."""

    denies: bool = False

    def find(self, operation: str, *_: Any, **asked: Any) -> dict[str, Any]:
        """DescribeLoadBalancers."""
        if self.denies:
            raise DENIED
        (name,) = asked["Names"]
        return {"LoadBalancers": [{"LoadBalancerName": name, "DNSName": FORMER, "Scheme": "internet-facing"}]}


@pytest.mark.parametrize(
    ("led", "denies", "former"),
    [
        ({"CNAME": [f"{FORMER}."]}, False, "the former load balancer lobster-alb"),
        ({"A": ["198.51.100.65"]}, False, "the former load balancer lobster-alb"),
        ({"A": ["203.0.113.1"]}, False, ""),
        ({"CNAME": [f"{FORMER}."]}, True, ""),
    ],
)
def test_a_name_that_leads_to_the_former_load_balancer_is_told_as_that(
    led: dict[str, list[str]], denies: bool, former: str
) -> None:
    way = replace(path(DISTRIBUTION), target_groups=("lobster-tg-2", "lobster-tg"))
    with public_dns({**LED, APP: led, FORMER: {"A": ["198.51.100.65"]}}) as own:
        ask = PublicDns(partial(dns.look_up, asked=own), partial(dns.name_servers, asked=own))
        (read, _) = with_names(cast(Aws, Switching(denies=denies)), way, ask).names
        (alone, _) = with_names(cast(Aws, Route53()), path(DISTRIBUTION), ask).names
    assert (read.former, alone.former) == (former, "")
    assert (read.lead.where if read.lead else "") == ("other" if former else "elsewhere")


def test_the_names_of_an_embedded_aws_are_not_asked_of_public_dns() -> None:
    way = path(DISTRIBUTION)
    (read, other) = with_names(cast(Aws, Zone()), way, None).names
    assert (read.records is not None, read.lead, other.lead) == (True, None, None)
