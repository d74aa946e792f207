"""IAM policy evaluation, fact by fact.

Sources: IAM User Guide, "Policy evaluation logic", "IAM JSON policy elements reference", "Condition
operators", "Set operators for multi-valued context keys", "Policy variables".
"""

from __future__ import annotations

from typing import Any

import pytest

from embedded_aws.iam.conditions import OPERATORS
from embedded_aws.iam.policy import decide
from embedded_aws.iam.roles import trusts

CLUSTER = "arn:aws:ecs:us-east-2:123456789012:cluster/prod"


def policy(**statement: Any) -> dict[str, Any]:
    """A document with one statement that allows everything unless told otherwise."""
    return {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*", **statement}],
    }


def without(member: str, **statement: Any) -> dict[str, Any]:
    """The same without ``member``."""
    document = policy(**statement)
    del document["Statement"][0][member]
    return document


REQUESTS = [
    ("nothing allows: implicit deny", [], "implicitDeny"),
    ("an allow allows", [policy()], "allowed"),
    ("one statement need not be in a list", [{"Statement": policy()["Statement"][0]}], "allowed"),
    ("a document may be text", ['{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}'], "allowed"),
    ("a deny wins over an allow", [policy(), policy(Effect="Deny")], "explicitDeny"),
    ("also when it comes first", [policy(Effect="Deny"), policy()], "explicitDeny"),
    ("a deny of something else does not", [policy(), policy(Effect="Deny", Action="s3:*")], "allowed"),
    ("actions take *", [policy(Action="ecs:Delete*")], "allowed"),
    ("actions take ?", [policy(Action="ecs:DeleteCluste?")], "allowed"),
    ("actions ignore case", [policy(Action="ECS:deletecluster")], "allowed"),
    ("an action is matched whole", [policy(Action="ecs:Delete")], "implicitDeny"),
    ("one of several actions", [policy(Action=["s3:*", "ecs:DeleteCluster"])], "allowed"),
    ("NotAction excludes", [without("Action", NotAction="ecs:*")], "implicitDeny"),
    ("NotAction takes the rest", [without("Action", NotAction=["s3:*", "ec2:*"])], "allowed"),
    ("the exact resource", [policy(Resource=CLUSTER)], "allowed"),
    ("another resource", [policy(Resource=CLUSTER + "2")], "implicitDeny"),
    ("resources take *", [policy(Resource="arn:aws:ecs:*:*:cluster/*")], "allowed"),
    ("resources take ?", [policy(Resource=CLUSTER[:-1] + "?")], "allowed"),
    ("resources keep case", [policy(Resource=CLUSTER.upper())], "implicitDeny"),
    ("NotResource excludes", [without("Resource", NotResource="*:cluster/prod")], "implicitDeny"),
    ("NotResource takes the rest", [without("Resource", NotResource="*:cluster/dev")], "allowed"),
    ("a dot is a dot", [policy(Resource=CLUSTER.replace("-", "."))], "implicitDeny"),
]


@pytest.mark.parametrize(("policies", "verdict"), [r[1:] for r in REQUESTS], ids=[r[0] for r in REQUESTS])
def test_verdict_on_deleting_the_cluster(policies: list[Any], verdict: str) -> None:
    assert decide(policies, "ecs:DeleteCluster", CLUSTER).verdict == verdict


