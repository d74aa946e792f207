"""When a service is in the middle of a deployment, and when that one is lost."""

from __future__ import annotations

from typing import Any

import pytest

from lobster_tasks.rollout.deployment.busy import deployment_in_progress, is_lost

from .shapes import NEW, NOON


def service(rollout: str = "IN_PROGRESS", breaker: bool = False, **members: Any) -> dict[str, Any]:
    """As DescribeServices has it."""
    primary = {
        "id": "ecs-svc/2",
        "status": "PRIMARY",
        "taskDefinition": NEW,
        "rolloutState": rollout,
        "createdAt": NOON,
        **members,
    }
    configuration = {"deploymentCircuitBreaker": {"enable": breaker, "rollback": breaker}}
    return {"status": "ACTIVE", "deployments": [primary], "deploymentConfiguration": configuration}


@pytest.mark.parametrize(
    ("rollout", "busy"), [("IN_PROGRESS", True), ("COMPLETED", False), ("FAILED", False), ("", False)]
)
def test_under_way(rollout: str, busy: bool) -> None:
    assert (deployment_in_progress(service(rollout)) is not None) is busy


def test_a_service_without_deployments_is_free() -> None:
    assert deployment_in_progress({"status": "ACTIVE", "deployments": []}) is None


@pytest.mark.parametrize(
    ("given", "lost"),
    [
        ({"failedTasks": 3}, True),
        ({"failedTasks": 2}, False),
        ({"failedTasks": 9, "runningCount": 1}, False),
        ({"failedTasks": 9, "breaker": True}, False),
        ({"failedTasks": 9, "rollout": "COMPLETED"}, False),
    ],
    ids=["fails for ever", "may come", "some run", "will be ended", "is over"],
)
def test_lost(given: dict[str, Any], lost: bool) -> None:
    assert is_lost(service(**given)) is lost
