"""Which hop a verdict names, from what CloudFront, the load balancer and the app answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from lobster_tasks.account import Front, Lead
from lobster_tasks.forwarding import ForwardingRule
from lobster_tasks.http_client import is_by_cloudfront
from lobster_tasks.probe import Answer, Probe, PublicEndpoint
from lobster_tasks.rollout.cause_code import CauseCode
from lobster_tasks.rollout.diagnosis.causes import Cause
from lobster_tasks.rollout.diagnosis.fronting import (
    failing_hop,
    has_reached,
    hiding_pages,
    misled_names,
    missing_hop,
    not_reachable,
)
from lobster_tasks.rollout.observation.way import NameReading, VisitorsPath, broken_hop, hops
from lobster_tasks.settings import load
from lobster_tasks.stack.distribution import ALL_VIEWER

APP = "app.example.com"
HOST = "d111111abcdef8.cloudfront.net"
URL = f"https://{HOST}"
LIVE = Answer(True, "GET / 200", 200)
OPEN = Answer(True, "WebSocket open", 101)


def distribution(policy: str = ALL_VIEWER, enabled: bool = True, status: str = "Deployed") -> dict[str, Any]:
    """As GetDistribution shows it."""
    behavior = {"OriginRequestPolicyId": policy}
    origins = {"Items": [{"Id": "load-balancer", "VpcOriginConfig": {"VpcOriginId": "vo_1"}}]}
    config = {"Enabled": enabled, "DefaultCacheBehavior": behavior, "Origins": origins}
    return {"Id": "E1", "Status": status, "DistributionConfig": config}


def answer(status: int | None, by_cloudfront: bool = False) -> Answer:
    """One that is not as it should be."""
    return Answer(False, f"answers {status}", status, reached=status is not None, by_cloudfront=by_cloudfront)


PAGED = Answer(False, "GET / answers 200 with a page", 200, passing=True, is_error_page=True)


CASES: list[tuple[str | None, dict[str, Any], Answer, Answer]] = [
    (None, distribution(), LIVE, OPEN),
    ("origin-unreachable", distribution(), answer(504, True), answer(504, True)),
    ("origin-protocol", distribution(), answer(502, True), answer(502, True)),
    ("distribution-disabled", distribution(enabled=False), answer(None), answer(None)),
    ("host-not-forwarded", distribution("other"), LIVE, answer(403)),
    ("distribution-in-progress", distribution(status="InProgress"), answer(None), answer(None)),
    ("distribution-in-progress", distribution(status="InProgress"), answer(403, True), answer(403, True)),
    ("origin-unreachable", distribution(status="InProgress"), answer(504, True), answer(504, True)),
    ("error-page", distribution(), PAGED, PAGED),
    ("error-page", distribution(), LIVE, PAGED),
    ("error-page", distribution(), PAGED, answer(504, True)),
    ("cloudfront-refuses", distribution(), answer(403, True), answer(403, True)),
    ("cloudfront-refuses", distribution(), LIVE, answer(403, True)),
    ("cloudfront-refuses", distribution("other"), LIVE, answer(403, True)),
    (None, distribution(), answer(403), answer(403)),  # the app's
    (None, distribution(status="InProgress"), LIVE, answer(403)),
    (None, distribution(), LIVE, answer(403)),  # the app's own rules
    (None, distribution("other"), LIVE, answer(404)),
    (None, distribution(), answer(502), answer(502)),  # the load balancer's: the task gave no valid answer
    (None, distribution(), answer(503), answer(503)),
    (None, distribution(), answer(504), answer(504)),
    (None, distribution(), answer(500), OPEN),
]


@pytest.mark.parametrize(("code", "shown", "page", "websocket"), CASES)
def test_the_hop_that_fails_is_named(
    code: str | None, shown: dict[str, Any], page: Answer, websocket: Answer
) -> None:
    answered = Probe(URL, page, websocket)
    found = missing_hop(path(shown), answered) or failing_hop(path(shown), answered)
    assert (found.code if found else None) == code
    if found:
        assert found.evidence == tuple(each.said for each in (page, websocket) if not each.ok)
        assert found.remedy.endswith("then inv deploy")


def test_without_a_distribution_no_hop_is_named() -> None:
    plain = VisitorsPath(load({}), ("lobster-tg",), PublicEndpoint("http://alb"))
    answered = Probe("http://alb", answer(504, True))
    assert (missing_hop(plain, answered), failing_hop(plain, answered)) == (None, None)


FRONTED = load({"front": {"kind": "cloudfront"}})
ALB = "arn:aws:elasticloadbalancing:us-east-2:123456789012:loadbalancer/app/lobster-alb/0"
BALANCER = {"LoadBalancerName": "lobster-alb", "LoadBalancerArn": ALB, "Scheme": "internal"}
ORIGIN = {"Id": "vo_1", "Status": "Deployed", "OriginEndpointArn": ALB}
RULE = ForwardingRule("HTTP", 80)


def path(shown: dict[str, Any] | None, *origins: dict[str, Any], unread: bool = False) -> VisitorsPath:
    """The way through a distribution, or without one to an internal load balancer."""
    front = Front(origins or (ORIGIN,), shown, unread)
    there = {"distribution": shown} if shown else {"internal": True}
    named = HOST if shown else "lobster-alb"
    endpoint = PublicEndpoint(URL, rule=RULE, load_balancer=ALB, front=front, dns_name=named, **there)
    return VisitorsPath(FRONTED, ("lobster-tg",), endpoint, front=front)


def unlistened(**read: Any) -> VisitorsPath:
    """A way on which no listener forwards to the target group."""
    return VisitorsPath(FRONTED, ("lobster-tg",), **read)


WAYS: list[tuple[VisitorsPath, list[str], str | None]] = [
    (path(distribution()), ["name", "distribution", "VPC origin", "load balancer", "target group"], None),
    (path(None), ["distribution", "VPC origin", "load balancer", "target group"], "distribution-missing"),
    (
        path(distribution(), {**ORIGIN, "Status": "Failed"}),
        ["name", "distribution", "VPC origin", "load balancer", "target group"],
        "vpc-origin-failed",
    ),
    (
        path(distribution(), {**ORIGIN, "Status": "Deploying"}, {**ORIGIN, "Id": "vo_2", "Status": "Failed"}),
        ["name", "distribution", "VPC origin", "load balancer", "target group"],
        None,
    ),
    (path(None, unread=True), ["distribution", "load balancer", "target group"], None),
    (unlistened(), ["load balancer", "target group"], "load-balancer-missing"),
    (unlistened(unread=True), ["load balancer", "target group"], None),
    (
        unlistened(balancer=BALANCER, front=Front((ORIGIN,), distribution())),
        ["distribution", "VPC origin", "load balancer", "target group"],
        "listener-missing",
    ),
    (
        unlistened(balancer=BALANCER, front=Front()),
        ["distribution", "VPC origin", "load balancer", "target group"],
        "vpc-origin-missing",
    ),
    (
        unlistened(balancer=BALANCER, listeners=({"Port": 80},), front=Front(unread=True)),
        ["distribution", "load balancer", "target group"],
        "target-not-in-use",
    ),
    (
        VisitorsPath(load({}), ("lobster-tg",), balancer=BALANCER),
        ["load balancer", "target group"],
        "listener-missing",
    ),
    (VisitorsPath(load({}), ()), [], None),
]


@pytest.mark.parametrize(("way", "kinds", "code"), WAYS)
def test_the_way_names_what_is_missing_and_what_repairs_it(
    way: VisitorsPath, kinds: list[str], code: str | None
) -> None:
    assert [each.kind for each in hops(way)] == kinds
    broken = broken_hop(way)
    assert (broken.trouble.code if broken and broken.trouble else None) == code
    assert {each.trouble.remedy for each in hops(way) if each.trouble} <= {"inv setup-fargate"}


def test_of_a_distribution_that_is_not_there_only_that_is_said() -> None:
    """It may have been deleted, never created, or have another stack's tag."""
    broken = broken_hop(path(None))
    assert broken is not None
    assert broken.trouble is not None
    told = (
        "No distribution leads to the load balancer lobster-alb, which is internal: visitors reach nothing."
    )
    assert broken.trouble.message == told


