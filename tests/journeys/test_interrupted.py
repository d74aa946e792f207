"""A run that is cut off anywhere is finished by the same command, and nothing is made twice."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any, NamedTuple

import pytest

from lobster_tasks.errors import AwsCallError
from tests.conftest import SPEED
from tests.embedded_process import EmbeddedProcess, eventually
from tests.project import Project, interrupt

from .converging import Account, account_of

DENIED = {"error": {"code": "AccessDenied", "message": "not now", "status": 403}}
BEFORE, AFTER = {"drop": "before"}, {"drop": "after"}


class Call(NamedTuple):
    """The n-th call of an operation in a run."""

    service: str
    operation: str
    nth: int

    def rule(self, **effect: Any) -> dict[str, Any]:
        """The fault rule that strikes it."""
        return {"service": self.service, "operation": self.operation, "nth": self.nth, **effect}


# What converging from nothing calls, from the plan: a test holds it against what is really called.
CALLS = [
    Call("ec2", "AuthorizeSecurityGroupIngress", 1),
    Call("ec2", "AuthorizeSecurityGroupIngress", 2),
    Call("ec2", "CreateSecurityGroup", 1),
    Call("ec2", "CreateSecurityGroup", 2),
    Call("ecr", "CreateRepository", 1),
    Call("ecr", "PutLifecyclePolicy", 1),
    Call("ecs", "CreateCluster", 1),
    Call("ecs", "CreateService", 1),
    Call("ecs", "RegisterTaskDefinition", 1),
    Call("elasticloadbalancing", "CreateListener", 1),
    Call("elasticloadbalancing", "CreateLoadBalancer", 1),
    Call("elasticloadbalancing", "CreateTargetGroup", 1),
    Call("elasticloadbalancing", "ModifyLoadBalancerAttributes", 1),
    Call("elasticloadbalancing", "ModifyTargetGroupAttributes", 1),
    Call("iam", "CreateRole", 1),
    Call("iam", "CreateRole", 2),
    Call("iam", "PutRolePolicy", 1),
    Call("logs", "CreateLogGroup", 1),
    Call("logs", "PutRetentionPolicy", 1),
]
REGISTRATION = Call("ecs", "RegisterTaskDefinition", 1)
EVERY = [
    pytest.param(call, effect, id=f"{call.operation}-{call.nth}-{next(iter(effect.values()))}"[:60])
    for call in CALLS
    for effect in (BEFORE, AFTER, DENIED)
]
SAMPLE = random.Random(11).sample(CALLS, 4)


@pytest.fixture(scope="module")
def somewhere(embedded_process: EmbeddedProcess) -> Account:
    """An account, and the plan's settings."""
    return account_of(embedded_process, SPEED)


@pytest.fixture(scope="module")
def undisturbed(somewhere: Account) -> dict[str, Any]:
    """What a run that nothing disturbs ends in."""
    somewhere.embedded.reset()
    somewhere.converge()
    return somewhere.snapshot()


@pytest.fixture
def account(embedded: EmbeddedProcess, undisturbed: dict[str, Any], somewhere: Account) -> Account:
    """The account, empty."""
    assert embedded.url == somewhere.embedded.url
    return somewhere


def cut_off_and_finish(account: Account, call: Call, effect: dict[str, Any]) -> AwsCallError | None:
    """A run that a fault strikes, then the same again; the error that the first one ended with, if it did."""
    account.embedded.order(call.rule(**effect))
    try:
        account.converge()
    except AwsCallError as refused:
        error: AwsCallError | None = refused
    else:
        error = None
    account.embedded.forgive()
    account.converge()
    return error


def test_the_calls_are_those_of_a_run_from_nothing(account: Account) -> None:
    account.embedded.forget_calls()
    account.converge()
    numbered, seen = [], Counter[tuple[str, str]]()
    for call in account.embedded.calls(mutating=True):
        named = (call["service"], call["operation"])
        seen[named] += 1
        numbered.append(Call(*named, seen[named]))
    assert sorted(numbered) == CALLS


@pytest.mark.parametrize("call", SAMPLE, ids=[f"{call.operation}-{call.nth}" for call in SAMPLE])
def test_a_run_that_is_refused_halfway_is_finished_by_the_next(
    account: Account, undisturbed: dict[str, Any], call: Call
) -> None:
    error = cut_off_and_finish(account, call, DENIED)
    assert error is not None
    assert error.operation.endswith(f":{call.operation}")
    assert account.snapshot() == undisturbed


