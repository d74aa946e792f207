"""What is taken out of a policy, and what stays in it."""

from __future__ import annotations

from typing import Any

import pytest

from lobster_tasks.apprunner.policy_statements import stripped

ECS = {"Effect": "Allow", "Action": "ecs:*", "Resource": "*"}
PASS = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"}


def passed_to(*services: str) -> dict[str, Any]:
    """iam:PassRole for these services."""
    told = list(services) if len(services) > 1 else services[0]
    return {**PASS, "Condition": {"StringEquals": {"iam:PassedToService": told}}}


def of(*actions: str) -> dict[str, Any]:
    """A statement with these actions."""
    return {"Effect": "Allow", "Action": list(actions), "Resource": "*"}


CASES: list[tuple[str, Any, list[Any]]] = [
    ("only App Runner", of("apprunner:*"), []),
    ("a single action", {"Effect": "Allow", "Action": "AppRunner:ListServices", "Resource": "*"}, []),
    ("App Runner among others", of("apprunner:*", "ecs:*", "logs:*"), [of("ecs:*", "logs:*")]),
    ("nothing of it", ECS, [ECS]),
    ("a list of one", [ECS], [ECS]),
    ("a denial", {"Effect": "Deny", "Action": "apprunner:*", "Resource": "*"}, []),
    (
        "roles passed to App Runner",
        passed_to("build.apprunner.amazonaws.com", "tasks.apprunner.amazonaws.com"),
        [],
    ),
    (
        "roles passed to others too",
        passed_to("tasks.apprunner.amazonaws.com", "ecs-tasks.amazonaws.com"),
        [passed_to("tasks.apprunner.amazonaws.com", "ecs-tasks.amazonaws.com")],
    ),
    ("roles passed to anything", PASS, [PASS]),
    (
        "NotAction",
        {"Effect": "Allow", "NotAction": "apprunner:*", "Resource": "*"},
        [{"Effect": "Allow", "NotAction": "apprunner:*", "Resource": "*"}],
    ),
    ("everything", of("*"), [of("*")]),
]


@pytest.mark.parametrize(("given", "left"), [each[1:] for each in CASES], ids=[each[0] for each in CASES])
def test_a_policy_without_its_app_runner_parts(given: Any, left: list[Any]) -> None:
    assert stripped({"Version": "2012-10-17", "Statement": given}) == {
        "Version": "2012-10-17",
        "Statement": left,
    }
