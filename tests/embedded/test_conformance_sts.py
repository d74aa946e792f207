"""What STS says about who is calling, and whom it lets assume a role (STS API Reference)."""

from __future__ import annotations

import time
from typing import Any

import pytest
from botocore import UNSIGNED
from botocore.exceptions import ClientError

from tests.embedded.identities import (
    ISSUER,
    PROVIDER,
    allow,
    identity,
    policy,
    role,
    session,
    token,
    trust,
)
from tests.embedded.refusals import refused
from tests.embedded_process import EmbeddedProcess

SUBJECT = "repo:somebody/app:ref:refs/heads/main"
FEDERATED = "sts:AssumeRoleWithWebIdentity"


def test_the_account_is_named(client: Any) -> None:
    """GetCallerIdentity: Account, Arn, UserId; 'no permissions are required'."""
    identity = client("sts").get_caller_identity()
    assert identity["Account"] == "123456789012"
    assert ":123456789012:" in identity["Arn"]
    assert identity["UserId"]


def test_whom_iam_does_not_know_is_the_root_user(client: Any) -> None:
    """IAM User Guide, 'Unique identifiers': the principal ID of the root user is the account's; GetCallerIdentity tells
    its ARN as arn:aws:iam::<account>:root.
    """
    identity = client("sts").get_caller_identity()
    assert (identity["UserId"], identity["Arn"]) == ("123456789012", "arn:aws:iam::123456789012:root")


def test_who_may_do_nothing_may_ask_who_it_is(aws: EmbeddedProcess) -> None:
    """GetCallerIdentity: 'No permissions are required to perform this operation.'"""
    assert session(aws, "nobody").client("sts").get_caller_identity()["Arn"].endswith("/nobody/test")


def test_an_assumed_role_is_the_caller(aws: EmbeddedProcess) -> None:
    """AssumeRole: temporary credentials (ASIA…), arn:aws:sts::<account>:assumed-role/<role>/<session>."""
    answer = aws.client("sts").assume_role(RoleArn=role(aws, "deployer"), RoleSessionName="deploy")
    arn = "arn:aws:sts::123456789012:assumed-role/deployer/deploy"
    assert answer["AssumedRoleUser"]["Arn"] == arn
    assert answer["Credentials"]["AccessKeyId"].startswith("ASIA")
    seen = identity(aws, answer).client("sts").get_caller_identity()
    assert (seen["Arn"], seen["Account"]) == (arn, "123456789012")


def test_a_role_that_does_not_trust_the_caller(client: Any) -> None:
    """AssumeRole: 'you must … be trusted by the role', else AccessDenied."""
    only_ecs = trust({"Service": "ecs-tasks.amazonaws.com"})
    arn = client("iam").create_role(RoleName="task", AssumeRolePolicyDocument=only_ecs)["Role"]["Arn"]
    with refused("AccessDenied", f"is not authorized to perform: sts:AssumeRole on resource: {arn}"):
        client("sts").assume_role(RoleArn=arn, RoleSessionName="me")


def test_a_role_that_is_not_there(client: Any) -> None:
    """AssumeRole says the same of a role that does not exist, so that nobody learns which do."""
    arn = "arn:aws:iam::123456789012:role/none"
    with refused("AccessDenied"):
        client("sts").assume_role(RoleArn=arn, RoleSessionName="me")


def test_a_refusal_is_forbidden(client: Any) -> None:
    """ "AccessDeniedException: You do not have sufficient access to perform this action. HTTP Status Code: 403"
    ('Common Errors' of STS), for the role that is refused as for the action."""
    with pytest.raises(ClientError) as denied:
        client("sts").assume_role(RoleArn="arn:aws:iam::123456789012:role/none", RoleSessionName="me")
    assert denied.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_trust_in_the_account_leaves_it_to_the_callers_policies(aws: EmbeddedProcess) -> None:
    """AssumeRole: where the trust names the account, 'an administrator must attach a policy that allows' the caller."""
    arn = role(aws, "next")
    without, having = session(aws, "without"), session(aws, "having", allow("sts:AssumeRole", arn))
    with refused("AccessDenied"):
        without.client("sts").assume_role(RoleArn=arn, RoleSessionName="me")
    assert having.client("sts").assume_role(RoleArn=arn, RoleSessionName="me")["Credentials"]


