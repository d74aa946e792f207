"""The migration policy has no action for nothing and lacks none: the move runs under it and the setup policy.

As for the other policies, the journey is run once, and what IAM was asked on the way judges each part of the policy.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lobster_tasks.errors import LobsterError
from lobster_tasks.settings import Settings, load
from tests.embedded_process import EmbeddedProcess, start

from .migrating import SPEED, Moving, beside_setup, furnish, migration_policy, settings_of, stand
from .permitted import Part, Question, asked, needless, needless_beside, parts, refusals, setup_policy

# The steps that are worth running in the ordinary run: each is refused before anything has changed.
SAMPLE = {
    "apprunner:ListOperations": "read",
    "secretsmanager:CreateSecret": "lift",
    "apprunner:PauseService": "pause",
}
# Without --edits-policies clean-up does not look for App Runner's parts of policies, and says so.
NOT_LOOKED_FOR = "iam:GetAccountAuthorizationDetails"
_SERVICES_OF_AN_ACCOUNT = 8


class Place:
    """An account with a release on Fargate, to which services of App Runner come, one at a time."""

    def __init__(self, process: EmbeddedProcess, folder: Path) -> None:
        self.process, self.folder = process, folder
        self.services = self.count = 0
        self.intact: Moving | None = None

    def move(self, policy: Any) -> Moving:
        """A service that is about to be moved, by a new role with this policy for the move of ``moved-N``."""
        if self.intact is None:
            self._renew()
            self.services += 1
            self.intact = Moving(self.process, f"moved-{self.services}", self.folder, {})
            furnish(self.intact)
        self.count += 1
        name = self.intact.name
        return Moving(self.process, name, self.folder, policy(settings_of(name)), role=f"moves-{self.count}")

    def _renew(self) -> None:
        """A new account every now and then: App Runner gives one ten connections, connectors, and so on."""
        if self.services and self.services % _SERVICES_OF_AN_ACCOUNT == 0:
            self.process.reset()
            stand(self.process)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Set up once."""
    with start(speed=SPEED, boot_allowance=2) as process:
        stand(process)
        yield Place(process, tmp_path_factory.mktemp("moving"))


def reduced() -> list[Any]:
    """The policy without one of its actions, each; a few of them in the ordinary run."""
    found = [
        each for each in parts(migration_policy(settings_of("any1"))) if not each.what.startswith("arn:")
    ]
    return [
        pytest.param(each, marks=() if each.what in SAMPLE else pytest.mark.exhaustive, id=str(each))
        for each in found
        if each.what != "*"
    ]


def without(settings: Settings, part: Part) -> Any:
    """The same part left out of the policy of other settings."""
    return next(each.policy for each in parts(migration_policy(settings)) if str(each) == str(part))


@pytest.mark.parametrize("part", reduced())
def test_without_an_action_the_move_is_refused_for_real(place: Place, part: Part) -> None:
    moving = place.move(lambda settings: without(settings, part))
    assert moving.aws.account
    place.process.forget_calls()
    sampled = SAMPLE.get(part.what)
    if sampled is None:
        place.intact = None  # from here on, however this ends
    for step in moving.steps():
        if sampled in (None, step.__name__):
            with suppress(LobsterError):
                step()
        if part.what in refusals(place.process):
            break
    assert part.what in refusals(place.process)


@dataclass(frozen=True)
class Moved:
    """The name of a service that was moved, and what IAM was asked on the way: by the import alone, and in all."""

    name: str
    imported: list[Question]
    questions: list[Question]


@pytest.fixture(scope="module")
def moved(place: Place) -> Moved:
    """A service that was moved."""
    moving = place.move(migration_policy)
    assert moving.aws.account
    place.process.forget_calls()
    for step in (moving.read, moving.lift):
        step()
    imported = asked(place.process)
    for step in (moving.compare, moving.cut_over, moving.pause, moving.delete):
        step()
    place.intact = None
    return Moved(moving.name, imported, asked(place.process))


def for_nothing(moved: Moved, settings: Settings, policy: Any) -> list[str]:
    """The parts of a policy that neither the move beside the setup policy needs, nor the import without that."""
    alone = set(needless(policy, moved.imported))
    return [
        each for each in needless_beside(setup_policy(settings), policy, moved.questions) if each in alone
    ]


def refused(base: Any, policy: Any, questions: list[Question]) -> set[str]:
    """The actions that neither policy allows."""
    return {each.action for each in questions if not each.allowed_by(base) and not each.allowed_by(policy)}


def test_the_move_is_allowed_all_that_it_asks_for(moved: Moved) -> None:
    settings = settings_of(moved.name)
    assert refused(setup_policy(settings), migration_policy(settings), moved.questions) == set()


def test_the_import_needs_no_other_policy(moved: Moved) -> None:
    """It comes first: the setup policy is made of the settings that it writes."""
    policy = migration_policy(settings_of(moved.name))
    assert {each.action for each in moved.imported if not each.allowed_by(policy)} == set()


def test_the_move_is_allowed_nothing_besides(moved: Moved) -> None:
    settings = settings_of(moved.name)
    assert for_nothing(moved, settings, migration_policy(settings)) == []


def test_policies_are_edited_only_where_that_was_asked_for(moved: Moved) -> None:
    settings = settings_of(moved.name)
    policy = migration_policy(settings, edits_policies=False)
    missing = refused(setup_policy(settings), policy, moved.questions)
    assert NOT_LOOKED_FOR in missing
    assert all(action.startswith("iam:") and "Polic" in action for action in missing - {NOT_LOOKED_FOR})
    assert for_nothing(moved, settings, policy) == []


def test_without_domains_of_its_own_no_record_is_changed(moved: Moved) -> None:
    settings = load({}, {}, (f"apprunner.service={moved.name}",))
    policy, setup = migration_policy(settings), setup_policy(settings)
    missing = refused(setup, policy, moved.questions)
    assert missing >= {"route53:ChangeResourceRecordSets", "acm:RequestCertificate"}
    assert all(action.startswith(("acm:", "route53:")) for action in missing)
    assert for_nothing(moved, settings, policy) == []


def test_nothing_of_another_service_or_name_is_touched() -> None:
    settings = settings_of("mine")
    both = beside_setup(settings, migration_policy(settings, edits_policies=False))
    here = "us-east-2:123456789012"
    record = "route53:ChangeResourceRecordSetsNormalizedRecordNames"
    for action, resource, context in (
        ("apprunner:DeleteService", f"arn:aws:apprunner:{here}:service/other/1", "{}"),
        ("apprunner:PauseService", f"arn:aws:apprunner:{here}:service/mine2/1", "{}"),
        ("logs:DeleteLogGroup", f"arn:aws:logs:{here}:log-group:/aws/apprunner/mine2/1/application", "{}"),
        (
            "route53:ChangeResourceRecordSets",
            "arn:aws:route53:::hostedzone/Z1",
            f'{{"{record}": ["mine.org"]}}',
        ),
        ("iam:PutRolePolicy", "arn:aws:iam::123456789012:role/other", "{}"),
        ("secretsmanager:GetSecretValue", f"arn:aws:secretsmanager:{here}:secret:mine/KEY-abcdef", "{}"),
    ):
        assert not Question(action, resource, context).allowed_by(both), action
