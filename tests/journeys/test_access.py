"""GitHub's access: made, narrowed again, shared with others, taken away; and only the one repository has it."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
from botocore import UNSIGNED
from botocore.exceptions import ClientError

from lobster_tasks import converge
from lobster_tasks.aws import Aws
from lobster_tasks.converge import Plan
from lobster_tasks.settings import load
from lobster_tasks.stack import Stack, build_access
from tests.conftest import SPEED
from tests.embedded.identities import ISSUER, PROVIDER, Workflow, trust
from tests.embedded_process import EmbeddedProcess
from tests.journeys.converging import account_of
from tests.project import Project, make

ROLE = "arn:aws:iam::123456789012:role/github-deploys"
APP = Workflow()
MAIN = APP.subjects[0]
OTHER = replace(APP, repository="somebody/other", repository_id=9)
# What administrators may put into a subject ("OpenID Connect reference", "Customizing the token claims").
CLAIMS_OF_A_SUBJECT = (
    *("actor", "base_ref", "context", "environment", "event_name", "head_ref", "job_workflow_ref", "ref"),
    *("repository_owner", "workflow", "workflow_ref"),
)
SUB = f"{ISSUER}:sub"


@dataclass(frozen=True)
class Access:
    """A project with a remote on GitHub, in an account where ``inv setup-aws`` has been run."""

    project: Project
    embedded: EmbeddedProcess
    aws: Aws
    said: str
    out: str

    @property
    def iam(self) -> Any:
        """IAM, by plain boto3."""
        return self.embedded.client("iam")

    @cached_property
    def sts(self) -> Any:
        """STS for somebody without credentials."""
        return self.embedded.client("sts", signature_version=UNSIGNED)

    def condition(self) -> dict[str, Any]:
        """The condition of the deploy role's trust."""
        [statement] = self.iam.get_role(RoleName="github-deploys")["Role"]["AssumeRolePolicyDocument"][
            "Statement"
        ]
        found: dict[str, Any] = statement["Condition"]
        return found

    def lets_in(self, workflow: Workflow, subject: str = "") -> bool:
        """Whether a workflow gets credentials with its token, and this subject where it is not the default one."""
        given = {"RoleArn": ROLE, "RoleSessionName": "workflow", "WebIdentityToken": workflow.token(subject)}
        try:
            self.sts.assume_role_with_web_identity(**given)
        except ClientError as refused:
            if refused.response["Error"]["Code"] != "AccessDenied":
                raise
            return False
        return True

    def stack(self, *flags: str) -> Stack:
        """GitHub's access alone, without the service."""
        settings = load({"github": {"repository": "somebody/app"}}, {}, flags)
        return build_access(settings, "123456789012")

    def reasons(self) -> dict[str, str]:
        """What would be changed, and why."""
        desired = self.stack()
        made = converge.plan(desired, converge.read(self.aws, desired))
        return {each.resource.label: each.reason for each in made.changes}

    def removal(self) -> Plan:
        """The plan of a teardown of it."""
        desired = self.stack()
        live = converge.read(self.aws, desired)
        return converge.plan_removal(desired, live, converge.dependents(self.aws, desired, live))

    def repair(self, *flags: str) -> None:
        """Bring it to what the settings say."""
        desired = self.stack(*flags)
        converge.apply(self.aws, converge.plan(desired, converge.read(self.aws, desired)), lambda _: None)
        converge.verify(self.aws, desired)


@pytest.fixture(scope="module")
def access(tmp_path_factory: pytest.TempPathFactory, embedded_process: EmbeddedProcess) -> Access:
    """Set up once; each test leaves it as it was, or repairs it."""
    embedded_process.reset()
    project = make(tmp_path_factory.mktemp("access"), embedded_process.url)
    for command in (["init", "--quiet"], ["remote", "add", "origin", "https://github.com/somebody/app.git"]):
        subprocess.run(["git", "-C", str(project.folder), *command], check=True)
    ended = project.inv("setup-aws").check()
    return Access(project, embedded_process, account_of(embedded_process, SPEED).aws, ended.said, ended.out)