def test_answers_that_are_lost_are_taken_for_what_they_are(
    account: Account, undisturbed: dict[str, Any]
) -> None:
    """Every first answer of every operation is lost after the work was done, in one run."""
    account.embedded.order(*(call.rule(**AFTER) for call in CALLS if call != REGISTRATION))
    account.converge()
    lost = [call for call in account.embedded.calls(mutating=True) if call["status"] is None]
    assert len(lost) == len(CALLS) - 1
    assert account.snapshot() == undisturbed


def test_a_registration_whose_answer_is_lost_is_not_repeated_but_found(
    account: Account, undisturbed: dict[str, Any]
) -> None:
    error = cut_off_and_finish(account, REGISTRATION, AFTER)
    assert error is not None
    assert error.what.endswith("got no answer.")
    assert account.snapshot() == undisturbed


def test_throttling_is_waited_out(account: Account, undisturbed: dict[str, Any]) -> None:
    rules = [{"mutating": each, "nth": {"every": 9}, "throttle": True} for each in (True, False)]
    account.embedded.order(*rules)
    account.converge()
    assert any(call["status"] == 400 for call in account.embedded.calls(mutating=True))
    account.embedded.forgive()
    assert account.snapshot() == undisturbed


def test_a_role_that_iam_does_not_know_yet_is_waited_for(
    account: Account, undisturbed: dict[str, Any]
) -> None:
    young = {"code": "NoSuchEntity", "message": "The role with name x cannot be found.", "status": 404}
    account.embedded.order({"operation": "PutRolePolicy", "nth": [1, 2], "error": young})
    account.converge()
    assert account.snapshot() == undisturbed


def test_a_group_that_ec2_does_not_know_yet_is_waited_for(
    account: Account, undisturbed: dict[str, Any]
) -> None:
    young = {"code": "InvalidGroup.NotFound", "message": "The security group 'sg-1' does not exist"}
    account.embedded.order({"operation": "AuthorizeSecurityGroupIngress", "nth": [1, 2], "error": young})
    account.converge()
    assert account.snapshot() == undisturbed


def test_a_listener_that_ecs_does_not_see_yet_is_waited_for(
    account: Account, undisturbed: dict[str, Any]
) -> None:
    text = "The target group with targetGroupArn arn:x does not have an associated load balancer."
    young = {"code": "InvalidParameterException", "message": text}
    account.embedded.order({"operation": "CreateService", "nth": [1, 2], "error": young})
    account.converge()
    assert account.snapshot() == undisturbed


def test_a_reading_that_lags_behind_is_read_again(account: Account, undisturbed: dict[str, Any]) -> None:
    """What was just made may be half known: verify looks again instead of failing."""
    account.apply(account.plan())
    late = {"code": "TargetGroupNotFound", "message": "One or more target groups not found"}
    account.embedded.order({"operation": "DescribeTargetGroupAttributes", "nth": [1, 2], "error": late})
    assert account.verify().changes == ()
    assert account.snapshot() == undisturbed


@pytest.mark.exhaustive
@pytest.mark.parametrize(("call", "effect"), EVERY)
def test_a_run_that_is_cut_off_anywhere_is_finished_by_the_next(
    account: Account, undisturbed: dict[str, Any], call: Call, effect: dict[str, Any]
) -> None:
    error = cut_off_and_finish(account, call, effect)
    assert (error is None) == (effect is not DENIED and call != REGISTRATION)
    assert account.snapshot() == undisturbed


# Ctrl-C


def test_ctrl_c_names_what_is_in_flight_and_the_same_command_finishes(
    account: Account, undisturbed: dict[str, Any], project: Project
) -> None:
    embedded = account.embedded
    embedded.order({"operation": "CreateLoadBalancer", "delay_seconds": 2})
    with project.start("setup-fargate", "--yes") as process:
        eventually(embedded.applied)
        ended = interrupt(process)
    assert ended.code == 130, ended.said
    assert "Interrupted." in ended.err
    assert "load-balancer/lobster-alb" in " ".join(ended.err.split())
    assert "run the same command again" in " ".join(ended.err.split())
    assert "Traceback" not in ended.said
    assert not embedded.calls("CreateListener")  # nothing was begun after it
    embedded.forgive()
    project.inv("setup-fargate", "--yes").check()
    assert account.snapshot() == undisturbed
