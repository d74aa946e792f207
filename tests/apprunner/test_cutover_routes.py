"""Records become routes, and routes become change batches; pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from lobster_tasks.apprunner.cutover import Destination, Route
from lobster_tasks.apprunner.cutover.routes import (
    Origin,
    begin,
    find,
    idle_pairs,
    keep,
    restore,
    share_of,
    shift,
    target,
)
from lobster_tasks.apprunner.cutover.steps import stages
from lobster_tasks.errors import RefusedError

APP, OLD = "app.example.com", "abcdefghij.us-east-2.awsapprunner.com"
BALANCER = Destination("lobster-alb", "lobster-alb-1.us-east-2.elb.amazonaws.com", "Z3AADJGX6KTTL2")
ORIGIN = Origin("lobster", "us-east-2")
FRONT = Destination(
    "distribution E1",
    "d111111abcdef8.cloudfront.net",
    "Z2FDTNDATAQYW2",
    dual_stack=True,
    is_distribution=True,
)
DUAL = Destination(BALANCER.name, BALANCER.dns_name, BALANCER.zone, dual_stack=True)
Record = dict[str, Any]


def cname(value: str = OLD, ttl: int = 300, **more: Any) -> Record:
    """A CNAME record."""
    return {
        "Name": f"{APP}.",
        "Type": "CNAME",
        "TTL": ttl,
        "ResourceRecords": [{"Value": value}],
        **more,
    }


def alias(value: str = OLD, kind: str = "A", **more: Any) -> Record:
    """An alias, as App Runner's console makes it."""
    to = {"HostedZoneId": "Z0224347AD7KVHMLOX31", "DNSName": f"{value}.", "EvaluateTargetHealth": False}
    return {"Name": f"{APP}.", "Type": kind, "AliasTarget": to, **more}


def weighted(record: Record, weight: int) -> Record:
    """The same with a weight."""
    return {**record, "Weight": weight, "SetIdentifier": target(record)}


def routes(*records: Record, balancer: Destination = BALANCER) -> tuple[Route, ...]:
    """The routes of the domain."""
    return find(APP, "Z1", records, balancer, ORIGIN)


def test_a_simple_record_leads_to_app_runner() -> None:
    (route,) = routes(cname())
    assert (route.kind, route.share, route.leads_to, route.ttl) == ("CNAME", 0, OLD, 300)
    assert not route.is_pair


@pytest.mark.parametrize("name", [BALANCER.dns_name, f"dualstack.{BALANCER.dns_name.upper()}"])
def test_a_simple_record_leads_here(name: str) -> None:
    (route,) = routes(alias(name))
    assert (route.share, route.before, route.leads_to) == (100, None, "")


@pytest.mark.parametrize(
    ("old", "new", "share"),
    [(100, 0, 0), (90, 10, 10), (0, 100, 100), (0, 0, 50), (255, 255, 50), (2, 1, 33)],
)
def test_weights_say_how_far_it_has_come(old: int, new: int, share: int) -> None:
    (route,) = routes(weighted(cname(), old), weighted(cname(BALANCER.dns_name), new))
    assert (route.share, route.is_pair) == (share, True)


def test_a_name_without_records_begins_with_none() -> None:
    text = {"Name": f"{APP}.", "Type": "TXT", "TTL": 60, "ResourceRecords": [{"Value": '"x"'}]}
    (route,) = routes(text)
    assert (route.before, route.after, route.share) == (None, None, 0)
    (made,) = begin(route, BALANCER, ORIGIN)
    assert made["Action"] == "CREATE"
    assert made["ResourceRecordSet"]["AliasTarget"]["DNSName"] == BALANCER.dns_name
    assert "Weight" not in made["ResourceRecordSet"]


def test_a_name_without_records_leads_to_a_distribution_by_both_kinds_of_addresses() -> None:
    made = [each for route in routes(balancer=FRONT) for each in begin(route, FRONT, ORIGIN)]
    assert [each["Action"] for each in made] == ["CREATE", "CREATE"]
    assert [each["ResourceRecordSet"]["Type"] for each in made] == ["A", "AAAA"]
    aliases = [each["ResourceRecordSet"]["AliasTarget"] for each in made]
    assert (
        aliases
        == [{"HostedZoneId": FRONT.zone, "DNSName": FRONT.dns_name, "EvaluateTargetHealth": False}] * 2
    )


