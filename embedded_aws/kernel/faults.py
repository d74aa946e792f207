"""Faults that a test or a rehearsal can inject: errors, throttling, delays, lost answers.

A rule is a JSON object. It selects calls::

    {"service": "ecs", "operation": "Create*", "nth": 2, ...}

``service`` is the signing name of the call (``elbv2`` is an alias); ``service`` and ``operation`` may contain
``*`` and ``?`` and default to all; ``"mutating": true`` selects only calls that may change the account. ``nth``
counts matching calls: a number, a range ``[2, 5]`` (both included), ``{"every": 3}``, or absent for all.
It also has one or more effects::

    "error": {"code": "ServerException", "message": "...", "status": 500}
    "throttle": true                   the service's own throttling error
    "delay_seconds": 1.5               real seconds, before the call is answered
    "drop": "before" | "after"         the connection is reset before, or after, the work is done
    "hold": "before" | "after"         the same, but only when the rules are cleared: until then there is no answer
    "kill_task": "<task ARN or id>"    SIGKILL to a Fargate task, after the call is answered

Rules about AWS itself match no call; all seconds are AWS's, from the rule's creation unless stated otherwise::

    {"role_propagation_seconds": 30}        the age at which a service can assume an IAM role
    {"waf_propagation_seconds": 90}         the age at which a web ACL or a protected resource is known
    {"capacity_unavailable_seconds": 300}   Fargate has no capacity for new tasks
    {"capacity_for_tasks": 2}               Fargate has capacity for this many more tasks
    {"vcpu_quota": 6}                       the vCPUs that may run at once per account and region
    {"event_delay_seconds": 60}             the delay after which an ECS service's event is visible
    {"steady_state_delay_seconds": 300}     no ECS service reaches its steady state, no deployment completes
    {"young_account": true}                 the account is new and unused (see ``young``), as with ``--young``
    {"websocket_idle_seconds": 60}          how long the origin of a CloudFront WebSocket may be silent
    {"cloudfront_deployment_seconds": 900}  how long CloudFront deploys a change that is made from now on
    {"viewer_country": "DE"}                the country from which CloudFront's viewers come (two letters)
    {"vpc_origin_failure": true}            CloudFront cannot deploy a VPC origin that is made or changed from now on
    {"account_hold": "load-balancers"}      AWS denies the account load balancers; "fargate": tasks;
                                            "cloudfront": distributions

The three about capacity may name a ``capacity_provider``, ``FARGATE`` or ``FARGATE_SPOT``; without one, they
apply to each.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from ..moto.adapter import AwsError
from ..moto.wire import Call

ALIASES = {"elb": "elasticloadbalancing", "elbv2": "elasticloadbalancing"}
THROTTLING = {
    "ec2": ("RequestLimitExceeded", "Request limit exceeded.", 503),
    "elasticloadbalancing": ("Throttling", "Rate exceeded", 400),
    "iam": ("Throttling", "Rate exceeded", 400),
}
MATCHERS = {"service", "operation", "mutating", "nth"}
STANDING = {
    "role_propagation_seconds",
    "waf_propagation_seconds",
    "capacity_unavailable_seconds",
    "capacity_for_tasks",
    "vcpu_quota",
    "event_delay_seconds",
    "steady_state_delay_seconds",
    "young_account",
    "account_hold",
    "websocket_idle_seconds",
    "cloudfront_deployment_seconds",
    "vpc_origin_failure",
    "viewer_country",
}
"""Rules about AWS itself, not about calls."""

EFFECTS = {"error", "throttle", "delay_seconds", "drop", "hold", "kill_task"} | STANDING
KNOWN = MATCHERS | EFFECTS | {"capacity_provider"}
CHOICES: dict[str, tuple[Any, ...]] = {
    "drop": ("before", "after"),
    "hold": ("before", "after"),
    "mutating": (True, False),
    "capacity_provider": ("FARGATE", "FARGATE_SPOT"),
    "young_account": (True, False),
    "vpc_origin_failure": (True, False),
    "account_hold": ("load-balancers", "fargate", "cloudfront"),
}
NUMBERS = ({"delay_seconds"} | STANDING) - set(CHOICES) - {"viewer_country"}


class RuleError(ValueError):
    """An invalid rule; the message says which and why."""


class Latch:
    """Blocks calls until it is lifted; safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._lifted = threading.Event()
        self.waiting = 0

    def keep(self) -> None:
        """Wait until it is lifted."""
        with self._lock:
            self.waiting += 1
        self._lifted.wait()

    def lift(self) -> None:
        """Release every call."""
        self._lifted.set()


