"""A plan tells that it opens the app exactly when it lets in somebody who was kept out before: all pairs of settings.

Who is let in is computed here from the settings alone, visitor by visitor.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from ipaddress import ip_network
from itertools import product
from typing import Any

import pytest

from lobster_tasks import converge, report, stack
from lobster_tasks.account import with_live_names
from lobster_tasks.aws import Aws
from lobster_tasks.settings import load
from lobster_tasks.stack.doors import Door, uncovered
from tests.clocks import PatientClock
from tests.conftest import SWIFT
from tests.embedded.firewalls import web_acl as make_web_acl
from tests.embedded.identities import ACCOUNT
from tests.embedded_process import EmbeddedProcess
from tests.report.drawn import drawn

from .doors import (
    BRANCH,
    EVERY,
    FLAGS,
    GIVEN,
    GROUPS,
    KINDS,
    LISTS,
    OFFICE,
    REGIONAL,
    SERVICE,
    Doors,
    account,
    desired,
    planned,
)


@dataclass(frozen=True)
class Visitor:
    """``inside`` a network that reaches the VPC or not, the range of the address, and what lets the visitor pass."""

    inside: bool
    range: str
    passes_web_acl: bool
    passes_web_acl_as_cloudfront: bool
    passes_front_acl: bool
    signs_in: bool


VISITORS = [
    Visitor(inside, range, web_acl, as_cloudfront, front_acl, signs_in)
    for inside, range in product(FLAGS, (OFFICE, BRANCH, "elsewhere"))
    for web_acl, as_cloudfront, front_acl, signs_in in product(FLAGS, FLAGS, FLAGS, FLAGS)
]


def let_in(doors: Doors) -> set[Visitor]:
    """Everybody who may use the door of these settings."""
    return {each for each in VISITORS if _may(doors, each)}


def _may(doors: Doors, who: Visitor) -> bool:
    fronted = doors.way == "cloudfront"
    passes = who.passes_web_acl_as_cloudfront if fronted else who.passes_web_acl
    return all(
        (
            who.inside or doors.way != "internal",
            doors.listed == "none" or who.range in LISTS[doors.listed],
            passes or not doors.web_acl,
            who.passes_front_acl or not doors.front_acl,
            who.signs_in or not doors.sign_in,
        )
    )


def then(before: Doors, after: Doors) -> tuple[Doors, ...]:
    """The doors of a stack with ``before`` that is set up with ``after``.

    A load balancer whose scheme changes goes on serving as it is. One that stays keeps somebody's web ACL that the
    settings do not name; so does the distribution, without a list.
    """
    if (before.way == "public") != (after.way == "public"):
        return (before, after)
    keeps = before.way == after.way == "cloudfront" and after.listed == "none"
    web_acl, front_acl = after.web_acl or before.web_acl, after.front_acl or (keeps and before.front_acl)
    return (Doors(after.way, after.listed, web_acl, front_acl, after.sign_in),)


def is_opened(before: Doors, after: Doors) -> bool:
    """Whether somebody is let in who was not."""
    return bool(set[Visitor]().union(*map(let_in, then(before, after))) - let_in(before))


def test_every_pair_of_settings_opens_exactly_where_somebody_more_is_let_in() -> None:
    wrong = [
        f"{before} → {after}: {'says nothing' if is_opened(before, after) else 'says that it opens'}"
        for before, after in product(EVERY, EVERY)
        if bool(planned(before, after).openings) != is_opened(before, after)
    ]
    assert wrong == []


def then_by_the_service(before: Doors, after: Doors) -> tuple[Doors, ...]:
    """The same where a task makes the service and what it needs: the load balancer, but neither distribution nor VPC
    origin, which stay as they are. An internal load balancer that CloudFront does not lead to yet lets in nobody."""
    if (before.way == "public") != (after.way == "public"):
        return (before,) if after.way == "cloudfront" else (before, after)
    web_acl = after.web_acl or before.web_acl
    balancer = (Doors(after.way, after.listed, web_acl, sign_in=after.sign_in),)
    return _with_front(before, balancer if after.way != "cloudfront" else (), web_acl)


def then_by_the_groups(before: Doors, after: Doors) -> tuple[Doors, ...]:
    """The same where a task makes the security groups: those of a load balancer that is not there let in nobody.

    Without HTTPS in the settings, its port closes; the listener of the other one goes on redirecting there.
    """
    if (before.way == "public") != (after.way == "public"):
        return (before,)
    balancer = (Doors(after.way, after.listed, before.web_acl, sign_in=before.sign_in),)
    is_closed = after.way == "cloudfront" or (before.sign_in and not after.sign_in)
    return _with_front(before, () if is_closed else balancer, before.web_acl)


def _with_front(before: Doors, balancer: tuple[Doors, ...], web_acl: bool) -> tuple[Doors, ...]:
    return (*balancer, *([replace(before, web_acl=web_acl)] if before.way == "cloudfront" else []))


@pytest.mark.parametrize(
    ("kinds", "by_the_task"), [(SERVICE, then_by_the_service), (GROUPS, then_by_the_groups)]
)
def test_a_task_that_makes_a_part_opens_exactly_where_its_changes_let_in_somebody_more(
    kinds: tuple[str, ...], by_the_task: Callable[[Doors, Doors], tuple[Doors, ...]]
) -> None:
    """All doors are compared, also those that the task does not change: before, and after its changes."""
    wrong = [
        f"{before} → {after}: {[(each.rule, each.label) for each in told]}"
        for before, after in product(EVERY, EVERY)
        if bool(told := planned(before, after, kinds).openings)
        != bool(set[Visitor]().union(*map(let_in, by_the_task(before, after))) - let_in(before))
    ]
    assert wrong == []


def test_the_old_load_balancer_is_told_of_exactly_where_it_lets_in_more() -> None:
    wrong = [
        f"{before} → {after}"
        for before, after in product(EVERY, EVERY)
        if planned(before, after).former_lets_in_more
        != bool(len(then(before, after)) > 1 and let_in(before) - let_in(after))
    ]
    assert wrong == []


def test_what_is_created_for_the_first_time_is_there_to_be_used() -> None:
    for each in EVERY:
        live = {one: GIVEN.get(one.kind) for one in desired(each).resources}
        assert converge.with_openings(converge.plan(desired(each), live)).openings == ()


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (
            Doors("cloudfront", "narrow"),
            Doors("public"),
            {"opens-to-more-addresses": "security-group/lobster-alb-sg-2"},
        ),
        (
            Doors("cloudfront", "narrow"),
            Doors("cloudfront"),
            {"opens-to-more-addresses": "web-ACL/lobster-us-east-2"},
        ),
        (
            Doors("cloudfront", "narrow"),
            Doors("cloudfront", front_acl=True),
            {"opens-to-more-addresses": "web-ACL/lobster-us-east-2"},
        ),
        (
            Doors("cloudfront", front_acl=True),
            Doors("cloudfront", "narrow"),
            {"opens-past-a-web-acl": "distribution/lobster-us-east-2"},
        ),
        (
            Doors("public", web_acl=True),
            Doors("cloudfront"),
            {"opens-past-a-web-acl": "distribution/lobster-us-east-2"},
        ),
        (
            Doors("public", "wide", sign_in=True),
            Doors("public", "narrow"),
            {"opens-without-the-sign-in": "listener/lobster-alb:80"},
        ),
        (
            Doors("public", "narrow", web_acl=True, sign_in=True),
            Doors("internal"),
            {
                "old-load-balancer-lets-in-more": "",
                "opens-to-more-addresses": "security-group/lobster-alb-sg-2",
                "opens-past-a-web-acl": "listener/lobster-alb-2:80",
                "opens-without-the-sign-in": "listener/lobster-alb-2:80",
            },
        ),
        (Doors("public"), Doors("cloudfront", "narrow"), {"old-load-balancer-lets-in-more": ""}),
        (Doors("public", "narrow"), Doors("cloudfront", "narrow"), {}),
    ],
    ids=str,
)
def test_the_json_has_a_code_for_each_rule_and_the_resource_that_decides(
    before: Doors, after: Doors, told: dict[str, str]
) -> None:
    answer = report.plan_json(planned(before, after), applied=False, url=None, before=None, after=None)
    assert [each["code"] for each in answer["warnings"]] == list(told)
    assert answer["opens"] == list(dict.fromkeys(filter(None, told.values())))


def said(made: converge.Plan) -> str:
    """What a person reads of a plan."""
    return "\n".join(drawn(report.plan(made)))


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("none", "narrow", ""),
        (
            "narrow",
            "wide",
            f"visitors from {BRANCH} are let in from now on, from networks that reach the VPC.",
        ),
        ("narrow", "none", "everybody in networks that reach the VPC is let in from now on."),
    ],
)
def test_security_groups_of_an_internal_load_balancer_are_not_told_to_open_the_internet(
    before: str, after: str, words: str
) -> None:
    """Also where the run is of security groups only, and the load balancer is not read."""
    whole, there = desired(Doors("internal", after)), account(Doors("internal", before))
    for made in (whole, whole.slice(["security-group"])):
        live = {each: GIVEN.get(each.kind) or there.get(each.label) for each in made.resources}
        told = said(converge.with_openings(converge.plan(made, live)))
        assert words in told
        assert "the app becomes reachable from the internet" not in told
        assert ("let in from now on" in told) == bool(words)


# Whom doors let in, by themselves


@pytest.mark.parametrize(
    ("ranges", "others", "more"),
    [
        ([OFFICE], ["0.0.0.0/0"], []),
        (["203.0.113.0/25"], [OFFICE], []),
        (["203.0.112.0/23"], [OFFICE], ["203.0.112.0/23"]),
        (["203.0.112.0/23"], [OFFICE, "203.0.112.0/24"], []),
        (["0.0.0.0/0", "::/0"], ["0.0.0.0/0"], []),
        (["0.0.0.0/0", "::/0"], ["0.0.0.0/1", "128.0.0.0/1"], []),
        (["0.0.0.0/0", "::/0"], ["::/0"], ["0.0.0.0/0"]),
        (["2001:db8::/48"], ["2001:db8::/32"], []),
        (["2001:db8::/32", OFFICE], ["2001:db8::/48", OFFICE], ["2001:db8::/32"]),
        ([BRANCH, OFFICE], [], [BRANCH, OFFICE]),
    ],
)
def test_ranges_are_compared_as_sets_of_addresses(
    ranges: list[str], others: list[str], more: list[str]
) -> None:
    door, other = (Door("", False, frozenset(map(ip_network, each))) for each in (ranges, others))
    assert [str(each) for each in uncovered(door, [other])] == more


def test_doors_that_are_strict_in_different_ways_do_not_stand_in_for_each_other() -> None:
    web_acl = Door("", False, web_acls=frozenset({("visitors", REGIONAL)}))
    sign_in = Door("", False, sign_in="somewhere")
    assert uncovered(Door("", False), [web_acl, sign_in])
    assert not uncovered(replace(web_acl, sign_in="somewhere"), [web_acl])
    assert uncovered(replace(sign_in, sign_in="elsewhere"), [sign_in])
    assert uncovered(Door("", False), [Door("", True)])
    assert not uncovered(Door("", True), [Door("", False)])


@pytest.mark.parametrize(
    ("changed", "opens"),
    [
        ({"sign-in": "none"}, False),
        ({"unauthenticated-requests": "allow"}, False),
        ({"session-timeout": 60}, False),
        ({"user-pool-client": "other"}, True),
    ],
    ids=str,
)
def test_a_sign_in_that_is_put_right_opens_only_to_those_of_another_provider(
    changed: dict[str, Any], opens: bool
) -> None:
    doors = Doors("public", sign_in=True)
    assert bool(meddled(doors, "listener/lobster-alb:443", **changed).openings) == opens


def meddled(doors: Doors, label: str, **changed: Any) -> converge.Plan:
    """The plan that puts right these attributes of a resource."""
    made, there = desired(doors), dict(account(doors))
    there[label] = replace(there[label], attributes={**there[label].attributes, **changed})
    live = {each: GIVEN.get(each.kind) or there.get(each.label) for each in made.resources}
    plan = converge.with_openings(converge.plan(made, live))
    assert [each.resource.label for each in plan.changes] == [label]
    return plan


def _rule(action: str) -> str:
    named = {"Name": "theirs", "Priority": 1, "Action": {action: {}}}
    return json.dumps({**named, "Statement": {"GeoMatchStatement": {"CountryCodes": ["DE"]}}})


@pytest.mark.parametrize(
    ("changed", "opens"),
    [
        ({"default-action": "Allow"}, False),
        ({"default-action": "Allow", "rules": (_rule("Count"),)}, False),
        ({"default-action": "Allow", "rules": (_rule("Block"),)}, True),
        ({"rules": ()}, True),
        ({"rules": (_rule("Allow"),)}, True),
    ],
    ids=str,
)
def test_a_web_acl_of_the_stack_is_read_as_it_is_and_not_as_it_was_made(
    changed: dict[str, Any], opens: bool
) -> None:
    made = meddled(Doors("cloudfront", "narrow"), "web-ACL/lobster-us-east-2", **changed)
    assert bool(made.openings) == opens


# The same in an account


@pytest.fixture(scope="module")
def aws(swift: EmbeddedProcess) -> Aws:
    """The library's door to an account."""
    keys = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "example"}
    return Aws("us-east-2", endpoint_url=swift.url, credentials=keys, clock=PatientClock(speed=SWIFT))


