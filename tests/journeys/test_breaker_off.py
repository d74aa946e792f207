"""A service whose circuit breaker somebody switched off: `deployment.rollback` is kept all the same."""

from __future__ import annotations

from typing import Any

import pytest

from lobster_tasks.errors import NotReadyError
from lobster_tasks.rollout import deploy, follow, preview

from .releasing import Account, said

OFF: dict[str, Any] = {
    "minimumHealthyPercent": 0,
    "maximumPercent": 100,
    "deploymentCircuitBreaker": {"enable": False, "rollback": False},
}


@pytest.fixture
def switched_off(account: Account) -> Account:
    """It runs a release."""
    assert account.deploy("one").verdict == "live"
    account.update(deploymentConfiguration=OFF)
    return account


def test_a_release_that_crashes_is_taken_back(switched_off: Account) -> None:
    outcome = switched_off.deploy("two", EXIT_CODE="3")
    assert (outcome.verdict, outcome.cause and outcome.cause.code) == ("rolled_back", "exits"), said(outcome)
    told = said(outcome)
    assert "circuit breaker is off; deployment.rollback is true" in told
    assert "the app is unavailable until then" in told
    assert told.index("circuit breaker is off") < told.index("registered")
    made = switched_off.service()["deploymentConfiguration"]
    assert made["deploymentCircuitBreaker"] == {"enable": True, "rollback": True}
    assert (made["minimumHealthyPercent"], made["maximumPercent"]) == (0, 100)


def test_it_is_said_when_a_release_is_only_looked_at(switched_off: Account) -> None:
    told: list[str] = []
    preview(switched_off.aws, switched_off.settings, "one", observe=lambda seen: told.extend(seen.said))
    assert any("circuit breaker is off" in each for each in told)


def test_somebody_elses_deployment_is_ended_by_us(switched_off: Account) -> None:
    broken = switched_off.register(switched_off.push("two", EXIT_CODE="3").by_digest)
    switched_off.update(taskDefinition=broken)
    outcome = follow(switched_off.aws, switched_off.settings, broken)
    assert (outcome.verdict, outcome.cause and outcome.cause.code) == ("rolled_back", "exits"), said(outcome)
    assert "no circuit breaker ends the deployment, so it is stopped and rolled back" in said(outcome)
    assert " failures" not in said(outcome)


def test_percentages_that_leave_no_room_are_refused_before_anything_changes(account: Account) -> None:
    account.deploy("one")
    account.update(deploymentConfiguration={**OFF, "minimumHealthyPercent": 75, "maximumPercent": 125})
    account.push("two")
    account.forget_calls()
    with pytest.raises(NotReadyError, match="75 and 125 percent of 1, ECS can replace no task") as refused:
        deploy(account.aws, account.settings, "two")
    assert refused.value.code == "deployment-percent"
    assert not account.calls()
