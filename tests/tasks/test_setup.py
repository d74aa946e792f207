"""Plan, the six slices, setup and teardown, as commands."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.embedded_process import EmbeddedProcess
from tests.project import Project, calls, forget_calls, plain

SLICES = {
    "create-iam-policies": {"role/ecsTaskExecutionRole", "role/ecsTaskRole"},
    "create-security-groups": {"security-group/lobster-alb-sg", "security-group/lobster-ecs-sg"},
    "setup-application-load-balancer": {
        *("load-balancer/lobster-alb", "target-group/lobster-tg", "listener/lobster-alb:80"),
        "security-group/lobster-alb-sg",
    },
    "create-ecs-cluster": {"cluster/lobster-cluster"},
    "create-task-definition": {
        *("role/ecsTaskExecutionRole", "role/ecsTaskRole", "repository/homara"),
        *("log-group//ecs/lobster-streamlit", "task-definition/lobster-streamlit-task"),
    },
    "create-fargate-service": {
        *("role/ecsTaskExecutionRole", "role/ecsTaskRole", "repository/homara"),
        *("log-group//ecs/lobster-streamlit", "task-definition/lobster-streamlit-task"),
        *("load-balancer/lobster-alb", "target-group/lobster-tg", "listener/lobster-alb:80"),
        *("security-group/lobster-alb-sg", "security-group/lobster-ecs-sg"),
        *("cluster/lobster-cluster", "service/lobster-streamlit-service"),
    },
}
CHANGING = (*SLICES, "setup-fargate", "teardown")


def resources(answer: dict[str, Any], action: str) -> set[str]:
    """The resources of all changes, which are of one action."""
    assert {change["action"] for change in answer["changes"]} <= {action}
    assert all(set(change) == {"action", "resource", "reason"} for change in answer["changes"])
    return {change["resource"] for change in answer["changes"]}


def documents(text: str) -> list[dict[str, Any]]:
    """The JSON documents of a text, one after the other."""
    found, decoder, at = [], json.JSONDecoder(), 0
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        each, at = decoder.raw_decode(text, at)
        found.append(each)
    return found


def sids(printed: list[dict[str, Any]]) -> set[str]:
    """The names of all statements."""
    return {each["Sid"] for document in printed for each in document["Statement"]}


def test_policies_are_printed_as_documents_that_can_be_attached(project: Project) -> None:
    moving = ("print-setup-policy", "--migration")
    setup = project.inv("print-setup-policy").check()
    printed = documents(setup.out)
    assert len(printed) == 2
    assert "attach-user-policy --user-name NAME" in setup.err
    assert "TheService" in sids(printed)
    answer = project.inv("print-setup-policy", "--json").check().json
    assert [each["document"] for each in answer["policies"]] == printed
    assert [each["name"] for each in answer["policies"]] == ["lobster-setup-1", "lobster-setup-2"]
    assert "apprunner.service: set the App Runner service" in project.inv(*moving).check(2).err
    assert "add --migration" in project.inv("print-setup-policy", "--edits-policies").check(2).err
    assert "print one, then the other" in project.inv(*moving, "--deploy").check(2).err
    arn = "arn:aws:apprunner:us-east-2:123456789012:service/old-app/0123"
    whole = project.inv(*moving, "--edits-policies", "--set", f"apprunner.service={arn}").check()
    more = {each["Sid"]: each for document in documents(whole.out) for each in document["Statement"]}
    assert not sids(printed) & set(more)
    assert more["TheServiceOfAppRunner"]["Resource"].endswith(":service/old-app/*")
    assert "TheAccountsOwnPolicies" in more


def test_policies_are_written_into_files_that_the_commands_name(project: Project) -> None:
    told = project.inv("print-setup-policy", "--deploy", "--output", "to/attach").check()
    assert told.out == ""
    assert "--policy-document file://to/attach/lobster-deploy.json" in told.err
    written = json.loads((project.folder / "to" / "attach" / "lobster-deploy.json").read_text())
    assert "EnterItsTasks" in sids([written])


def test_plan_changes_nothing_and_says_all(project: Project, embedded: EmbeddedProcess) -> None:
    answer = project.inv("plan", "--json", "--detailed-exitcode").check(8).json
    assert set(answer) == {"changes", "kept", "opens", "warnings", "applied", "url", "cost"}
    assert (answer["applied"], answer["url"], answer["cost"]) == (False, None, {"before": 0.0, "after": 45.4})
    assert resources(answer, "create") == SLICES["create-fargate-service"]
    told = project.inv("plan").check()
    for each in SLICES["create-fargate-service"]:
        assert each.partition("/")[2] in told.out
    assert "12 to create, 1 kept." in told.out
    assert "45.40" in told.out
    assert "front.kind: cloudfront, 38.10 USD instead of 45.40" in " ".join(told.out.split())
    assert "Apply it:  inv setup-fargate" in told.err
    assert not calls(embedded)


@pytest.mark.parametrize(
    "task",
    [
        "create-iam-policies",
        "create-fargate-service",
        *(
            pytest.param(each, marks=pytest.mark.exhaustive)
            for each in SLICES
            if each not in ("create-iam-policies", "create-fargate-service")
        ),
    ],
)
def test_each_slice_stands_alone(project: Project, embedded: EmbeddedProcess, task: str) -> None:
    answer = project.inv(task, "--json").check().json
    assert answer["applied"]
    assert resources(answer, "create") == SLICES[task]
    forget_calls(embedded)
    again = project.inv(task, "--json").check().json
    assert (again["changes"], again["applied"]) == ([], False)
    assert not calls(embedded)


@pytest.mark.parametrize(
    "order",
    [pytest.param(list(SLICES), marks=pytest.mark.exhaustive), list(reversed(SLICES))],
    ids=["forth", "back"],
)
def test_slices_in_any_order_make_the_whole(project: Project, order: list[str]) -> None:
    project.inv(*order).check()
    assert project.inv("plan", "--detailed-exitcode").check(0).out.count("kept") == 14


def test_setup_tells_what_it_made_and_the_address_last(project: Project) -> None:
    done = project.inv("setup-fargate").check()
    assert done.out.startswith("http://127.0.0.1:")
    assert len(done.out.splitlines()) == 1
    for each in SLICES["create-fargate-service"]:
        kind, _, name = each.partition("/")
        assert f"✔ created {kind.replace('-', ' ')} {name}" in done.err
    assert "Done: 12 changes made and verified." in done.err
    answer = project.inv("setup-fargate", "--json").check().json
    assert answer["url"] == done.out.strip()


def test_dry_runs_change_nothing(project: Project, embedded: EmbeddedProcess) -> None:
    project.inv("create-ecs-cluster").check()
    forget_calls(embedded)
    words = [word for task in CHANGING for word in (task, "--dry-run")]
    done = project.inv(*words).check()
    assert "Done" not in done.err
    assert "✔" not in done.err
    answer = project.inv("teardown", "--dry-run", "--json").check().json
    assert answer["applied"] is False
    assert resources(answer, "delete") == SLICES["create-ecs-cluster"]
    assert not calls(embedded)


def test_teardown_without_a_terminal_needs_yes(project: Project, embedded: EmbeddedProcess) -> None:
    project.inv("setup-fargate").check()
    forget_calls(embedded)
    for flags in ((), ("--json",)):
        refused = project.inv("teardown", *flags).check(5)
        assert "Nothing was deleted." in refused.err
        assert "add --yes" in refused.err
    assert refused.json["error"]["exit_code"] == 5
    assert not calls(embedded)
    answer = project.inv("teardown", "--yes", "--json").check().json
    data = {"repository/homara", "log-group//ecs/lobster-streamlit"}
    assert answer["applied"]
    assert resources(answer, "delete") == SLICES["create-fargate-service"] - data
    assert (answer["url"], answer["cost"]["after"]) == (None, 0.0)
    kept = project.inv("teardown", "--yes").check()
    assert "Nothing to do. Kept: repository/homara, log-group//ecs/lobster-streamlit" in kept.err
    project.inv("teardown", "--yes", "--data").check()
    assert "Nothing to do" in project.inv("teardown", "--yes", "--data").check().err


def test_a_terminal_is_asked_and_no_changes_nothing(project: Project, embedded: EmbeddedProcess) -> None:
    for answer in ("n\n", "\n", "\x04", "nonsense\n"):
        shown = project.on_terminal("create-ecs-cluster", answers=answer).check(5)
        assert "Make these 1 changes? [y/N]" in shown.out
        assert "Nothing was changed." in shown.out
    assert not calls(embedded)
    assert "created cluster" in project.on_terminal("create-ecs-cluster", answers="y\n").check().out
    forget_calls(embedded)
    assert "Delete these 1?" in project.on_terminal("teardown", answers="n\n").check(5).out
    assert not calls(embedded)
    shown = project.on_terminal("teardown", "--yes").check()
    assert "[y/N]" not in shown.out
    assert "deleted cluster" in plain(shown.out)


def test_a_no_ends_a_chain(project: Project, embedded: EmbeddedProcess) -> None:
    shown = project.on_terminal("create-ecs-cluster", "create-iam-policies", answers="n\ny\n").check(5)
    assert "ecsTaskRole" not in shown.out
    assert not calls(embedded)


def test_a_role_that_is_wrong_is_put_right_in_words(project: Project, embedded: EmbeddedProcess) -> None:
    project.inv("create-iam-policies").check()
    iam = embedded.client("iam")
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "tasks.apprunner.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    iam.update_assume_role_policy(RoleName="ecsTaskRole", PolicyDocument=json.dumps(trust))
    everything = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}],
    }
    [name] = iam.list_role_policies(RoleName="ecsTaskExecutionRole")["PolicyNames"]
    iam.put_role_policy(
        RoleName="ecsTaskExecutionRole", PolicyName=name, PolicyDocument=json.dumps(everything)
    )
    told = project.inv("plan").check().out
    assert "- tasks.apprunner.amazonaws.com may sts:AssumeRole" in told
    assert (
        "+ ecs-tasks.amazonaws.com may sts:AssumeRole where aws:SourceAccount StringEquals 123456789012"
        in told
    )
    assert "- may s3:* on *" in told
    assert "+ may ecr:GetAuthorizationToken on *" in told
    project.inv("create-iam-policies").check()
    [statement] = iam.get_role(RoleName="ecsTaskRole")["Role"]["AssumeRolePolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "ecs-tasks.amazonaws.com"}


def test_a_change_of_settings_is_named(project: Project) -> None:
    project.inv("setup-fargate").check()
    changes = ("--set", "logs.retention_days=7", "--set", "task.cpu=1024", "--set", "task.memory=2048")
    told = project.inv("plan", *changes).check().out
    assert "retention: 30 days → 7 days" in told
    assert "cpu: 512 → 1024" in told
    assert "2 to change, 11 kept." in told
    project.settings("container: {environment: {GREETING: hello there}}")
    told = project.inv("plan").check().out
    assert "environment GREETING is added" in told
    assert "hello there" not in told  # it might be a secret in the wrong place


def test_prices_are_told_before_and_after(project: Project, embedded: EmbeddedProcess) -> None:
    project.inv("setup-fargate").check()
    answer = project.inv("plan", "--json", "--set", "load_balancer.idle_timeout=60").check().json
    assert answer["cost"]["before"] < answer["cost"]["after"] == 45.4  # no task runs yet
    where = {"cluster": "lobster-cluster", "service": "lobster-streamlit-service"}
    embedded.client("ecs").update_service(**where, desiredCount=1)
    bigger = project.inv("plan", "--set", "task.cpu=4096", "--set", "task.memory=8192").check().out
    assert re.search(r"Fargate 0.5 vCPU, 1 GB, x86 +18.02 +–", bigger)
    assert re.search(r"Fargate 4 vCPU, 8 GB, x86 +– +144", bigger)
    assert project.inv("create-iam-policies", "--json").check().json["cost"] == {"before": 0.0, "after": 0.0}