CONTEXT = {
    "aws:RequestedRegion": "us-east-2",
    "aws:PrincipalTag/team": "blue",
    "aws:PrincipalArn": "arn:aws:iam::123456789012:role/path/deployer",
    "aws:SourceIp": "10.1.2.3",
    "aws:SecureTransport": "true",
    "aws:CurrentTime": "2026-05-01T12:00:00Z",
    "aws:TagKeys": ["stack", "owner"],
    "ecs:task-cpu": "512",
    "star": "*",
}
CONDITIONS: list[tuple[dict[str, Any], bool]] = [
    ({"StringEquals": {"aws:RequestedRegion": "us-east-2"}}, True),
    ({"StringEquals": {"AWS:requestedregion": "us-east-2"}}, True),
    ({"StringEquals": {"aws:RequestedRegion": "US-EAST-2"}}, False),
    ({"StringEquals": {"aws:RequestedRegion": ["eu-west-1", "us-east-2"]}}, True),
    ({"StringEquals": {"aws:RequestedRegion": "us-*"}}, False),
    ({"StringEquals": {"absent": "x"}}, False),
    ({"StringEqualsIfExists": {"absent": "x"}}, True),
    ({"StringEqualsIfExists": {"aws:RequestedRegion": "x"}}, False),
    ({"StringEqualsIgnoreCase": {"aws:RequestedRegion": "US-EAST-2"}}, True),
    ({"StringNotEquals": {"aws:RequestedRegion": "eu-west-1"}}, True),
    ({"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1", "us-east-2"]}}, False),
    ({"StringNotEquals": {"absent": "x"}}, True),
    ({"StringNotEqualsIgnoreCase": {"aws:RequestedRegion": "US-EAST-2"}}, False),
    ({"StringLike": {"aws:RequestedRegion": "us-*"}}, True),
    ({"StringLike": {"aws:RequestedRegion": "us-east-?"}}, True),
    ({"StringNotLike": {"aws:RequestedRegion": "us-*"}}, False),
    ({"StringNotLike": {"aws:RequestedRegion": "eu-*"}}, True),
    ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/path/*"}}, True),
    ({"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::*:role/*/deployer"}}, True),
    ({"ArnLike": {"aws:PrincipalArn": "arn:*:role/path/deployer"}}, False),
    ({"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/other/*"}}, True),
    ({"ArnNotEquals": {"aws:PrincipalArn": "arn:aws:iam::123456789012:role/path/deployer"}}, False),
    ({"Bool": {"aws:SecureTransport": "true"}}, True),
    ({"Bool": {"aws:SecureTransport": True}}, True),
    ({"Bool": {"aws:SecureTransport": "false"}}, False),
    ({"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}}, True),
    ({"Null": {"absent": "true"}}, True),
    ({"Null": {"absent": "false"}}, False),
    ({"Null": {"aws:SourceIp": "true"}}, False),
    ({"Null": {"aws:SourceIp": False}}, True),
    ({"NumericEquals": {"ecs:task-cpu": "512.0"}}, True),
    ({"NumericNotEquals": {"ecs:task-cpu": "512"}}, False),
    ({"NumericLessThan": {"ecs:task-cpu": "1024"}}, True),
    ({"NumericLessThan": {"ecs:task-cpu": "512"}}, False),
    ({"NumericLessThanEquals": {"ecs:task-cpu": 512}}, True),
    ({"NumericGreaterThan": {"ecs:task-cpu": "64"}}, True),
    ({"NumericGreaterThanEquals": {"ecs:task-cpu": "513"}}, False),
    ({"NumericEquals": {"aws:RequestedRegion": "5"}}, False),
    ({"DateGreaterThan": {"aws:CurrentTime": "2026-04-01T00:00:00Z"}}, True),
    ({"DateLessThan": {"aws:CurrentTime": "2026-04-01T00:00:00Z"}}, False),
    ({"DateLessThan": {"aws:CurrentTime": "1900000000"}}, True),
    ({"DateEquals": {"aws:CurrentTime": "2026-05-01T12:00:00Z"}}, True),
    ({"DateNotEquals": {"aws:CurrentTime": "2026-05-01T12:00:00Z"}}, False),
    ({"DateLessThanEquals": {"aws:CurrentTime": "2026-05-01T12:00:00Z"}}, True),
    ({"DateGreaterThanEquals": {"aws:CurrentTime": "2026-05-01"}}, True),
    ({"BinaryEquals": {"star": "Kg=="}}, False),
    ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, True),
    ({"IpAddress": {"aws:SourceIp": "10.1.2.3"}}, True),
    ({"IpAddress": {"aws:SourceIp": ["192.168.0.0/16", "172.16.0.0/12"]}}, False),
    ({"NotIpAddress": {"aws:SourceIp": "192.168.0.0/16"}}, True),
    ({"ForAllValues:StringEquals": {"aws:TagKeys": ["stack", "owner", "cost"]}}, True),
    ({"ForAllValues:StringEquals": {"aws:TagKeys": ["stack"]}}, False),
    ({"ForAllValues:StringEquals": {"absent": ["stack"]}}, True),
    ({"ForAnyValue:StringEquals": {"aws:TagKeys": ["stack"]}}, True),
    ({"ForAnyValue:StringLike": {"aws:TagKeys": ["cost*"]}}, False),
    ({"ForAnyValue:StringEquals": {"absent": ["stack"]}}, False),
    ({"ForAllValues:StringNotEquals": {"aws:TagKeys": ["secret"]}}, True),
    ({"ForAnyValue:StringNotEquals": {"aws:TagKeys": ["stack", "owner"]}}, False),
    ({"StringEquals": {"aws:RequestedRegion": "us-east-2"}, "Bool": {"aws:SecureTransport": "false"}}, False),
    ({"StringEquals": {"aws:RequestedRegion": "us-east-2", "ecs:task-cpu": "1"}}, False),
    ({"StringEquals": {"aws:PrincipalTag/team": "${aws:PrincipalTag/team}"}}, True),
    ({"StringEquals": {"aws:RequestedRegion": "${absent, 'us-east-2'}"}}, True),
    ({"StringEquals": {"aws:RequestedRegion": "${absent}"}}, False),
    ({"StringNotEquals": {"aws:RequestedRegion": "${absent}"}}, False),
    ({"StringLike": {"aws:RequestedRegion": "${star}"}}, False),
    ({"StringLike": {"star": "${*}"}}, True),
    ({"StringLike": {"aws:RequestedRegion": "${*}"}}, False),
]


