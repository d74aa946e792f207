"""App Runner as a component of the embedded AWS: its state, and the work that changes it."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from ..ecs.task_endpoint import role_credentials
from ..kernel.data_plane import DataPlane
from ..runtime.images import PullError
from ..runtime.runtime import Runtime
from ..wafv2.firewall import InspectedRequest
from ..wafv2.store import firewall_of
from . import companions, validation
from .fleet import Fleet
from .instances import Starter
from .journal import Journal
from .metrics import PERIOD, Meter
from .model import BUSY, DEPLOY, AppRunnerState, Configuration, Operation, Service, now
from .service_proxy import ServiceProxy
from .work import OperationRun, RunningService

log = logging.getLogger(__name__)

TICK = 0.1  # real seconds
REMEMBERED = 3600.0
"""AWS seconds for which a deleted service can be described."""


class AppRunnerComponent:
    """All of App Runner, by account and region; use it with the data plane's lock held."""

    def __init__(self, plane: DataPlane, runtime: Runtime, url: str) -> None:
        self._plane = plane
        self._runtime = runtime
        self._url = url
        self._states: dict[tuple[str, str], AppRunnerState] = {}
        self._running: dict[str, RunningService] = {}
        self._under_way: set[Future[None]] = set()
        self._workers = ThreadPoolExecutor(max_workers=8, thread_name_prefix="apprunner")

    def state(self, account: str, region: str) -> AppRunnerState:
        """App Runner's state in one account and region."""
        return self._states.setdefault((account, region), AppRunnerState(self._plane, account, region))

    def made_at(self, arn: str) -> datetime | None:
        """When a service was created, by ARN; None where it does not exist."""
        _, _, _, region, account, _ = arn.split(":", 5)
        service = self.state(account, region).services.get(arn)
        return None if service is None or service.gone else service.created_at

    def open(self, state: AppRunnerState, name: str, identity: str, made: Mapping[str, Any]) -> Service:
        """Create a service with an address of its own; ``made`` contains further attributes of ``Service``."""
        service = Service(name, identity, state.arn(f"service/{name}/{identity}"), url="", **made)
        meter = Meter(state, service)
        starter = Starter(self._runtime, self._url, state, service.id)
        fleet = Fleet(self._runtime.containers, starter, self._workers, state, service)
        ways = partial(accepts, state, service), partial(blocks, service)
        proxy = ServiceProxy(self._plane.pace, meter, lambda: fleet.serving, *ways)
        service.url = proxy.address
        self._running[service.arn] = RunningService(service, proxy, fleet, meter, Journal(state, service))
        state.services[service.arn] = service
        return service

    def begin(self, service: Service, kind: str, before: Configuration | None = None) -> Operation:
        """Begin an operation; ``before`` is the configuration to restore when it fails."""
        operation = Operation(str(uuid.uuid4()), kind, service.arn)
        service.operations.insert(0, operation)
        running = self._running[service.arn]
        running.journal.status(BUSY)
        work = OperationRun(self._plane, running, operation, before)
        future = asyncio.run_coroutine_threadsafe(self._carry_out(work, service), self._plane.loop)
        self._under_way.add(future)
        future.add_done_callback(self._under_way.discard)
        return operation

    def later(self, aws_seconds: float, act: Callable[[], Any]) -> None:
        """Call ``act`` after some time, with the lock held, unless a reset comes first."""
        future = asyncio.run_coroutine_threadsafe(self._after(aws_seconds, act), self._plane.loop)
        self._under_way.add(future)
        future.add_done_callback(self._under_way.discard)

    async def _after(self, aws_seconds: float, act: Callable[[], Any]) -> None:
        await asyncio.sleep(self._plane.pace.real(aws_seconds))
        with self._plane.lock:
            act()

    def set_status(self, arn: str, status: str) -> None:
        """Set a status of a service or a companion that AWS or a person sets elsewhere; KeyError."""
        for state in self._states.values():
            if arn in state.services:
                return state.services[arn].enter(status)
            if arn in state.companions:
                return state.companions[arn].body.update(Status=status)
        raise KeyError(arn)

    async def _carry_out(self, work: OperationRun, service: Service) -> None:
        try:
            await work.run()
        except Exception:
            log.exception("%s was lost", service.arn)

    async def run(self) -> None:
        """Report metrics every minute, and start automatic deployments."""
        reported = self._plane.loop.time()
        while True:
            await self._plane.tick(TICK)
            with self._plane.lock:
                self._deploy_what_was_pushed()
                self._validate_domains()
                self._forget_deleted()
                if self._plane.loop.time() - reported >= self._plane.pace.real(PERIOD):
                    reported = self._plane.loop.time()
                    self._report()

    def _validate_domains(self) -> None:
        for state in self._states.values():
            for service in state.living():
                validation.go_on(self.later, state.account, service)

    def _forget_deleted(self) -> None:
        for state in self._states.values():
            for service in [one for one in state.services.values() if one.deleted_at]:
                self._running.pop(service.arn, None)
                age = (now() - service.deleted_at).total_seconds() if service.deleted_at else 0.0
                if age >= self._plane.pace.real(REMEMBERED):
                    del state.services[service.arn]

    def _report(self) -> None:
        for running in self._running.values():
            if running.service.status == "RUNNING":
                running.meter.report()

    def _deploy_what_was_pushed(self) -> None:
        for state in self._states.values():
            for service in state.living():
                pushed = self._pushed(state, service) if service.status == "RUNNING" else None
                if pushed not in (None, service.digest, service.seen_digest):
                    service.seen_digest = pushed
                    self.begin(service, DEPLOY, service.configuration)

    def _pushed(self, state: AppRunnerState, service: Service) -> str | None:
        """The digest of the image that an automatic deployment would deploy now."""
        configuration = service.configuration
        if configuration.image is None or not (
            configuration.runs_here and configuration.source["AutoDeploymentsEnabled"]
        ):
            return None
        try:
            return self._runtime.images.resolve(
                state.account, state.region, configuration.image["ImageIdentifier"]
            )
        except PullError:  # the tag was removed; the running version stays
            return None

    def tell_instance(self, path: str) -> Mapping[str, Any] | None:
        """The answer for ``<instance id>/credentials``, a program's role credentials; None for an unknown path."""
        identity, _, rest = path.partition("/")
        with self._plane.lock:
            for running in self._running.values():
                for instance in running.fleet.known:
                    role = instance.configuration.instance_role
                    if instance.id == identity and rest == "credentials" and role:
                        account, region = role.split(":")[4], running.service.arn.split(":")[3]
                        return role_credentials(account, region, role, identity)
        return None

    def reset(self) -> None:
        """Discard all state; the runtime ends the containers."""
        for future in list(self._under_way):
            future.cancel()
        for running in self._running.values():
            running.fleet.abandon()
            self._plane.loop.call_soon_threadsafe(running.proxy.close)
        self._running.clear()
        self._states.clear()

    def close(self) -> None:
        """End the worker threads."""
        self._workers.shutdown(wait=False, cancel_futures=True)


