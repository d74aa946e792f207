"""CloudFront's state of one account."""

from __future__ import annotations

import random
import string
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Config = Mapping[str, Any]
_LETTERS = string.ascii_uppercase + string.digits


def new_id(prefix: str, length: int, letters: str = _LETTERS) -> str:
    """An id or a version (ETag) in CloudFront's form."""
    return prefix + "".join(random.choices(letters, k=length))


def new_etag() -> str:
    """A configuration's version."""
    return new_id("E", 13)


@dataclass(eq=False, kw_only=True)
class Entity:
    """The common part of distributions and VPC origins; ``deployed_at`` (``time.monotonic``) is when the last
    change is deployed everywhere."""

    id: str
    arn: str
    account: str
    config: Config
    tags: dict[str, str]
    deployed_at: float
    etag: str = field(default_factory=new_etag)
    modified: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def is_deployed(self) -> bool:
        """Whether the last change is deployed to every edge location."""
        return time.monotonic() >= self.deployed_at

    def change(self, config: Config, deployed_at: float) -> None:
        """Replace the configuration, which creates a new version."""
        self.config, self.deployed_at = config, deployed_at
        self.etag, self.modified = new_etag(), datetime.now(UTC)


@dataclass(frozen=True)
class Invalidation:
    """One invalidation; ``batch`` is the request, ``completed_at`` (``time.monotonic``) when it is completed."""

    id: str
    batch: Config
    completed_at: float
    created: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(eq=False, kw_only=True)
class Distribution(Entity):
    """One distribution. ``served`` are its configurations, each with the time (``time.monotonic``) from which it
    is served."""

    domain_name: str
    served: list[tuple[float, Config]] = field(default_factory=list)
    invalidations: list[Invalidation] = field(default_factory=list)

    @property
    def status(self) -> str:
        """``InProgress`` until the last change is deployed to every edge location."""
        return "Deployed" if self.is_deployed else "InProgress"

    @property
    def aliases(self) -> frozenset[str]:
        """Its alternate domain names, in lower case."""
        return frozenset(name.lower() for name in self.config["Aliases"].get("Items") or ())

    def serving(self) -> Config | None:
        """The configuration that is served now; None before the first one is."""
        now = time.monotonic()
        return next((config for at, config in reversed(self.served) if at <= now), None)

    def uses(self, vpc_origin: str) -> bool:
        """Whether it uses a VPC origin, or did before its last change, which may not be deployed everywhere."""
        known = [self.config, *(() if self.is_deployed else (config for _, config in self.served[-2:]))]
        return any(vpc_origin in vpc_origins(config) for config in known)


@dataclass(eq=False, kw_only=True)
class VpcOrigin(Entity):
    """One VPC origin, with its network interfaces; ``vpc`` and ``region`` are its load balancer's."""

    vpc: str
    region: str
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    interfaces: list[str] = field(default_factory=list)
    deleting: bool = False
    failed: bool = False

    @property
    def status(self) -> str:
        """``Deploying`` while it is created, changed or deleted; ``Failed`` (own word) only where a fault orders it."""
        if not self.is_deployed:
            return "Deploying"
        return "Failed" if self.failed else "Deployed"

    @property
    def endpoint(self) -> str:
        """The ARN of its load balancer."""
        return str(self.config["Arn"])


@dataclass(eq=False)
class CloudFrontState:
    """The distributions and VPC origins of one account, by id."""

    account: str
    distributions: dict[str, Distribution] = field(default_factory=dict)
    vpc_origins: dict[str, VpcOrigin] = field(default_factory=dict)

    def entity(self, arn: str) -> Entity | None:
        """The distribution or VPC origin with this ARN, or None."""
        return next((each for each in self.entities if each.arn == arn), None)

    @property
    def entities(self) -> list[Entity]:
        """Everything that has an ARN."""
        return [*self.distributions.values(), *self.vpc_origins.values()]


def origins(config: Config) -> list[dict[str, Any]]:
    """The origins of a distribution's configuration."""
    return list(config["Origins"]["Items"])


def vpc_origins(config: Config) -> set[str]:
    """The ids of the VPC origins in a distribution's configuration."""
    return {each["VpcOriginConfig"]["VpcOriginId"] for each in origins(config) if each.get("VpcOriginConfig")}