@pytest.mark.parametrize("kinds", [("A",), ("A", "AAAA")])
def test_aliases_become_pairs_with_a_distribution_of_which_route_53_knows_no_health(
    kinds: tuple[str, ...],
) -> None:
    found = routes(*(alias(kind=kind) for kind in kinds), balancer=FRONT)
    assert tuple(route.kind for route in found) == kinds
    for route in found:
        _, old, new = (each["ResourceRecordSet"] for each in begin(route, FRONT, ORIGIN))
        assert (old["Weight"], new["Weight"], target(new)) == (100, 0, FRONT.dns_name)
        assert new["AliasTarget"]["EvaluateTargetHealth"] is False


@pytest.mark.parametrize(
    "records",
    [
        [cname(SetIdentifier="one", Region="us-east-2")],
        [weighted(cname(), 1)],
        [weighted(cname(BALANCER.dns_name), 1)],
        [weighted(cname(), 1), {**weighted(cname(), 1), "SetIdentifier": "twice"}],
        [
            cname(SetIdentifier="a", Failover="PRIMARY"),
            cname(BALANCER.dns_name, SetIdentifier="b", Failover="SECONDARY"),
        ],
    ],
)
def test_a_routing_policy_of_ones_own_is_left_alone(records: list[Record]) -> None:
    with pytest.raises(RefusedError) as refused:
        routes(*records)
    assert "routing policy" in refused.value.what
    assert refused.value.next_step


THERE = "lobster-alb-9.eu-west-1.elb.amazonaws.com"
THIRDS = {
    "another region's load balancer": (cname(THERE), f"simple record to {THERE}"),
    "another region's, weighted": (weighted(cname(THERE), 1), f"weighted record '{THERE}' to {THERE}"),
    "another region's App Runner": (
        cname("a.eu-west-1.awsapprunner.com"),
        "simple record to a.eu-west-1.awsapprunner.com",
    ),
    "a name that ends as App Runner's": (cname(f"{OLD}.example.net"), f"simple record to {OLD}.example.net"),
    "what stands before App Runner": (
        cname("d111.cloudfront.net"),
        "simple record to d111.cloudfront.net",
    ),
    "an address": (
        {"Name": f"{APP}.", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]},
        "simple record to 192.0.2.1",
    ),
    "latency": (
        cname(THERE, SetIdentifier="there", Region="eu-west-1"),
        f"latency record 'there' to {THERE}",
    ),
    "failover": (
        cname(THERE, SetIdentifier="there", Failover="PRIMARY"),
        f"failover record 'there' to {THERE}",
    ),
    "geolocation": (
        cname(THERE, SetIdentifier="there", GeoLocation={"CountryCode": "IE"}),
        f"geolocation record 'there' to {THERE}",
    ),
    "the same stack's in another region": (
        {**weighted(cname(THERE), 1), "SetIdentifier": "lobster in eu-west-1: App Runner"},
        f"weighted record 'lobster in eu-west-1: App Runner' to {THERE}",
    ),
}


@pytest.mark.parametrize(("third", "named"), THIRDS.values(), ids=THIRDS)
@pytest.mark.parametrize("beside", [(), (OLD,), (BALANCER.dns_name,), (OLD, BALANCER.dns_name)])
def test_a_third_record_is_named_and_nothing_is_ours_to_change(
    third: Record, named: str, beside: tuple[str, ...]
) -> None:
    more = [weighted(alias(name) if third["Type"] == "A" else cname(name), 1) for name in beside]
    with pytest.raises(RefusedError) as refused:
        routes(*more, third)
    assert refused.value.why.startswith(f"{named}: neither App Runner in us-east-2 nor lobster-alb")
    assert "some of its records" in refused.value.what


def test_app_runners_half_is_told_by_its_host_by_its_domain_or_by_our_name() -> None:
    pair = weighted(cname("127.0.0.1:9"), 1), weighted(cname(BALANCER.dns_name), 1)
    ours = {**pair[0], "SetIdentifier": ORIGIN.identifier}
    hosts = Origin("lobster", "us-east-2", frozenset({"127.0.0.1:9"}))
    assert routes(ours, pair[1])[0].share == 50
    assert find(APP, "Z1", pair, BALANCER, hosts)[0].share == 50
    with pytest.raises(RefusedError):
        routes(*pair)


def test_ipv6_visitors_are_not_forgotten() -> None:
    with pytest.raises(RefusedError) as refused:
        routes(alias(), alias(kind="AAAA"))
    assert "AAAA" in refused.value.what
    assert "load_balancer.dual_stack" in refused.value.next_step
    assert [route.kind for route in routes(alias(), alias(kind="AAAA"), balancer=DUAL)] == ["A", "AAAA"]


