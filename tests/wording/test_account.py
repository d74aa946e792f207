"""A stack in an account, meddled with everywhere at once: what differs, what puts it right, what a release meets."""

from __future__ import annotations

from typing import Any

import pytest

from lobster_tasks.errors import NotReadyError
from lobster_tasks.rollout import preview
from tests.conftest import SPEED
from tests.embedded.firewalls import web_acl
from tests.embedded.images import push, web_app
from tests.embedded_process import EmbeddedProcess
from tests.journeys.converging import Account, Meddler, account_of, trust
from tests.journeys.test_drift import DRIFTS, SETTINGS

# Each makes a revision by hand, and one of the stack's is looked for among the ten newest.
REVISIONS = [each for each in DRIFTS if each.resource.startswith("task-definition/")]
LEFT_OUT = [
    *REVISIONS[:-5],
    # A role that tells no region, and whose trust names none either, is nobody's.
    *(each for each in DRIFTS if each.spoils or each.attribute in ("region", "trust")),
]
EACH = {(each.resource, each.attribute): each for each in DRIFTS if each not in LEFT_OUT}


@pytest.fixture(scope="module")
def account(embedded_process: EmbeddedProcess) -> Account:
    """An account with the whole stack in it, and an image."""
    embedded_process.reset()
    firewall = "load_balancer.web_acl=" + web_acl(embedded_process, "ours")
    account = account_of(embedded_process, SPEED).with_settings(*SETTINGS, firewall)
    account.converge()
    push(account.client("ecr"), web_app(), repository="homara", tag="one")
    return account


def test_whatever_differs_is_put_right_in_one_plan(account: Account) -> None:
    meddler = Meddler(account)
    for drift in sorted(
        EACH.values(), key=lambda each: each.resource, reverse=True
    ):  # the service before its listener
        drift.do(meddler)
    made = account.plan()
    assert {change.action for change in made.changes} == {"update"}
    found = {(change.resource.label, each) for change in made.changes for each in change.changed}
    assert found >= EACH.keys()
    account.apply(made)
    assert account.plan().changes == ()


@pytest.mark.parametrize("kinds", [("listener",), ("service",), ("role",)])
def test_a_part_of_the_stack_is_as_it_should_be(account: Account, kinds: tuple[str, ...]) -> None:
    made = account.plan(*kinds)
    assert (made.changes, len(made.kept) > 1) == ((), True)


def test_what_a_teardown_deletes(account: Account) -> None:
    made = account.plan_removal()
    assert {change.action for change in made.changes} == {"delete"}
    assert {each.label for each in made.kept} == {"repository/homara", "log-group//ecs/lobster-streamlit"}


@pytest.mark.parametrize(
    ("flags", "document", "code"),
    [
        (["task.task_role=nobody"], None, "task-role-missing"),
        ([], trust("tasks.apprunner.amazonaws.com"), "task-role-not-assumable"),
    ],
)
def test_a_release_that_a_role_would_keep_from_starting(
    account: Account, flags: list[str], document: Any, code: str
) -> None:
    if document:
        account.client("iam").update_assume_role_policy(RoleName="ecsTaskRole", PolicyDocument=document)
    with pytest.raises(NotReadyError) as refused:
        preview(account.aws, account.with_settings(*SETTINGS, *flags).settings, "one")
    assert refused.value.code == code
