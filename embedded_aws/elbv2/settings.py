"""The configuration of all load balancers, read from moto's stores into frozen values.

``read`` reads everything at once; the data plane uses the result until something changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..moto import adapter
from .actions import Action, SignIn, ValidateToken, read_action
from .conditions import Condition, read_condition

DEFAULT_RULE = 50_001  # after every rule with a number


@dataclass(frozen=True)
class Rule:
    """One listener rule; ``sign_in`` or ``token`` is what comes before its action, if something does."""

    priority: int
    conditions: tuple[Condition, ...]
    action: Action
    sign_in: SignIn | None = None
    token: ValidateToken | None = None


@dataclass(frozen=True)
class Listener:
    """One listener; ``rules`` are in order of evaluation, the default rule last.

    ``names_itself`` says whether the load balancer's own responses have a ``Server`` header.
    """

    arn: str
    protocol: str
    port: int
    rules: tuple[Rule, ...]
    certificates: tuple[str, ...]
    names_itself: bool = True


@dataclass(frozen=True)
class LoadBalancer:
    """One load balancer. ``plain`` and ``secure`` are the listeners on its one loopback port."""

    arn: str
    account: str
    region: str
    listeners: tuple[Listener, ...]
    attributes: Mapping[str, str]
    security_groups: tuple[str, ...]
    zones: frozenset[str]

    @property
    def plain(self) -> Listener | None:
        """The HTTP listener: the one on port 80, else the one on the lowest port."""
        return _first(self.listeners, "HTTP", 80)

    @property
    def secure(self) -> Listener | None:
        """The HTTPS listener: the one on port 443, else the one on the lowest port."""
        return _first(self.listeners, "HTTPS", 443)

    def seconds(self, attribute: str) -> float:
        """The value of an attribute in AWS seconds."""
        return float(self.attributes[attribute])

    def on(self, attribute: str) -> bool:
        """The value of a boolean attribute; absent means false."""
        return self.attributes.get(attribute) == "true"


@dataclass(frozen=True)
class HealthCheck:
    """The health check of a target group; times in AWS seconds."""

    path: str
    port: str
    protocol: str
    interval: float
    timeout: float
    healthy_threshold: int
    unhealthy_threshold: int
    codes: tuple[range, ...]

    def accepts(self, status: int) -> bool:
        """Whether this HTTP status counts as a success (``Matcher.HttpCode``)."""
        return any(status in codes for codes in self.codes)


@dataclass(frozen=True)
class TargetGroup:
    """One target group; ``load_balancer`` is the ARN of the load balancer that uses it, if any."""

    arn: str
    load_balancer: str | None
    check: HealthCheck
    attributes: Mapping[str, str]

    @property
    def sticky(self) -> bool:
        """Whether stickiness is enabled."""
        return self.attributes.get("stickiness.enabled") == "true"

    def enough(self, healthy: int, targets: int) -> bool:
        """Whether there are enough healthy targets to exclude unhealthy ones ("Target group health")."""
        minimum = "target_group_health.unhealthy_state_routing.minimum_healthy_targets"
        count = self.attributes.get(f"{minimum}.count", "1")
        share = self.attributes.get(f"{minimum}.percentage", "off")
        return healthy >= int(count) and (share == "off" or healthy * 100 >= int(share) * targets)


@dataclass(frozen=True)
class Snapshot:
    """All load balancers and target groups, by ARN."""

    load_balancers: Mapping[str, LoadBalancer]
    target_groups: Mapping[str, TargetGroup]


def read(places: Iterable[tuple[str, str]]) -> Snapshot:
    """Read everything in these accounts and regions; with the data plane's lock held."""
    balancers: dict[str, LoadBalancer] = {}
    groups: dict[str, TargetGroup] = {}
    for account, region in places:
        stored = adapter.elbv2_backends[account][region]
        for one in list(stored.load_balancers.values()):
            balancers[one.arn] = _load_balancer(account, region, one)
        users = _users(balancers.values())
        for one in list(stored.target_groups.values()):
            groups[one.arn] = _target_group(one, users.get(one.arn))
    return Snapshot(balancers, groups)


def _first(listeners: Iterable[Listener], protocol: str, port: int) -> Listener | None:
    matching = [one for one in listeners if one.protocol == protocol]
    return min(matching, key=lambda one: (one.port != port, one.port), default=None)


def _users(balancers: Iterable[LoadBalancer]) -> dict[str, str]:
    return {
        group: balancer.arn
        for balancer in balancers
        for listener in balancer.listeners
        for rule in listener.rules
        for group in rule.action.target_groups
    }


def _load_balancer(account: str, region: str, stored: Any) -> LoadBalancer:
    return LoadBalancer(
        stored.arn,
        account,
        region,
        tuple(_listener(one) for one in list(stored.listeners.values())),
        {key: str(value) for key, value in stored.attrs.items()},
        tuple(stored.security_groups or ()),
        frozenset(subnet.availability_zone for subnet in stored.subnets),
    )


def _listener(stored: Any) -> Listener:
    rules = sorted((_rule(one) for one in list(stored.rules.values())), key=lambda rule: rule.priority)
    certificates = tuple(stored.certificates)
    named = stored.attributes.get("routing.http.response.server.enabled") != "false"
    return Listener(stored.arn, stored.protocol, int(stored.port), tuple(rules), certificates, named)


def _rule(stored: Any) -> Rule:
    priority = DEFAULT_RULE if stored.priority == "default" else int(stored.priority)
    conditions = tuple(read_condition(one) for one in stored.conditions)
    first, action = (read_action(stored.actions[which].data) for which in (0, -1))
    sign_in = first if isinstance(first, SignIn) else None
    token = first if isinstance(first, ValidateToken) else None
    return Rule(priority, conditions, action, sign_in, token)


def _target_group(stored: Any, load_balancer: str | None) -> TargetGroup:
    check = HealthCheck(
        path=stored.health_check_path or "/",
        port=str(stored.health_check_port or "traffic-port"),
        protocol=stored.health_check_protocol or "HTTP",
        interval=float(stored.health_check_interval_seconds),
        timeout=float(stored.health_check_timeout_seconds),
        healthy_threshold=int(stored.healthy_threshold_count),
        unhealthy_threshold=int(stored.unhealthy_threshold_count),
        codes=tuple(_codes(getattr(stored, "matcher", {"HttpCode": "200"}).get("HttpCode", "200"))),
    )
    attributes = {key: str(value) for key, value in stored.attributes.items()}
    return TargetGroup(stored.arn, load_balancer, check, attributes)


def _codes(matcher: str) -> Iterable[range]:
    for part in matcher.split(","):
        low, _, high = part.partition("-")
        yield range(int(low), int(high or low) + 1)