ELSEWHERE = {"Type": "CNAME", "ResourceRecords": [{"Value": "x.us-east-2.awsapprunner.com"}]}
HERE = {"Type": "A", "AliasTarget": {"DNSName": f"{HOST}."}}
EXPIRED = "certificate has expired"
SILENT = f"public DNS has no address for {APP}"


def by_public_dns(where: Any, saw: str) -> NameReading:
    """A name of which public DNS was asked."""
    return NameReading(APP, lead=Lead(where, saw))


FORMER = "the former load balancer lobster-alb"
TO_FORMER = {"Type": "A", "AliasTarget": {"DNSName": "lobster-alb-0.us-east-2.elb.amazonaws.com."}}

NAMES: list[tuple[NameReading, bool, str | None, str]] = [
    (
        NameReading(APP, (TO_FORMER,), former=FORMER),
        True,
        None,
        f"alias, 0% of visitors led here, others to {FORMER}, which serves too",
    ),
    (
        NameReading(APP, ({**HERE, "Weight": 10}, {**TO_FORMER, "Weight": 90}), former=FORMER),
        False,
        "alias-missing",
        f"no alias, 10% of visitors led here, others to {FORMER}",
    ),
    (
        NameReading(APP, lead=Lead("other", "192.0.2.65", "lobster-alb-0"), former=FORMER),
        True,
        None,
        f"alias, led by public DNS to {FORMER}, which serves too",
    ),
    (NameReading(APP, (HERE,)), True, None, "alias, 100% of visitors led here"),
    (NameReading(APP, ({**HERE, "Weight": 10}, {**ELSEWHERE, "Type": "A", "Weight": 90})), True, None, "10%"),
    (NameReading(APP), True, None, "alias, DNS not known"),
    (NameReading(APP), False, None, "no alias, DNS not known"),
    (by_public_dns("there", HOST), True, None, "alias, led here by public DNS"),
    (by_public_dns("there", HOST), False, "alias-missing", "no alias, led here by public DNS"),
    (
        by_public_dns("elsewhere", "x.example.org"),
        True,
        "name-elsewhere",
        "public DNS leads it to x.example.org",
    ),
    (by_public_dns("nowhere", SILENT), True, "name-without-record", f"alias, {SILENT}"),
    (
        by_public_dns("unknown", "public DNS does not answer"),
        True,
        None,
        "DNS not known: public DNS does not",
    ),
    (NameReading(APP, ()), True, "name-without-record", "0%"),
    (NameReading(APP, ({"Type": "TXT", "ResourceRecords": []},)), True, "name-without-record", "0%"),
    (NameReading(APP, (ELSEWHERE,)), True, "name-elsewhere", "0%"),
    (NameReading(APP, (ELSEWHERE,)), False, "name-elsewhere", "no alias"),
    (NameReading(APP, (HERE,)), False, "alias-missing", "no alias, 100%"),
    (NameReading(APP, (HERE,), EXPIRED), True, "certificate-invalid", "100%"),
    (NameReading(APP, None, EXPIRED), True, "certificate-invalid", "not known"),
]


