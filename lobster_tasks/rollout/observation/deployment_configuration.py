"""Reads how a service replaces its tasks, from its deployment configuration, which may differ from the settings.
Pure.

``service`` has the shape of DescribeServices. Source: Amazon ECS API reference, DeploymentConfiguration, for the
rounding and for the circuit breaker.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_LEAST, _MOST = 100, 200  # ECS's defaults


def circuit_breaker(service: Mapping[str, Any]) -> tuple[bool, bool]:
    """Whether the circuit breaker is on, and whether it rolls back."""
    found = _configuration(service).get("deploymentCircuitBreaker") or {}
    is_on = bool(found.get("enable"))
    return is_on, is_on and bool(found.get("rollback"))


def with_rollback(service: Mapping[str, Any]) -> dict[str, Any] | None:
    """The configuration with a circuit breaker that rolls back; None where the service already has one."""
    if circuit_breaker(service)[1]:
        return None
    given = _configuration(service)
    kept = given.get("deploymentCircuitBreaker") or {}
    return {**given, "deploymentCircuitBreaker": {**kept, "enable": True, "rollback": True}}


def without_rollback(service: Mapping[str, Any]) -> dict[str, Any] | None:
    """The configuration with a circuit breaker that does not roll back; None where the service has none that does."""
    if not circuit_breaker(service)[1]:
        return None
    given = _configuration(service)
    return {**given, "deploymentCircuitBreaker": {**given["deploymentCircuitBreaker"], "rollback": False}}


def cannot_replace_tasks(service: Mapping[str, Any]) -> bool:
    """Whether ECS can neither start a task before stopping one, nor stop one before starting one."""
    desired = int(service.get("desiredCount", 0))
    return desired > 0 and _kept(service) >= desired and _allowed(service) <= desired


def preflight_notes(service: Mapping[str, Any], rollback: bool) -> list[str]:
    """Notes before a release; ``rollback`` is the setting."""
    is_on, rolls_back = circuit_breaker(service)
    told = []
    if rollback and not rolls_back:
        state = "does not roll back" if is_on else "is off"
        told.append(
            f"the service's circuit breaker {state}; deployment.rollback is true, so inv deploy --tag turns that on"
        )
    elif not rollback and not is_on:
        told.append("the service's circuit breaker is off: ECS keeps retrying a release that fails")
    elif not rollback and rolls_back:
        told.append("the service's circuit breaker rolls back, although deployment.rollback is false")
    return [*told, *_gap(service)]


def _gap(service: Mapping[str, Any]) -> list[str]:
    desired = int(service.get("desiredCount", 0))
    kept = _kept(service)
    if not desired or _allowed(service) > desired or kept >= desired:
        return []
    stops = f"ECS stops {desired - kept} of {desired} tasks before it starts new ones"
    down = ": the app is unavailable until then" if kept == 0 else ""
    return [f"{stops} (minimumHealthyPercent {_least(service)}, maximumPercent {_most(service)}){down}"]


def _kept(service: Mapping[str, Any]) -> int:
    """How many tasks must keep running, rounded up."""
    return -(-int(service.get("desiredCount", 0)) * _least(service) // 100)


def _allowed(service: Mapping[str, Any]) -> int:
    """How many tasks may run at once, rounded down."""
    return int(service.get("desiredCount", 0) * _most(service) // 100)


def _least(service: Mapping[str, Any]) -> int:
    return int(_configuration(service).get("minimumHealthyPercent", _LEAST))


def _most(service: Mapping[str, Any]) -> int:
    return int(_configuration(service).get("maximumPercent", _MOST))


def _configuration(service: Mapping[str, Any]) -> Mapping[str, Any]:
    return service.get("deploymentConfiguration") or {}
