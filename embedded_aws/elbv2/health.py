"""Health checks and their effect on a target.

Source: "Health checks for Application Load Balancer target groups". A new target is healthy after one success;
one that was unhealthy needs ``HealthyThresholdCount``; ``UnhealthyThresholdCount`` failures make it unhealthy.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from ..proxy.upstream import BrokenError, Connection, UnreachableError
from .settings import HealthCheck
from .targets import CHECKING, HEALTHY, Target, TargetHealth

MISMATCH = "Target.ResponseCodeMismatch"
TIMEOUT = TargetHealth("unhealthy", "Target.Timeout", "Request timed out")
FAILED = TargetHealth("unhealthy", "Target.FailedHealthChecks", "Health checks failed")


@dataclass(frozen=True)
class Verdict:
    """The outcome of one check: the health of a target that it makes unhealthy (None: success).

    ``accepted`` is False when the target refused the connection.
    """

    failure: TargetHealth | None
    accepted: bool = True


def check_port(check: HealthCheck, target: Target) -> int:
    """The port of the check."""
    return target.port if check.port == "traffic-port" else int(check.port)


async def ask(check: HealthCheck, target: Target, seconds: float) -> Verdict:
    """Make one check, within ``seconds`` (real)."""
    try:
        async with asyncio.timeout(seconds):
            status = await _status(check, target)
    except TimeoutError:
        return Verdict(TIMEOUT)
    except BrokenError:
        return Verdict(FAILED)
    except UnreachableError as error:
        return Verdict(FAILED, accepted=False) if error.refused else Verdict(TIMEOUT)
    if check.accepts(status):
        return Verdict(None)
    text = f"Health checks failed with these codes: [{status}]"
    return Verdict(TargetHealth("unhealthy", MISMATCH, text))


async def _status(check: HealthCheck, target: Target) -> int:
    port = check_port(check, target)
    connection = await Connection.open(*target.reach(port), check.protocol == "HTTPS", seconds=120.0)
    try:
        connection.send_head(_head(check, target, port), "GET", None)
        return (await connection.reply()).message.code
    finally:
        connection.abort()


def judge(check: HealthCheck, target: Target, verdict: Verdict, still_booting: bool) -> None:
    """Update the target's health; a refused connection is ignored while it is ``still_booting``."""
    target.accepted = target.accepted or verdict.accepted
    if verdict.failure is None:
        target.successes, target.failures = target.successes + 1, 0
        needed = check.healthy_threshold if target.health.state == "unhealthy" else 1
        if target.successes >= needed:
            target.health = HEALTHY
    elif not (still_booting and not verdict.accepted):
        target.successes, target.failures = 0, target.failures + 1
        if target.failures >= check.unhealthy_threshold or target.health.state == "unhealthy":
            target.health = verdict.failure


def begin(target: Target, now: float) -> None:
    """Start the initial checks of a target."""
    target.health, target.due = CHECKING, now
    target.successes = target.failures = 0


def _head(check: HealthCheck, target: Target, port: int) -> bytes:
    host = target.ip if port == 80 else f"{target.ip}:{port}"
    lines = [
        f"GET {check.path} HTTP/1.1",
        f"Host: {host}",
        "Connection: close",
        "User-Agent: ELB-HealthChecker/2.0",
        "Accept-Encoding: gzip, compressed",
    ]
    return "\r\n".join([*lines, "", ""]).encode()