def test_a_cname_becomes_a_pair_with_one_ttl() -> None:
    (route,) = routes(cname())
    delete, *made = begin(route, BALANCER, ORIGIN)
    assert delete == {"Action": "DELETE", "ResourceRecordSet": cname()}
    old, new = (each["ResourceRecordSet"] for each in made)
    assert [each["Action"] for each in made] == ["CREATE", "CREATE"]
    assert (old["Weight"], old["TTL"], target(old)) == (100, 60, OLD)
    assert (new["Weight"], new["TTL"], target(new)) == (0, 60, BALANCER.dns_name)
    assert old["SetIdentifier"] != new["SetIdentifier"]


def test_a_low_ttl_stays() -> None:
    (route,) = routes(cname(ttl=20))
    assert {each["ResourceRecordSet"]["TTL"] for each in begin(route, BALANCER, ORIGIN)} == {20}


def test_an_alias_becomes_a_pair_of_aliases() -> None:
    (route,) = routes(alias())
    _, old, new = (each["ResourceRecordSet"] for each in begin(route, BALANCER, ORIGIN))
    assert old["AliasTarget"] == alias()["AliasTarget"]
    assert new["AliasTarget"] == {
        "HostedZoneId": BALANCER.zone,
        "DNSName": BALANCER.dns_name,
        "EvaluateTargetHealth": True,
    }
    assert not {"TTL", "ResourceRecords"} & {*old, *new}


@pytest.mark.parametrize("share", [0, 10, 100])
def test_a_shift_changes_the_weights_and_nothing_else(share: int) -> None:
    pair = weighted(cname(ttl=60), 100), weighted(cname(BALANCER.dns_name, 60), 0)
    (route,) = routes(*pair)
    old, new = shift(route, share)
    assert {old["Action"], new["Action"]} == {"UPSERT"}
    assert old["ResourceRecordSet"] == {**pair[0], "Weight": 100 - share}
    assert new["ResourceRecordSet"] == {**pair[1], "Weight": share}


def test_back_is_one_simple_record() -> None:
    pair = weighted(cname(ttl=60), 0), weighted(cname(BALANCER.dns_name, 60), 100)
    (route,) = routes(*pair)
    assert restore(route) == [
        {"Action": "DELETE", "ResourceRecordSet": pair[0]},
        {"Action": "DELETE", "ResourceRecordSet": pair[1]},
        {"Action": "CREATE", "ResourceRecordSet": cname(ttl=60)},
    ]


def here(weight: int | None = None) -> Record:
    """A record that leads to the load balancer."""
    record = cname(BALANCER.dns_name)
    return record if weight is None else weighted(record, weight)


@pytest.mark.parametrize(
    ("records", "share"),
    [
        ((alias(BALANCER.dns_name),), 1),
        ((here(1),), 1),
        ((weighted(cname(), 100), here(0)), 0),
        ((weighted(cname(), 3), here(1)), 0.25),
        ((weighted(cname(), 0), here(0)), 0.5),
        ((here(0),), 1),
        ((cname(),), 0),
        ((), 0),
    ],
)
def test_which_part_of_the_visitors_is_led_here(records: Sequence[Record], share: float) -> None:
    """API Reference, ResourceRecordSet, Weight: 'if you set Weight to 0 for all resource record sets that have the same
    combination of DNS name and type, traffic is routed to all resources with equal probability'."""
    assert share_of(records, BALANCER.dns_name) == share


@pytest.mark.parametrize(
    ("to", "expected"), [(100, (10, 50, 100)), (10, (10,)), (25, (10, 25)), (50, (10, 50)), (5, (5,))]
)
def test_stages(to: int, expected: tuple[int, ...]) -> None:
    assert tuple(stages(to)) == expected


@pytest.mark.parametrize("make", [cname, alias])
def test_an_idle_half_goes_and_the_other_becomes_simple(make: Any) -> None:
    old, new = weighted(make(), 0), weighted(make(BALANCER.dns_name), 100)
    (route,) = idle_pairs(APP, "Z1", [old, new], OLD.upper(), BALANCER.dns_name)
    changes = keep(route)
    assert [each["Action"] for each in changes] == ["DELETE", "DELETE", "CREATE"]
    assert changes[-1]["ResourceRecordSet"] == make(BALANCER.dns_name)


