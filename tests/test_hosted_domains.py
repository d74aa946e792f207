"""Two public hosted zones of one name: public DNS says which of them counts."""

from __future__ import annotations

from typing import Any

import pytest

from lobster_tasks.account import AmbiguousZoneError, hosted_domains
from lobster_tasks.aws import Aws
from tests.embedded_process import EmbeddedProcess

DOMAIN = "app.twice.org"


@pytest.fixture
def zones(embedded: EmbeddedProcess) -> dict[str, frozenset[str]]:
    """The name servers of two zones of one name, by the id of the zone."""
    client = embedded.client("route53")
    made = [client.create_hosted_zone(Name="twice.org", CallerReference=each) for each in ("first", "second")]
    return {
        each["HostedZone"]["Id"].rpartition("/")[2]: frozenset(each["DelegationSet"]["NameServers"])
        for each in made
    }


def refused(aws: Aws, public: Any) -> AmbiguousZoneError:
    """The refusal where public DNS tells this."""
    with pytest.raises(AmbiguousZoneError, match=rf"2 public hosted zones match {DOMAIN}") as why:
        hosted_domains(aws, [DOMAIN], name_servers=lambda name: public)
    return why.value


def test_the_zone_that_is_delegated_counts(aws: Aws, zones: dict[str, frozenset[str]]) -> None:
    """Route 53, "Making Route 53 the DNS service": the parent names the four name servers of the zone."""
    for zone, servers in zones.items():
        asked: list[str] = []

        def ask(name: str, asked: list[str] = asked, servers: frozenset[str] = servers) -> frozenset[str]:
            asked.append(name)
            return servers

        assert hosted_domains(aws, [DOMAIN], name_servers=ask).zones == {DOMAIN: zone}
        assert asked == ["twice.org"]


def test_where_public_dns_does_not_tell_nothing_is_chosen(aws: Aws, zones: dict[str, frozenset[str]]) -> None:
    assert "public DNS does not answer" in refused(aws, None).why
    assert "public DNS knows no name servers" in refused(aws, frozenset()).why
    elsewhere = refused(aws, frozenset({"ns1.registrar.example"}))
    assert "public DNS knows ns1.registrar.example" in elsewhere.why
    for zone, servers in zones.items():
        assert f"{zone} has {', '.join(sorted(servers))}" in elsewhere.next_step
    assert "dig NS twice.org" in elsewhere.next_step


def test_a_zone_that_was_chosen_stays_while_it_is_there(aws: Aws, zones: dict[str, frozenset[str]]) -> None:
    for zone in zones:
        found = hosted_domains(aws, [DOMAIN], known={DOMAIN: zone}, name_servers=lambda name: None)
        assert found.zones == {DOMAIN: zone}
    with pytest.raises(AmbiguousZoneError, match="2 public hosted zones"):
        hosted_domains(aws, [DOMAIN], known={DOMAIN: "gone"})
