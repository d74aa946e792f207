"""The edge locations: the ports of distributions, and connections into VPCs. A component of the data plane."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial

from aiohttp import web

from ..elbv2.balancer import Balancer
from ..elbv2.certificates import KeyPair, context_of, stored
from ..kernel.data_plane import DataPlane
from ..kernel.pace import Pace
from ..moto import adapter
from ..proxy.front import FrontDoor, Mode
from . import pages
from .authority import Authority
from .configuration import CERTIFICATES_IN, oldest_tls
from .model import CloudFrontState, Config, Distribution, VpcOrigin
from .network import REFUSED, OriginRoute, route_to_custom_origin, route_to_vpc_origin
from .proxy import HEAD_MOST, DistributionProxy, own_name

TICK = 0.05  # real seconds until a port follows a change of what is served
RELEASE = 20.0  # AWS seconds for which the security group remains after its VPC's last origin; not verified


class Edge:
    """The edge locations of every account's distributions."""

    def __init__(self, plane: DataPlane, balancer: Balancer) -> None:
        self._plane = plane
        self.balancer = balancer
        self.authority = Authority()
        self._proxy = DistributionProxy(self)
        self._shown: dict[str, Config] = {}
        self._states: dict[str, CloudFrontState] = {}
        self._doors: dict[str, FrontDoor] = {}
        self._released: dict[tuple[str, str, str], float] = {}

    @property
    def pace(self) -> Pace:
        """How fast time passes."""
        return self._plane.pace

    @property
    def is_held(self) -> bool:
        """Whether AWS denies the account new distributions."""
        return self._plane.faults.holds("cloudfront")

    def deployed_at(self, usual: float) -> float:
        """When a change that is made now is deployed (``time.monotonic``); ``usual`` is how many AWS seconds it takes
        unless a fault rule says otherwise."""
        ordered = self._plane.faults.cloudfront_deployment
        return time.monotonic() + self.pace.real(usual if ordered is None else ordered)

    @property
    def fails_vpc_origins(self) -> bool:
        """Whether a fault rule keeps CloudFront from deploying VPC origins."""
        return self._plane.faults.fails_vpc_origins

    def state(self, account: str) -> CloudFrontState:
        """An account's state, without VPC origins whose deletion is complete."""
        found = self._states.setdefault(account, CloudFrontState(account))
        for origin in list(found.vpc_origins.values()):
            if origin.deleting and origin.is_deployed:
                del found.vpc_origins[origin.id]
                self.disconnect(origin)
        return found

    def tags_of(self, account: str, arn: str) -> Mapping[str, str]:
        """The tags of a distribution or a VPC origin; empty where it does not exist."""
        with self._plane.lock:
            found = self.state(account).entity(arn)
            return found.tags if found else {}

    def tags(self, account: str) -> Mapping[str, Mapping[str, str]]:
        """The tags of every distribution and VPC origin, by ARN."""
        with self._plane.lock:
            return {each.arn: dict(each.tags) for each in self.state(account).entities}

    def users_of_certificate(self, account: str, arn: str) -> list[str]:
        """The ARNs of the distributions that use an ACM certificate."""
        return [
            one.arn
            for one in self._distributions(account)
            if one.config["ViewerCertificate"].get("ACMCertificateArn") == arn
        ]

    def others(self, own: Distribution | None = None) -> list[Distribution]:
        """Every account's distributions, without ``own``."""
        every = [one for account in list(self._states) for one in self._distributions(account)]
        return [one for one in every if one is not own]

    def aliases_at(self, domain_name: str) -> frozenset[str] | None:
        """The aliases of the distribution with a domain name; None where there is none."""
        found = (one.aliases for one in self.others() if one.domain_name == domain_name)
        return next(found, None)

    def has_web_acl(self, account: str, arn: str) -> bool:
        """Whether a distribution uses a web ACL."""
        return any(one.config["WebACLId"] == arn for one in self._distributions(account))

    def _distributions(self, account: str) -> list[Distribution]:
        with self._plane.lock:
            return list(self.state(account).distributions.values())

    def open(self, id: str, account: str) -> str:
        """Allocate a port for a new distribution; returns its domain name, which does not answer yet."""
        front = FrontDoor(partial(self._answer, account, id), pages.unreadable, 2 * HEAD_MOST)
        self._doors[id] = front
        return f"127.0.0.1:{front.port}"

    def shut(self, id: str) -> None:
        """Close the port of a deleted distribution."""
        self._shown.pop(id, None)
        if front := self._doors.pop(id, None):
            self._plane.loop.call_soon_threadsafe(front.close)

    def connect(self, origin: VpcOrigin, subnets: list[str]) -> None:
        """Create a VPC origin's network interfaces, in CloudFront's security group of its VPC; AwsError without
        free addresses."""
        where = origin.account, origin.region
        self._released.pop((*where, origin.vpc), None)
        group = adapter.ec2_backends[origin.account][origin.region].service_group(origin.vpc)
        for subnet in subnets:
            description = f"CloudFront VPC origin {origin.id}"
            origin.interfaces.append(
                adapter.create_eni(*where, subnet, [group.id], description, public=False).id
            )

    def disconnect(self, origin: VpcOrigin) -> None:
        """Delete its network interfaces; the security group is deleted some time after its VPC's last origin."""
        for eni in origin.interfaces:
            adapter.delete_eni(origin.account, origin.region, eni)
        origin.interfaces.clear()
        self._released[origin.account, origin.region, origin.vpc] = time.monotonic() + self.pace.real(RELEASE)

    async def _answer(
        self, account: str, id: str, secure: bool, request: web.BaseRequest
    ) -> web.StreamResponse:
        distribution = self._states[account].distributions.get(id) if account in self._states else None
        if distribution is None:
            raise ConnectionResetError("the distribution is gone")
        return await self._proxy.handle(distribution, secure, request)

    # What the proxy asks

    def route(self, account: str, origin: Config, secure: bool, host: str) -> OriginRoute:
        """The route for an origin's requests now; S3 buckets are not supported."""
        with self._plane.lock:
            if origin.get("CustomOriginConfig"):
                return route_to_custom_origin(origin, secure)
            reading = origin.get("VpcOriginConfig") or {}
            found = self.state(account).vpc_origins.get(reading.get("VpcOriginId", ""))
            return route_to_vpc_origin(self.balancer, found, secure, host) if found else REFUSED

    def websocket_idle(self) -> float | None:
        """AWS seconds from a fault rule, instead of ten minutes."""
        return self._plane.faults.websocket_idle

    def viewer_country(self) -> str | None:
        """The viewers' country from a fault rule; None without one."""
        return self._plane.faults.viewer_country

    # The component

    async def run(self) -> None:
        """Update the ports until cancelled."""
        await self._plane.repeat(self._tick, TICK)

    def reset(self) -> None:
        """Discard every distribution and close every connection."""
        for front in self._doors.values():
            self._plane.loop.call_soon_threadsafe(front.close)
        self._doors.clear()
        self._shown.clear()
        self._states.clear()
        self._released.clear()

    def close(self) -> None:
        """Nothing: ``reset`` has released everything."""

    def _tick(self) -> None:
        for account in list(self._states):
            for distribution in list(self.state(account).distributions.values()):
                self._tend(distribution)
        now = time.monotonic()
        for account, region, vpc in [place for place, at in self._released.items() if at <= now]:
            used = any(one.vpc == vpc for one in self._states[account].vpc_origins.values())
            if used or adapter.ec2_backends[account][region].drop_service_group(vpc):
                del self._released[account, region, vpc]

    def _tend(self, distribution: Distribution) -> None:
        """Make a distribution's port serve the current configuration, if it has changed."""
        config, front = distribution.serving(), self._doors[distribution.id]
        if config is None or config is self._shown.get(distribution.id):
            return
        self._shown[distribution.id] = config
        own = self.authority.certify(["127.0.0.1", "localhost", own_name(distribution.id)])
        front.plain, front.tls = True, context_of([own, *self._certificates(distribution.account, config)])
        front.tls.minimum_version = oldest_tls(config)
        front.set_mode(Mode.SERVING)

    def _certificates(self, account: str, config: Config) -> list[KeyPair]:
        """The certificates for the aliases: an imported one, or one of this authority instead of ACM's."""
        arn = config["ViewerCertificate"].get("ACMCertificateArn")
        found = adapter.find_certificate(account, CERTIFICATES_IN, arn) if arn else None
        if found is None:
            return []
        own = stored(account, CERTIFICATES_IN, arn) if found.imported else None
        return [own or self.authority.certify(list(dict.fromkeys(found.names)))]