@pytest.mark.parametrize(("read", "is_alias", "code", "state"), NAMES)
def test_a_name_is_led_to_the_distribution_and_taken_there(
    read: NameReading, is_alias: bool, code: str | None, state: str
) -> None:
    shown = distribution()
    shown |= {"DomainName": HOST}
    shown["DistributionConfig"]["Aliases"] = {"Items": [APP] if is_alias else []}
    first, own, *_ = hops(replace(path(shown), names=(read,)))
    assert (first.kind, first.name, own.name) == ("name", APP, HOST)
    assert (first.trouble.code if first.trouble else None) == code
    assert state in first.state
    assert [each.code for each in misled_names(replace(path(shown), names=(read,)))] == (
        [code] if code else []
    )


PUBLIC = "lobster-alb-0.us-east-2.elb.amazonaws.com"
THERE = {"Type": "A", "AliasTarget": {"DNSName": f"dualstack.{PUBLIC}."}}
SECURE = ForwardingRule("HTTPS", 443)
NAMED_THERE: list[tuple[NameReading, ForwardingRule, str | None, str]] = [
    (NameReading(APP, (THERE,)), SECURE, None, "100% of visitors led here"),
    (NameReading(APP, (THERE,)), RULE, None, "100% of visitors led here"),
    (
        NameReading(APP, ({**THERE, "Weight": 10}, {**ELSEWHERE, "Type": "A", "Weight": 90})),
        RULE,
        None,
        "10%",
    ),
    (NameReading(APP), SECURE, None, "DNS not known"),
    (NameReading(APP, ()), SECURE, "name-without-record", "0%"),
    (NameReading(APP, (ELSEWHERE,)), SECURE, "name-elsewhere", "0%"),
    (NameReading(APP, (HERE,)), SECURE, "name-elsewhere", "0%"),
    (NameReading(APP, (THERE,), EXPIRED), SECURE, "certificate-invalid", "100%"),
    (NameReading(APP, None, EXPIRED), SECURE, "certificate-invalid", "not known"),
]


