"""Settings of the doors in all combinations, and what there is in an account after a setup, without an account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import Any

from lobster_tasks import converge, stack
from lobster_tasks.settings import load
from lobster_tasks.stack import Live, LiveResources, Resource, Stack
from tests.embedded.identities import ACCOUNT

KINDS = ("listener", "target-group", "vpc-origin", "distribution", "security-group-rule")
SERVICE = ("service", "scalable-target")
GROUPS = ("security-group",)
OFFICE, BRANCH = "203.0.113.0/24", "198.51.100.0/24"
LISTS: Mapping[str, tuple[str, ...]] = {"none": (), "narrow": (OFFICE,), "wide": (BRANCH, OFFICE)}
REGIONAL = f"arn:aws:wafv2:us-east-2:{ACCOUNT}:regional/webacl/theirs/0"
GLOBAL = f"arn:aws:wafv2:us-east-1:{ACCOUNT}:global/webacl/theirs/0"
CERTIFICATE = f"arn:aws:acm:us-east-2:{ACCOUNT}:certificate/0"
SIGN_IN = {
    "kind": "cognito",
    "user_pool": "us-east-2_AbCdEfGhI",
    "user_pool_domain": "somebodys-app",
    "client_id": "the-client",
}


@dataclass(frozen=True)
class Doors:
    """Settings of the doors: ``way`` is public, internal or cloudfront; ``web_acl`` is one of somebody else's that
    protects the load balancer, ``front_acl`` one that protects the distribution."""

    way: str
    listed: str = "none"
    web_acl: bool = False
    front_acl: bool = False
    sign_in: bool = False

    def __str__(self) -> str:
        told = [self.way, f"list-{self.listed}"]
        on = {"web-acl": self.web_acl, "front-acl": self.front_acl, "sign-in": self.sign_in}
        return "+".join([*told, *(name for name, is_on in on.items() if is_on)])

    @property
    def given(self) -> dict[str, Any]:
        """The settings."""
        balancer = {
            "internal": self.way == "internal",
            "allowed_cidrs": list(LISTS[self.listed]) or None,
            "web_acl": REGIONAL if self.web_acl else None,
            "certificate": CERTIFICATE if self.sign_in else None,
        }
        kind = "cloudfront" if self.way == "cloudfront" else "none"
        front = {"kind": kind, "web_acl": GLOBAL if self.front_acl else None}
        return {"load_balancer": balancer, "front": front, **({"sign_in": SIGN_IN} if self.sign_in else {})}

    @property
    def is_possible(self) -> bool:
        """Whether the settings may be combined."""
        if self.way == "cloudfront":
            return not self.sign_in and not (self.front_acl and self.listed != "none")
        return not self.front_acl


FLAGS = (False, True)
EVERY = [
    made
    for way, listed in product(("public", "internal", "cloudfront"), LISTS)
    for web_acl, front_acl, sign_in in product(FLAGS, FLAGS, FLAGS)
    if (made := Doors(way, listed, web_acl, front_acl, sign_in)).is_possible
]


@cache
def desired(doors: Doors, replacing: bool = False, kinds: tuple[str, ...] = KINDS) -> Stack:
    """The stack of the settings; ``replacing`` a load balancer of another scheme. What a task makes by its kinds."""
    settings = load(doors.given)
    if replacing:
        settings = settings.model_copy(update={"load_balancer": settings.load_balancer.swapped()})
    return stack.build(settings, ACCOUNT).slice(kinds)


@cache
def account(doors: Doors) -> Mapping[str, Live]:
    """An account that was set up: what is there by its label."""
    made: dict[Resource, Live] = {}
    for each in desired(doors).resources:
        known = LiveResources(made)
        if not each.former and each.presence(known) == "present":
            made[each] = _live(each, known)
    return {each.label: live for each, live in made.items()}


ZONES = {"subnet-a": "a", "subnet-b": "b"}
GIVEN: Mapping[str, Live] = {
    "network": Live("vpc-1", {"vpc": "vpc-1", "subnets": tuple(ZONES)}, raw={"zones": ZONES}),
    "prefix-list": Live("pl-1", {}, raw={"group": "sg-cloudfront", "peers": ["pl-1", "sg-cloudfront"]}),
    "sign-in": Live("somebodys-app", {}),
}
"""What is in every account, by its kind."""


def _live(resource: Any, known: LiveResources) -> Live:
    if resource.kind in GIVEN:
        return GIVEN[resource.kind]
    attributes = resource.desired(known)
    raw: dict[str, Any] = {}
    if resource.kind == "security-group":
        raw = {"IpPermissions": list(_permissions(resource))}
    if resource.kind == "load-balancer":
        raw = {"Scheme": resource.scheme, "DNSName": f"{resource.name}.example.com"}
    if resource.kind == "vpc-origin":
        raw = {"Status": "Deployed"}
    if resource.kind == "distribution":
        raw = {"DomainName": "d1.cloudfront.net", "DistributionConfig": {"WebACLId": attributes["web-ACL"]}}
    return Live(f"arn:{resource.label}", attributes, resource.tags, raw, resource.region)


def _permissions(group: Any) -> Iterator[dict[str, Any]]:
    sources = () if group.front or group.source else group.sources
    for port in group.ports:
        ranges = [{"CidrIp": each} for each in sources]
        yield {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": ranges}


def planned(before: Doors, after: Doors, kinds: tuple[str, ...] = KINDS) -> converge.Plan:
    """The plan of these kinds with the settings ``after`` where those of ``before`` were set up."""
    made = desired(after, (before.way == "public") != (after.way == "public"), kinds)
    there = account(before)
    plan = converge.plan(made, _found(made, there))
    return converge.with_openings(plan, _found(converge.other_doors(made, plan), there))


def _found(made: Stack, there: Mapping[str, Live]) -> dict[Resource, Live | None]:
    return {each: GIVEN.get(each.kind) or there.get(each.label) for each in made.resources}
