"""No action is in a policy for nothing, and none is missing: the journeys run under the policies' own roles.

A journey is run once; what IAM was asked on the way then judges each policy without each of its parts.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from lobster_tasks.errors import LobsterError
from lobster_tasks.settings import Settings
from tests.conftest import SPEED
from tests.embedded_process import EmbeddedProcess
from tests.project import make

from . import releasing
from .converging import account_of
from .permitted import (
    LIKE_FULL,
    RELEASED,
    Document,
    Part,
    Question,
    RecordedQuestions,
    account_as,
    asked,
    deploy_policy,
    full_settings,
    needless,
    parts,
    refusals,
    released,
    session_with,
    set_up,
    settings_of,
    setup_policy,
)

# What a check would like to know and does without ("not checked"): allowing it would give away more than it tells.
DONE_WITHOUT = {
    (
        "iam:GetRole",
        "arn:aws:iam::123456789012:role/sets-up",
    ),  # the name of whoever sets up is nobody's business
    # Whether an internal load balancer has a distribution: who sets one up has a policy that tells.
    ("cloudfront:ListVpcOrigins", "*"),
    # What is under a parameter's name matters to whoever deploys.
    ("ssm:DescribeParameters", "*"),
}
# What inv status shows of the web ACL is for people, whose policy has it; a workflow's inline policy has to be small.
FOR_PEOPLE = {"wafv2:GetWebACLForResource"}


@pytest.fixture(scope="module")
def setting_up(embedded_process: EmbeddedProcess) -> RecordedQuestions:
    """Everything that the setup policy is for, under that policy."""
    embedded_process.reset()
    settings = full_settings(embedded_process)
    who = session_with(embedded_process, "sets-up", setup_policy(settings))
    embedded_process.forget_calls()
    set_up(account_as(embedded_process, who, settings))
    return RecordedQuestions(settings, asked(embedded_process))


@pytest.fixture(scope="module")
def releasing_it(
    embedded_process: EmbeddedProcess, tmp_path_factory: pytest.TempPathFactory
) -> RecordedQuestions:
    """Everything that the deploy role is for, under that role."""
    settings = release(embedded_process, tmp_path_factory.mktemp("released"), deploy_policy)
    return RecordedQuestions(settings, asked(embedded_process))


def release(embedded: EmbeddedProcess, folder: Path, policy_of: Callable[[Settings], Document]) -> Settings:
    """Do all of it under a role with this policy; the settings, which the policy depends on."""
    embedded.reset()
    key = embedded.client("kms").create_key()["KeyMetadata"]["Arn"]
    secret = unmistakable_secret(embedded.client("secretsmanager"), "lobster/key", key)
    embedded.client("ssm").put_parameter(Name="/lobster/token", Value="hidden", Type="SecureString")
    flags = (*RELEASED, f"container.secrets.KEY={secret}", f"container.secret_keys={key}")
    settings = settings_of(*flags)
    releasing.set_up(embedded, account_of(embedded, SPEED).aws, *flags)
    who = session_with(embedded, "github-deploys", policy_of(settings))
    project = make(folder, embedded.url)
    project.environment |= who.environment
    project.write(
        "invoke.yaml", json.dumps({"lobster": settings.model_dump(mode="json", exclude_unset=True)})
    )
    embedded.forget_calls()
    seen = account_as(embedded, who, settings)
    released(releasing.Account(embedded, seen.aws, settings), project)
    return settings


def unmistakable_secret(secrets: Any, name: str, key: str) -> str:
    """The ARN of a new secret under a key. Its last six characters are no word: a name's part is allowed."""
    asked = {"Name": name, "SecretString": "hidden", "KmsKeyId": key}
    while (arn := str(secrets.create_secret(**asked)["ARN"]))[-6:].islower():
        secrets.delete_secret(SecretId=arn, ForceDeleteWithoutRecovery=True)
    return arn


def denied(questions: list[Question], policy: object) -> set[tuple[str, str]]:
    """What a policy does not allow."""
    return {(each.action, each.resource) for each in questions if not each.allowed_by(policy)}  # type: ignore[arg-type]


def test_setting_up_is_allowed_all_that_it_asks_for(setting_up: RecordedQuestions) -> None:
    assert denied(setting_up.questions, setup_policy(setting_up.settings)) <= DONE_WITHOUT


def test_setting_up_is_allowed_nothing_besides(setting_up: RecordedQuestions) -> None:
    assert needless(setup_policy(setting_up.settings), setting_up.questions) == []


def test_a_release_is_allowed_all_that_it_asks_for(releasing_it: RecordedQuestions) -> None:
    missing = denied(releasing_it.questions, deploy_policy(releasing_it.settings))
    assert {(action, resource) for action, resource in missing if action not in FOR_PEOPLE} <= DONE_WITHOUT


def test_a_release_is_allowed_nothing_besides(releasing_it: RecordedQuestions) -> None:
    assert needless(deploy_policy(releasing_it.settings), releasing_it.questions) == []


SAMPLE = ("iam:PassRole", "ec2:AuthorizeSecurityGroupIngress", "elasticloadbalancing:CreateListener")


def actions(policy: Document) -> list[Part]:
    """A policy without one of its actions, each."""
    return [each for each in parts(policy) if ":" in each.what and not each.what.startswith("arn:")]


def reduced() -> list[Any]:
    """The setup policy without one of its actions, each by its number; a few of them in the ordinary run."""
    return [
        pytest.param(number, marks=() if each.what in SAMPLE else pytest.mark.exhaustive, id=str(each))
        for number, each in enumerate(actions(setup_policy(settings_of(*LIKE_FULL))))
    ]


@pytest.mark.parametrize("number", reduced())
def test_without_an_action_setting_up_is_refused_for_real(
    embedded_process: EmbeddedProcess, number: int
) -> None:
    """The same as above, but run; a check that is refused is a check that was not made, and no error."""
    embedded_process.reset()
    settings = full_settings(embedded_process)
    part = actions(setup_policy(settings))[number]
    account = account_as(embedded_process, session_with(embedded_process, "sets-up", part.policy), settings)
    with suppress(LobsterError):
        set_up(account)
    assert part.what in refusals(embedded_process)


# The secret's ARN is made with the account, and the policy has it: its parts are known by their numbers.
LIKE_IT = (
    *RELEASED,
    "container.secrets.KEY=arn:aws:secretsmanager:us-east-2:123456789012:secret:lobster/key",
)
ACTIONS = [str(each) for each in actions(deploy_policy(settings_of(*LIKE_IT)))]


@pytest.mark.exhaustive
@pytest.mark.parametrize("number", range(len(ACTIONS)), ids=ACTIONS)
def test_without_an_action_a_release_is_refused_for_real(
    embedded_process: EmbeddedProcess, tmp_path: Path, number: int
) -> None:
    left_out: list[Part] = []

    def without_it(settings: Settings) -> Document:
        left_out.append(actions(deploy_policy(settings))[number])
        return left_out[0].policy

    said = ""
    try:
        release(embedded_process, tmp_path, without_it)
    except (LobsterError, AssertionError) as ended:  # however far it came
        said = repr(vars(ended)) if isinstance(ended, LobsterError) else str(ended)
    what = left_out[0].what
    assert str(left_out[0]) == ACTIONS[number]
    assert what in refusals(embedded_process) or what in said, said  # by AWS, or by a look ahead
