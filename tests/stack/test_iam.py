"""Roles: policies compared by what they mean, and other people's left alone."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest

from lobster_tasks import converge, stack
from lobster_tasks.account import delete_role
from lobster_tasks.aws import Aws
from lobster_tasks.errors import RefusedError
from lobster_tasks.settings import load
from lobster_tasks.stack import Live, LiveResources
from lobster_tasks.stack.iam import Role, canonical
from tests.embedded_process import EmbeddedProcess

from .stand import Stand

ALLOW = {"Effect": "Allow", "Action": ["a:B", "a:A"], "Resource": ["r"]}
TRUST = {
    "Version": "2012-10-17",
    "Statement": {
        "Effect": "Allow",
        "Principal": {"Service": "ecs-tasks.amazonaws.com"},
        "Action": "sts:AssumeRole",
    },
}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ({"Statement": [ALLOW]}, {"Statement": ALLOW}, True),
        ({"Statement": [ALLOW]}, json.dumps({"Statement": [ALLOW]}, indent=4), True),
        (
            {"Statement": [ALLOW]},
            {"Statement": [{"Resource": "r", "Action": ["a:A", "a:B"], "Effect": "Allow"}]},
            True,
        ),
        ({"Statement": [ALLOW, {"Sid": "x"}]}, {"Statement": [{"Sid": "x"}, ALLOW]}, True),
        ({"Statement": [ALLOW]}, {"Statement": [{**ALLOW, "Action": "a:B"}]}, False),
        ({"Statement": [ALLOW]}, {"Statement": [{**ALLOW, "Effect": "Deny"}]}, False),
        ({"Statement": [ALLOW]}, {"Version": "2012-10-17", "Statement": [ALLOW]}, False),
        ({"Principal": {"Service": "s"}}, {"Principal": {"Service": ["s"]}}, True),
        ("", {}, True),
        ("", {"Statement": []}, False),
    ],
)
def test_policies_are_compared_by_what_they_mean(one: Any, other: Any, same: bool) -> None:
    assert (canonical(one) == canonical(other)) == same


@pytest.mark.parametrize(
    ("attribute", "value", "words"),
    [
        ("trust", {"Statement": {"Principal": {"Service": "ecs.amazonaws.com"}}}, "ecs.amazonaws.com"),
        (
            "trust",
            {"Statement": [{"Principal": {"AWS": "1", "Service": "s"}}, {"Principal": "*"}]},
            "*, 1, s",
        ),
        ("trust", {"Statement": []}, "nobody"),
        ("policy", {"Statement": [ALLOW, {"Action": "c:C"}]}, "3 actions"),
        ("policy", "", "none"),
    ],
)
def test_policies_in_short(attribute: str, value: Any, words: str) -> None:
    assert Role("r", "s", "", "").describe(attribute, canonical(value)) == words


def test_secrets_come_into_the_execution_roles_policy(aws: Aws) -> None:
    Stand.of(aws, "role").converge()
    more = Stand.of(aws, "role", container={"secrets": {"KEY": "/lobster/key"}})
    (change,) = more.plan().changes
    assert (change.resource.name, change.reason) == ("ecsTaskExecutionRole", "policy: 6 actions → 7 actions")
    more.converge()
    Stand.of(aws, "role").converge()  # and out again


def test_policies_of_others_stay_and_go_with_the_role(aws: Aws, embedded: EmbeddedProcess) -> None:
    stand, iam = Stand.of(aws, "role"), embedded.client("iam")
    stand.converge()
    policy = {"Version": "2012-10-17", "Statement": {**ALLOW, "Action": "s3:GetObject", "Resource": "*"}}
    iam.put_role_policy(RoleName="ecsTaskRole", PolicyName="theirs", PolicyDocument=json.dumps(policy))
    arn = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
    iam.attach_role_policy(RoleName="ecsTaskRole", PolicyArn=arn)
    assert stand.plan().changes == ()
    stand.remove()  # IAM deletes no role that has a policy
    names = [role["RoleName"] for role in iam.list_roles()["Roles"]]
    assert "ecsTaskRole" not in names


def test_a_role_that_somebody_else_has_deleted_is_no_error(aws: Aws, embedded: EmbeddedProcess) -> None:
    delete_role(aws, "nosuch")
    assert embedded.calls("DeleteRole") == []


def test_a_role_of_an_instance_profile_stays_as_it_is(aws: Aws, embedded: EmbeddedProcess) -> None:
    """DeleteRole refuses it, and without its policies it would be of no use."""
    stand, iam = Stand.of(aws, "role"), embedded.client("iam")
    stand.converge()
    iam.create_instance_profile(InstanceProfileName="theirs")
    iam.add_role_to_instance_profile(InstanceProfileName="theirs", RoleName="ecsTaskExecutionRole")
    policies = iam.list_role_policies(RoleName="ecsTaskExecutionRole")["PolicyNames"]
    live = stand.read()
    made = converge.plan_removal(stand.desired, live, converge.dependents(aws, stand.desired, live))
    assert [change.resource.name for change in made.changes] == ["ecsTaskRole"]
    assert made.remarks[stand.find("role/ecsTaskExecutionRole")] == (
        "others use it: instance profile theirs",
    )
    converge.apply(aws, made, lambda _: None)
    assert iam.list_role_policies(RoleName="ecsTaskExecutionRole")["PolicyNames"] == policies


def test_a_policy_that_has_no_statement_is_no_policy(aws: Aws, embedded: EmbeddedProcess) -> None:
    Stand.of(aws, "role").converge()
    assert embedded.client("iam").list_role_policies(RoleName="ecsTaskRole")["PolicyNames"] == []


def test_every_role_has_the_boundary_from_its_first_moment(aws: Aws, embedded: EmbeddedProcess) -> None:
    boundary = "arn:aws:iam::aws:policy/PowerUserAccess"
    Stand.of(aws, "role", task={"permissions_boundary": boundary}).converge()
    iam = embedded.client("iam")
    for name in ("ecsTaskRole", "ecsTaskExecutionRole"):
        bounds = iam.get_role(RoleName=name)["Role"]["PermissionsBoundary"]
        assert bounds["PermissionsBoundaryArn"] == boundary
    assert Stand.of(aws, "role").plan().changes == ()  # without the setting it is left alone


@pytest.mark.parametrize("setting", ["task.execution_role", "task.task_role", "github.role"])
def test_a_role_with_a_path_is_not_the_one_that_is_named(
    aws: Aws, embedded: EmbeddedProcess, setting: str
) -> None:
    """A role's ARN contains its path ("IAM identifiers"), and what names it here has none."""
    settings = load({"github": {"repository": "octocat/hello-world"}})
    roles = stack.build_access(settings, aws.account, aws.partition) + stack.build(
        settings, aws.account, aws.partition
    ).slice(["role"])
    role = next(each for each in roles.resources if each.setting == setting)
    embedded.client("iam").create_role(
        RoleName=role.name, Path="/service-role/", AssumeRolePolicyDocument=json.dumps(TRUST)
    )
    made = converge.plan(roles, converge.read(aws, roles), adopt=True)
    assert [change.resource for change in made.impossible] == [role]
    with pytest.raises(RefusedError, match=f"{role.label} cannot be changed in place") as refused:
        converge.refuse_impossible(made)
    assert "path: /service-role/ → /; IAM cannot change it" in refused.value.why
    assert f"set {setting} to another name in invoke.yaml" in refused.value.next_step


