"""The gate of DNS where this account's Route 53 does not have a domain: public DNS says where it leads. And spans of
time as people say them."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from lobster_tasks.apprunner import gates
from lobster_tasks.apprunner.cutover import Address, Destination, HostedDomains, LookUp, find_lead
from lobster_tasks.apprunner.gates import dns, span
from lobster_tasks.apprunner.metrics import period_for
from lobster_tasks.aws import Aws
from lobster_tasks.clock import Clock
from lobster_tasks.dns import look_up
from lobster_tasks.doctor.check import CheckResult
from lobster_tasks.errors import SettingsError
from lobster_tasks.settings import load
from tests.embedded_process import EmbeddedProcess
from tests.name_server import FAILS, Records, public_dns

OLD, NEW = "abc.us-east-2.awsapprunner.com", "lobster-alb-1.us-east-2.elb.amazonaws.com"
SERVICE = {"Status": "RUNNING", "ServiceUrl": OLD}
HERE, NOBODY = Address(NEW), HostedDomains({}, {})
BEFORE = "lobster-alb-0.us-east-2.elb.amazonaws.com"
EDGE = "d111111abcdef8.cloudfront.net"
BALANCER = Destination("lobster-alb", BEFORE, "Z1")
DISTRIBUTION = Destination("distribution E1", EDGE, "Z2", is_distribution=True)
WORLD: Records = {
    OLD: {"A": ["192.0.2.1", "192.0.2.2"]},
    NEW: {"A": ["198.51.100.1", "198.51.100.2"], "AAAA": ["2001:db8::1"]},
    f"dualstack.{NEW}": {"A": ["198.51.100.1"]},
    "new.org": {"CNAME": [f"{NEW}."]},
    "dual.org": {"CNAME": [f"dualstack.{NEW}."]},
    "flat.org": {"A": ["198.51.100.2"], "AAAA": ["2001:db8::1"]},
    "old.org": {"CNAME": [f"{OLD}."]},
    "by-way.org": {"CNAME": ["old.org."]},
    "flat-old.org": {"A": ["192.0.2.2"]},
    "half-moved.org": {"A": ["198.51.100.2", "192.0.2.1"]},
    "cdn.org": {"CNAME": ["edge.cdn.example."]},
    "edge.cdn.example": {"A": ["203.0.113.1"]},
    "more.org": {"A": ["198.51.100.2", "203.0.113.1"]},
    "fails.org": {FAILS: ["A", "AAAA"]},
    "half.org": {"A": ["203.0.113.1"], FAILS: ["AAAA"]},
}
NOT_HERE = "has no address record in this account's Route 53"
ELSEWHERE = "neither to the new address nor to App Runner"


def judged(
    *names: str,
    accept: tuple[str, ...] = (),
    new: Address = HERE,
    hosted: HostedDomains = NOBODY,
    records: Records = WORLD,
    is_public: bool = True,
    former: tuple[Destination, ...] = (),
) -> CheckResult:
    """What the gate says where public DNS has these records."""
    others = new, *(each.address for each in former)
    with public_dns(records) as own:
        ask: LookUp | None = partial(look_up, asked=own) if is_public else None
        return dns(
            *(SERVICE, names, hosted, lambda name: find_lead(name, Address(OLD), ask, *others)),
            *(accept, former),
        )


@pytest.mark.parametrize(
    ("name", "status", "saw"),
    [
        ("new.org", "pass", "new.org: no record leads to App Runner"),
        ("dual.org", "pass", "dual.org: no record leads to App Runner"),
        ("flat.org", "pass", "flat.org: no record leads to App Runner"),
        ("old.org", "fail", "still leading to App Runner: old.org (public DNS)"),
        ("by-way.org", "fail", "still leading to App Runner: by-way.org (public DNS)"),
        ("flat-old.org", "fail", "still leading to App Runner: flat-old.org (public DNS)"),
        ("half-moved.org", "fail", "still leading to App Runner: half-moved.org (public DNS)"),
        ("cdn.org", "fail", f"cdn.org {NOT_HERE}, and public DNS leads it to edge.cdn.example: {ELSEWHERE}"),
        (
            "more.org",
            "fail",
            f"more.org {NOT_HERE}, and public DNS leads it to 198.51.100.2, 203.0.113.1: {ELSEWHERE}",
        ),
        ("absent.org", "fail", f"absent.org {NOT_HERE}, and public DNS has no address for absent.org"),
        (
            "fails.org",
            "fail",
            f"fails.org {NOT_HERE}; not checked, because public DNS does not answer for fails.org",
        ),
        (
            "half.org",
            "fail",
            f"half.org {NOT_HERE}; not checked, because public DNS does not answer for half.org",
        ),
    ],
)
def test_where_public_dns_leads_a_domain_that_is_not_here(name: str, status: str, saw: str) -> None:
    found = judged(name)
    assert (found.status, found.saw) == (status, saw)
    assert judged("new.org", name).status == status


def test_a_domain_that_leads_nowhere_is_not_said_to_need_a_cut_over() -> None:
    """A custom domain that was never set up, such as the www of one that was."""
    step = "check that it is meant to have none: dig absent.org; or, if that is intended"
    assert judged("absent.org").fix == f"{step}, inv cleanup-apprunner --accept {gates.ELSEWHERE}"


@pytest.mark.parametrize(
    ("name", "code"),
    [("cdn.org", gates.ELSEWHERE), ("absent.org", gates.ELSEWHERE), ("fails.org", gates.UNKNOWN)],
)
def test_what_is_not_known_can_be_overridden_by_name(name: str, code: str) -> None:
    refused, (other,) = judged(name), {gates.ELSEWHERE, gates.UNKNOWN} - {code}
    assert refused.fix is not None
    assert refused.fix.endswith(f"inv cleanup-apprunner --accept {code}")
    assert judged(name, accept=(other,)) == refused
    accepted = judged(name, accept=(code,))
    assert (accepted.status, accepted.saw) == ("warn", f"accepted ({code}): {refused.saw}")
    assert judged(name, "old.org", accept=gates.CODES).status == "fail"


def test_without_public_dns_nothing_is_known() -> None:
    """On an embedded AWS."""
    found = judged("app.example.org", is_public=False)
    assert (found.status, "not checked, because the names of an embedded AWS" in found.saw) == ("fail", True)


@pytest.mark.parametrize("silent", [OLD, NEW])
def test_addresses_say_nothing_where_those_of_the_other_side_are_not_known(silent: str) -> None:
    records = {**WORLD, silent: {FAILS: ["A", "AAAA"]}}
    found = judged("flat.org", records=records)
    assert (found.status, f"not checked, because public DNS does not answer for {silent}" in found.saw) == (
        "fail",
        True,
    )
    assert judged("new.org", records={**WORLD, OLD: {FAILS: ["A", "AAAA"]}}).status == "pass"  # by its name


def test_the_addresses_of_a_distribution_are_those_of_others_too() -> None:
    """Distributions share the addresses of CloudFront's edges."""
    distribution = Address(NEW, shares_addresses=True)
    assert judged("new.org", new=distribution).status == "pass"
    assert ELSEWHERE in judged("flat.org", new=distribution).saw


