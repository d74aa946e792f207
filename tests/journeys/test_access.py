"""GitHub's access: made, narrowed again, shared with others, taken away; and only the one repository has it."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
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
from tests.embedded.identities import ISSUER, PROVIDER, token, trust
from tests.embedded_process import EmbeddedProcess
from tests.journeys.converging import account_of
from tests.project import Project, make

ROLE = "arn:aws:iam::123456789012:role/github-deploys"
MAIN = "repo:somebody/app:ref:refs/heads/main"
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

    def condition(self) -> dict[str, Any]:
        """The condition of the deploy role's trust."""
        [statement] = self.iam.get_role(RoleName="github-deploys")["Role"]["AssumeRolePolicyDocument"][
            "Statement"
        ]
        found: dict[str, Any] = statement["Condition"]
        return found

    def lets_in(self, subject: str) -> bool:
        """Whether a workflow with a token for this subject gets credentials."""
        sts = self.embedded.client("sts", signature_version=UNSIGNED)
        given = {"RoleArn": ROLE, "RoleSessionName": "workflow", "WebIdentityToken": token(subject)}
        try:
            sts.assume_role_with_web_identity(**given)
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
        wanted = self.stack()
        made = converge.plan(wanted, converge.read(self.aws, wanted))
        return {each.resource.label: each.reason for each in made.changes}

    def removal(self) -> Plan:
        """The plan of a teardown of it."""
        wanted = self.stack()
        live = converge.read(self.aws, wanted)
        return converge.plan_removal(wanted, live, converge.dependents(self.aws, wanted, live))

    def repair(self, *flags: str) -> None:
        """Bring it to what the settings say."""
        wanted = self.stack(*flags)
        converge.apply(self.aws, converge.plan(wanted, converge.read(self.aws, wanted)), lambda _: None)
        converge.verify(self.aws, wanted)


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
        "StringEquals": {f"{ISSUER}:aud": "sts.amazonaws.com"},
        "StringLike": {SUB: [MAIN, "repo:somebody@*/app@*:ref:refs/heads/main"]},
    }


@pytest.mark.parametrize(
    ("subject", "trusted"),
    [
        (MAIN, True),
        ("repo:somebody@583231/app@1296269:ref:refs/heads/main", True),
        ("repo:somebody/app:ref:refs/heads/other", False),
        ("repo:somebody/app:ref:refs/tags/v1", False),
        ("repo:somebody/app:pull_request", False),
        ("repo:somebody/app:environment:production", False),
        ("repo:somebody/other:ref:refs/heads/main", False),
        ("repo:else/app:ref:refs/heads/main", False),
        ("repo:somebody@583231/other@1:ref:refs/heads/main", False),
    ],
)
def test_only_pushes_to_main_get_in(access: Access, subject: str, trusted: bool) -> None:
    assert access.lets_in(subject) is trusted


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
        {},
    ],
)
def test_a_trust_that_is_too_wide_is_narrowed(access: Access, condition: dict[str, Any]) -> None:
    wide = trust({"Federated": PROVIDER}, "sts:AssumeRoleWithWebIdentity", **condition)
    access.iam.update_assume_role_policy(RoleName="github-deploys", PolicyDocument=wide)
    assert list(access.reasons()) == ["role/github-deploys"]
    access.repair()
    assert access.reasons() == {}
    assert not access.lets_in("repo:somebody/other:ref:refs/heads/main")


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
    assert access.lets_in(MAIN)


def test_an_environment_stands_in_the_branchs_place(access: Access) -> None:
    access.repair("github.environment=production")
    assert access.lets_in("repo:somebody/app:environment:production")
    assert not access.lets_in(MAIN)
    access.repair()


@pytest.mark.parametrize(
    ("flags", "trusted", "strangers"),
    [
        (
            ("github.owner_id=1", "github.repository_id=2"),
            "repo:somebody@1/app@2:ref:refs/heads/main",
            ("repo:somebody@3/app@2:ref:refs/heads/main", "repo:somebody@1/app@3:ref:refs/heads/main"),
        ),
        (
            ("github.owner_id=1",),
            "repo:somebody@1/app@9:ref:refs/heads/main",
            ("repo:somebody@3/app@9:ref:refs/heads/main",),
        ),
        (
            ("github.repository_id=2",),
            "repo:somebody@9/app@2:ref:refs/heads/main",
            ("repo:somebody@9/app@3:ref:refs/heads/main",),
        ),
    ],
)
def test_where_an_id_is_given_no_subject_without_it_is_trusted(
    access: Access, flags: tuple[str, ...], trusted: str, strangers: tuple[str, ...]
) -> None:
    access.repair(*flags)
    assert access.lets_in(trusted)
    assert not [each for each in (MAIN, *strangers) if access.lets_in(each)]
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
