"""Whether ECS tasks can assume a role."""

from __future__ import annotations

from typing import Any

import pytest

from lobster_tasks.doctor.check import UnknownError
from lobster_tasks.doctor.trust import objection


def trust(
    principal: Any = "ecs-tasks.amazonaws.com", effect: str = "Allow", **condition: Any
) -> dict[str, Any]:
    """A trust policy with one statement."""
    statement: dict[str, Any] = {
        "Effect": effect,
        "Principal": {"Service": principal},
        "Action": "sts:AssumeRole",
    }
    return {
        "Version": "2012-10-17",
        "Statement": [statement | ({"Condition": condition} if condition else {})],
    }


def asked(document: dict[str, Any]) -> str | None:
    """What is objected to."""
    return objection(document, "123456789012", "aws", "us-east-2")


def _denying_all_but(principal: str, **condition: Any) -> list[dict[str, Any]]:
    """A statement that denies whom it does not name."""
    (statement,) = trust(effect="Deny", **condition)["Statement"]
    del statement["Principal"]
    return [{**statement, "NotPrincipal": {"Service": principal}}]


TASKS = "ecs-tasks.amazonaws.com"
HERE = "arn:aws:ecs:us-east-2:123456789012:"
SOURCE = {"aws:SourceAccount": "123456789012"}
ELSEWHERE = {"aws:SourceAccount": "999999999999"}


@pytest.mark.parametrize(
    "document",
    [
        trust(),
        trust(["ec2.amazonaws.com", "ecs-tasks.amazonaws.com"]),
        trust(StringEquals={"aws:SourceAccount": "123456789012"}),
        trust(StringEquals={"AWS:SourceAccount": ["1", "123456789012"]}),
        trust(ArnLike={"aws:SourceArn": "arn:aws:ecs:us-east-2:123456789012:*"}),
        trust(StringLike={"aws:SourceArn": "arn:aws:ecs:*:123456789012:*"}),
        trust(
            StringEquals={"aws:SourceAccount": "123456789012"},
            ArnLike={"aws:SourceArn": "arn:aws:ecs:us-east-2:123456789012:*"},
        ),
        trust(ArnLike={"aws:SourceArn": ["arn:aws:ecs:us-east-1:123456789012:*", f"{HERE}*"]}),
        trust(ArnEquals={"aws:SourceArn": "arn:*:ecs:*:123456789012:*"}),
        trust(StringLike={"aws:SourceArn": "arn:aws:ecs:*"}),
        trust(StringLike={"aws:SourceAccount": "1234*"}),
        trust(StringEqualsIfExists={"aws:SourceAccount": "123456789012"}),
        trust(StringEqualsIgnoreCase={"aws:SourceAccount": "123456789012"}),
        trust(StringNotEquals={"aws:SourceAccount": "1"}),
        trust(ArnNotLike={"aws:SourceArn": "arn:aws:ecs:eu-west-1:*:*"}),
        trust(Null={"aws:SourceArn": "false"}),
        trust(**{"ForAnyValue:StringEquals": {"aws:SourceAccount": ["1", "123456789012"]}}),
        trust(**{"ForAllValues:StringLike": {"aws:SourceArn": f"{HERE}*"}}),
        {"Statement": [*trust()["Statement"], *_denying_all_but(TASKS)]},
        {
            "Statement": [
                *trust()["Statement"],
                *_denying_all_but("ec2.amazonaws.com", StringEquals=ELSEWHERE),
            ]
        },
        {"Statement": [*trust()["Statement"], *trust("*", "Deny", StringNotEquals=SOURCE)["Statement"]]},
        {"Statement": trust()["Statement"][0]},
        {"Statement": [*trust("ec2.amazonaws.com")["Statement"], *trust()["Statement"]]},
    ],
)
def test_can_be_assumed(document: dict[str, Any]) -> None:
    assert asked(document) is None


