"""What a service's own deployment configuration means for a release."""

from __future__ import annotations

from typing import Any

import pytest

from lobster_tasks.rollout.observation.changes import changes
from lobster_tasks.rollout.observation.deployment_configuration import (
    cannot_replace_tasks,
    preflight_notes,
    with_rollback,
    without_rollback,
)
from lobster_tasks.rollout.observation.snapshot import Service, ServiceDeployment

from .shapes import NEW, deployment, service, snapshot


def described(
    least: int = 100, most: int = 200, *, desired: int = 1, breaker: dict[str, Any] | None = None
) -> dict[str, Any]:
    """A service as DescribeServices has it."""
    configuration: dict[str, Any] = {"minimumHealthyPercent": least, "maximumPercent": most}
    if breaker is not None:
        configuration["deploymentCircuitBreaker"] = breaker
    return {"status": "ACTIVE", "desiredCount": desired, "deploymentConfiguration": configuration}


ON = {"enable": True, "rollback": True}
STOPS = {"enable": True, "rollback": False}
OFF = {"enable": False, "rollback": False}


@pytest.mark.parametrize(
    ("breaker", "rollback", "says"),
    [
        (ON, True, ""),
        (OFF, True, "is off; deployment.rollback is true, so inv deploy --tag turns that on"),
        ({"enable": False, "rollback": True}, True, "is off; deployment.rollback is true"),
        (None, True, "is off; deployment.rollback is true"),
        (STOPS, True, "does not roll back; deployment.rollback is true"),
        (OFF, False, "is off: ECS keeps retrying"),
        (STOPS, False, ""),
        (ON, False, "rolls back, although deployment.rollback is false"),
    ],
)
def test_what_is_said_of_the_circuit_breaker(
    breaker: dict[str, Any] | None, rollback: bool, says: str
) -> None:
    told = preflight_notes(described(breaker=breaker), rollback)
    assert (len(told), all(says in each for each in told)) == (bool(says), True), told


@pytest.mark.parametrize(
    ("least", "most", "desired", "stuck", "says"),
    [
        (100, 200, 1, False, ""),
        (
            0,
            100,
            1,
            False,
            "stops 1 of 1 tasks before it starts new ones (minimumHealthyPercent 0, maximumPercent 100)",
        ),
        (0, 100, 1, False, ": the app is unavailable until then"),
        (0, 200, 1, False, ""),
        (50, 100, 1, True, ""),
        (50, 100, 4, False, "stops 2 of 4 tasks before it starts new ones"),
        (75, 100, 2, True, ""),
        (75, 125, 3, True, ""),
        (75, 125, 4, False, ""),
        (100, 125, 4, False, ""),
        (100, 100, 0, False, ""),
    ],
)
def test_the_room_that_the_percentages_leave(
    least: int, most: int, desired: int, stuck: bool, says: str
) -> None:
    """The guide's own: 75 percent of two stops none; 125 percent of three starts none, of four starts one."""
    given = described(least, most, desired=desired, breaker=ON)
    assert cannot_replace_tasks(given) is stuck
    told = preflight_notes(given, True)
    assert (len(told), all(says in each for each in told)) == (bool(says), True), told


def test_everything_else_of_the_configuration_stays() -> None:
    given = described(50, 150, breaker={**OFF, "resetOnHealthyTask": False})
    sent = with_rollback(given)
    assert sent == {
        "minimumHealthyPercent": 50,
        "maximumPercent": 150,
        "deploymentCircuitBreaker": {"enable": True, "rollback": True, "resetOnHealthyTask": False},
    }
    assert with_rollback(described(breaker=ON)) is None
    off = without_rollback(described(50, 150, breaker={**ON, "resetOnHealthyTask": False}))
    assert off == {
        "minimumHealthyPercent": 50,
        "maximumPercent": 150,
        "deploymentCircuitBreaker": {"enable": True, "rollback": False, "resetOnHealthyTask": False},
    }
    assert [without_rollback(described(breaker=each)) for each in (STOPS, OFF, None)] == [None] * 3


@pytest.mark.parametrize(("status", "counts"), [("MONITORING", True), ("DISABLED", False)])
def test_a_circuit_breaker_that_is_off_counts_nothing(status: str, counts: bool) -> None:
    """API reference: "Amazon ECS is not using the circuit breaker … when the status is DISABLED"."""
    raw = {
        "serviceDeploymentArn": "arn",
        "status": "IN_PROGRESS",
        "deploymentCircuitBreaker": {"status": status, "failureCount": 4, "threshold": 3},
    }
    seen = snapshot(service(deployment(2, NEW, rollout="IN_PROGRESS")), record=ServiceDeployment.of(raw))
    assert ("circuit breaker: 4 of 3 failures" in changes(snapshot(seen.service), seen)) is counts


def test_a_service_knows_its_circuit_breaker() -> None:
    assert [(each.breaks, each.rolls_back) for each in map(Service.of, map(_with, (ON, STOPS, OFF)))] == [
        (True, True),
        (True, False),
        (False, False),
    ]


def _with(breaker: dict[str, Any]) -> dict[str, Any]:
    return described(breaker=breaker)