def test_keys_of_secrets_come_into_the_execution_roles_policy(aws: Aws) -> None:
    key = "arn:aws:kms:us-east-2:123456789012:key/0f1e2d3c-0000-4000-8000-000000000000"
    stand = Stand.of(aws, "role", container={"secret_keys": [key]})
    policy = json.loads(stand.find("role/ecsTaskExecutionRole").policy)
    (decrypt,) = [each for each in policy["Statement"] if each["Action"] == "kms:Decrypt"]
    assert decrypt["Resource"] == [key]


def test_a_projects_own_policy_for_the_task_role(aws: Aws, tmp_path: Path) -> None:
    allow = {**ALLOW, "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/${aws:username}"}
    path = tmp_path / "task-definitions" / "task-role-policy.json.j2"
    path.parent.mkdir()
    path.write_text(
        "{% raw %}" + json.dumps({"Version": "2012-10-17", "Statement": [allow]}) + "{% endraw %}"
    )
    with contextlib.chdir(tmp_path):
        stand = Stand.of(aws, "role")
    assert json.loads(stand.find("role/ecsTaskRole").policy)["Statement"] == [allow]


# Names that a careless rule takes for one another: beginnings, what a Sid does not take, the escape itself, numbers.
STACKS = (
    *("lobster", "lobster2", "lobster21", "lobster2Zn", "lobster2Zn1", "lobsterZ", "lobsterZZ", "lobsterZn"),
    *(
        "lobster.",
        "lobster-",
        "lobster_",
        "lobster-1",
        "lobster.1",
        "lobsterZd",
        "lobsterd",
        "lobster1",
        "Lobster",
    ),
)


@pytest.mark.parametrize("stack", STACKS)
def test_a_stack_finds_its_own_statements_and_nobody_elses(stack: str) -> None:
    def added(name: str, trust: dict[str, Any]) -> list[dict[str, Any]]:
        role = Role("r", name, policy(f"{name}.amazonaws.com", f"again.{name}.amazonaws.com"), "")
        found = json.loads(
            role.desired_when_adopted(
                Live("arn", {}, {}, {"AssumeRolePolicyDocument": trust}), LiveResources({})
            )["trust"]
        )
        return list(found["Statement"])

    everybodys: list[dict[str, Any]] = []
    for name in STACKS:
        everybodys = added(name, {"Version": "2012-10-17", "Statement": everybodys})
    assert len(everybodys) == 2 * len(STACKS)
    assert all(each["Sid"].isalnum() for each in everybodys)
    again = added(stack, {"Version": "2012-10-17", "Statement": everybodys})
    assert sorted(each["Sid"] for each in again) == sorted(each["Sid"] for each in everybodys)


def policy(*services: str) -> str:
    """A trust with a statement for each service."""
    statements = [
        {"Effect": "Allow", "Principal": {"Service": each}, "Action": "sts:AssumeRole"} for each in services
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