SWITCHING: Records = {
    **WORLD,
    BEFORE: {"A": ["192.0.2.65"]},
    EDGE: {"A": ["192.0.2.129"]},
    "alb.org": {"CNAME": [f"{BEFORE}."]},
    "flat-alb.org": {"A": ["192.0.2.65"]},
    "edge.org": {"CNAME": [f"{EDGE}."]},
    "part.org": {"A": ["192.0.2.65", "192.0.2.1"]},
}
OLD_BALANCER = "the former load balancer lobster-alb of this stack, which serves too"
OLD_EDGE = "the former distribution E1 of this stack, which serves too"


@pytest.mark.parametrize(
    ("name", "former", "place"),
    [
        ("alb.org", BALANCER, OLD_BALANCER),
        ("flat-alb.org", BALANCER, OLD_BALANCER),
        ("edge.org", DISTRIBUTION, OLD_EDGE),
    ],
)
def test_a_former_address_of_the_stack_is_told_as_what_it_is(
    name: str, former: Destination, place: str
) -> None:
    """Between setup and ``inv remove-old-load-balancer`` both serve: none of them is App Runner."""
    assert judged(name, records=SWITCHING).status == "fail"  # an address that nobody knows
    found = judged(name, records=SWITCHING, former=(former,))
    assert (found.status, found.saw) == ("warn", f"{name} leads to {place}: not to App Runner")
    assert found.fix == "inv cutover shows the records, then inv remove-old-load-balancer"
    both = judged(name, "new.org", records=SWITCHING, former=(former,))
    assert (both.status, both.saw) == (found.status, found.saw)
    assert judged(name, "old.org", records=SWITCHING, former=(former,)).status == "fail"
    assert judged(name, "cdn.org", records=SWITCHING, former=(former,)).status == "fail"
    accepted = judged(name, "cdn.org", records=SWITCHING, former=(former,), accept=(gates.ELSEWHERE,))
    assert accepted.status == "warn"
    assert accepted.saw.startswith("accepted (dns-elsewhere): cdn.org")
    assert accepted.saw.endswith(found.saw)
    assert judged("new.org", records=SWITCHING, former=(former,)).status == "pass"


def test_an_address_of_app_runner_beside_a_former_one_still_leads_there() -> None:
    found = judged("part.org", records=SWITCHING, former=(BALANCER,))
    assert (found.status, found.saw) == ("fail", "still leading to App Runner: part.org (public DNS)")


