"""The doctor and a real account: what it says of one that is empty, well, unwell, or closed to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from lobster_tasks import converge, stack
from lobster_tasks.aws import Aws
from lobster_tasks.doctor import Check, consult, examine
from lobster_tasks.errors import CredentialsError
from lobster_tasks.rollout import deploy
from lobster_tasks.settings import Settings, load
from tests.doctor.facts import definition
from tests.embedded.images import push, web_app
from tests.embedded_process import PATIENCE, EmbeddedProcess, control, eventually

KEY = "arn:aws:kms:us-east-2:123456789012:key/11111111-2222-3333-4444-555555555555"


def examined(aws: Aws, settings: Settings, folder: Path) -> dict[str, Check]:
    """Every check by its id."""
    return {check.id: check for check in examine(aws, settings, folder).checks}


def by_status(checks: Mapping[str, Check], status: str) -> dict[str, str]:
    """What the checks of that status saw."""
    return {name: check.saw for name, check in checks.items() if check.status == status}


def statement(**members: Any) -> str:
    """A policy that allows one thing."""
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **members}]})


@pytest.fixture
def settings(embedded: EmbeddedProcess) -> Settings:
    """Settings with a secret, a key of a secret and a parameter, which are there."""
    secrets = embedded.client("secretsmanager")
    plain = secrets.create_secret(Name="openai", SecretString="x")["ARN"]
    keyed = secrets.create_secret(Name="stripe", SecretString='{"key": "x"}', KmsKeyId=KEY)["ARN"]
    embedded.client("ssm").put_parameter(Name="/app/ncbi", Value="x", Type="SecureString")
    named = {"OPENAI": plain, "STRIPE": f"{keyed}:key::", "NCBI": "/app/ncbi"}
    return load({"container": {"secrets": named}})


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a Dockerfile."""
    (tmp_path / "Dockerfile.streamlit").write_text(
        'FROM python:3.13\nUSER 1\nCMD ["streamlit", "run", "app.py"]\n'
    )
    return tmp_path


@pytest.fixture
def account(embedded: EmbeddedProcess, aws: Aws, settings: Settings) -> EmbeddedProcess:
    """An account with the stack, and a release that serves."""
    resources = stack.build(settings, aws.account, aws.partition)
    converge.apply(aws, converge.plan(resources, converge.read(aws, resources)), lambda _: None)
    embedded.client("iam").put_role_policy(
        RoleName="ecsTaskExecutionRole",
        PolicyName="decrypt",
        PolicyDocument=statement(Action="kms:Decrypt", Resource=KEY),
    )
    push(embedded.client("ecr"), web_app(), repository="homara", tag="v1")
    ended = deploy(aws, settings, "v1")
    assert ended.verdict == "live", ended.cause
    return embedded


def test_an_empty_account(aws: Aws, project: Path) -> None:
    checks = examined(aws, Settings(), project)
    missing = by_status(checks, "fail")
    assert missing.keys() == {
        *("roles.execution", "roles.task", "load-balancer.active", "targets.kind"),
        *("ecs.cluster", "ecs.service", "ecs.revision", "logs.group"),
    }
    assert all(checks[name].fix for name in missing)
    assert by_status(checks, "skip")["security.tasks"] == "there is no security group lobster-ecs-sg"
    assert by_status(checks, "skip")["roles.pull"] == "there is no role ecsTaskExecutionRole"
    assert by_status(checks, "warn").keys() == {"roles.service-linked"}
    assert checks["network.subnets"].status == checks["network.routes"].status == "pass"


def test_a_healthy_account(account: EmbeddedProcess, aws: Aws, settings: Settings, project: Path) -> None:
    checks = examined(aws, settings, project)
    assert by_status(checks, "fail") == {}
    assert by_status(checks, "skip") == {}
    assert by_status(checks, "warn") == {}
    assert checks["secrets.exist"].saw == "3 of 3 are there"
    assert checks["roles.secrets"].saw == "ecsTaskExecutionRole can read 3 of 3 secrets"
    assert checks["targets.healthy"].saw == "1 of 1 healthy"


def test_looking_changes_nothing(
    account: EmbeddedProcess, aws: Aws, settings: Settings, project: Path
) -> None:
    control.delete(f"{account.url}/_embedded/calls", timeout=PATIENCE).raise_for_status()
    examine(aws, settings, project)
    calls = control.get(f"{account.url}/_embedded/calls", timeout=PATIENCE).json()
    assert calls
    assert [call["operation"] for call in calls if call["mutating"]] == []


