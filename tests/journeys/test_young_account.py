"""An account in which nothing was used yet: what AWS refuses at first is waited out, what it holds back is named."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lobster_tasks.aws import Aws
from lobster_tasks.errors import AccountHeldError, AwsCallError, CredentialsError
from lobster_tasks.refusals import PASSING
from lobster_tasks.rollout import follow
from tests.conftest import SPEED
from tests.embedded.firewalls import web_acl
from tests.embedded_process import EmbeddedProcess
from tests.project import Project, plain

from .converging import account_of
from .releasing import Account, said

SCALED = "scaling.max=2"


def every_passing_refusal() -> Iterator[dict[str, Any]]:
    """One fault rule for each refusal that passes: the operations meet all of theirs, one after the other."""
    for operation, codes in PASSING.items():
        service, _, name = operation.partition(":")
        told = [(code, text) for code, texts in codes.items() for text in texts or ("not yet",)]
        for number, (code, text) in enumerate(told, start=1):
            error = {"code": code, "message": f"It was refused: {text}."}
            yield {"service": service, "operation": name, "nth": number, "error": error}


def test_every_refusal_that_passes_is_waited_out(embedded: EmbeddedProcess, aws: Aws) -> None:
    firewall = f"load_balancer.web_acl={web_acl(embedded, 'ours')}"
    account = account_of(embedded, SPEED).with_settings(SCALED, firewall)
    embedded.order(*every_passing_refusal())
    account.converge()
    account.verify()
    assert not account.plan().changes


def test_a_young_account_is_set_up_and_released_to(embedded: EmbeddedProcess, project: Project) -> None:
    embedded.order({"young_account": True})
    project.inv("setup-fargate", "--yes", "--set", SCALED).check()
    project.inv("push-image", "--tag", "one", "--builder", "process").check()
    answer = project.inv("deploy", "--tag", "one", "--set", SCALED, "--json").check().json
    assert answer["verdict"] == "live"


def test_what_is_waited_for_is_told_to_people_only(embedded: EmbeddedProcess, project: Project) -> None:
    error = {"code": "InvalidParameterException", "message": "Unable to assume the service linked role."}
    embedded.order(
        *({"service": "ecs", "operation": "CreateCluster", "nth": nth, "error": error} for nth in (1, 3, 5))
    )
    told = (
        "… waiting, 120 s at most: ECS cannot assume its service-linked role. "
        "InvalidParameterException: Unable to assume the service linked role."
    )
    words = ("create-ecs-cluster", "--yes", "--set")
    assert told in project.inv(*words, "cluster=a").check().err.splitlines()
    ended = project.inv(*words, "cluster=b", "--json").check()
    assert (ended.err, ended.json["applied"]) == ("", True)
    assert told in plain(project.on_terminal(*words, "cluster=c", columns=200).check().out)


def test_credentials_that_are_known_to_sts_only_are_waited_for(embedded: EmbeddedProcess, aws: Aws) -> None:
    error = {"code": "UnrecognizedClientException", "message": "The security token is invalid."}
    embedded.order({"service": "ecs", "operation": "ListClusters", "nth": [1, 2], "error": error})
    with pytest.raises(CredentialsError):
        aws.call("ecs:ListClusters")
    assert aws.account
    assert aws.call("ecs:ListClusters")["clusterArns"] == []


def test_a_refusal_that_does_not_pass_in_time_is_told_as_it_is(embedded: EmbeddedProcess, aws: Aws) -> None:
    error = {"code": "NoSuchEntity", "message": "The role with name r cannot be found."}
    embedded.order({"service": "iam", "operation": "PutRolePolicy", "error": error})
    with pytest.raises(AwsCallError) as refused:
        aws.call("iam:PutRolePolicy", RoleName="r", PolicyName="p", PolicyDocument="{}")
    assert refused.value.why == "NoSuchEntity: The role with name r cannot be found."


def test_an_account_without_load_balancers_is_told_before_anything_else_is_made(
    embedded: EmbeddedProcess, project: Project
) -> None:
    """What AWS may hold back comes first, and with it nothing but what it stands on."""
    embedded.order({"account_hold": "load-balancers"})
    embedded.forget_calls()
    ended = project.inv("setup-fargate", "--yes").check(1)
    assert "AWS does not allow this account to create load balancers yet." in ended.err
    assert "OperationNotPermitted: This AWS account currently does not support" in ended.err
    assert "support case" in ended.err
    made = {call["operation"] for call in embedded.calls(mutating=True)}
    assert made == {"CreateSecurityGroup", "AuthorizeSecurityGroupIngress", "CreateLoadBalancer"}
    embedded.forgive()
    project.inv("setup-fargate", "--yes").check()


HELD = [
    ("ecs:ListClusters", "BlockedException", "Your AWS account was blocked."),
    ("ecs:ListClusters", "SubscriptionRequiredException", "The AWS Access Key Id needs a subscription."),
    ("ec2:DescribeVpcs", "Blocked", "Your account is currently blocked."),
    ("ec2:DescribeVpcs", "PendingVerification", "Your account is pending verification."),
    ("ec2:DescribeVpcs", "OptInRequired", "You are not subscribed to this service."),
    (
        "cloudfront:ListDistributions",
        "AccessDenied",
        "Your account must be verified before you can add resources.",
    ),
]


@pytest.mark.parametrize(("operation", "code", "message"), HELD)
def test_a_hold_on_the_account_is_no_matter_of_permissions(
    embedded: EmbeddedProcess, aws: Aws, operation: str, code: str, message: str
) -> None:
    """Whatever it is that the account is kept from, the next step is AWS's support, not a policy."""
    service, _, name = operation.partition(":")
    embedded.order({"service": service, "operation": name, "error": {"code": code, "message": message}})
    with pytest.raises(AccountHeldError) as held:
        aws.call(operation)
    assert held.value.why == f"{code}: {message}"
    assert "support case" in held.value.next_step


