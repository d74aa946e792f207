"""What one room says of the account and another goes by: checks and the causes that they become."""

from __future__ import annotations

from typing import Any

import pytest

from lobster_tasks.apprunner.mapping import suspects
from lobster_tasks.doctor import Check
from lobster_tasks.rollout.diagnosis.diagnose import diagnose
from lobster_tasks.rollout.diagnosis.evidence import Evidence
from lobster_tasks.rollout.observation.judge import Verdict, judge
from tests.apprunner.descriptions import described, image_source
from tests.doctor.facts import anywhere, check, from_group, group, route_table
from tests.rollout.shapes import NEW, deployment, record, service, snapshot, stopped
from tests.rollout.test_diagnose import APP_ROLE, evidence, not_started, unhealthy

UNTRUSTING = {"AssumeRolePolicyDocument": '{"Statement": []}', "Arn": APP_ROLE}
OPEN = [group("lobster-alb-sg", [anywhere(80)]), group("lobster-ecs-sg", [anywhere(8501)])]
NARROW = [
    group("lobster-alb-sg", [anywhere(80)]),
    group("lobster-ecs-sg", [from_group("sg-anywhere", 8501)]),
]
SHUT = [
    group("lobster-alb-sg", [anywhere(80)]),
    group("lobster-ecs-sg", [from_group("sg-lobster-alb-sg", 8501)], []),
]
BALANCED = ("security.tasks", "security.load-balancer-out")
ASSUMES = f"ECS was unable to assume the role '{APP_ROLE}' that was provided for this task."
TIMED_OUT = "CannotPullContainerError: dial tcp 3.5.7.9:443: i/o timeout"


def checks(*names: str, **changes: Any) -> dict[str, Check]:
    """Some checks of the healthy account with these changes."""
    return {name: check(name, **changes) for name in names}


def codes(of: Evidence) -> list[str]:
    """The causes."""
    return [each.code for each in diagnose(of)]


@pytest.mark.parametrize(
    ("role", "code"), [(None, "task-role-missing"), (UNTRUSTING, "task-role-not-assumable")]
)
def test_a_role_that_is_not_there_is_not_one_that_trusts_nobody(role: Any, code: str) -> None:
    made = checks("roles.task", task_role=role)
    assert codes(evidence(not_started(ASSUMES), checks=made)) == [code]


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        (OPEN, ["health-check-timeout"]),
        (NARROW, ["health-check-timeout", "security-group-blocks"]),
    ],
)
def test_a_group_that_lets_in_everybody_keeps_nothing_from_the_tasks(
    groups: Any, expected: list[str]
) -> None:
    made = checks(*BALANCED, security_groups=groups)
    assert codes(unhealthy("Target.Timeout", "Request timed out", checks=made)) == expected


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("network.routes", {"route_tables": [route_table(None)]}),
        ("security.tasks-out", {"security_groups": SHUT}),
    ],
)
def test_a_network_without_a_way_out_does_not_heal(name: str, changes: dict[str, Any]) -> None:
    (cause,) = diagnose(evidence(not_started(TIMED_OUT), checks=checks(name, **changes)))
    assert (cause.code, cause.heals) == ("no-route-to-registry", False)
    assert cause.remedy.count("inv create-") == 1


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("Stop was requested by the user.", "stopped-by-user"),
        ("", "unknown"),
    ],
)
def test_a_deployment_that_somebody_stopped(reason: str, code: str) -> None:
    seen = [snapshot(service(deployment(2, NEW)), record=record("STOPPED", reason=reason))] * 2
    verdict = judge(seen)
    assert verdict.kind == "failed"
    assert codes(evidence(verdict=verdict, last=seen[-1])) == [code]


def test_a_deployment_that_goes_on_is_not_stopped_by_anybody() -> None:
    assert codes(evidence(verdict=Verdict("moving", *["Stop was requested by the user."] * 2))) == [
        "out-of-time"
    ]


def test_what_a_task_wrote_is_no_reason_of_ecss() -> None:
    ended = stopped("a", "Essential container in task exited", 1, stop_code="EssentialContainerExited")
    (cause,) = diagnose(evidence(ended, log=("KeyError: 'OPENAI_API_KEY'",)))
    assert cause.code == "exits"


def test_what_looks_like_a_secret_is_left_out() -> None:
    named = {"OPENAI_API_KEY": "sk-abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKL", "MODE": "on"}
    service = {"SourceConfiguration": image_source(RuntimeEnvironmentVariables=named)}
    assert suspects(described(service)) == ("OPENAI_API_KEY",)