def test_trust_in_a_role_by_name_is_enough(aws: EmbeddedProcess) -> None:
    """AssumeRole: 'if the user is in the same account as the role, you can attach a policy to the user, or add the user
    as a principal directly in the role's trust policy'."""
    first = session(aws, "first")
    named = trust({"AWS": "arn:aws:iam::123456789012:role/first"})
    made = aws.client("iam").create_role(RoleName="second", AssumeRolePolicyDocument=named)["Role"]
    assert first.client("sts").assume_role(RoleArn=made["Arn"], RoleSessionName="me")["Credentials"]


def test_a_sessions_own_policy_only_takes_away(aws: EmbeddedProcess) -> None:
    """AssumeRole, Policy: 'the resulting session's permissions are the intersection'."""
    arn = role(aws, "wide", allow(["logs:DescribeLogGroups", "ecs:ListClusters"]))
    narrow = policy(allow("ecs:ListClusters"))
    answer = aws.client("sts").assume_role(RoleArn=arn, RoleSessionName="me", Policy=narrow)
    caller = identity(aws, answer)
    caller.client("ecs").list_clusters()
    with refused("AccessDeniedException"):
        caller.client("logs").describe_log_groups()


def federated(aws: EmbeddedProcess, **condition: Any) -> str:
    """A role that trusts GitHub's provider, which is there."""
    iam = aws.client("iam")
    iam.create_open_id_connect_provider(Url=f"https://{ISSUER}", ClientIDList=["sts.amazonaws.com"])
    document = trust({"Federated": PROVIDER}, FEDERATED, **condition)
    return str(iam.create_role(RoleName="github", AssumeRolePolicyDocument=document)["Role"]["Arn"])


def sign_in(aws: EmbeddedProcess, arn: str, given: str) -> Any:
    """AssumeRoleWithWebIdentity, which 'does not require the use of AWS security credentials'."""
    unsigned = aws.client("sts", signature_version=UNSIGNED)
    return unsigned.assume_role_with_web_identity(
        RoleArn=arn, RoleSessionName="GitHubActions", WebIdentityToken=given
    )


def main_only() -> dict[str, Any]:
    """The conditions of a trust in one branch of one repository."""
    return {"StringEquals": {f"{ISSUER}:aud": "sts.amazonaws.com", f"{ISSUER}:sub": SUBJECT}}


def test_a_workflow_assumes_a_role_without_credentials(aws: EmbeddedProcess) -> None:
    """AssumeRoleWithWebIdentity 'does not require the use of AWS security credentials'."""
    answer = sign_in(aws, federated(aws, **main_only()), token(SUBJECT))
    arn = "arn:aws:sts::123456789012:assumed-role/github/GitHubActions"
    assert answer["AssumedRoleUser"]["Arn"] == arn
    assert identity(aws, answer).client("sts").get_caller_identity()["Arn"] == arn


@pytest.mark.parametrize(
    "subject",
    [
        "repo:somebody/app:ref:refs/heads/other",
        "repo:somebody/app:pull_request",
        "repo:somebody/app:environment:production",
        "repo:somebody-else/app:ref:refs/heads/main",
    ],
)
def test_another_subject_is_not_trusted(aws: EmbeddedProcess, subject: str) -> None:
    """AssumeRoleWithWebIdentity: conditions on <provider>:sub count; 'Not authorized to perform
    sts:AssumeRoleWithWebIdentity'."""
    arn = federated(aws, **main_only())
    with refused("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity"):
        sign_in(aws, arn, token(subject))


def test_an_audience_that_the_trust_does_not_name(aws: EmbeddedProcess) -> None:
    """Conditions on <provider>:aud count, too ("Available keys for AWS OIDC federation")."""
    arn = federated(aws, StringEquals={f"{ISSUER}:aud": "another", f"{ISSUER}:sub": SUBJECT})
    with refused("AccessDenied"):
        sign_in(aws, arn, token(SUBJECT))


CLAIMS = (
    "actor",
    "actor_id",
    "enterprise_id",
    "environment",
    "job_workflow_ref",
    "ref",
    "repository",
    "repository_id",
    "repository_owner_id",
    "workflow",
)