@dataclass(frozen=True)
class Effect:
    """The effect on one call; it waits for ``hold`` before or after the work, as ``held`` says."""

    delay: float = 0.0
    error: AwsError | None = None
    status: int | None = None
    drop: str | None = None
    kill_task: str | None = None
    held: str | None = None
    hold: Latch = field(default_factory=Latch)


@dataclass
class FaultRule:
    """One rule and its counts."""

    given: Mapping[str, Any]
    seen: int = 0
    applied: int = 0
    ordered_at: float = field(default_factory=time.monotonic)
    since: float = field(default_factory=time.time)
    hold: Latch = field(default_factory=Latch)
    service: str = field(init=False)
    operation: str = field(init=False)

    def __post_init__(self) -> None:
        _check(self.given)
        service = str(self.given.get("service", "*"))
        self.service = ALIASES.get(service, service)
        self.operation = str(self.given.get("operation", "*"))

    def takes(self, call: Call) -> bool:
        """Whether the rule applies to this call; counts matching calls."""
        if STANDING & set(self.given):
            return False
        if not (fnmatchcase(call.service, self.service) and fnmatchcase(call.operation, self.operation)):
            return False
        if self.given.get("mutating") and not call.mutating:
            return False
        self.seen += 1
        if not _counts(self.given.get("nth"), self.seen):
            return False
        self.applied += 1
        return True

    def effect(self, call: Call) -> Effect:
        """The rule's effect on ``call``."""
        error, status = self._error(call)
        return Effect(
            float(self.given.get("delay_seconds", 0)),
            error,
            status,
            self.given.get("drop"),
            self.given.get("kill_task"),
            self.given.get("hold"),
            self.hold,
        )

    def _error(self, call: Call) -> tuple[AwsError | None, int | None]:
        if self.given.get("throttle"):
            code, message, status = THROTTLING.get(
                call.service, ("ThrottlingException", "Rate exceeded", 400)
            )
            return AwsError(code, message), status
        error = self.given.get("error")
        if error is None:
            return None, None
        return AwsError(error["code"], error.get("message", "Ordered by a fault rule.")), error.get("status")


def _check(given: Any) -> None:
    if not isinstance(given, dict):
        raise RuleError(f"a rule is a JSON object, not {given!r}")
    unknown = sorted(set(given) - KNOWN)
    if unknown:
        raise RuleError(f"unknown members {unknown}; known are {sorted(KNOWN)}")
    if not set(given) & EFFECTS:
        raise RuleError(f"a rule needs one of {sorted(EFFECTS)}")
    if "error" in given and not (isinstance(given["error"], dict) and "code" in given["error"]):
        raise RuleError("error is an object with a code")
    for name, choices in CHOICES.items():
        if given.get(name) not in (None, *choices):
            raise RuleError(f"{name} is {' or '.join(map(str, choices))}")
    for name in sorted(NUMBERS):
        if not isinstance(given.get(name, 0), int | float):
            raise RuleError(f"{name} is a number")
    if "viewer_country" in given and not re.fullmatch("[A-Z]{2}", str(given["viewer_country"])):
        raise RuleError("viewer_country is two capital letters (ISO 3166-1)")
    _check_nth(given.get("nth"))


def _check_nth(nth: Any) -> None:
    match nth:
        case None | int():
            return
        case [int(), int()]:
            return
        case {"every": int(every)} if every > 0:
            return
    raise RuleError('nth is a number, a range [first, last], or {"every": n}')


def _counts(nth: Any, seen: int) -> bool:
    match nth:
        case None:
            return True
        case int():
            return bool(seen == nth)
        case [first, last]:
            return bool(first <= seen <= last)
        case _:
            return bool(seen % nth["every"] == 0)