@pytest.mark.parametrize(("read", "rule", "code", "state"), NAMED_THERE)
def test_a_name_is_led_to_a_public_load_balancer(
    read: NameReading, rule: ForwardingRule, code: str | None, state: str
) -> None:
    """Which takes requests for every name: an alias is nothing that it could lack."""
    settings = load({"domains": [APP]})
    endpoint = PublicEndpoint(f"https://{PUBLIC}", rule=rule, load_balancer=ALB, dns_name=PUBLIC)
    way = VisitorsPath(settings, ("lobster-tg",), endpoint, names=(read,))
    first, own, *rest = hops(way)
    assert [first.name, own.name, *(each.kind for each in rest)] == [
        *(APP, PUBLIC),
        *("load balancer", "target group"),
    ]
    assert (first.trouble.code if first.trouble else None) == code
    assert state in first.state
    assert "alias" not in first.state
    assert [each.code for each in misled_names(way)] == ([code] if code else [])
    if first.trouble:
        assert "distribution" not in first.trouble.message
        assert "the load balancer" in first.trouble.message
        assert first.trouble.remedy == "inv cutover"


def test_the_remedy_for_a_named_certificate_is_its_setting() -> None:
    arn = "arn:aws:acm:us-east-2:123456789012:certificate/a"
    settings = load({"domains": [APP], "load_balancer": {"certificate": arn}})
    endpoint = PublicEndpoint(f"https://{PUBLIC}", rule=SECURE, load_balancer=ALB, dns_name=PUBLIC)
    broken = broken_hop(
        VisitorsPath(settings, ("lobster-tg",), endpoint, names=(NameReading(APP, (THERE,), EXPIRED),))
    )
    assert broken is not None
    assert broken.trouble is not None
    assert broken.trouble.remedy == f"set load_balancer.certificate to one for {APP}, then inv setup-fargate"


UNREACHED = Cause(CauseCode.NOT_REACHABLE_FROM_HERE, "The app was not probed.")


@pytest.mark.parametrize(
    ("answered", "unasked", "reached"),
    [
        (Probe(URL, LIVE, OPEN), (), True),
        (Probe(URL, answer(503)), (), True),
        (Probe(URL, answer(None)), (), False),
        (None, (UNREACHED,), False),
        (None, (), None),  # a rule takes no plain request
    ],
)
def test_whether_this_machine_is_let_in_is_known_from_the_probe(
    answered: Probe | None, unasked: tuple[Cause, ...], reached: bool | None
) -> None:
    assert has_reached(answered, unasked) is reached


def test_what_is_missing_is_no_cause_where_the_app_answers() -> None:
    """It was read a moment ago; visitors are right."""
    assert missing_hop(path(None), Probe(URL, LIVE, OPEN)) is None


ACL = "arn:aws:wafv2:us-east-1:123456789012:global/webacl/theirs/a1b2"
CLASSIC = "473e64fd-f30b-4765-81a0-62ad96dd167a"
COUNTRY = "open the app from a country that it lets in"
ADDRESS = "open the app from an address that it allows"


