"""Every failure ends in the right verdict and names the right cause; a release that goes well names none."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from lobster_tasks.aws import Aws
from lobster_tasks.clock import Clock
from lobster_tasks.rollout import Outcome
from tests.conftest import SPEED
from tests.embedded_process import EmbeddedProcess

from .failures import ALONE, FAILURES, PERMANENT, Ended, Failure, all_of, bring_about
from .releasing import Account, said, set_up

SAMPLE = [each for each in FAILURES if each.sample]
REST = [each for each in FAILURES if not each.sample]


def account_in(embedded: EmbeddedProcess) -> Account:
    """An empty account with the stack in it."""
    embedded.reset()
    keys = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "example"}
    return set_up(
        embedded, Aws("us-east-2", endpoint_url=embedded.url, credentials=keys, clock=Clock(speed=SPEED))
    )


@pytest.fixture(scope="module")
def sample(embedded_process: EmbeddedProcess) -> Mapping[str, Ended]:
    """What came of a sample."""
    return all_of(account_in(embedded_process), SAMPLE)


@pytest.fixture(scope="module")
def rest(embedded_process: EmbeddedProcess) -> Mapping[str, Ended]:
    """What came of all others."""
    return all_of(account_in(embedded_process), REST)


@pytest.mark.parametrize("failure", SAMPLE, ids=lambda failure: failure.name)
def test_a_failure_and_its_cause(failure: Failure, sample: Mapping[str, Ended]) -> None:
    check(failure, sample[failure.name].outcome)


@pytest.mark.exhaustive
@pytest.mark.parametrize("failure", REST, ids=lambda failure: failure.name)
def test_another_failure_and_its_cause(failure: Failure, rest: Mapping[str, Ended]) -> None:
    check(failure, rest[failure.name].outcome)


@pytest.mark.parametrize(
    "failure",
    [pytest.param(each, id=each.name, marks=() if each.sample else pytest.mark.exhaustive) for each in ALONE],
)
def test_a_failure_of_the_whole_account(failure: Failure, account: Account) -> None:
    check(failure, bring_about(account, failure).outcome)


def check(failure: Failure, outcome: Outcome) -> None:
    """Verdict and cause, and that they come with evidence and a remedy."""
    assert outcome.cause is not None, said(outcome)
    told = outcome.verdict, outcome.cause.code, tuple(each.code for each in outcome.also)
    assert told == (failure.verdict, failure.code, failure.also), outcome
    assert tuple(each.code for each in outcome.findings) == failure.findings
    assert outcome.cause.remedy
    assert outcome.cause.evidence or failure.code in ("superseded", "service-gone", "out-of-time")
    assert not outcome.cause.message.endswith("..")
    assert "\x1b" not in "".join(outcome.cause.evidence)
    if failure.code in PERMANENT and failure.verdict == "rolled_back":
        assert "the deployment is stopped and rolled back" in said(outcome)