LOCAL = ("", "127.0.0.1", "localhost")


def accepts(state: AppRunnerState, service: Service, host: str) -> bool:
    """Whether the service accepts requests for a host: its own address, and ACTIVE custom domains.

    A private service needs an ingress connection.
    """
    return _is_own(service, host) and (_is_public(service) or _has_ingress(state, service))


def blocks(service: Service, request: InspectedRequest) -> bool:
    """Whether the service's web ACL blocks a request.

    "we currently don't support forwarding request source IP data to App Runner private services associated with WAF"
    (Developer Guide, "Associating an AWS WAF web ACL with your service").
    """
    firewall = firewall_of(service.arn)
    told = request if _is_public(service) else replace(request, source=None)
    return firewall is not None and firewall.blocks(told)


def _is_own(service: Service, host: str) -> bool:
    return host in LOCAL or any(host in domain.hosts for domain in service.domains.values())


def _is_public(service: Service) -> bool:
    return bool(service.configuration.network["IngressConfiguration"].get("IsPubliclyAccessible", True))


def _has_ingress(state: AppRunnerState, service: Service) -> bool:
    connections = companions.named(state, companions.INGRESS)
    return any(
        one.body["ServiceArn"] == service.arn and one.body["Status"] == "AVAILABLE" for one in connections
    )