def test_an_unwell_account(account: EmbeddedProcess, aws: Aws, settings: Settings, project: Path) -> None:
    _make_unwell(account)
    checks = examined(aws, settings, project)
    failed = by_status(checks, "fail")
    assert failed["roles.secrets"] == "ecsTaskExecutionRole is not allowed to read OPENAI, STRIPE, NCBI"
    assert "cannot be assumed by ecs-tasks.amazonaws.com" in failed["roles.task"]
    assert failed["secrets.exist"] == "STRIPE, NCBI: the secret does not exist or has no value"
    assert failed["security.tasks"] == (
        "lobster-ecs-sg lets tcp 8500 in from lobster-alb-sg; the container listens on 8501"
    )
    assert failed["logs.group"] == "there is no log group /ecs/lobster-streamlit: no task can start"
    assert failed["load-balancer.listener"] == "HTTP:80 does not forward to lobster-tg"
    assert failed["ecs.image"].endswith("is not in the repository")
    assert "0 of 1 healthy; one is unused" in failed["targets.healthy"]
    assert checks["targets.healthy"].fix == "inv setup-application-load-balancer"
    assert "shows a web server" in by_status(checks, "warn")["targets.health-path"]
    assert by_status(checks, "skip")["answers.page"] == "no load balancer forwards to the service"


def _make_unwell(account: EmbeddedProcess) -> None:
    """One thing broken in each room."""
    iam, ec2, elb = account.client("iam"), account.client("ec2"), account.client("elbv2")
    iam.delete_role_policy(RoleName="ecsTaskExecutionRole", PolicyName="lobster-lobster")
    trust = statement(Principal={"Service": "ec2.amazonaws.com"}, Action="sts:AssumeRole")
    iam.update_assume_role_policy(RoleName="ecsTaskRole", PolicyDocument=trust)
    account.client("ssm").delete_parameter(Name="/app/ncbi")
    account.client("secretsmanager").delete_secret(SecretId="stripe", ForceDeleteWithoutRecovery=True)
    account.client("logs").delete_log_group(logGroupName="/ecs/lobster-streamlit")
    groups = {each["GroupName"]: each for each in ec2.describe_security_groups()["SecurityGroups"]}
    tasks = groups["lobster-ecs-sg"]
    for port, change in (
        (8501, ec2.revoke_security_group_ingress),
        (8500, ec2.authorize_security_group_ingress),
    ):
        change(GroupId=tasks["GroupId"], IpPermissions=[_rule(port, groups["lobster-alb-sg"]["GroupId"])])
    _break_balancing(elb)
    images = account.client("ecr").list_images(repositoryName="homara")["imageIds"]
    account.client("ecr").batch_delete_image(repositoryName="homara", imageIds=images)
    eventually(lambda: "healthy" not in _states(elb))


def _rule(port: int, group: str) -> dict[str, Any]:
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "UserIdGroupPairs": [{"GroupId": group}]}


def _break_balancing(elb: Any) -> None:
    group = elb.describe_target_groups(Names=["lobster-tg"])["TargetGroups"][0]
    elb.modify_target_group(TargetGroupArn=group["TargetGroupArn"], HealthCheckPath="/healthz")
    balancer = elb.describe_load_balancers(Names=["lobster-alb"])["LoadBalancers"][0]["LoadBalancerArn"]
    for listener in elb.describe_listeners(LoadBalancerArn=balancer)["Listeners"]:
        fixed = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}
        elb.modify_listener(ListenerArn=listener["ListenerArn"], DefaultActions=[fixed])


def _states(elb: Any) -> set[str]:
    group = elb.describe_target_groups(Names=["lobster-tg"])["TargetGroups"][0]["TargetGroupArn"]
    found = elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    return {each["TargetHealth"]["State"] for each in found}


@pytest.mark.parametrize(
    ("service", "operation", "unknown"),
    [
        ("ec2", "DescribeRouteTables", {"network.routes", "network.public-address"}),
        ("ssm", "DescribeParameters", {"secrets.exist"}),
        # (roles.decrypt is not known anyway: the key's own policy decides)
        ("iam", "SimulatePrincipalPolicy", {"roles.pull", "roles.logs", "roles.secrets"}),
    ],
)
def test_a_refused_call_stops_no_other_check(
    embedded: EmbeddedProcess,
    aws: Aws,
    settings: Settings,
    project: Path,
    service: str,
    operation: str,
    unknown: set[str],
) -> None:
    resources = stack.build(settings, aws.account, aws.partition)
    converge.apply(aws, converge.plan(resources, converge.read(aws, resources)), lambda _: None)
    before = by_status(examined(aws, settings, project), "skip")
    refusal = {"code": "AccessDenied", "message": "not for you", "status": 403}
    rule = {"service": service, "operation": operation, "error": refusal}
    control.post(f"{embedded.url}/_embedded/faults", json=[rule], timeout=PATIENCE).raise_for_status()
    after = by_status(examined(aws, settings, project), "skip")
    assert after.keys() - before.keys() == unknown
    assert all(operation in after[name] for name in unknown)


