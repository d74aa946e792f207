"""Wrong commands, settings, environments and accounts: each a clear error, and nothing is changed."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.embedded_process import PATIENCE, EmbeddedProcess, control, eventually
from tests.project import INV, Ended, Project, calls, forget_calls

SECRET = "sk-live-0123456789abcdefABCDEF"


def check(project: Project, ended: Ended, code: int, *texts: str) -> None:
    """It ended with the code, said why, said what to do where it can, and kept secrets to itself."""
    ended.check(code)
    for text in texts:
        assert text in ended.err
    for never in ("Traceback", "defect", SECRET, project.environment.get("AWS_SECRET_ACCESS_KEY", SECRET)):
        assert never not in ended.said
    assert "✘ " in ended.err


@dataclass(frozen=True)
class Wrong:
    """One wrong thing: lines of settings, flags, variables, files; the exit code and what has to be said."""

    code: int
    says: tuple[str, ...]
    settings: str = ""
    arguments: tuple[str, ...] = ("plan",)
    environment: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)


# What is found out without asking AWS anything.
SETTINGS = {
    "unknown key": Wrong(
        2, ("healthcheck: there is no such setting", "did you mean health_check"), "healthcheck: {path: /}"
    ),
    "unknown inner key": Wrong(2, ("task.cpus", "did you mean task.cpu"), "task: {cpus: 512}"),
    "no Fargate pair": Wrong(
        2, ("task.memory: Fargate has no 512 MiB with cpu 1024",), "task: {cpu: 1024, memory: 512}"
    ),
    "no Fargate cpu": Wrong(2, ("task.cpu: Fargate has no 300",), "task: {cpu: 300}"),
    "port": Wrong(2, ("container.port", "65535"), "container: {port: 70000}"),
    "ELB name too long": Wrong(2, ("load_balancer.name", "32"), f"load_balancer: {{name: {'a' * 33}}}"),
    "ELB name with underscore": Wrong(
        2, ("load_balancer.target_group", "hyphens"), "load_balancer: {target_group: lobster_tg}"
    ),
    "ELB name internal-": Wrong(
        2, ("load_balancer.name", "internal-"), "load_balancer: {name: internal-alb}"
    ),
    "secret given as value": Wrong(
        2,
        ("container.secrets.OPENAI_API_KEY: looks like a secret's value",),
        f"container: {{secrets: {{OPENAI_API_KEY: {SECRET}}}}}",
    ),
    "not a mapping": Wrong(2, ("lobster: is ['one']",), files={"invoke.yaml": "lobster: [one]\n"}),
    "not YAML": Wrong(
        2, ("invoke.yaml cannot be read.", "line 2, column 1"), files={"invoke.yaml": "lobster: {\n"}
    ),
    "not YAML: a tab": Wrong(2, ("line 2, column 1", "\\t"), files={"invoke.yaml": "lobster:\n\ttask: 1\n"}),
    "a list for a file": Wrong(
        2, ("invoke.yaml cannot be read.", "mapping"), files={"invoke.yaml": "- one\n"}
    ),
    "a key that YAML takes for nothing": Wrong(
        2,
        ("line 2: lobster.container.environment.null means null in YAML", "quotes"),
        "container: {environment: {null: 1}}",
    ),
    "wrong number in the environment": Wrong(
        2, ("task.cpu",), "task: {cpu: 512}", environment={"INVOKE_LOBSTER_TASK_CPU": "many"}
    ),
    "unknown variable": Wrong(
        2, ("INVOKE_LOBSTER_TASK_CPUS", "did you mean"), environment={"INVOKE_LOBSTER_TASK_CPUS": "512"}
    ),
    "a flag without a value": Wrong(2, ("--set", "key=value"), arguments=("plan", "--set", "region")),
    "regions disagree": Wrong(
        2, ("region", "us-east-2", "eu-west-1"), "region: us-east-2", environment={"AWS_REGION": "eu-west-1"}
    ),
    "unknown region": Wrong(2, ("us-esat-2", "did you mean us-east-2"), "region: us-esat-2"),
    "no tag to push": Wrong(2, ("--tag is required.", "inv push-image --tag T"), arguments=("push-image",)),
    "no tag to deploy": Wrong(2, ("--tag T or --registered ARN",), arguments=("deploy",)),
    "no tag to render": Wrong(2, ("--tag is required.",), arguments=("render-task-definition",)),
    "an endpoint that is no URL": Wrong(2, ("is not a URL",), environment={"AWS_ENDPOINT_URL": "localhost"}),
    "an endpoint nobody listens on": Wrong(
        5,
        ("Nothing listens at http://127.0.0.1:9", "inv embedded-aws"),
        environment={"AWS_ENDPOINT_URL": "http://127.0.0.1:9"},
    ),
    "a profile that is not there": Wrong(5, ("nobody",), environment={"AWS_PROFILE": "nobody"}),
    "a number that is none": Wrong(
        2, ("--since soon is not a number of minutes",), arguments=("logs", "--since", "soon")
    ),
    "a port that is none": Wrong(2, ("--port 70000",), arguments=("embedded-aws", "--port", "70000")),
    "a speed that is none": Wrong(2, ("--speed fast",), arguments=("rehearse", "--speed", "fast")),
    "a template with an undefined name": Wrong(
        2,
        ("ecs-task-definition.json.j2, line 1", "fmaily"),
        files={"task-definitions/ecs-task-definition.json.j2": '{"family": {{ task.fmaily | tojson }}}\n'},
    ),
    "a template that makes no JSON": Wrong(
        2,
        ("ecs-task-definition.json.j2", "JSON"),
        files={"task-definitions/ecs-task-definition.json.j2": '{"family": \n'},
    ),
}


@pytest.mark.parametrize("wrong", SETTINGS.values(), ids=SETTINGS.keys())
def test_wrong_before_anything_is_looked_at(
    project: Project, embedded: EmbeddedProcess, wrong: Wrong
) -> None:
    if wrong.settings:
        project.settings(wrong.settings)
    for name, text in wrong.files.items():
        project.write(name, text)
    check(project, project.inv(*wrong.arguments, **wrong.environment), wrong.code, *wrong.says)
    assert not calls(embedded)


def test_all_that_is_wrong_is_said_at_once(project: Project) -> None:
    project.settings("task: {cpu: 300}\ncontainer: {port: 0}\nhealthcheck: 1")
    ended = project.inv("plan")
    check(project, ended, 2, "3 settings are wrong.", "task.cpu", "container.port", "healthcheck")
    assert "task.cpu" in project.inv("plan", "--json").check(2).json["error"]["why"]


def test_a_list_in_the_file_may_be_overridden_by_a_variable(
    project: Project, embedded: EmbeddedProcess
) -> None:
    project.settings("container: {command: [one, two]}")
    project.inv("create-task-definition", INVOKE_LOBSTER_CONTAINER_COMMAND="three four").check()
    found = embedded.client("ecs").describe_task_definition(taskDefinition="lobster-streamlit-task")
    assert found["taskDefinition"]["containerDefinitions"][0]["command"] == ["three", "four"]


def test_no_credentials(project: Project, embedded: EmbeddedProcess) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        del project.environment[name]
    for task in ("plan", "setup-fargate", "status", "validate-fargate-setup"):
        check(project, project.inv(task), 5, "There are no AWS credentials.", "aws sso login")
    assert not calls(embedded)


def _without_default_vpc(embedded: EmbeddedProcess) -> None:
    ec2 = embedded.client("ec2")
    _delete_subnets(ec2, keep=0)
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    for gateway in ec2.describe_internet_gateways()["InternetGateways"]:
        ec2.detach_internet_gateway(InternetGatewayId=gateway["InternetGatewayId"], VpcId=vpc)
    ec2.delete_vpc(VpcId=vpc)


def _with_one_zone(embedded: EmbeddedProcess) -> None:
    _delete_subnets(embedded.client("ec2"), keep=1)


def _delete_subnets(ec2: Any, keep: int) -> None:
    for subnet in ec2.describe_subnets()["Subnets"][keep:]:
        ec2.delete_subnet(SubnetId=subnet["SubnetId"])


def _with_a_foreign_role(embedded: EmbeddedProcess) -> None:
    trust = {"Version": "2012-10-17", "Statement": []}
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "ecs-tasks.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    trust = {"Version": "2012-10-17", "Statement": [statement]}
    embedded.client("iam").create_role(RoleName="ecsTaskRole", AssumeRolePolicyDocument=json.dumps(trust))


def _with_another_stacks_cluster(embedded: EmbeddedProcess) -> None:
    tags = [{"key": "lobster:stack", "value": "somebody-else"}]
    embedded.client("ecs").create_cluster(clusterName="lobster-cluster", tags=tags)


def _with_another_kind_of_load_balancer(embedded: EmbeddedProcess) -> None:
    subnets = [each["SubnetId"] for each in embedded.client("ec2").describe_subnets()["Subnets"][:2]]
    tags = [{"Key": name, "Value": "lobster"} for name in ("lobster:stack", "lobster:adopted")]
    embedded.client("elbv2").create_load_balancer(
        Name="lobster-alb", Subnets=subnets, Scheme="internal", Tags=tags
    )


ACCOUNTS: dict[str, tuple[Callable[[EmbeddedProcess], None], tuple[str, ...]]] = {
    "no default VPC": (_without_default_vpc, ("There is no default VPC in us-east-2.", "create-default-vpc")),
    "one zone": (_with_one_zone, ("in 1 zone", "at least two Availability Zones")),
    "a role that is not ours": (_with_a_foreign_role, ("role/ecsTaskRole (has no stack tag)", "--adopt")),
    "another stack's cluster": (
        _with_another_stacks_cluster,
        ("cluster/lobster-cluster (belongs to the stack somebody-else)",),
    ),
    "what cannot be changed": (
        _with_another_kind_of_load_balancer,
        ("load-balancer/lobster-alb cannot be changed in place", "internal → internet-facing"),
    ),
}


@pytest.mark.parametrize(("arrange", "says"), ACCOUNTS.values(), ids=ACCOUNTS.keys())
def test_an_account_that_will_not_do(
    project: Project,
    embedded: EmbeddedProcess,
    arrange: Callable[[EmbeddedProcess], None],
    says: tuple[str, ...],
) -> None:
    arrange(embedded)
    forget_calls(embedded)
    for words in (("plan",), ("setup-fargate", "--dry-run"), ("setup-fargate",)):
        ended = project.inv(*words).check(5)
        for text in says:
            assert text in ended.err
        assert "Traceback" not in ended.err
        assert "Apply it" not in ended.err
    assert not calls(embedded)


def test_what_is_not_ours_can_be_taken_over(project: Project, embedded: EmbeddedProcess) -> None:
    _with_a_foreign_role(embedded)
    answer = project.inv("create-iam-policies", "--adopt", "--json").check().json
    actions = {change["resource"]: change["action"] for change in answer["changes"]}
    assert actions == {"role/ecsTaskExecutionRole": "create", "role/ecsTaskRole": "adopt"}
    assert project.inv("create-iam-policies", "--json").check().json["changes"] == []


def test_without_a_stack_each_task_says_what_to_do_first(project: Project, embedded: EmbeddedProcess) -> None:
    for words in (("status",), ("deploy", "--tag", "a"), ("push-image", "--tag", "a"), ("logs",)):
        check(project, project.inv(*words), 5, "inv setup-fargate")
    assert not calls(embedded)


def test_a_dockerfile_that_is_not_there(project: Project, embedded: EmbeddedProcess) -> None:
    project.inv("setup-fargate").check()
    (project.folder / "Dockerfile.streamlit").unlink()
    forget_calls(embedded)
    check(project, project.inv("push-image", "--tag", "a"), 5, "Dockerfile.streamlit cannot be read.")
    assert not calls(embedded)


def test_what_aws_refuses_is_told_with_what_to_allow(project: Project, embedded: EmbeddedProcess) -> None:
    fault = {
        "service": "iam",
        "operation": "CreateRole",
        "error": {"code": "AccessDenied", "message": "User: me is not authorized", "status": 403},
    }
    _order(embedded, fault)
    check_ = project.inv("create-iam-policies").check(1)
    assert "AWS refused iam:CreateRole on role/" in check_.err
    assert "allow iam:CreateRole" in check_.err
    assert "Traceback" not in check_.err


def test_a_traceback_only_where_it_is_asked_for(project: Project) -> None:
    quiet = project.inv("plan", "--set", "task.cpu=300").check(2)
    loud = project.inv("plan", "--set", "task.cpu=300", "--debug").check(2)
    assert "Traceback" not in quiet.err
    assert "Traceback" in loud.err


def test_a_folder_that_is_gone_is_told(project: Project) -> None:
    """A shell may stand in a folder that somebody has deleted."""
    gone = project.folder / "gone"
    gone.mkdir()
    run = [
        "sh",
        "-c",
        'rmdir "$PWD"; exec "$@"',
        "sh",
        str(INV),
        "--search-root",
        str(project.folder),
        "settings",
    ]
    done = subprocess.run(
        run, cwd=gone, env=project.environment, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 2, done.stderr
    assert "The current folder does not exist any more." in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_that_goes_meanwhile_is_not_missed(project: Project, embedded: EmbeddedProcess) -> None:
    below = project.folder / "below"
    below.mkdir()
    _order(embedded, {"operation": "CreateCluster", "delay_seconds": 2})
    run = [str(INV), "--search-root", str(project.folder), "create-ecs-cluster"]
    with subprocess.Popen(
        run, cwd=below, env=project.environment, stderr=subprocess.PIPE, text=True
    ) as process:
        eventually(embedded.applied)
        below.rmdir()
        _, told = process.communicate(timeout=600)
    assert process.returncode == 0, told
    assert "created cluster" in told


def _order(embedded: EmbeddedProcess, rule: dict[str, Any]) -> None:

    control.post(f"{embedded.url}/_embedded/faults", json=[rule], timeout=PATIENCE).raise_for_status()
