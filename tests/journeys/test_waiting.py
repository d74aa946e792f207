"""What heals by waiting is waited for; what is worth knowing is told of a release that goes well, too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lobster_tasks.rollout import Outcome, follow
from tests.embedded_process import eventually

from .failures import PATIENT, role
from .releasing import Account, beside, said


def well(outcome: Outcome) -> bool:
    """Whether it is live, and no cause is named."""
    return (outcome.verdict, outcome.exit_code, outcome.cause, outcome.also) == ("live", 0, None, ())


@pytest.mark.exhaustive
def test_a_role_of_a_moment_ago(account: Account) -> None:
    """IAM makes a new role known bit by bit: ECS cannot assume it at first, and then can."""
    site = beside(account, "young")
    site.fails_until_said("retrying may help", role_propagation_seconds=100000)
    outcome = site.follow(taskRoleArn=role(site))
    assert well(outcome)
    assert "retrying may help, and ECS retries" in said(outcome)
    assert "was made " in said(outcome)


def test_capacity_that_comes_back(account: Account) -> None:
    site = beside(account, "crowded")
    site.fails_until_said("no-capacity: ", capacity_unavailable_seconds=100000)
    outcome = site.deploy("two")
    assert well(outcome)
    assert "no-capacity: Fargate has no capacity at the moment. Retrying may help, and ECS retries" in said(
        outcome
    )


def test_a_program_that_does_not_hear_sigterm(account: Account) -> None:
    site = beside(account, "stubborn")
    assert well(site.deploy("stubborn", IGNORE_SIGTERM="1"))
    outcome = site.deploy("next")
    assert well(outcome)
    assert [finding.code for finding in outcome.findings] == ["ignores-sigterm"]
    assert "exit code 137" in outcome.findings[0].evidence[0]


def test_no_cause_is_named_where_all_goes_well(account: Account) -> None:
    """Slow starters, sick for a moment, throttled: they are live in the end, and nothing is held against them."""
    site = beside(account, "well", healthCheckGracePeriodSeconds=60)
    account.order_fault(service="ecs", operation="Describe*", nth={"every": 4}, throttle=True)
    outcome = site.deploy("slow", START_DELAY="1", HEALTH_DELAY="0.1")
    assert well(outcome), outcome
    assert outcome.findings == ()


def test_a_cause_that_cannot_heal_is_told_at_its_second_time(account: Account) -> None:
    """Without waiting for the third, at which the circuit breaker acts."""
    site = beside(account, "hopeless")
    site.order_fault(capacity_for_tasks=2)  # however seldom a slow machine looks
    outcome = site.follow(command=["streamlti"])
    assert outcome.verdict == "rolled_back"
    assert "command-not-found: The image has no program streamlti. The error occurred again" in said(outcome)
    where = {"cluster": site.settings.cluster, "service": site.settings.service}
    newest = site.client("ecs").list_service_deployments(**where)["serviceDeployments"][0]
    described = site.client("ecs").describe_service_deployments(
        serviceDeploymentArns=[newest["serviceDeploymentArn"]]
    )["serviceDeployments"][0]
    assert described["statusReason"] == "Rollback was requested by the user."
    assert described["deploymentCircuitBreaker"]["failureCount"] < 3


def test_an_image_that_is_not_there_is_told_before_the_agent_gives_up(account: Account) -> None:
    """AWS takes minutes an attempt: ECR says it at once, and no task has to fail for it."""
    site = beside(account, "absent")
    outcome = site.follow(f"{site.image.partition('@')[0]}:gone")
    assert outcome.cause is not None, said(outcome)
    assert (outcome.verdict, outcome.cause.code) == ("rolled_back", "image-not-found")
    assert "ECR has no such image" in outcome.cause.evidence
    where = {"cluster": site.settings.cluster, "service": site.settings.service}
    newest = site.client("ecs").list_service_deployments(**where)["serviceDeployments"][0]
    described = site.client("ecs").describe_service_deployments(
        serviceDeploymentArns=[newest["serviceDeploymentArn"]]
    )["serviceDeployments"][0]
    assert described["deploymentCircuitBreaker"]["failureCount"] == 0


@pytest.mark.parametrize(
    ("image", "failures"),
    [
        ("123456789012.dkr.ecr.eu-west-1.amazonaws.com/absent:1", 0),  # ECR there is asked
        ("public.ecr.aws/somebody/absent:1", 1),  # whoever keeps it is not: the agent has said it once
    ],
)
def test_an_image_that_is_missing_elsewhere_takes_no_second_time(
    account: Account, image: str, failures: int
) -> None:
    site = beside(account, "far")
    pulls = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "ecr:*", "Resource": "*"}]}
    account.client("iam").put_role_policy(
        RoleName=site.settings.task.execution_role, PolicyName="pulls", PolicyDocument=json.dumps(pulls)
    )
    outcome = site.follow(image)
    assert (outcome.verdict, outcome.cause and outcome.cause.code) == ("rolled_back", "image-not-found")
    assert ("The agent retried it several times" in said(outcome)) is (failures == 1)
    where = {"cluster": site.settings.cluster, "service": site.settings.service}
    newest = site.client("ecs").list_service_deployments(**where)["serviceDeployments"][0]
    described = site.client("ecs").describe_service_deployments(
        serviceDeploymentArns=[newest["serviceDeploymentArn"]]
    )["serviceDeployments"][0]
    assert described["deploymentCircuitBreaker"]["failureCount"] == failures


def test_rollback_false_leaves_it_to_the_circuit_breaker(account: Account) -> None:
    flags = ("deployment.rollback=false",)
    breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": False}}
    site = beside(account, "kept", *flags, deploymentConfiguration=breaker)
    old = site.service()["taskDefinition"]
    account.forget_calls()
    outcome = site.follow(command=["streamlti"])
    assert (outcome.verdict, outcome.cause and outcome.cause.code) == ("failed", "command-not-found")
    assert "deployment.rollback is false" in said(outcome)
    assert "StopServiceDeployment" not in account.calls()
    assert site.service()["taskDefinition"] != old
    eventually(lambda: site.service()["runningCount"] == 1)


@pytest.mark.exhaustive
def test_who_may_not_stop_a_deployment_waits_for_the_circuit_breaker(account: Account) -> None:
    site = beside(account, "denied")
    denied = {"code": "AccessDeniedException", "message": "not for you"}
    account.order_fault(service="ecs", operation="StopServiceDeployment", error=denied)
    arn = site.register(site.image, command=["streamlti"])
    site.update(taskDefinition=arn)
    outcome = follow(site.aws, site.settings, arn)
    assert (outcome.verdict, outcome.cause and outcome.cause.code) == ("rolled_back", "command-not-found")
    assert "it could not be stopped" in said(outcome)


def test_a_cause_that_shows_late_is_acted_on(account: Account, tmp_path: Path) -> None:
    """At its first failures the program is only slow, which more time may mend; then it shows where it listens."""
    site = beside(account, "late", deploymentConfiguration=PATIENT)
    runs = tmp_path / "runs"
    is_slow, waits = f"[ $(wc -l <{runs}) -lt 4 ]", "trap 'exit 0' TERM; sleep 600 & wait"
    program = f"echo starting; echo >>{runs}; if {is_slow}; then {waits}; fi; exec python web_app.py"
    local = [{"name": "BIND", "value": "127.0.0.1"}]
    outcome = site.follow(command=["sh", "-c", program], environment=local)
    assert "retrying may help, and ECS retries" in said(outcome)
    assert outcome.cause is not None, said(outcome)
    assert (outcome.verdict, outcome.cause.code) == ("rolled_back", "bound-to-loopback")
    assert "the deployment is stopped and rolled back" in said(outcome)