def plan_in(aws: Aws, doors: Doors, web_acl: str = REGIONAL) -> converge.Plan:
    """The plan of an account for these settings."""
    given = doors.given
    given["load_balancer"] |= {"web_acl": web_acl if doors.web_acl else None}
    settings = with_live_names(aws, load(given), replacing=True)
    made = stack.build(settings, ACCOUNT).slice(KINDS)
    return converge.with_openings(converge.plan(made, converge.read(aws, made)))


@pytest.mark.parametrize(
    ("before", "afters"),
    [
        (
            Doors("cloudfront", "narrow"),
            (
                Doors("cloudfront", "narrow"),
                Doors("cloudfront", "wide"),
                Doors("cloudfront", front_acl=True),
                Doors("public"),
                Doors("public", "narrow"),
                Doors("internal"),
            ),
        ),
        (
            Doors("public", "narrow", web_acl=True),
            (
                Doors("public", "narrow"),
                Doors("public", "wide"),
                Doors("internal", "narrow", web_acl=True),
                Doors("cloudfront", "narrow"),
                Doors("cloudfront", "narrow", web_acl=True),
            ),
        ),
        (Doors("internal", "wide"), (Doors("internal", "narrow"), Doors("public", "narrow"))),
    ],
    ids=str,
)
def test_pairs_in_an_account(
    aws: Aws, swift: EmbeddedProcess, before: Doors, afters: tuple[Doors, ...]
) -> None:
    swift.reset()
    web_acl = make_web_acl(swift, "theirs")
    converge.apply(aws, plan_in(aws, before, web_acl), lambda _: None)
    wrong = [
        f"{before} → {after}: {[(each.rule, each.label) for each in made.openings]}"
        for after in afters
        if bool((made := plan_in(aws, after, web_acl)).openings) != is_opened(before, after)
    ]
    assert wrong == []


def test_other_security_groups_of_the_load_balancer_are_read_too(aws: Aws, swift: EmbeddedProcess) -> None:
    swift.reset()
    converge.apply(aws, plan_in(aws, Doors("public", "narrow")), lambda _: None)
    ec2, elbv2 = swift.client("ec2"), swift.client("elbv2")
    own = ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["lobster-alb-sg"]}])
    (first,) = own["SecurityGroups"]
    second = ec2.create_security_group(GroupName="theirs", Description="-", VpcId=first["VpcId"])["GroupId"]
    (balancer,) = elbv2.describe_load_balancers()["LoadBalancers"]
    both = [first["GroupId"], second]
    elbv2.set_security_groups(LoadBalancerArn=balancer["LoadBalancerArn"], SecurityGroups=both)
    assert plan_in(aws, Doors("public")).openings
    allowed = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2.authorize_security_group_ingress(GroupId=second, IpPermissions=[allowed])
    assert plan_in(aws, Doors("public")).openings == ()