def test_it_prints_the_variables_and_no_secret(access: Access) -> None:
    assert access.out.splitlines()[1:] == [f"AWS_DEPLOY_ROLE={ROLE}", "AWS_REGION=us-east-2"]
    assert access.iam.list_users()["Users"] == []
    assert "AKIA" not in access.said
    assert "ASIA" not in access.said


def test_the_remote_says_whose_workflows(access: Access) -> None:
    assert access.condition() == {
        "StringEquals": {
            f"{ISSUER}:aud": "sts.amazonaws.com",
            f"{ISSUER}:repository": "somebody/app",
            f"{ISSUER}:ref": "refs/heads/main",
        },
        "StringLike": {SUB: [MAIN, "repo:somebody@*/app@*:ref:refs/heads/main"]},
    }


@pytest.mark.parametrize(
    ("workflow", "trusted"),
    [
        (APP, True),
        (replace(APP, ref="refs/heads/other"), False),
        (replace(APP, ref="refs/tags/v1"), False),
        (replace(APP, environment="production"), False),
        (OTHER, False),
        (replace(APP, repository="else/app", owner_id=3, repository_id=4), False),
    ],
)
def test_only_pushes_to_main_get_in(access: Access, workflow: Workflow, trusted: bool) -> None:
    assert {access.lets_in(workflow, subject) for subject in workflow.subjects} == {trusted}


def test_a_pull_request_does_not_get_in(access: Access) -> None:
    request = replace(APP, ref="refs/pull/1/merge")
    assert not access.lets_in(request, "repo:somebody/app:pull_request")
    assert not access.lets_in(request, "repo:somebody@1/app@2:pull_request")


def made_up(workflow: Workflow, ending: str) -> list[str]:
    """Subjects that look as those of the app do, of a workflow whose administrators choose what is in them."""
    owner, name = workflow.repository.split("/")
    starts = (
        f"repo:{workflow.repository}",
        f"repo:{owner}@{workflow.owner_id}/{name}@{workflow.repository_id}",
    )
    texts = (ending, f"x:{ending}", f"x/app@2:{ending}", f"x@1/app@2:{ending}")
    return [f"{start}:{claim}:{text}" for start in starts for claim in CLAIMS_OF_A_SUBJECT for text in texts]


@pytest.mark.parametrize(
    "flags",
    [
        (),
        ("github.owner_id=1",),
        ("github.repository_id=2",),
        ("github.owner_id=1", "github.repository_id=2"),
        ("github.environment=production",),
    ],
)
def test_nobody_gets_in_by_a_subject_of_their_own(access: Access, flags: tuple[str, ...]) -> None:
    """Neither another repository of the same owner nor another branch: ``*`` in a trust matches ``:`` and ``/`` too."""
    access.repair(*flags)
    expected = replace(APP, environment="production" if "github.environment=production" in flags else "")
    ending = expected.subjects[0].removeprefix("repo:somebody/app:")
    strangers = (OTHER, replace(APP, ref="refs/heads/other"))
    let_in = [
        subject for each in strangers for subject in made_up(each, ending) if access.lets_in(each, subject)
    ]
    assert let_in == []
    assert all(access.lets_in(expected, subject) for subject in expected.subjects)
    access.repair()


def test_a_second_time_there_is_nothing_to_do(access: Access) -> None:
    assert access.project.inv("setup-aws", "--json").check().json["changes"] == []


def test_the_plan_knows_of_it(access: Access) -> None:
    assert access.project.inv("plan", "--json").check().json["changes"] == []


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {f"{ISSUER}:aud": "sts.amazonaws.com"}, "StringLike": {SUB: "repo:somebody/*"}},
        {"StringEquals": {f"{ISSUER}:aud": "sts.amazonaws.com"}, "StringLike": {SUB: ["*", MAIN]}},
        {"StringLike": {SUB: MAIN}},
        {
            "StringEquals": {f"{ISSUER}:aud": "sts.amazonaws.com"},
            "StringLike": {SUB: [MAIN, "repo:somebody@*/app@*:ref:refs/heads/main"]},
        },
        {},
    ],
)
def test_a_trust_that_is_too_wide_is_narrowed(access: Access, condition: dict[str, Any]) -> None:
    wide = trust({"Federated": PROVIDER}, "sts:AssumeRoleWithWebIdentity", **condition)
    access.iam.update_assume_role_policy(RoleName="github-deploys", PolicyDocument=wide)
    assert list(access.reasons()) == ["role/github-deploys"]
    access.repair()
    assert access.reasons() == {}
    assert not access.lets_in(OTHER)
    assert not access.lets_in(OTHER, "repo:somebody@1/other@9:workflow:x/app@2:ref:refs/heads/main")


