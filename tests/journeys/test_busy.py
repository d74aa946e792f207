"""Two deployments of one service at once."""

from __future__ import annotations

import pytest

from lobster_tasks.errors import NotReadyError
from lobster_tasks.rollout import deploy

from .releasing import Account, said
from .traffic import Traffic, ask


def under_way(account: Account) -> str:
    """Release ``one``, and somebody's deployment of a slow ``two`` under way over it; the address."""
    first = account.deploy("one")
    slow = account.register(account.push("two", START_DELAY="1").by_digest)
    account.update(taskDefinition=slow)
    account.push("three")
    assert first.url is not None
    return first.url


def test_waiting_for_another_deployment(account: Account) -> None:
    url = under_way(account)
    with Traffic(url) as traffic:
        outcome = deploy(account.aws, account.settings, "three")
    assert (outcome.verdict, ask(url)) == ("live", "three")
    assert "of revision 3 is in progress: waiting for it" in said(outcome)
    assert "of revision 3 is over" in said(outcome)
    assert outcome.previous_task_definition == account.revisions()[2]
    assert traffic.answers.keys() == {"one", "two", "three"}


def test_taking_the_place_of_another_deployment(account: Account) -> None:
    url = under_way(account)
    outcome = deploy(account.aws, account.settings, "three", if_busy="supersede")
    assert (outcome.verdict, ask(url)) == ("live", "three")
    assert "replacing it" in said(outcome)


def test_refusing_while_another_deployment_is_under_way(account: Account) -> None:
    under_way(account)
    account.forget_calls()
    with pytest.raises(NotReadyError) as busy:
        deploy(account.aws, account.settings, "three", if_busy="refuse")
    assert busy.value.code == "service-busy"
    assert "of revision 3 is in progress." in busy.value.what
    short = account.with_settings("deployment.wait_minutes=0.01")
    with pytest.raises(NotReadyError) as waited:
        deploy(short.aws, short.settings, "three")
    assert "waited 0.01 minutes" in waited.value.why
    assert "--if-busy supersede" in waited.value.next_step
    assert not account.calls()


def test_what_is_under_way_is_what_is_wanted(account: Account) -> None:
    under_way(account)
    outcome = deploy(account.aws, account.settings, "two", if_busy="refuse")
    assert outcome.verdict == "live"
    assert "this revision is being deployed already" in said(outcome)
