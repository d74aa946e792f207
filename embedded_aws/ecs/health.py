"""A container's own health check: a command that runs in the container.

Source: Amazon ECS API Reference, HealthCheck. Exit code 0 is healthy; ``retries`` consecutive failures are unhealthy,
and failures within ``startPeriod`` do not count.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from concurrent.futures import Executor

from ..kernel.data_plane import DataPlane
from ..runtime.interface import CannotStart, Container, ContainerRuntime
from .model import ContainerState, monotonic

TICK = 0.02


async def check_container(
    plane: DataPlane, runtime: ContainerRuntime, workers: Executor, container: ContainerState
) -> None:
    """Keep ``container.health`` up to date until cancelled."""
    check = container.definition["healthCheck"]
    grace_ends = monotonic() + plane.pace.for_program(check.get("startPeriod", 0))
    failures = 0
    while True:
        await asyncio.sleep(plane.pace.real(check["interval"], TICK))
        if await _passes(plane, runtime, workers, container):
            failures, container.health = 0, "HEALTHY"
        elif monotonic() >= grace_ends:
            failures += 1
            if failures >= check["retries"]:
                container.health = "UNHEALTHY"


async def _passes(
    plane: DataPlane, runtime: ContainerRuntime, workers: Executor, container: ContainerState
) -> bool:
    check = container.definition["healthCheck"]
    loop = asyncio.get_running_loop()
    assert container.process is not None
    try:
        probe = await loop.run_in_executor(
            workers, runtime.execute, container.process, _command(check["command"])
        )
    except CannotStart:
        return False
    return await _exits_well(probe, plane.pace.real(check["timeout"], plane.pace.boot_allowance))


async def _exits_well(probe: Container, seconds: float) -> bool:
    end = monotonic() + seconds
    try:
        while probe.poll() is None and monotonic() < end:
            await asyncio.sleep(TICK)
        return probe.poll() == 0
    finally:
        if probe.poll() is None:
            probe.kill()


def _command(given: Sequence[str]) -> list[str]:
    kind, *words = given
    return words if kind == "CMD" else ["/bin/sh", "-c", *words]
