"""What CloudFront holds for one account."""

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
    """An id or a version (ETag) as CloudFront makes it."""
    return prefix + "".join(random.choices(letters, k=length))


def new_etag() -> str:
    """A version of a configuration."""
    return new_id("E", 13)


@dataclass(eq=False, kw_only=True)
class Entity:
    """What distributions and VPC origins are; ``deployed_at`` is when (``time.monotonic``) every edge knows."""

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
        """Whether the last change has reached every edge."""
        return time.monotonic() >= self.deployed_at

    def change(self, config: Config, deployed_at: float) -> None:
        """Give it another configuration, which makes another version of it."""
        self.config, self.deployed_at = config, deployed_at
        self.etag, self.modified = new_etag(), datetime.now(UTC)


@dataclass(frozen=True)
class Invalidation:
    """One invalidation; ``batch`` is what was asked for, ``completed_at`` (``time.monotonic``) when it is over."""

    id: str
    batch: Config
    completed_at: float
    created: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(eq=False, kw_only=True)
class Distribution(Entity):
    """One distribution. ``served`` are its configurations with when (``time.monotonic``) the edges serve them."""

    domain_name: str
    served: list[tuple[float, Config]] = field(default_factory=list)
    invalidations: list[Invalidation] = field(default_factory=list)

    @property
    def status(self) -> str:
        """``InProgress`` until the last change has reached every edge."""
        return "Deployed" if self.is_deployed else "InProgress"

    @property
    def aliases(self) -> frozenset[str]:
        """Its own domain names, in small letters."""
        return frozenset(name.lower() for name in self.config["Aliases"].get("Items") or ())

    def serving(self) -> Config | None:
        """The configuration that the edges serve now; None while they do not know it yet."""
        now = time.monotonic()
        return next((config for at, config in reversed(self.served) if at <= now), None)

    def uses(self, vpc_origin: str) -> bool:
        """Whether it leads to a VPC origin, or did before its last change, which some edge may not know yet."""
        known = [self.config, *(() if self.is_deployed else (config for _, config in self.served[-2:]))]
        return any(vpc_origin in vpc_origins(config) for config in known)


@dataclass(eq=False, kw_only=True)
class VpcOrigin(Entity):
    """One VPC origin, with its network interfaces; ``vpc`` and ``region`` are where its load balancer is."""

    vpc: str
    region: str
    created: datetime = field(default_factory=lambda: datetime.now(UTC))
    interfaces: list[str] = field(default_factory=list)
    deleting: bool = False

    @property
    def status(self) -> str:
        """``Deploying`` while it is made, changed or deleted."""
        return "Deployed" if self.is_deployed else "Deploying"

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
        """What has this ARN; None where nothing has."""
        every: list[Entity] = [*self.distributions.values(), *self.vpc_origins.values()]
        return next((each for each in every if each.arn == arn), None)


def origins(config: Config) -> list[dict[str, Any]]:
    """The origins of a distribution's configuration."""
    return list(config["Origins"]["Items"])


def vpc_origins(config: Config) -> set[str]:
    """The ids of the VPC origins that a distribution's configuration names."""
    return {each["VpcOriginConfig"]["VpcOriginId"] for each in origins(config) if each.get("VpcOriginConfig")}