@pytest.mark.parametrize(
    ("allowed", "status"),
    [
        ({"Action": "iam:PassRole", "Resource": "*"}, "pass"),
        ({"Action": "iam:GetRole", "Resource": "*"}, "fail"),
        (
            {
                "Action": "iam:PassRole",
                "Resource": "*",
                "Condition": {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
            },
            "pass",
        ),
        (
            {
                "Action": "iam:PassRole",
                "Resource": "*",
                "Condition": {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}},
            },
            "fail",
        ),
    ],
    ids=["may", "may not", "may to ECS", "may to Lambda"],
)
def test_a_few_checks_as_somebody(
    embedded: EmbeddedProcess, aws: Aws, allowed: dict[str, Any], status: str
) -> None:
    resources = stack.build(Settings(), aws.account, aws.partition).slice(["role"])
    converge.apply(aws, converge.plan(resources, converge.read(aws, resources)), lambda _: None)
    iam = embedded.client("iam")
    iam.create_user(UserName="jo")
    iam.put_user_policy(UserName="jo", PolicyName="p", PolicyDocument=statement(**allowed))
    looking = statement(Action=["iam:GetRole", "iam:SimulatePrincipalPolicy"], Resource="*")
    iam.put_user_policy(UserName="jo", PolicyName="looking", PolicyDocument=looking)
    key = iam.create_access_key(UserName="jo")["AccessKey"]
    credentials = {
        "aws_access_key_id": key["AccessKeyId"],
        "aws_secret_access_key": key["SecretAccessKey"],
    }
    as_jo = Aws("us-east-2", endpoint_url=embedded.url, credentials=credentials)
    control.delete(f"{embedded.url}/_embedded/calls", timeout=PATIENCE).raise_for_status()
    checks, _ = consult(as_jo, Settings(), ["roles.pass", "identity.caller"])
    assert {name: check.status for name, check in checks.items()} == {
        "roles.pass": status,
        "identity.caller": "pass",
    }
    assert "user jo" in checks["roles.pass"].saw
    calls = control.get(f"{embedded.url}/_embedded/calls", timeout=PATIENCE).json()
    assert {call["operation"] for call in calls} == {
        "GetCallerIdentity",
        "GetRole",
        "SimulatePrincipalPolicy",
    }


def test_a_few_checks_of_what_is_known_already(aws: Aws) -> None:
    given = {"service": None, "log_group": {"logGroupName": "x", "retentionInDays": 7}}
    checks, _ = consult(aws, Settings(), ["logs.group", "ecs.service"], given)
    assert checks["logs.group"].saw == "/ecs/lobster-streamlit keeps events for 7 days"
    assert checks["ecs.service"].status == "fail"


def test_the_log_group_of_every_container_is_looked_for(embedded: EmbeddedProcess, aws: Aws) -> None:
    for name in ("/ecs/lobster-streamlit", "/ecs/there"):
        embedded.client("logs").create_log_group(logGroupName=name)
    there = definition()
    add = there["containerDefinitions"].append
    add({"name": "proxy", "logConfiguration": _awslogs("/ecs/there")})
    add({"name": "maker", "logConfiguration": _awslogs("/ecs/made", **{"awslogs-create-group": "true"})})
    checks, _ = consult(aws, Settings(), ["logs.group"], {"task_definition": there})
    assert checks["logs.group"].status == "warn"  # it has no retention
    add({"name": "agent", "logConfiguration": _awslogs("/ecs/the")})
    checks, _ = consult(aws, Settings(), ["logs.group"], {"task_definition": there})
    saw = "there is no log group /ecs/the in us-east-2, to which agent writes: no task can start"
    assert (checks["logs.group"].status, checks["logs.group"].saw) == ("fail", saw)


def _awslogs(group: str, **more: str) -> dict[str, Any]:
    options = {"awslogs-group": group, "awslogs-region": "us-east-2", **more}
    return {"logDriver": "awslogs", "options": options}


def test_without_credentials_there_is_nothing_to_look_at(embedded: EmbeddedProcess, project: Path) -> None:
    refusal = {"code": "ExpiredToken", "message": "too old", "status": 403}
    rule = {"service": "sts", "operation": "GetCallerIdentity", "error": refusal}
    control.post(f"{embedded.url}/_embedded/faults", json=[rule], timeout=PATIENCE).raise_for_status()
    keys = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "example"}
    with pytest.raises(CredentialsError):
        examine(Aws("us-east-2", endpoint_url=embedded.url, credentials=keys), Settings(), project)