@pytest.mark.parametrize("is_public", [True, False])
def test_a_record_here_that_leads_to_a_former_address_is_told_too(is_public: bool) -> None:
    records = [{"Name": "alb.org.", "Type": "CNAME", "ResourceRecords": [{"Value": BEFORE}]}]
    hosted = HostedDomains({"alb.org": "Z1"}, {"alb.org": records})
    found = judged("alb.org", hosted=hosted, former=(BALANCER,), records=SWITCHING, is_public=is_public)
    assert (found.status, found.saw) == ("warn", f"alb.org leads to {OLD_BALANCER}: not to App Runner")
    assert found.fix == "inv cutover, then inv remove-old-load-balancer"


def test_a_hosted_zone_that_nobody_asks_does_not_pass_the_gate() -> None:
    """Its records say that the domain has moved, and the internet asks another zone."""
    record: dict[str, Any] = {"Name": "old.org.", "Type": "CNAME", "ResourceRecords": [{"Value": NEW}]}
    found = judged("old.org", hosted=HostedDomains({"old.org": "Z1"}, {"old.org": [record]}))
    assert (found.status, found.saw) == ("fail", "still leading to App Runner: old.org (public DNS)")
    for name in ("fails.org", "cdn.org", "new.org"):  # the records here are enough
        hosted = HostedDomains({name: "Z1"}, {name: [record]})
        assert judged(name, hosted=hosted).status == "pass"
        assert judged(name, hosted=hosted, is_public=False).status == "pass"


@pytest.mark.parametrize(
    ("name", "status", "saw"),
    [
        ("old.org", "fail", "still leading to App Runner: old.org (public DNS)"),
        ("cdn.org", "fail", f"cdn.org {NOT_HERE}, and public DNS leads it to edge.cdn.example: {ELSEWHERE}"),
        ("new.org", "pass", "new.org: no record leads to App Runner"),
        ("absent.org", "pass", "absent.org: no record leads to App Runner"),
    ],
)
def test_a_zone_without_an_address_record_of_the_name_says_nothing(name: str, status: str, saw: str) -> None:
    """A wildcard may answer for it, another zone have it, or nobody ask this one; none anywhere leads nowhere."""
    text: dict[str, Any] = {"Name": f"{name}.", "Type": "TXT", "ResourceRecords": [{"Value": "x"}]}
    for records in ([], [text]):
        found = judged(name, hosted=HostedDomains({name: "Z1"}, {name: records}))
        assert (found.status, found.saw) == (status, saw)


HOUR, DAY = 3600, 86_400
TIMES = (60, 600, HOUR, DAY, 14 * DAY, 15 * DAY - 1, 15 * DAY, 16 * DAY, 63 * DAY, 64 * DAY, 455 * DAY)


@pytest.mark.parametrize("seconds", TIMES)
def test_one_call_returns_all_figures_of_a_time(seconds: int) -> None:
    """GetMetricStatistics returns 1,440 data points at the most, and none for a period that is no multiple of the
    resolution: 60 seconds for 15 days, 300 for 63 days, 3600 for 455 days."""
    resolution = 60 if seconds < 15 * DAY else 300 if seconds < 63 * DAY else 3600
    period = period_for(seconds)
    assert period % resolution == 0
    assert (seconds + 1 + resolution) / period <= 1440  # until a second from now, from the start rounded down


@pytest.mark.parametrize("minutes", [60, 1440, 1440 * 16, 1440 * 64, 1440 * 455])
def test_a_request_in_any_quiet_time_is_seen(aws: Aws, embedded: EmbeddedProcess, minutes: int) -> None:
    aws.clock = Clock()
    dimensions = [
        {"Name": name, "Value": value} for name, value in (("ServiceName", "site"), ("ServiceID", "0"))
    ]
    embedded.client("cloudwatch").put_metric_data(
        Namespace="AWS/AppRunner",
        MetricData=[{"MetricName": "Requests", "Value": 1.0, "Dimensions": dimensions}],
    )
    settings = load({"apprunner": {"quiet_minutes": minutes}})
    service = {"ServiceName": "site", "ServiceId": "0", "Status": "RUNNING"}
    found = gates.traffic(aws, settings, service)
    assert (found.status, found.saw.startswith("1 request in the last")) == ("fail", True), found


def test_no_quiet_time_is_longer_than_the_figures_are_kept() -> None:
    with pytest.raises(SettingsError) as refused:
        load({"apprunner": {"quiet_minutes": 1440 * 455 + 1}})
    assert any("quiet_minutes" in each for each in refused.value.problems)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(30, "30 s"), (120, "2 min"), (7199, "120 min"), (7200, "2 h"), (86400, "24 h"), (259200, "3 days")],
)
def test_spans(seconds: float, said: str) -> None:
    assert span(seconds) == said
