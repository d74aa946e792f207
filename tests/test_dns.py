"""Reading public DNS, from a name server of the tests' own."""

from __future__ import annotations

import socket
from typing import Any

import dns.resolver
import pytest

from lobster_tasks.dns import Lookup, look_up, name_servers

from .name_server import FAILS, Records, public_dns

ZONES: Records = {
    "good.org": {"NS": ["NS-1.awsdns-1.com.", "ns-2.awsdns-2.net."]},
    "bare.org": {},
    "fails.org": {FAILS: ["NS"]},
}
NAMES: Records = {
    "plain.org": {"A": ["192.0.2.1", "192.0.2.2"], "AAAA": ["2001:db8::1"]},
    "v4.org": {"A": ["192.0.2.1"]},
    "alias.org": {"CNAME": ["Middle.org."]},
    "middle.org": {"CNAME": ["plain.org."]},
    "dangling.org": {"CNAME": ["gone.org."]},
    "*.wild.org": {"CNAME": ["v4.org."]},
    "bare.org": {"TXT": ["x"]},
    "half.org": {"A": ["192.0.2.1"], FAILS: ["AAAA"]},
}


@pytest.mark.parametrize(
    ("zone", "known"),
    [
        ("good.org", {"ns-1.awsdns-1.com", "ns-2.awsdns-2.net"}),
        ("bare.org", set()),
        ("unknown.org", set()),
        ("fails.org", None),
    ],
)
def test_what_the_resolver_says(zone: str, known: set[str] | None) -> None:
    with public_dns(ZONES) as own:
        assert name_servers(zone, own) == known


@pytest.mark.parametrize(
    ("name", "names", "addresses"),
    [
        ("plain.org", set(), {"192.0.2.1", "192.0.2.2", "2001:db8::1"}),
        ("v4.org.", set(), {"192.0.2.1"}),
        ("alias.org", {"middle.org", "plain.org"}, {"192.0.2.1", "192.0.2.2", "2001:db8::1"}),
        ("dangling.org", {"gone.org"}, set()),
        (
            "*.wild.org",
            {"v4.org"},
            {"192.0.2.1"},
        ),  # RFC 4592, 2.3: the name of the wildcard itself is asked for
        ("bare.org", set(), set()),
        ("unknown.org", set(), set()),
    ],
)
def test_where_a_name_leads(name: str, names: set[str], addresses: set[str]) -> None:
    with public_dns(NAMES) as own:
        assert look_up(name, own) == Lookup(frozenset(names), frozenset(addresses))


def test_half_an_answer_is_none() -> None:
    with public_dns(NAMES) as own:
        assert look_up("half.org", own) is None


def test_without_a_resolver_nobody_knows() -> None:
    deaf = dns.resolver.Resolver(configure=False)
    deaf.nameservers, deaf.lifetime = ["127.0.0.1"], 0.2
    deaf.port = 9
    assert name_servers("good.org", deaf) is None


class Recording(dns.resolver.Resolver):
    """Remembers how long (seconds) it was allowed to wait for each answer."""

    def __init__(self, *, configure: bool) -> None:
        super().__init__(configure=configure)
        self.lifetimes: list[float | None] = []

    def resolve(self, *asked: Any, lifetime: float | None = None, **more: Any) -> dns.resolver.Answer:
        """As a resolver does."""
        self.lifetimes.append(lifetime)
        return super().resolve(*asked, lifetime=lifetime, **more)


def test_a_name_server_that_never_answers_is_waited_for_as_long_as_is_said() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        mute = Recording(configure=False)
        mute.nameservers, mute.port = ["127.0.0.1"], silent.getsockname()[1]
        assert name_servers("good.org", mute, within=0.2) is None
        assert look_up("plain.org", mute, within=0.2) is None
    assert set(mute.lifetimes) == {0.2}