class Faults:
    """The active rules; safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[FaultRule] = []
        self.latency = 0.0
        """Real seconds added to every call."""

    def add(self, given: list[Any]) -> None:
        """Add all rules, or none: RuleError."""
        rules = [FaultRule(one) for one in given]
        with self._lock:
            self._rules.extend(rules)

    def clear(self) -> None:
        """Remove every rule and the latency; held calls are dropped."""
        with self._lock:
            for rule in self._rules:
                rule.hold.lift()
            self._rules.clear()
            self.latency = 0.0

    def listing(self) -> list[dict[str, Any]]:
        """The rules as given, with ``seen``, ``applied``, and how many calls are ``held``."""
        with self._lock:
            return [
                {**rule.given, "seen": rule.seen, "applied": rule.applied, "held": rule.hold.waiting}
                for rule in self._rules
            ]

    def effects(self, call: Call) -> list[Effect]:
        """The effects on this call, one for each rule that applies."""
        with self._lock:
            return [rule.effect(call) for rule in self._rules if rule.takes(call)]

    @property
    def role_propagation(self) -> float:
        """AWS seconds from a role's creation until a service can assume it."""
        return max(self._standing("role_propagation_seconds"), default=0.0)

    @property
    def waf_propagation(self) -> float:
        """AWS seconds until AWS WAF knows a new web ACL and a new resource everywhere."""
        return max(self._standing("waf_propagation_seconds"), default=0.0)

    @property
    def young_account(self) -> bool:
        """Whether a rule makes the account a young one."""
        return any(self._standing("young_account"))

    @property
    def websocket_idle(self) -> float | None:
        """AWS seconds that a WebSocket's origin may be silent, instead of CloudFront's ten minutes."""
        return min(self._standing("websocket_idle_seconds"), default=None)

    @property
    def cloudfront_deployment(self) -> float | None:
        """AWS seconds that CloudFront needs to deploy a change, instead of its usual time."""
        return max(self._standing("cloudfront_deployment_seconds"), default=None)

    @property
    def fails_vpc_origins(self) -> bool:
        """Whether CloudFront cannot deploy VPC origins."""
        return any(self._standing("vpc_origin_failure"))

    @property
    def viewer_country(self) -> str | None:
        """The country of CloudFront's viewers; None where it cannot be determined."""
        with self._lock:
            told = [
                str(rule.given["viewer_country"]) for rule in self._rules if "viewer_country" in rule.given
            ]
        return next(reversed(told), None)

    def holds(self, what: str) -> bool:
        """Whether AWS denies the account ``load-balancers``, ``fargate`` or ``cloudfront``."""
        with self._lock:
            return any(rule.given.get("account_hold") == what for rule in self._rules)

    @property
    def event_delay(self) -> float:
        """AWS seconds until a service's event is visible."""
        return max(self._standing("event_delay_seconds"), default=0.0)

    def lacks_capacity(self, provider: str, speed: float) -> bool:
        """Whether Fargate currently has no capacity for a task of this capacity provider."""
        with self._lock:
            return any(
                _lasts(rule, "capacity_unavailable_seconds", speed)
                for rule in self._rules
                if _is_about(rule, provider)
            )

    def capacity_left(self, provider: str, made_at: Sequence[float]) -> float:
        """For how many more tasks of a capacity provider there is capacity; ``made_at`` are the creation times of
        its tasks (seconds since 1970)."""
        with self._lock:
            left = [
                float(rule.given["capacity_for_tasks"]) - sum(made >= rule.since for made in made_at)
                for rule in self._rules
                if "capacity_for_tasks" in rule.given and _is_about(rule, provider)
            ]
        return min(left, default=float("inf"))

    def delays_steady_state(self, speed: float) -> bool:
        """Whether ECS services do not reach their steady state yet."""
        with self._lock:
            return any(_lasts(rule, "steady_state_delay_seconds", speed) for rule in self._rules)

    def vcpu_quota(self, provider: str) -> float:
        """How many vCPUs the tasks of a capacity provider may use at once."""
        with self._lock:
            quotas = [
                float(rule.given["vcpu_quota"])
                for rule in self._rules
                if "vcpu_quota" in rule.given and _is_about(rule, provider)
            ]
        return min(quotas, default=float("inf"))

    def _standing(self, name: str) -> list[float]:
        with self._lock:
            return [float(rule.given[name]) for rule in self._rules if name in rule.given]


def _lasts(rule: FaultRule, name: str, speed: float) -> bool:
    """Whether a rule with a duration in AWS seconds is still active."""
    return time.monotonic() - rule.ordered_at < float(rule.given.get(name, 0)) / speed


def _is_about(rule: FaultRule, provider: str) -> bool:
    return rule.given.get("capacity_provider") in (None, provider)