@pytest.mark.parametrize(("condition", "holds"), CONDITIONS, ids=[str(c) for c, _ in CONDITIONS])
def test_condition(condition: dict[str, Any], holds: bool) -> None:
    decision = decide([policy(Condition=condition)], "ecs:RunTask", "*", CONTEXT)
    assert decision.allowed is holds


def test_every_operator_is_in_the_table() -> None:
    """Each operator that the evaluator knows has its row above."""
    named = {op.rpartition(":")[2].removesuffix("IfExists") for c, _ in CONDITIONS for op in c}
    assert named == OPERATORS


def test_an_unknown_operator_is_an_error_not_a_silent_pass() -> None:
    with pytest.raises(ValueError, match="StringIs"):
        decide([policy(Effect="Deny", Condition={"StringIs": {"a": "b"}})], "ecs:RunTask", "*", {"a": "b"})


def test_a_variable_in_a_resource_takes_the_principals_tag() -> None:
    """'You can use policy variables in the Resource element' (Policy variables)."""
    documents = [policy(Resource="arn:aws:ecs:*:*:cluster/${aws:PrincipalTag/team}")]
    assert decide(documents, "ecs:RunTask", CLUSTER.replace("prod", "blue"), CONTEXT).allowed
    assert not decide(documents, "ecs:RunTask", CLUSTER, CONTEXT).allowed
    assert not decide(documents, "ecs:RunTask", CLUSTER).allowed


def test_a_boundary_limits_what_policies_allow() -> None:
    """'An entity can perform only the actions that are allowed by both' (Permissions boundaries)."""
    boundary = policy(Action="ecs:*")
    assert decide([policy()], "ecs:RunTask", "*", None, boundary).allowed
    outside = decide([policy()], "s3:GetObject", "*", None, boundary)
    assert (outside.verdict, outside.within_boundary) == ("implicitDeny", False)
    denied = decide([policy()], "ecs:RunTask", "*", None, policy(Effect="Deny"))
    assert denied.verdict == "explicitDeny"
    assert not decide([], "ecs:RunTask", "*", None, boundary).allowed