def test_a_policy_that_is_too_wide_is_narrowed(access: Access) -> None:
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    named = {"RoleName": "github-deploys", "PolicyName": "lobster-lobster"}
    access.iam.put_role_policy(**named, PolicyDocument=json.dumps(everything))
    assert list(access.reasons()) == ["role/github-deploys"]
    access.repair()
    found = access.iam.get_role_policy(**named)["PolicyDocument"]["Statement"]
    assert "*" not in [each["Action"] for each in found]


def test_an_audience_that_is_missing_is_put_back(access: Access) -> None:
    which = {"OpenIDConnectProviderArn": PROVIDER, "ClientID": "sts.amazonaws.com"}
    access.iam.remove_client_id_from_open_id_connect_provider(**which)
    assert list(access.reasons()) == [f"identity-provider/{ISSUER}"]
    access.repair()
    assert access.lets_in(APP)


def test_an_environment_stands_in_the_branchs_place(access: Access) -> None:
    access.repair("github.environment=production")
    assert access.lets_in(replace(APP, environment="production"))
    assert not access.lets_in(APP)
    access.repair()


@pytest.mark.parametrize(
    ("flags", "strangers"),
    [
        (
            ("github.owner_id=1", "github.repository_id=2"),
            (replace(APP, owner_id=3), replace(APP, repository_id=3)),
        ),
        (("github.owner_id=1",), (replace(APP, owner_id=3, repository_id=9),)),
        (("github.repository_id=2",), (replace(APP, owner_id=9, repository_id=3),)),
    ],
)
def test_where_an_id_is_given_nobody_without_it_is_trusted(
    access: Access, flags: tuple[str, ...], strangers: tuple[Workflow, ...]
) -> None:
    access.repair(*flags)
    assert all(access.lets_in(APP, subject) for subject in APP.subjects)
    assert not [each for each in strangers for subject in each.subjects if access.lets_in(each, subject)]
    access.repair()


def test_without_a_repository_it_says_what_to_write(access: Access, tmp_path: Path) -> None:
    nowhere = make(tmp_path, access.embedded.url)
    assert "github.repository" in nowhere.inv("setup-aws").check(2).err


def test_a_provider_that_others_use_stays(access: Access) -> None:
    document = trust({"Federated": PROVIDER}, "sts:AssumeRoleWithWebIdentity")
    access.iam.create_role(RoleName="others", AssumeRolePolicyDocument=document)
    removal = access.removal()
    access.iam.delete_role(RoleName="others")
    assert [each.resource.label for each in removal.changes] == ["role/github-deploys"]
    assert list(removal.remarks.values()) == [("others use it: role others",)]


def test_the_teardown_takes_both_away(access: Access) -> None:
    """The last of this module: nothing is left after it."""
    access.project.inv("teardown", "--yes", "--data").check()
    assert access.iam.list_open_id_connect_providers()["OpenIDConnectProviderList"] == []
    names = [each["RoleName"] for each in access.iam.list_roles()["Roles"]]
    assert "github-deploys" not in names


def test_a_provider_that_is_there_is_used_and_left_behind(access: Access) -> None:
    made = access.iam.create_open_id_connect_provider(Url=f"https://{ISSUER}", ClientIDList=["sigstore"])
    access.repair()
    which = {"OpenIDConnectProviderArn": made["OpenIDConnectProviderArn"]}
    found = access.iam.get_open_id_connect_provider(**which)
    assert set(found["ClientIDList"]) == {"sigstore", "sts.amazonaws.com"}
    assert found["Tags"] == []
    assert [each.resource.label for each in access.removal().changes] == ["role/github-deploys"]
