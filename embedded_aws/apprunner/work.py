"""Performs one operation of a service, as a coroutine on the data-plane thread.

Source: Developer Guide, "Tracking App Runner service activity". A failed creation results in CREATE_FAILED; a failed
update or deployment is rolled back: the service is RUNNING again, and only the operation shows the failure.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass

from ..kernel.data_plane import DataPlane
from .fleet import Fleet
from .instances import StartError
from .journal import Journal
from .metrics import Meter
from .model import CREATE, DELETE, DEPLOY, PAUSE, RESUME, UPDATE, Configuration, Operation, Service
from .service_proxy import ServiceProxy

SECONDS = {CREATE: 40.0, UPDATE: 30.0, DEPLOY: 30.0, RESUME: 30.0, PAUSE: 20.0, DELETE: 20.0}
"""AWS seconds of an operation, besides the start of its instances."""

NAMED = {
    CREATE: "Service creation",
    UPDATE: "Service update",
    RESUME: "Service resume",
    PAUSE: "Service pause",
    DELETE: "Service deletion",
    DEPLOY: "Deployment",
}


@dataclass(frozen=True)
class RunningService:
    """The parts of one service: its address, instances, metrics, logs."""

    service: Service
    proxy: ServiceProxy
    fleet: Fleet
    meter: Meter
    journal: Journal


class OperationRun:
    """One operation in progress; ``before`` is the configuration to restore."""

    def __init__(
        self, plane: DataPlane, running: RunningService, operation: Operation, before: Configuration | None
    ) -> None:
        self._plane = plane
        self._running = running
        self._service = running.service
        self._operation = operation
        self._before = before

    async def run(self) -> None:
        """Run the operation to its end."""
        kind = self._operation.type
        with self._plane.lock:
            self._operation.enter("IN_PROGRESS")
            self._say(f"{NAMED[kind]} started.")
        await asyncio.sleep(self._plane.pace.real(SECONDS[kind]))
        if kind == PAUSE:
            await self._stop("PAUSED")
        elif kind == DELETE:
            await self._stop("DELETED")
        else:
            await self._bring_up()

    async def _stop(self, status: str) -> None:
        self._running.proxy.routed = False
        await self._running.fleet.stop()
        if status == "DELETED":
            self._running.proxy.close()
        with self._plane.lock:
            self._succeed(status)

    async def _bring_up(self) -> None:
        configuration = self._service.configuration
        try:
            if configuration.runs_here:
                await self._deploy(configuration)
            else:
                await self._pretend()
        except StartError as failure:
            with self._plane.lock:
                self._fail(str(failure))
            return
        with self._plane.lock:
            self._service.deployed = configuration
            self._succeed("RUNNING")

    async def _deploy(self, configuration: Configuration) -> None:
        fleet, health = self._running.fleet, configuration.health
        image = await fleet.prepare(configuration)
        path = f"[Path: '{health['Path']}'], " if health["Protocol"] == "HTTP" else ""
        with self._plane.lock:
            self._say("Successfully pulled your application image from ECR.")
            self._say("Provisioning instances and deploying image.")
            self._say(
                f"Performing health check on protocol `{health['Protocol']}` {path}[Port: '{configuration.port}']."
            )
        instances = await fleet.launch(configuration, image)
        with self._plane.lock:
            self._say("Health check is successful. Routing traffic to application.")
            self._service.digest = image.digest
        self._running.proxy.open()
        await fleet.switch(instances, image)

    async def _pretend(self) -> None:
        """Handle a service from source code or a public image: it exists, but cannot run offline."""
        with self._plane.lock:
            self._say("The embedded AWS runs no process for this source.")
        self._running.proxy.open(without_process=True)
        await self._running.fleet.stop()

    def _succeed(self, status: str) -> None:
        self._operation.enter("SUCCEEDED")
        self._running.journal.event(f"{NAMED[self._operation.type]} completed successfully.")
        self._running.journal.status(status)

    def _fail(self, reason: str) -> None:
        operation, journal = self._operation, self._running.journal
        self._say(reason)
        short = re.split(r" on protocol|\. ", reason)[0].rstrip(".")
        self._say(f"Deployment with ID : {operation.id.replace('-', '')} failed. Failure reason : {short}.")
        if self._before is None:
            operation.enter("FAILED")
            journal.event("Service creation failed. For more information, see service logs.")
            journal.status("CREATE_FAILED")
        elif self._operation.type == RESUME:
            operation.enter("FAILED")
            journal.status("PAUSED")
        else:
            self._service.configuration = self._before
            operation.enter("ROLLBACK_SUCCEEDED")
            journal.event(f"{NAMED[operation.type]} failed. The previous configuration continues to serve.")
            journal.status("RUNNING")

    def _say(self, text: str) -> None:
        self._running.journal.event(text)
        self._running.journal.deployment(self._operation, text)