@pytest.mark.parametrize("claim", CLAIMS)
def test_a_claim_that_aws_validates_of_github(aws: EmbeddedProcess, claim: str) -> None:
    """'AWS STS now supports validation of select identity provider specific claims from Google, GitHub, …' (What's New,
    January 2026): token.actions.githubusercontent.com:repository and the others are condition keys of
    AssumeRoleWithWebIdentity (Service Authorization Reference, AWS STS)."""
    arn = federated(aws, StringEquals={f"{ISSUER}:sub": SUBJECT, f"{ISSUER}:{claim}": "mine"})
    assert sign_in(aws, arn, token(SUBJECT, **{claim: "mine"}))["Credentials"]
    for others in ({claim: "theirs"}, {}):
        with refused("AccessDenied"):
            sign_in(aws, arn, token(SUBJECT, **others))


@pytest.mark.parametrize("claim", ["repository_owner", "runner_environment", "event_name"])
def test_a_claim_that_has_no_condition_key(aws: EmbeddedProcess, claim: str) -> None:
    """'Select' claims: of the others the Service Authorization Reference has no condition key, so that a condition on
    one finds no value ("Condition operators", a key that is not there)."""
    arn = federated(aws, StringEquals={f"{ISSUER}:sub": SUBJECT, f"{ISSUER}:{claim}": "mine"})
    with refused("AccessDenied"):
        sign_in(aws, arn, token(SUBJECT, **{claim: "mine"}))


def test_an_issuer_that_aws_does_not_know_has_no_claims_of_its_own(aws: EmbeddedProcess) -> None:
    """The claims are of GitHub's issuer; of any other count sub and aud ("Available keys for AWS OIDC federation")."""
    iam, issuer = aws.client("iam"), "login.example.com"
    provider = iam.create_open_id_connect_provider(
        Url=f"https://{issuer}", ClientIDList=["sts.amazonaws.com"]
    )
    named = {"Federated": provider["OpenIDConnectProviderArn"]}
    document = trust(named, FEDERATED, StringEquals={f"{issuer}:repository": "mine"})
    arn = iam.create_role(RoleName="other", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    with refused("AccessDenied"):
        sign_in(aws, arn, token(SUBJECT, issuer=issuer, repository="mine"))


def test_an_audience_that_the_provider_does_not_have(aws: EmbeddedProcess) -> None:
    """InvalidIdentityToken 'Incorrect token audience': the token's aud is none of the provider's client ids."""
    arn = federated(aws, **main_only())
    with refused("InvalidIdentityToken", "Incorrect token audience"):
        sign_in(aws, arn, token(SUBJECT, "https://github.com/somebody"))


def test_a_provider_that_is_not_there(aws: EmbeddedProcess) -> None:
    """InvalidIdentityToken 'No OpenIDConnect provider found in your account for https://…'."""
    arn = role(aws, "github")
    with refused(
        "InvalidIdentityToken", f"No OpenIDConnect provider found in your account for https://{ISSUER}"
    ):
        sign_in(aws, arn, token(SUBJECT))


def test_a_token_that_has_expired(aws: EmbeddedProcess) -> None:
    """AssumeRoleWithWebIdentity: ExpiredTokenException, 'the web identity token that was passed is expired'."""
    arn = federated(aws, **main_only())
    with refused("ExpiredTokenException"):
        sign_in(aws, arn, token(SUBJECT, exp=int(time.time()) - 1))


@pytest.mark.parametrize("given", ["not-a-token", "a.b.c"])
def test_what_is_no_token(aws: EmbeddedProcess, given: str) -> None:
    """AssumeRoleWithWebIdentity: InvalidIdentityToken, 'could not be validated by AWS'."""
    arn = federated(aws, **main_only())
    with refused("InvalidIdentityToken"):
        sign_in(aws, arn, given)


def test_a_role_that_trusts_no_provider(aws: EmbeddedProcess) -> None:
    """A trust in an account is none in a provider."""
    federated(aws, **main_only())
    arn = role(aws, "people")
    with refused("AccessDenied"):
        sign_in(aws, arn, token(SUBJECT))