def test_a_quota_that_is_too_small_is_told_before_anything_is_made(
    embedded: EmbeddedProcess, project: Project
) -> None:
    embedded.order({"vcpu_quota": 0.25})
    embedded.forget_calls()
    ended = project.inv("setup-fargate", "--yes").check(5)
    assert "Fargate allows this account 0.25 vCPU at once, and the tasks need 0.5." in ended.err
    assert "aws service-quotas request-service-quota-increase" in ended.err
    assert embedded.calls(mutating=True) == []


def test_a_quota_that_may_not_be_looked_at_is_no_obstacle(
    embedded: EmbeddedProcess, project: Project
) -> None:
    error = {"code": "AccessDeniedException", "message": "not for you"}
    embedded.order({"service": "servicequotas", "operation": "GetServiceQuota", "error": error})
    said = project.inv("setup-fargate", "--yes").check().said
    assert "! not checked: the quota of Fargate: " in said
    assert "→ allow servicequotas:GetServiceQuota" in said


def test_a_release_into_a_vpc_that_lets_nothing_in_is_refused_before_anything_is_changed(
    embedded: EmbeddedProcess, project: Project
) -> None:
    project.inv("setup-fargate", "--yes").check()
    project.inv("push-image", "--tag", "one", "--builder", "process").check()
    ec2 = embedded.client("ec2")
    ec2.modify_vpc_block_public_access_options(InternetGatewayBlockMode="block-ingress")
    ended = project.inv("deploy", "--tag", "one").check(5)
    assert "VPC Block Public Access (block-ingress): visitors do not reach the load balancer" in ended.said
    assert "create-vpc-block-public-access-exclusion" in ended.said


def test_a_release_that_vanishes_for_visitors_names_what_drops_them(account: Account) -> None:
    """Somebody blocks public access after the look-ahead: everything is healthy, and nobody is answered."""
    assert account.deploy("one").verdict == "live"
    ec2 = account.client("ec2")
    ec2.modify_vpc_block_public_access_options(InternetGatewayBlockMode="block-ingress")
    outcome = follow(account.aws, account.settings, account.service()["taskDefinition"])
    assert outcome.cause is not None, said(outcome)
    assert (outcome.verdict, outcome.cause.code) == ("failed", "public-access-blocked")
