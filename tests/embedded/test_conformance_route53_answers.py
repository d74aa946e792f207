"""Route 53: what the name servers answer, asked by TestDNSAnswer.

Quotes are from the Amazon Route 53 API reference; what is not quoted is from the Developer Guide.
"""

from __future__ import annotations

import pytest

from tests.embedded.balanced import Balanced
from tests.embedded.refusals import refused
from tests.embedded.zones import Zone, alias, change, simple, weighted
from tests.embedded_process import EmbeddedProcess, eventually

APP = "app.example.com"


@pytest.fixture
def zone(quick_process: EmbeddedProcess) -> Zone:
    """The public hosted zone example.com."""
    quick_process.reset()
    return Zone(quick_process)


def test_a_record_is_answered(zone: Zone) -> None:
    """TestDNSAnswer: "Gets the value that Amazon Route 53 returns in response to a DNS request"."""
    zone.settle(simple(APP, "192.0.2.1", "A"))
    found = zone.answer(APP)
    assert (found["RecordData"], found["ResponseCode"], found["Protocol"]) == (
        ["192.0.2.1"],
        "NOERROR",
        "UDP",
    )
    assert (found["RecordName"], found["RecordType"]) == (APP, "A")


def test_what_is_not_there(zone: Zone) -> None:
    """ResponseCode, "DNS RCODES": NXDOMAIN for a name that does not exist; no data for another type."""
    zone.settle(simple(APP, "192.0.2.1", "A"))
    assert zone.answer("nobody.example.com")["ResponseCode"] == "NXDOMAIN"
    assert zone.answer(APP, "TXT")["ResponseCode"] == "NOERROR"
    assert zone.ask(APP, "TXT") == []


def test_a_change_counts_when_it_is_in_sync(zone: Zone) -> None:
    """GetChange, PENDING: "the changes in this request have not propagated to all Amazon Route 53 DNS servers"."""
    record = simple(APP, "192.0.2.1", "A")
    zone.settle(record)
    info = zone.change(change("UPSERT", {**record, "ResourceRecords": [{"Value": "192.0.2.2"}]}))
    assert zone.ask(APP) == ["192.0.2.1"] or zone.status(info) == "INSYNC"
    zone.await_sync(info)
    assert zone.ask(APP) == ["192.0.2.2"]


def test_a_cname_answers_for_every_type(zone: Zone) -> None:
    """TestDNSAnswer: "similar to what you would expect from the answer section of the dig command"."""
    zone.settle(simple(APP, "x.example.net"))
    assert zone.ask(APP, "CNAME") == zone.ask(APP, "A") == ["x.example.net"]


def test_a_wildcard_stands_for_what_is_missing(zone: Zone) -> None:
    """ "Using an asterisk (*) in the names of records": a record of the name itself goes first."""
    zone.settle(simple("*.example.com", "192.0.2.1", "A"), simple(APP, "192.0.2.2", "A"))
    assert (zone.ask("any.example.com"), zone.ask(APP)) == (["192.0.2.1"], ["192.0.2.2"])


def test_weights_share_the_answers(zone: Zone) -> None:
    """Weight: "responds to queries based on the ratio of a resource's weight to the total"."""
    zone.settle(weighted(APP, "x.example.net", 90), weighted(APP, "y.example.net", 10))
    shares = zone.shares(APP)
    assert set(shares) == {"x.example.net", "y.example.net"}
    assert shares["x.example.net"] > shares["y.example.net"]


def test_a_weight_of_zero_gets_nothing(zone: Zone) -> None:
    """Weight: with 0 it "never responds to queries with the applicable value"; all 0, "with equal probability"."""
    pair = [weighted(APP, "x.example.net", 1), weighted(APP, "y.example.net", 0)]
    zone.settle(*pair)
    assert zone.shares(APP, times=50) == {"x.example.net": 50}
    zone.await_sync(zone.change(change("UPSERT", {**pair[0], "Weight": 0})))
    assert len(zone.shares(APP, times=50)) == 2


def test_an_alias_within_the_zone(zone: Zone) -> None:
    """ "Choosing between alias and non-alias records": answered with the values of the record it leads to."""
    zone.settle(simple("other.example.com", "192.0.2.7", "A"))
    zone.settle(alias("example.com", "other.example.com", zone.id))
    assert zone.ask("example.com") == ["192.0.2.7"]


def test_an_alias_to_an_app_runner_service(zone: Zone) -> None:
    """ "Routing traffic to an AWS App Runner service": an alias in the hosted zone of App Runner of the region."""
    zone.settle(alias("example.com", "abcdefghij.us-east-2.awsapprunner.com", "Z0224347AD7KVHMLOX31"))
    assert zone.ask("example.com") == ["abcdefghij.us-east-2.awsapprunner.com"]


def test_only_public_zones_are_asked(zone: Zone, quick_process: EmbeddedProcess) -> None:
    """TestDNSAnswer: "This call only supports querying public hosted zones." """
    vpc = quick_process.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
    private = Zone(
        quick_process,
        "internal.example.com",
        VPC={"VPCRegion": "us-east-2", "VPCId": vpc},
        HostedZoneConfig={"PrivateZone": True},
    )
    with refused("InvalidInput", "only supports querying public hosted zones"):
        private.ask("x.internal.example.com")


def test_an_alias_to_a_load_balancer(balanced: Balanced) -> None:
    """ "Routing traffic to an ELB load balancer": an alias, also at the apex, also with dualstack. before the name."""
    zone, lb = Zone(balanced.aws), balanced.balancer
    for name, target in (("example.com", lb["DNSName"]), (APP, f"dualstack.{lb['DNSName']}")):
        zone.settle(alias(name, target, lb["CanonicalHostedZoneId"]))
        assert zone.ask(name) == [balanced.host]


def test_an_alias_without_healthy_targets_is_passed_over(balanced: Balanced) -> None:
    """EvaluateTargetHealth: "A target group that has no registered targets is considered unhealthy", and then "Route 53
    routes queries to other resources", also those of weight zero."""
    zone, lb = Zone(balanced.aws), balanced.balancer
    new = alias(APP, lb["DNSName"], lb["CanonicalHostedZoneId"], True, SetIdentifier="new", Weight=255)
    zone.settle(new, weighted(APP, "192.0.2.1", 0, kind="A"))
    assert zone.shares(APP, times=20) == {"192.0.2.1": 20}
    balanced.add("one")
    eventually(lambda: zone.shares(APP, times=20) == {balanced.host: 20})