def test_a_decision_names_its_statements_and_the_keys_it_missed() -> None:
    """MatchedStatements and MissingContextValues (SimulatePrincipalPolicy)."""
    documents = [
        policy(Action="s3:*"),
        policy(Condition={"StringEquals": {"aws:SourceVpc": "vpc-1"}}),
        policy(),
    ]
    decision = decide(documents, "ecs:RunTask")
    assert decision.matched == ((2, 0),)
    assert decision.missing == ("aws:SourceVpc",)


def trust(principal: Any, **more: Any) -> dict[str, Any]:
    """A trust policy for one principal."""
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **more}
    return {"Version": "2012-10-17", "Statement": [statement]}


TASKS = "ecs-tasks.amazonaws.com"
SOURCE = {
    "StringEquals": {"aws:SourceAccount": "123456789012"},
    "ArnLike": {"aws:SourceArn": "arn:aws:ecs:us-east-2:123456789012:*"},
}
TASK = {
    "aws:SourceAccount": "123456789012",
    "aws:SourceArn": "arn:aws:ecs:us-east-2:123456789012:task/c/t",
}


@pytest.mark.parametrize(
    ("document", "context", "trusted"),
    [
        (trust({"Service": TASKS}), {}, True),
        (trust({"Service": ["x.amazonaws.com", TASKS]}), {}, True),
        (trust({"Service": "tasks.apprunner.amazonaws.com"}), {}, False),
        (trust({"AWS": "123456789012"}), {}, False),
        (trust("*"), {}, True),
        (trust({"Service": TASKS}, Action="sts:*"), {}, True),
        (trust({"Service": TASKS}, Action="sts:AssumeRoleWithWebIdentity"), {}, False),
        (trust({"Service": TASKS}, Effect="Deny"), {}, False),
        (trust({"Service": TASKS}, Condition=SOURCE), TASK, True),
        (trust({"Service": TASKS}, Condition=SOURCE), {**TASK, "aws:SourceAccount": "2"}, False),
        (trust({"Service": TASKS}, Condition=SOURCE), {}, False),
    ],
)
def test_trust_in_the_ecs_agent(document: Any, context: dict[str, str], trusted: bool) -> None:
    """'The role's trust policy must name ecs-tasks.amazonaws.com' (Amazon ECS task execution IAM role)."""
    assert trusts(document, TASKS, context) is trusted


GITHUB = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
SUB = {"StringLike": {"token.actions.githubusercontent.com:sub": "repo:o/r:*"}}


@pytest.mark.parametrize(
    ("sub", "trusted"), [("repo:o/r:ref:refs/heads/main", True), ("repo:x/r:ref", False)]
)
def test_trust_in_a_workflow_of_one_repository(sub: str, trusted: bool) -> None:
    """'Configuring the role and trust policy' (GitHub, OpenID Connect in Amazon Web Services)."""
    action = "sts:AssumeRoleWithWebIdentity"
    document = trust({"Federated": GITHUB}, Action=action, Condition=SUB)
    context = {"token.actions.githubusercontent.com:sub": sub}
    assert trusts(document, GITHUB, context, kind="Federated", action=action) is trusted


@pytest.mark.parametrize("named", ["123456789012", "arn:aws:iam::123456789012:root"])
def test_an_account_stands_for_everyone_in_it(named: str) -> None:
    """'When you specify an AWS account, you can use the account ARN or a shortened form' (Principal)."""
    someone = "arn:aws:iam::123456789012:role/deployer"
    assert trusts(trust({"AWS": named}), someone, kind="AWS")
    assert not trusts(trust({"AWS": named}), someone.replace("123", "923"), kind="AWS")
