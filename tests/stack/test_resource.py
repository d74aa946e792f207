"""What every resource has in common, and the stack that the settings describe."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from lobster_tasks import stack
from lobster_tasks.settings import load
from lobster_tasks.stack import Live, LiveResources, Resource
from lobster_tasks.stack.certificates import covers

ACCOUNT = "123456789012"
CERTIFICATE = f"arn:aws:acm:us-east-2:{ACCOUNT}:certificate/11111111-2222-3333-4444-555555555555"
LABELS = [
    "role/ecsTaskExecutionRole",
    "role/ecsTaskRole",
    "log-group//ecs/lobster-streamlit",
    "repository/homara",
    "network/the default VPC",
    "security-group/lobster-alb-sg",
    "security-group/lobster-ecs-sg",
    "load-balancer/lobster-alb",
    "web-ACL-association/lobster-alb",
    "vpc-origin/lobster-us-east-2",
    "IP-set/lobster-us-east-2-ipv4",
    "IP-set/lobster-us-east-2-ipv6",
    "web-ACL/lobster-us-east-2",
    "distribution/lobster-us-east-2",
    "target-group/lobster-tg",
    "listener/lobster-alb:443",
    "listener/lobster-alb:80",
    "cluster/lobster-cluster",
    "task-definition/lobster-streamlit-task",
    "service/lobster-streamlit-service",
    "scalable-target/lobster-cluster/lobster-streamlit-service",
]

FORMER = [
    "security-group/lobster-alb-sg-2",
    "load-balancer/lobster-alb-2",
    "target-group/lobster-tg-2",
    "web-ACL-association/lobster-alb-2",
    "listener/lobster-alb-2:443",
    "listener/lobster-alb-2:80",
]
FRONT = (
    "vpc-origin/lobster-us-east-2",
    "IP-set/lobster-us-east-2-ipv4",
    "IP-set/lobster-us-east-2-ipv6",
    "web-ACL/lobster-us-east-2",
    "distribution/lobster-us-east-2",
)


def build(partition: str = "aws", **given: Any) -> stack.Stack:
    """The stack of some settings."""
    return stack.build(load(given), ACCOUNT, partition)


def labels(made: stack.Stack) -> list[str]:
    """The labels of its resources, without what would belong to a load balancer of before."""
    return [each.label for each in own(made)]


def own(made: stack.Stack) -> list[Resource]:
    """Its resources, without what would belong to a load balancer of before, where that has names of its own."""
    return [each for each in made.resources if not each.former or each.label in LABELS]


def find(made: stack.Stack, label: str) -> Any:
    """The resource of a label."""
    return next(each for each in made.resources if each.label == label)


def test_the_stack_is_the_plans() -> None:
    assert labels(build()) == LABELS
    assert {each.stack for each in build().resources} == {"lobster"}
    mine = {"lobster:stack": "lobster"}
    for each in build().resources:
        anywhere = each.kind in ("role", "vpc-origin", "distribution", "web-ACL", "IP-set")
        assert each.tags == (mine | {"lobster:region": "us-east-2"} if anywhere else mine)


def test_every_resource_comes_after_those_it_needs() -> None:
    resources = build(load_balancer={"certificate": CERTIFICATE}).resources
    for place, each in enumerate(resources):
        assert set(each.dependencies) <= set(resources[:place])


def test_needs_are_read_from_the_fields() -> None:
    made = build()
    service = find(made, "service/lobster-streamlit-service")
    assert {each.label for each in service.dependencies} == {
        "target-group/lobster-tg-2",
        "cluster/lobster-cluster",
        "task-definition/lobster-streamlit-task",
        "network/the default VPC",
        "security-group/lobster-ecs-sg",
        "target-group/lobster-tg",
        "listener/lobster-alb:443",
        "listener/lobster-alb:80",
    }
    assert find(made, "role/ecsTaskRole").dependencies == ()


def test_resources_are_values() -> None:
    assert build().resources == build().resources
    assert len(set(build().resources)) == len([*LABELS, *FORMER])


def test_the_load_balancer_of_before_would_have_the_other_names() -> None:
    beside = [each for each in build().resources if each not in own(build())]
    assert [each.label for each in beside] == FORMER
    assert all(each.former for each in beside)
    kinds = {each.kind for each in build().former}  # what leads to it goes with it
    assert kinds == {each.kind for each in beside} | {"vpc-origin", "IP-set", "web-ACL", "distribution"}
    inside = build(load_balancer={"internal": True})
    assert {each.kind for each in inside.former} == {each.kind for each in beside}


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        (("role",), LABELS[:2]),
        (("security-group",), LABELS[4:7]),
        (
            ("listener", "target-group"),
            [label for label in LABELS[4:17] if label not in ("security-group/lobster-ecs-sg", *FRONT)],
        ),
        (("cluster",), ["cluster/lobster-cluster"]),
        (("task-definition",), [*LABELS[:4], "task-definition/lobster-streamlit-task"]),
        (("service",), [label for label in LABELS[:-1] if label not in FRONT]),
        (("scalable-target",), [label for label in LABELS if label not in FRONT]),
        ((), []),
    ],
)
def test_a_slice_is_what_it_stands_on(kinds: tuple[str, ...], expected: list[str]) -> None:
    assert labels(build().slice(kinds)) == expected


def test_with_a_certificate_http_leads_to_https() -> None:
    made = build(load_balancer={"certificate": CERTIFICATE})
    listeners = [each for each in own(made) if each.kind == "listener"]
    assert [each.desired(LiveResources({})) for each in listeners] == [
        {
            "protocol": "HTTPS",
            "action": "forward to lobster-tg",
            "certificate": CERTIFICATE,
            "TLS-policy": "ELBSecurityPolicy-TLS13-1-2-2021-06",
            "sign-in": "none",
        },
        {
            "protocol": "HTTP",
            "action": "redirect to HTTPS:443, HTTP_301",
            "certificate": "",
            "TLS-policy": "",
        },
    ]
    secure, plain = listeners
    assert secure in plain.dependencies  # nobody is sent where nothing listens yet
    group = find(made, "security-group/lobster-alb-sg")
    assert group.desired(LiveResources({}))["ingress"] == ("tcp 443 from 0.0.0.0/0", "tcp 80 from 0.0.0.0/0")


def listener_states(made: stack.Stack, live: dict[Resource, Live | None]) -> list[tuple[str, Any]]:
    """Whether each listener should be there, and what it should do, HTTPS first."""
    known = LiveResources(live)
    listeners = [each for each in own(made) if each.kind == "listener"]
    return [(each.presence(known), each.desired(known).get("action")) for each in listeners]


FORWARD, REDIRECT = "forward to lobster-tg", "redirect to HTTPS:443, HTTP_301"


def test_without_a_certificate_https_is_not_wanted() -> None:
    assert listener_states(build(), {}) == [("absent", None), ("present", FORWARD)]


def test_a_domain_is_served_by_https_once_its_certificate_is_issued() -> None:
    made = build(domains=["app.example.com"])
    certificate = find(made, "certificate/app.example.com")
    secure = find(made, "listener/lobster-alb:443")
    pending, issued = (Live("arn", {"status": each}) for each in ("PENDING_VALIDATION", "ISSUED"))
    assert listener_states(made, {}) == [("as-found", None), ("present", FORWARD)]
    assert listener_states(made, {certificate: pending}) == [("as-found", None), ("present", FORWARD)]
    assert listener_states(made, {certificate: issued}) == [("present", FORWARD), ("present", REDIRECT)]
    assert secure.desired(LiveResources({certificate: issued}))["certificate"] == "arn"
    # A certificate that is gone takes nothing away from what still serves.
    assert listener_states(made, {secure: Live("x", {})}) == [("as-found", None), ("present", REDIRECT)]
    group = find(made, "security-group/lobster-alb-sg")
    assert "tcp 443 from 0.0.0.0/0" in group.desired(LiveResources({}))["ingress"]


def test_a_certificate_that_is_named_goes_before_that_of_the_domains() -> None:
    made = build(domains=["app.example.com"], load_balancer={"certificate": CERTIFICATE})
    assert [each for each in made.resources if each.kind == "certificate"] == []
    assert listener_states(made, {}) == [("present", FORWARD), ("present", REDIRECT)]


@pytest.mark.parametrize(
    ("names", "domains", "good"),
    [
        (["app.example.com"], ["app.example.com"], True),
        (["App.Example.com"], ["app.example.com"], True),
        (["*.example.com"], ["app.example.com"], True),
        (["*.example.com"], ["*.example.com"], True),
        (["*.example.com"], ["example.com"], False),
        (["*.example.com"], ["a.b.example.com"], False),
        (["*.example.com", "example.com"], ["example.com", "www.example.com"], True),
        (["app.example.com"], ["app.example.com", "example.com"], False),
    ],
)
def test_what_a_certificate_covers(names: list[str], domains: list[str], good: bool) -> None:
    assert covers(names, domains) is good


def test_the_placeholder_image_is_in_the_partitions_registry() -> None:
    china = build("aws-cn", region="cn-north-1")
    definition = json.loads(find(china, "task-definition/lobster-streamlit-task").definition)
    (container,) = definition["containerDefinitions"]
    assert container["image"] == f"{ACCOUNT}.dkr.ecr.cn-north-1.amazonaws.com.cn/homara:no-release-yet"


def test_known_is_what_is_there_and_does_not_change_under_the_reader() -> None:
    first, second, *others = build().resources
    live: dict[Resource, Live | None] = {first: Live("a", {}), second: None}
    known = LiveResources(live)
    live |= dict.fromkeys(random.sample(others, 3), Live("b", {}))
    assert dict(known) == {first: Live("a", {})}
    assert len(known) == 1
    assert second not in known
    assert known.get(second) is None
    with pytest.raises(KeyError):
        known[second]


@pytest.mark.parametrize("front", ["none", "cloudfront"])
def test_as_a_key_a_resource_does_not_walk_through_its_dependencies(front: str) -> None:
    """Plans look resources up very often, and each is referred to along many paths."""
    for each in build(front={"kind": front}).resources:
        assert hash(each) == hash((each.kind, each.name))
