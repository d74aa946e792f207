"""The load balancers' data plane: their ports, targets and health checks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial

from ..ec2.egress import Egress
from ..ec2.interfaces import NetworkInterface
from ..ec2.reachability import Interface, faces_clients, may_connect, open_to_clients
from ..kernel.data_plane import DataPlane
from ..kernel.place import Place
from ..moto import adapter
from ..proxy.front import FrontDoor, Mode
from ..proxy.upstream import Pool
from ..runtime.runtime import Runtime
from ..wafv2.firewall import Firewall
from ..wafv2.store import firewall_of
from . import health
from .certificates import server_context
from .proxy import LoadBalancerProxy
from .settings import LoadBalancer, Snapshot, TargetGroup, read
from .targets import DRAINING, NOT_USED, REGISTERING, ZONE_OFF, Target, TargetHealth, Targets

TICK = 0.05  # real seconds until a change by the API takes effect
FRESH = 1.0  # real seconds after which everything is read again even without a reported change
PROVISIONING = 30.0  # AWS seconds until a new load balancer is active (1-3 min on AWS)
REGISTRATION = 1.0  # AWS seconds until a new target's first health check
RELEASE = 40.0  # AWS seconds for which a deleted load balancer's interfaces remain (up to minutes on AWS)


@dataclass(eq=False)
class BalancerPort:
    """The running part of one load balancer: its port, when it becomes active, its network interfaces."""

    front: FrontDoor
    active_at: float
    active: bool = False
    interfaces: list[str] = field(default_factory=list)
    certificates: tuple[str, ...] = ()
    private: dict[tuple[int, str, tuple[str, ...]], FrontDoor] = field(default_factory=dict)
    """Ports of its listeners for clients in the VPC, by port, protocol and certificates."""

    def close(self) -> None:
        """Close every port; on the data-plane thread."""
        for front in (self.front, *self.private.values()):
            front.close()


class Balancer:
    """Every load balancer of every account; a component of the data plane."""

    def __init__(self, plane: DataPlane, runtime: Runtime) -> None:
        self._plane = plane
        self._runtime = runtime
        self.pace = plane.pace
        self.targets = Targets()
        self._proxy = LoadBalancerProxy(self)
        self._ports: dict[str, BalancerPort] = {}
        self._places: set[tuple[str, str]] = set()
        self._snapshot: Snapshot | None = None
        self._read_at = 0.0
        self._reach: dict[tuple[str, str, str, int], tuple[float, bool]] = {}
        self._released: list[tuple[float, str, str, list[str]]] = []
        self._checks: set[asyncio.Task[None]] = set()

    # What the control plane and the scheduler call, from any thread

    def register(self, target_group_arn: str, ip: str, port: int) -> None:
        """Register a target, also one that is draining; a registered one is not changed.

        AwsError TargetGroupNotFound when the group does not exist.
        """
        with self._plane.lock:
            known = self.targets.find(target_group_arn, ip, port)
            if known is None or known.drained_at is not None:
                self.targets.add(self._new_target(target_group_arn, ip, port, known))
                self._advance_all()

    def deregister(self, target_group_arn: str, ip: str, port: int) -> None:
        """Stop sending requests to a target; it drains for the group's deregistration delay and is then removed.

        A target without requests (``unused``) is removed at once. An unknown one is ignored.
        """
        with self._plane.lock:
            target = self.targets.find(target_group_arn, ip, port)
            if target is None or target.drained_at is not None:
                return
            if target.health.state == "unused":
                self._drop(target)
                return
            group = self.snapshot().target_groups.get(target_group_arn)
            delay = float(group.attributes["deregistration_delay.timeout_seconds"]) if group else 0.0
            target.health = DRAINING
            target.drained_at = time.monotonic() + self.pace.real(delay)
            self._plane.loop.call_soon_threadsafe(target.pool.close)

    def health(self, target_group_arn: str, ip: str, port: int) -> TargetHealth | None:
        """A target's health; None when it is not registered."""
        with self._plane.lock:
            target = self.targets.find(target_group_arn, ip, port)
            return target.health if target else None

    def forget(self, target_group_arn: str, ip: str, port: int) -> None:
        """Remove a target at once, and end its requests."""
        with self._plane.lock:
            if target := self.targets.find(target_group_arn, ip, port):
                self._drop(target)

    def registered(self, target_group_arn: str) -> list[Target]:
        """The targets of a group, including draining ones."""
        with self._plane.lock:
            return self.targets.of(target_group_arn)

    def is_healthy(self, balancer: adapter.NamedBalancer) -> bool:
        """Whether every target group of a load balancer has a healthy target; False without any target group."""
        groups = [
            arn for arn in adapter.target_groups(balancer) if self.load_balancer_of(arn) == balancer.arn
        ]
        return bool(groups) and all(
            any(target.health.state == "healthy" for target in self.registered(arn)) for arn in groups
        )

    def forget_group(self, target_group_arn: str) -> None:
        """Remove every target of a deleted target group."""
        with self._plane.lock:
            for target in self.targets.of(target_group_arn):
                self._drop(target)

    def load_balancer_of(self, target_group_arn: str) -> str | None:
        """The ARN of the load balancer with a listener or rule that uses the target group."""
        group = self.snapshot().target_groups.get(target_group_arn)
        return group.load_balancer if group else None

    def touch(self) -> None:
        """Report a change of load balancers, listeners or target groups."""
        with self._plane.lock:
            self._read()
            self._advance_all()

    def know(self, account: str, region: str) -> None:
        """Report that there may be load balancers in this account and region."""
        self._places.add((account, region))

    def open(self, arn: str) -> str:
        """Allocate a port for a new load balancer; returns its DNS name."""
        with self._plane.lock:
            front = FrontDoor(partial(self._proxy.handle, arn))
            self._ports[arn] = BalancerPort(front, time.monotonic() + self.pace.real(PROVISIONING))
            return f"127.0.0.1:{front.port}"

    def is_active(self, arn: str) -> bool:
        """Whether a load balancer is active: its port accepts connections according to its listeners."""
        with self._plane.lock:
            balancer_port = self._ports.get(arn)
            return balancer_port is not None and balancer_port.active

    def interfaces(self, arn: str) -> list[str]:
        """The ids of a load balancer's network interfaces, as a list to change in place."""
        with self._plane.lock:
            return self._ports[arn].interfaces

    def private_port(self, arn: str, port: int) -> int | None:
        """The loopback port of a listener for clients in the VPC; None without such a listener.

        On the data-plane thread. The caller checks the security groups.
        """
        balancer, balancer_port = self.snapshot().load_balancers.get(arn), self._ports.get(arn)
        listener = next((one for one in balancer.listeners if one.port == port), None) if balancer else None
        if balancer is None or balancer_port is None or listener is None:
            return None
        key = port, listener.protocol, listener.certificates
        front = balancer_port.private.get(key)
        if front is None:
            front = balancer_port.private[key] = FrontDoor(partial(self._proxy.handle_at, arn, port))
            front.plain = listener.protocol == "HTTP"
            if listener.protocol == "HTTPS":
                front.tls = server_context(balancer.account, balancer.region, listener)
        front.set_idle(self._proxy.idle_seconds(balancer))
        front.set_mode(Mode.SERVING)
        return front.port

    def public_key(self, kid: str) -> str | None:
        """The public key (PEM) by which targets verify who has signed in; None for the id of no such key."""
        return self._proxy.public_key(kid)

    def shut(self, arn: str, account: str, region: str) -> None:
        """Close a deleted load balancer's port; its network interfaces are deleted some time later."""
        with self._plane.lock:
            if balancer_port := self._ports.pop(arn, None):
                gone_at = time.monotonic() + self.pace.real(RELEASE)
                self._released.append((gone_at, account, region, balancer_port.interfaces))
                self._plane.loop.call_soon_threadsafe(balancer_port.close)

    # What the proxy asks

    def snapshot(self) -> Snapshot:
        """The current configuration of all load balancers."""
        found = self._snapshot
        if found is None:
            with self._plane.lock:
                found = self._read()
        return found

    def firewall(self, arn: str) -> Firewall | None:
        """The web ACL that protects a load balancer, if any."""
        return firewall_of(arn)

    def reaches(self, balancer: LoadBalancer, target: Target, port: int) -> bool:
        """Whether security groups allow the load balancer to connect to this port of the target."""
        key = (balancer.arn, target.vpc, target.ip, port)
        until, answer = self._reach.get(key, (0.0, False))
        now = time.monotonic()
        if now >= until:
            answer = self._may_connect(balancer, target, port)
            self._reach[key] = (now + TICK, answer)
        return answer

    def leaves(self, balancer: LoadBalancer, host: str) -> bool:
        """Whether security groups and routes let every node of the load balancer call a host by HTTPS."""
        balancer_port = self._ports.get(balancer.arn)
        if balancer_port is None:
            return False
        place = Place(balancer.account, balancer.region)
        nodes = _nodes(place, balancer.arn, balancer_port.interfaces)
        return all(Egress(place, node).timeout("", balancer.region, host) is None for node in nodes)

    def _read(self) -> Snapshot:
        self._snapshot, self._read_at = read(self._places), time.monotonic()
        return self._snapshot

    # The component

    async def run(self) -> None:
        """Update ports, targets and health checks until cancelled."""
        await self._plane.repeat(self._tick, TICK)

    def reset(self) -> None:
        """Discard every load balancer and target and close every connection."""
        for target in self.targets.all():
            self._drop(target)
        for balancer_port in self._ports.values():
            self._plane.loop.call_soon_threadsafe(balancer_port.close)
        self.targets.clear()
        self._ports.clear()
        self._places.clear()
        self._reach.clear()
        self._released.clear()
        self._snapshot = None

    def close(self) -> None:
        """Nothing: ``reset`` has released everything."""

    def _tick(self) -> None:
        now = time.monotonic()
        if now - self._read_at > FRESH:
            self._read()
            self._reach.clear()
        for arn, balancer_port in list(self._ports.items()):
            if balancer := self.snapshot().load_balancers.get(arn):
                self._tend_port(balancer_port, balancer, now)
        self._advance_all()
        for target in self.targets.all():
            if target.due <= now and not target.checking and target.health.state in _CHECKED:
                self._start_check(target, now)
        for entry in [entry for entry in self._released if entry[0] <= now]:
            self._released.remove(entry)
            for eni in entry[3]:
                adapter.delete_eni(entry[1], entry[2], eni)

    def _tend_port(self, balancer_port: BalancerPort, balancer: LoadBalancer, now: float) -> None:
        if now < balancer_port.active_at:
            return
        balancer_port.front.set_idle(self._proxy.idle_seconds(balancer))
        served = [
            one for one in (balancer.plain, balancer.secure) if one and self._is_open(balancer, one.port)
        ]
        balancer_port.front.plain = balancer.plain in served
        secure = balancer.secure if balancer.secure in served else None
        if secure is None:
            balancer_port.front.tls, balancer_port.certificates = None, ()
        elif balancer_port.front.tls is None or balancer_port.certificates != secure.certificates:
            balancer_port.front.tls = server_context(balancer.account, balancer.region, secure)
            balancer_port.certificates = secure.certificates
        balancer_port.front.set_mode(_mode(bool(served), bool(balancer.listeners)))
        balancer_port.active = True

    def _is_open(self, balancer: LoadBalancer, port: int) -> bool:
        where = balancer.account, balancer.region
        return open_to_clients(*where, balancer.security_groups, port) and faces_clients(*where, balancer.arn)

    def _advance_all(self) -> None:
        now = time.monotonic()
        for target in self.targets.all():
            self._advance(target, now)

    def _advance(self, target: Target, now: float) -> None:
        if target.drained_at is not None:
            if now >= target.drained_at:
                self._drop(target)
            return
        unused = self._unused(target)
        if unused is not None:
            target.health = unused
        elif target.health.state == "unused":
            target.health, target.due = REGISTERING, now + self.pace.real(REGISTRATION)
        elif target.health == REGISTERING and now >= target.due:
            health.begin(target, now)

    def _unused(self, target: Target) -> TargetHealth | None:
        group = self.snapshot().target_groups.get(target.group)
        balancer = self._balancer_of(group)
        if balancer is None:
            return NOT_USED
        return None if target.zone in balancer.zones or target.zone is None else ZONE_OFF

    def _balancer_of(self, group: TargetGroup | None) -> LoadBalancer | None:
        if group is None or group.load_balancer is None:
            return None
        return self.snapshot().load_balancers.get(group.load_balancer)

    def _start_check(self, target: Target, now: float) -> None:
        group = self.snapshot().target_groups.get(target.group)
        balancer = self._balancer_of(group)
        if group is None or balancer is None or target.health == REGISTERING:
            return
        target.checking = True
        target.due = max(now, target.due + self.pace.real(group.check.interval, at_least=TICK))
        task = self._plane.loop.create_task(self._check(target, group, balancer))
        self._checks.add(task)
        task.add_done_callback(self._checks.discard)

    async def _check(self, target: Target, group: TargetGroup, balancer: LoadBalancer) -> None:
        check = group.check
        try:
            if self.reaches(balancer, target, health.check_port(check, target)):
                verdict = await health.ask(check, target, self.pace.for_program(check.timeout))
            else:
                await asyncio.sleep(self.pace.real(check.timeout))
                verdict = health.Verdict(health.TIMEOUT)
        finally:
            target.checking = False
        booting = not verdict.accepted and self._may_boot(target)
        with self._plane.lock:
            if target.health.state in _CHECKED and target.drained_at is None:
                health.judge(check, target, verdict, booting)

    def _may_boot(self, target: Target) -> bool:
        age = time.monotonic() - target.since
        return not target.accepted and self._runtime.containers.may_boot(target.address, age)

    def _may_connect(self, balancer: LoadBalancer, target: Target, port: int) -> bool:
        balancer_port = self._ports.get(balancer.arn)
        if balancer_port is None:
            return False
        ec2 = adapter.ec2_backends[balancer.account][balancer.region]
        groups = frozenset(balancer.security_groups)
        nodes = [ec2.enis[eni].private_ip_address for eni in balancer_port.interfaces if eni in ec2.enis]
        sources = [Interface(ip, groups) for ip in nodes]
        return may_connect(balancer.account, balancer.region, sources, target.vpc, target.ip, port)

    def _new_target(self, group: str, ip: str, port: int, known: Target | None) -> Target:
        """A new registered target; one that was draining keeps its running requests."""
        account, region = _place(group)
        stored = adapter.elbv2_backends[account][region].target_groups.get(group)
        if stored is None:
            raise adapter.AwsError("TargetGroupNotFound", f"Target groups '{group}' not found")
        address = self._runtime.addresses.loopback(stored.vpc_id, ip)
        reach = partial(self._runtime.containers.reach, address)
        pool = Pool(partial(reach, port), tls=stored.protocol == "HTTPS")
        zone = adapter.zone_of(account, region, stored.vpc_id, ip)
        made = Target(group, ip, port, stored.vpc_id, address, reach, zone, time.monotonic(), pool)
        if known is not None:
            made.exchanges = known.exchanges
        return made

    def _drop(self, target: Target) -> None:
        self.targets.remove(target)
        target.drained_at = 0.0
        self._plane.loop.call_soon_threadsafe(target.end)


_CHECKED = ("initial", "healthy", "unhealthy")


def _mode(served: bool, listeners: bool) -> Mode:
    if served:
        return Mode.SERVING
    return Mode.SILENT if listeners else Mode.REFUSING


def _nodes(place: Place, arn: str, interfaces: Iterable[str]) -> Iterator[NetworkInterface]:
    """The network interfaces of a load balancer; those of an internal one have no public address."""
    internal = adapter.elbv2_backends[place.account][place.region].load_balancers[arn].scheme == "internal"
    enis = adapter.ec2_backends[place.account][place.region].enis
    for eni in [enis[one] for one in interfaces if one in enis]:
        subnet, ip = eni.subnet, eni.private_ip_address
        public = None if internal else ip
        yield NetworkInterface(
            eni.id, eni.vpc_id, subnet.id, subnet.availability_zone, ip, "", eni.mac_address, public
        )


def _place(arn: str) -> tuple[str, str]:
    """The account and region of an ARN."""
    parts = arn.split(":")
    return parts[4], parts[3]
