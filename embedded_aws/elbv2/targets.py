"""Registered targets and their health."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ..proxy.upstream import Pool


@dataclass(frozen=True)
class TargetHealth:
    """A target's health as in DescribeTargetHealth; ``reason`` and ``description`` are None when healthy."""

    state: str
    reason: str | None = None
    description: str | None = None


HEALTHY = TargetHealth("healthy")
REGISTERING = TargetHealth("initial", "Elb.RegistrationInProgress", "Target registration is in progress")
CHECKING = TargetHealth("initial", "Elb.InitialHealthChecking", "Initial health checks in progress")
DRAINING = TargetHealth("draining", "Target.DeregistrationInProgress", "Target deregistration is in progress")
NOT_USED = TargetHealth(
    "unused", "Target.NotInUse", "Target group is not configured to receive traffic from the load balancer"
)
ZONE_OFF = TargetHealth(
    "unused",
    "Target.NotInUse",
    "Target is in an Availability Zone that is not enabled for the load balancer",
)
NOT_REGISTERED = TargetHealth(
    "unused", "Target.NotRegistered", "Target is not registered to the target group"
)


@dataclass(eq=False)
class Exchange:
    """A request, or an open WebSocket, in progress at a target; ``cut`` ends it."""

    cut: Callable[[], None]


@dataclass(eq=False)
class Target:
    """One target of one target group.

    Times are of ``time.monotonic``. ``successes`` and ``failures`` count consecutive health checks;
    ``reach`` returns the host and port on this machine of one of its ports;
    ``accepted`` says whether it has accepted a connection since it was registered.
    """

    group: str
    ip: str
    port: int
    vpc: str
    address: str
    reach: Callable[[int], tuple[str, int]]
    zone: str | None
    since: float
    pool: Pool
    health: TargetHealth = NOT_USED
    due: float = 0.0
    checking: bool = False
    successes: int = 0
    failures: int = 0
    accepted: bool = False
    drained_at: float | None = None
    exchanges: set[Exchange] = field(default_factory=set)

    @property
    def key(self) -> tuple[str, int]:
        """Its key in the target group."""
        return self.ip, self.port

    @property
    def takes_requests(self) -> bool:
        """Whether the load balancer may choose it (it does when it is healthy, or when none is)."""
        return self.health.state in ("healthy", "unhealthy", "initial")

    def end(self) -> None:
        """End all its requests and close its connections; on the data-plane thread."""
        self.pool.close()
        for exchange in list(self.exchanges):
            exchange.cut()


class Targets:
    """Every registered target, by target group ARN, then by (address, port)."""

    def __init__(self) -> None:
        self._groups: dict[str, dict[tuple[str, int], Target]] = {}

    def add(self, target: Target) -> None:
        """Add a target; replaces one with the same key."""
        self._groups.setdefault(target.group, {})[target.key] = target

    def find(self, group: str, ip: str, port: int) -> Target | None:
        """The target, if it is registered or draining."""
        return self._groups.get(group, {}).get((ip, port))

    def of(self, group: str) -> list[Target]:
        """The targets of a group, including draining ones."""
        return list(self._groups.get(group, {}).values())

    def all(self) -> list[Target]:
        """Every target."""
        return [target for group in list(self._groups.values()) for target in list(group.values())]

    def remove(self, target: Target) -> None:
        """Remove a target, unless its key has a newer one."""
        group = self._groups.get(target.group, {})
        if group.get(target.key) is target:
            del group[target.key]

    def clear(self) -> None:
        """Remove every target."""
        self._groups.clear()


def candidates(targets: list[Target], enough: Callable[[int, int], bool]) -> list[Target]:
    """The targets that may get a request: the healthy ones if they are ``enough(healthy, all)``, else all.

    The load balancer fails open: "Health checks for Application Load Balancer target groups". That "all" includes
    ``initial`` targets is what users observed: github.com/open-guides/og-aws, pull requests 112 and 116.
    """
    serving = [target for target in targets if target.takes_requests]
    healthy = [target for target in serving if target.health.state == "healthy"]
    return healthy if healthy and enough(len(healthy), len(serving)) else serving