@pytest.mark.parametrize(
    "records",
    [
        (cname(),),
        (weighted(cname(), 1), weighted(cname(BALANCER.dns_name), 99)),
        (weighted(cname(), 0), weighted(cname(BALANCER.dns_name), 0)),
        (weighted(cname(), 0), weighted(cname("a.example.org"), 1), weighted(cname("b.example.org"), 1)),
        (weighted(cname("a.example.org"), 0), weighted(cname(BALANCER.dns_name), 1)),
        (weighted(cname(), 0), weighted(cname(THERE), 1)),
    ],
)
def test_whatever_else_there_is_stays(records: tuple[Record, ...]) -> None:
    assert idle_pairs(APP, "Z1", records, OLD, BALANCER.dns_name) == ()


FORMER = Origin("lobster", "us-east-2", former=(BALANCER,))
LED = "lobster in us-east-2: Fargate"


def at_former(weight: int, record: Record | None = None) -> Record:
    """The record of an earlier cut-over that leads to the load balancer that the distribution replaces."""
    return {**(record or cname(BALANCER.dns_name, 60)), "Weight": weight, "SetIdentifier": LED}


def test_a_record_that_leads_to_a_former_load_balancer_becomes_a_pair() -> None:
    (route,) = find(APP, "Z1", [alias(BALANCER.dns_name)], FRONT, FORMER)
    assert (route.source, route.share, route.leads_to) == ("lobster-alb", 0, BALANCER.dns_name)
    _, old, new = (each["ResourceRecordSet"] for each in begin(route, FRONT, FORMER))
    assert (target(old), old["Weight"], target(new), new["Weight"]) == (
        BALANCER.dns_name,
        100,
        FRONT.dns_name,
        0,
    )
    assert {each["SetIdentifier"] for each in (old, new)} == {
        "lobster in us-east-2: lobster-alb",
        "lobster in us-east-2: distribution E1",
    }
    (led,) = find(APP, "Z1", [{**old, "Weight": 30}, {**new, "Weight": 70}], FRONT, FORMER)
    assert (led.source, led.share) == ("lobster-alb", 70)
    assert restore(led)[-1]["ResourceRecordSet"] == alias(BALANCER.dns_name)


def test_the_record_of_app_runner_stays_beside_two_addresses() -> None:
    """Without visitors: who goes back to the former address can go back to App Runner from there."""
    app, old = weighted(cname(ttl=60), 0), at_former(100)
    (route,) = find(APP, "Z1", [app, old], FRONT, FORMER)
    assert (route.source, route.before, route.after, route.idle) == ("lobster-alb", old, None, (app,))
    kept, made = begin(route, FRONT, FORMER)
    assert kept == {"Action": "UPSERT", "ResourceRecordSet": old}
    new = {**made["ResourceRecordSet"], "Weight": 100}
    (led,) = find(APP, "Z1", [app, at_former(0), new], FRONT, FORMER)
    assert (led.source, led.share, led.idle) == ("lobster-alb", 100, (app,))
    assert restore(led) == [
        {"Action": "UPSERT", "ResourceRecordSet": old},
        {"Action": "DELETE", "ResourceRecordSet": new},
    ]
    (idle,) = idle_pairs(APP, "Z1", [app, at_former(0), new], BALANCER.dns_name, FRONT.dns_name)
    assert keep(idle) == [
        {"Action": "UPSERT", "ResourceRecordSet": new},
        {"Action": "DELETE", "ResourceRecordSet": at_former(0)},
    ]
    (route,) = find(APP, "Z1", [app, new], FRONT, ORIGIN)
    assert (route.source, route.share) == ("App Runner", 100)


def test_what_is_left_of_a_load_balancer_that_is_gone_is_replaced() -> None:
    gone = at_former(0, cname("lobster-alb-2.us-east-2.elb.amazonaws.com", 60))
    (route,) = routes(weighted(cname(ttl=60), 100), gone)
    left, kept, made = begin(route, BALANCER, ORIGIN)
    assert left == {"Action": "DELETE", "ResourceRecordSet": gone}
    assert (kept["Action"], made["Action"]) == ("UPSERT", "CREATE")
    (there,) = routes(gone, weighted(cname(BALANCER.dns_name, 60), 100))
    assert there.share == 100
    with pytest.raises(RefusedError, match="some of its records"):
        routes({**gone, "Weight": 1}, weighted(cname(BALANCER.dns_name, 60), 100))


def test_visitors_at_app_runner_and_at_a_former_address_are_not_led_together() -> None:
    with pytest.raises(RefusedError, match="divided among previous locations") as refused:
        find(APP, "Z1", [weighted(cname(ttl=60), 90), at_former(10)], FRONT, FORMER)
    assert "one of App Runner, lobster-alb" in refused.value.next_step