@pytest.mark.parametrize(
    ("web_acl", "countries", "code", "who", "remedies"),
    [
        (ACL, (), "not-reachable-from-here", "The web ACL theirs protects", [ADDRESS]),
        (CLASSIC, (), "not-reachable-from-here", f"The web ACL {CLASSIC} protects", [ADDRESS]),
        ("", ("DE",), "country-blocked", "lets in only DE", [COUNTRY]),
        (
            ACL,
            ("DE",),
            "not-reachable-from-here",
            "The web ACL theirs or the geographic restriction (only DE) protects",
            [ADDRESS, COUNTRY],
        ),
    ],
)
def test_who_does_not_let_this_machine_in_is_named(
    web_acl: str, countries: tuple[str, ...], code: str, who: str, remedies: list[str]
) -> None:
    """CloudFront answers 403 for the one and for the other."""
    shown = distribution()
    kind = "whitelist" if countries else "none"
    restriction = {"GeoRestriction": {"RestrictionType": kind, "Items": list(countries)}}
    shown["DistributionConfig"] |= {"WebACLId": web_acl, "Restrictions": restriction}
    endpoint = PublicEndpoint(URL, distribution=shown)
    assert endpoint.blocks(answer(403, True))
    told = not_reachable(endpoint, FRONTED)
    assert (told.code, who in told.message) == (code, True), told.message
    assert [each for each in (ADDRESS, COUNTRY) if each in told.remedy] == remedies


def hiding(*pages: tuple[int, str], web_acl: str = "") -> PublicEndpoint:
    """The way in through a distribution with custom error pages: the error, and the status for visitors."""
    items = [{"ErrorCode": error, "ResponsePagePath": "/x", "ResponseCode": code} for error, code in pages]
    shown = distribution()
    shown["DistributionConfig"] |= {"CustomErrorResponses": {"Items": items}, "WebACLId": web_acl}
    return PublicEndpoint(URL, distribution=shown)


def test_a_live_release_is_told_of_pages_that_hide_errors() -> None:
    (told,) = hiding_pages(hiding((502, "200"), (503, "503"), (504, "200")))
    assert (told.code, "answers 200" in told.message, "in place of 502 and 504" in told.message) == (
        *("error-page", True),
        True,
    )
    assert "aws cloudfront get-distribution-config --id E1" in told.remedy
    shown = [hop.state for hop in hops(path(dict(hiding((502, "200")).distribution or {})))]
    assert "enabled, Deployed, answers 200 in place of 502" in shown
    for harmless in (hiding(), hiding((502, "502")), PublicEndpoint(URL), None):
        assert hiding_pages(harmless) == ()


@pytest.mark.parametrize(
    ("pages", "web_acl", "blocks"),
    [
        (((403, "200"),), ACL, True),
        (((403, "200"), (502, "200")), ACL, False),  # nobody can tell
        (((403, "200"),), "", False),
        (((502, "200"),), ACL, False),
    ],
)
def test_a_page_for_403_alone_is_that_of_the_web_acl(
    pages: tuple[tuple[int, str], ...], web_acl: str, blocks: bool
) -> None:
    assert hiding(*pages, web_acl=web_acl).blocks(PAGED) is blocks


def test_who_is_let_in_is_not_known_where_the_groups_cannot_be_read() -> None:
    endpoint = PublicEndpoint(URL, unread_sources="UnauthorizedOperation: no")
    missing = Answer(False, "GET /: no answer in time", reached=False)
    assert (endpoint.explains(missing), endpoint.explains(LIVE), endpoint.is_private) == (True, False, False)
    assert not PublicEndpoint(URL).explains(missing)
    told = not_reachable(endpoint, load({}))
    assert told.code == "not-reachable-from-here"
    assert "is not known: its security groups cannot be read (UnauthorizedOperation: no)" in told.message
    assert "ec2:DescribeSecurityGroups" in told.remedy
    known = not_reachable(PublicEndpoint(URL, internal=True, unread_sources="no"), load({}))
    assert "is internal" in known.message


@pytest.mark.parametrize(
    ("status", "server", "own"),
    [
        (504, "CloudFront", True),
        (502, "CloudFront", True),
        (504, "awselb/2.0", False),
        (200, "CloudFront", False),
    ],
)
def test_whose_an_error_is(status: int, server: str, own: bool) -> None:
    """CloudFront's own pages have ``Server: CloudFront`` (Developer Guide, "Request and response behavior for custom
    origins": what an origin sends is passed on)."""
    assert is_by_cloudfront(status, {"server": server}) is own