@pytest.mark.parametrize(
    ("document", "says"),
    [
        (trust("tasks.apprunner.amazonaws.com"), "it trusts tasks.apprunner.amazonaws.com, not ecs-tasks"),
        ({"Statement": []}, "it trusts nobody"),
        ({}, "it trusts nobody"),
        (
            trust(StringEquals={"aws:SourceAccount": "999999999999"}),
            "requires aws:SourceAccount 999999999999",
        ),
        (trust(ArnLike={"aws:SourceArn": "arn:aws:ecs:us-east-1:123456789012:*"}), "us-east-1"),
        (
            trust(ArnLike={"aws:SourceArn": "arn:aws:ecs:us-east-2:123456789012:cluster/one"}),
            "ECS sends arn:aws:ecs:us-east-2:123456789012:*",
        ),
        ({"Statement": [*trust()["Statement"], *trust(effect="Deny")["Statement"]]}, "it denies ecs-tasks"),
        (trust(StringEquals={"aws:SourceArn": f"{HERE}*"}), "(StringEquals), ECS sends"),
        (trust(StringEqualsIgnoreCase={"aws:SourceArn": f"{HERE}*"}), "(StringEqualsIgnoreCase), ECS sends"),
        (trust(**{"ForAnyValue:StringEquals": {"aws:SourceArn": f"{HERE}*"}}), "ECS sends"),
        (trust(StringEquals={"aws:SourceAccount": "*"}), "ECS sends 123456789012"),
        (trust(StringEquals={"aws:SourceAccount": []}), "ECS sends 123456789012"),
        (trust(ArnLike={"aws:SourceArn": f"{HERE}cluster/*"}), "ECS sends"),
        (trust(StringNotEquals=SOURCE), "(StringNotEquals), ECS sends"),
        (trust(StringNotLikeIfExists={"aws:SourceAccount": ["1", "1234*"]}), "ECS sends"),
        (trust(ArnNotLike={"aws:SourceArn": f"{HERE}*"}), "ECS sends"),
        (trust(Null={"aws:SourceArn": "true"}), "ECS sends"),
        (
            {"Statement": [*trust()["Statement"], *_denying_all_but("ec2.amazonaws.com")]},
            "it denies ecs-tasks",
        ),
        (
            {
                "Statement": [
                    *trust()["Statement"],
                    *trust("*", "Deny", StringNotEquals=ELSEWHERE)["Statement"],
                ]
            },
            "it denies ecs-tasks",
        ),
    ],
)
def test_cannot_be_assumed(document: dict[str, Any], says: str) -> None:
    assert says in (asked(document) or "")


MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}


@pytest.mark.parametrize(
    "document",
    [
        trust(**MFA),
        trust(ArnLike={"aws:SourceArn": "arn:aws:ecs:us-east-2:123456789012:task/*"}),
        trust(ArnLike={"aws:SourceArn": "*"}),
        trust(StringEquals={"aws:SourceAccount": "${aws:PrincipalAccount}"}),
        trust(NumericEquals={"aws:SourceAccount": "123456789012"}),
        trust(Null={"aws:SourceOrgID": "true"}),
        trust(StringEquals={"aws:SourceOrgID": "o-1", "aws:SourceAccount": "123456789012"}),
        {"Statement": [*trust()["Statement"], *trust(effect="Deny", **MFA)["Statement"]]},
        {"Statement": [*trust(**MFA)["Statement"], *trust("ec2.amazonaws.com")["Statement"]]},
        {"Statement": {"Effect": "Allow", "NotPrincipal": {"AWS": "1"}, "Action": "sts:AssumeRole"}},
    ],
)
def test_what_is_not_sure_is_no_objection(document: dict[str, Any]) -> None:
    with pytest.raises(UnknownError):
        asked(document)


def test_what_is_sure_counts_beside_what_is_not() -> None:
    expected = {"aws:SourceAccount": "999999999999", "aws:SourceOrgID": "o-1"}
    assert "requires aws:SourceAccount" in (asked(trust(StringEquals=expected)) or "")
    elsewhere = trust(effect="Deny", StringEquals={"aws:SourceAccount": "999999999999"}, **MFA)
    assert asked({"Statement": [*trust()["Statement"], *elsewhere["Statement"]]}) is None
