"""Templates: the plan's task definition, least privilege, and values that cannot break the JSON."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from lobster_tasks import templates
from lobster_tasks.aws import Aws
from lobster_tasks.errors import TemplateError
from lobster_tasks.settings import Settings, load
from tests.embedded_process import PATIENCE

ROOT = Path(__file__).parents[1]
ACCOUNT = "123456789012"
IMAGE = f"{ACCOUNT}.dkr.ecr.us-east-2.amazonaws.com/homara:TAG"
SECRET = f"arn:aws:secretsmanager:us-east-2:{ACCOUNT}:secret:openai-x1Y2z3"
AWKWARD = 'a "b" \\ {{ name }} {% if %} {# c #} </script> & \' % \t ü 漢 \u2028 \n${HOME} $(id) ,}]'


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    """A project's folder, which is the current one, with an empty task-definitions/."""
    (tmp_path / "task-definitions").mkdir()
    with contextlib.chdir(tmp_path):
        yield tmp_path


def write(project: Path, text: str, name: str = templates.TRUST_POLICY) -> None:
    """Write a template of the project's own."""
    (project / "task-definitions" / name).write_text(text, encoding="utf-8")


def definition(settings: Settings, image: str = IMAGE) -> dict[str, Any]:
    """The rendered task definition."""
    return templates.task_definition(settings, ACCOUNT, "aws", image)


def policies(settings: Settings) -> dict[str, dict[str, Any]]:
    """All policies by name, trust policy included."""
    return {
        "trust": templates.trust_policy(settings, ACCOUNT, "aws"),
        "github": templates.github_actions_policy(settings, ACCOUNT, "aws"),
        **templates.role_policies(settings, ACCOUNT, "aws"),
    }


def listed(value: Any) -> list[Any]:
    """A value as a list."""
    return value if isinstance(value, list) else [value]


def statements(settings: Settings, *names: str) -> list[dict[str, Any]]:
    """The statements of some policies."""
    return [each for name in names for each in policies(settings)[name]["Statement"]]


# The plan's documents


def test_the_task_definition_is_the_plans() -> None:
    assert definition(load({})) == {
        "family": "lobster-streamlit-task",
        "requiresCompatibilities": ["FARGATE"],
        "networkMode": "awsvpc",
        "cpu": "512",
        "memory": "1024",
        "runtimePlatform": {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"},
        "executionRoleArn": f"arn:aws:iam::{ACCOUNT}:role/ecsTaskExecutionRole",
        "taskRoleArn": f"arn:aws:iam::{ACCOUNT}:role/ecsTaskRole",
        "containerDefinitions": [
            {
                "name": "lobster-streamlit",
                "image": IMAGE,
                "essential": True,
                "portMappings": [{"containerPort": 8501, "protocol": "tcp"}],
                "environment": [
                    {"name": "PORT", "value": "8501"},
                    {"name": "PYTHONUNBUFFERED", "value": "1"},
                    {"name": "STREAMLIT_SERVER_HEADLESS", "value": "true"},
                ],
                "secrets": [],
                "logConfiguration": {
                    "logDriver": "awslogs",
                    "options": {
                        "awslogs-group": "/ecs/lobster-streamlit",
                        "awslogs-region": "us-east-2",
                        "awslogs-stream-prefix": "ecs",
                    },
                },
            }
        ],
        "tags": [{"key": "lobster:stack", "value": "lobster"}],
    }


def test_the_settings_arrive_in_the_task_definition() -> None:
    settings = load(
        {
            "name": "other",
            "region": "eu-west-1",
            "task": {"family": "f", "cpu": 1024, "memory": 4096, "architecture": "ARM64"},
            "container": {
                "name": "app",
                "port": 80,
                "command": "python app.py",
                "environment": {"B": "2", "a": "1", "PORT": "81"},
                "secrets": {"KEY": SECRET, "PYTHONUNBUFFERED": "/p"},
            },
            "logs": {"group": "/g"},
        }
    )
    made = definition(settings)
    (container,) = made["containerDefinitions"]
    assert (made["family"], made["cpu"], made["memory"]) == ("f", "1024", "4096")
    assert made["runtimePlatform"]["cpuArchitecture"] == "ARM64"
    assert made["tags"] == [{"key": "lobster:stack", "value": "other"}]
    assert (container["name"], container["command"]) == ("app", ["python", "app.py"])
    assert container["portMappings"] == [{"containerPort": 80, "protocol": "tcp"}]
    assert {each["name"]: each["value"] for each in container["environment"]} == {
        "a": "1",
        "B": "2",
        "PORT": "81",
        "STREAMLIT_SERVER_HEADLESS": "true",
    }
    assert container["secrets"] == [
        {"name": "KEY", "valueFrom": SECRET},
        {"name": "PYTHONUNBUFFERED", "valueFrom": "/p"},  # a secret replaces the default of the same name
    ]
    assert container["logConfiguration"]["options"] == {
        "awslogs-group": "/g",
        "awslogs-region": "eu-west-1",
        "awslogs-stream-prefix": "ecs",
    }


def test_both_roles_trust_ecs_tasks_of_this_account_and_region_only() -> None:
    assert policies(load({}))["trust"] == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "ecs-tasks.amazonaws.com"},
                "Action": "sts:AssumeRole",
                "Condition": {
                    "StringEquals": {"aws:SourceAccount": ACCOUNT},
                    "ArnLike": {"aws:SourceArn": f"arn:aws:ecs:us-east-2:{ACCOUNT}:*"},
                },
            }
        ],
    }


def test_the_execution_role_pulls_logs_and_reads_what_is_named() -> None:
    settings = load(
        {
            "container": {
                "secrets": {
                    "A": SECRET,
                    "B": f"{SECRET}:key::",
                    "C": f"arn:aws:secretsmanager:us-east-2:{ACCOUNT}:secret:stripe",
                    "D": f"arn:aws:secretsmanager:us-east-2:{ACCOUNT}:secret:app-stripe",
                    "E": "/lobster/ncbi",
                    "F": "/plain",
                    "G": f"arn:aws:ssm:eu-west-1:{ACCOUNT}:parameter/lobster/other",
                }
            }
        }
    )
    allowed = {each["Sid"]: (each["Action"], each["Resource"]) for each in statements(settings, "execution")}
    repository = f"arn:aws:ecr:us-east-2:{ACCOUNT}:repository/homara"
    group = f"arn:aws:logs:us-east-2:{ACCOUNT}:log-group:/ecs/lobster-streamlit:*"
    secret = f"arn:aws:secretsmanager:us-east-2:{ACCOUNT}:secret:"
    parameter = f"arn:aws:ssm:us-east-2:{ACCOUNT}:parameter/"
    assert allowed == {
        "TokenHasNoResourceLevel": ("ecr:GetAuthorizationToken", "*"),
        "PullTheOneRepository": (
            ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            repository,
        ),
        "WriteTheOneLogGroup": (["logs:CreateLogStream", "logs:PutLogEvents"], group),
        "ReadTheNamedSecrets": (
            "secretsmanager:GetSecretValue",
            [
                # -stripe may be Secrets Manager's own six characters or the end of the name
                f"{secret}app-stripe",
                f"{secret}app-stripe-??????",
                f"{secret}openai-x1Y2z3",
                f"{secret}stripe-??????",
            ],
        ),
        "ReadTheNamedParameters": (
            "ssm:GetParameters",
            [
                f"arn:aws:ssm:eu-west-1:{ACCOUNT}:parameter/lobster/other",
                f"{parameter}lobster/ncbi",
                f"{parameter}plain",
            ],
        ),
    }


def test_without_secrets_there_is_nothing_to_read() -> None:
    sids = {each["Sid"] for each in statements(load({}), "execution")}
    assert sids == {"TokenHasNoResourceLevel", "PullTheOneRepository", "WriteTheOneLogGroup"}


def test_the_task_role_may_do_nothing_by_itself() -> None:
    assert policies(load({}))["task"] == {"Version": "2012-10-17", "Statement": []}


def test_roles_are_passed_to_ecs_tasks_only() -> None:
    passing = [each for each in statements(load({}), "github") if "iam:PassRole" in listed(each["Action"])]
    (statement,) = passing
    role = f"arn:aws:iam::{ACCOUNT}:role/"
    assert statement["Resource"] == [f"{role}ecsTaskExecutionRole", f"{role}ecsTaskRole"]
    assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}


def test_the_deploy_role_raises_the_minimum_of_its_own_auto_scaling_only() -> None:
    def raising(settings: Settings) -> list[Any]:
        made = templates.github_actions_policy(settings, ACCOUNT, "aws")["Statement"]
        return [each for each in made if each["Action"] == "application-autoscaling:RegisterScalableTarget"]

    assert raising(load({})) == []
    [statement] = raising(load({"scaling": {"max": 3}}))
    assert statement["Condition"] == {"StringEquals": {"aws:ResourceTag/lobster:stack": "lobster"}}


def test_nothing_of_app_runner_is_left_in_the_policies() -> None:
    assert "apprunner" not in json.dumps(policies(load({})))
    kept = json.loads((ROOT / "task-definitions" / "apprunner-trust-policy.json").read_text())
    assert kept["Statement"][0]["Principal"] == {"Service": "tasks.apprunner.amazonaws.com"}


def test_another_partition_has_its_own_arns() -> None:
    settings = load({"region": "us-gov-west-1", "container": {"secrets": {"A": "/a"}}})
    for made in (
        templates.trust_policy(settings, ACCOUNT, "aws-us-gov"),
        templates.role_policies(settings, ACCOUNT, "aws-us-gov"),
        templates.github_actions_policy(settings, ACCOUNT, "aws-us-gov"),
        templates.task_definition(settings, ACCOUNT, "aws-us-gov", IMAGE),
    ):
        text = json.dumps(made)
        assert "arn:aws:" not in text
        assert "us-east-2" not in text.replace(IMAGE, "")


@pytest.mark.parametrize(
    "ids", [{}, {"owner_id": 1}, {"repository_id": 2}, {"owner_id": 1, "repository_id": 2}]
)
@pytest.mark.parametrize("partition", ["aws-us-gov", "aws-cn"])
def test_where_sts_knows_no_claims_a_subject_has_no_wildcard(partition: str, ids: dict[str, int]) -> None:
    """A ``*`` would match a custom subject of another repository of the owner."""
    settings = load({"github": {"repository": "somebody/app", **ids}})
    [statement] = templates.github_trust_policy(settings, ACCOUNT, partition)["Statement"]
    known, subject = "token.actions.githubusercontent.com:", "repo:somebody/app:ref:refs/heads/main"
    assert statement["Condition"] == {
        "StringEquals": {f"{known}aud": "sts.amazonaws.com"},
        "StringLike": {
            f"{known}sub": [subject if len(ids) < 2 else "repo:somebody@1/app@2:ref:refs/heads/main"]
        },
    }


# Least privilege

FULL = {"container": {"secrets": {"A": SECRET, "B": "/b"}}}


RELEASING = ("rollout", "images", "probe.py")
FOR_PEOPLE = ("shell.py",)  # inv exec
SIGNED_AS = {"elbv2": "elasticloadbalancing"}


def test_the_deploy_role_may_make_every_call_of_a_release() -> None:
    allowed = {action for each in statements(load({}), "github") for action in listed(each["Action"])}
    files = [file for place in RELEASING for file in _sources(ROOT / "lobster_tasks" / place)]
    calls = {call for file in files for call in re.findall(r'"([a-z0-9]+):([A-Z]\w+)"', file.read_text())}
    assert len(calls) > 20
    assert {f"{SIGNED_AS.get(service, service)}:{operation}" for service, operation in calls} <= allowed


def _sources(place: Path) -> list[Path]:
    found = [place] if place.is_file() else sorted(place.rglob("*.py"))
    return [file for file in found if file.name not in FOR_PEOPLE]


ARN = f"arn:aws:{{}}:us-east-2:{ACCOUNT}:{{}}"
OUR_SERVICE, OUR_REPOSITORY = (
    ARN.format("ecs", "service/lobster-cluster/lobster-streamlit-service"),
    ARN.format("ecr", "repository/homara"),
)
LOG_STREAM = ARN.format("logs", "log-group:/ecs/lobster-streamlit:log-stream:ecs/lobster-streamlit/1")


@pytest.mark.parametrize(
    ("name", "action", "resource", "decision"),
    [
        ("github", "ecs:UpdateService", OUR_SERVICE, "allowed"),
        ("github", "ecs:UpdateService", OUR_SERVICE + "-2", "implicitDeny"),
        ("github", "ecs:DeleteService", OUR_SERVICE, "implicitDeny"),
        ("github", "ecr:PutImage", OUR_REPOSITORY, "allowed"),
        ("github", "ecr:PutImage", OUR_REPOSITORY + "x", "implicitDeny"),
        ("github", "ecr:BatchDeleteImage", OUR_REPOSITORY, "implicitDeny"),
        (
            "github",
            "ecs:RegisterTaskDefinition",
            ARN.format("ecs", "task-definition/lobster-streamlit-task:1"),
            "allowed",
        ),
        ("github", "ecs:RegisterTaskDefinition", ARN.format("ecs", "task-definition/x:1"), "implicitDeny"),
        ("github", "ecs:RegisterTaskDefinition", "*", "implicitDeny"),  # not without the stack's tag
        ("github", "logs:GetLogEvents", LOG_STREAM, "allowed"),
        ("github", "iam:CreateRole", f"arn:aws:iam::{ACCOUNT}:role/x", "implicitDeny"),
        ("github", "iam:GetRole", f"arn:aws:iam::{ACCOUNT}:role/ecsTaskRole", "allowed"),
        ("github", "iam:GetRole", f"arn:aws:iam::{ACCOUNT}:role/admin", "implicitDeny"),
        ("github", "secretsmanager:DescribeSecret", SECRET, "allowed"),
        ("github", "secretsmanager:GetSecretValue", SECRET, "implicitDeny"),
        ("execution", "ecr:BatchGetImage", OUR_REPOSITORY, "allowed"),
        ("execution", "ecr:BatchGetImage", ARN.format("ecr", "repository/other"), "implicitDeny"),
        ("execution", "logs:CreateLogStream", LOG_STREAM, "allowed"),
        ("execution", "logs:CreateLogGroup", LOG_STREAM, "implicitDeny"),
        ("execution", "secretsmanager:GetSecretValue", SECRET, "allowed"),
        ("execution", "secretsmanager:GetSecretValue", SECRET.replace("openai", "other"), "implicitDeny"),
        ("execution", "ssm:GetParameters", ARN.format("ssm", "parameter/b"), "allowed"),
        ("execution", "ssm:GetParameters", ARN.format("ssm", "parameter/c"), "implicitDeny"),
    ],
)
def test_iam_decides_as_meant(aws: Aws, name: str, action: str, resource: str, decision: str) -> None:
    answer = aws.call(
        "iam:SimulateCustomPolicy",
        PolicyInputList=[json.dumps(policies(load(FULL))[name])],
        ActionNames=[action],
        ResourceArns=[resource],
    )
    (result,) = answer["EvaluationResults"]
    assert result["EvalDecision"] == decision


# Values arrive as themselves


def test_awkward_values_arrive_in_aws_as_themselves(aws: Aws) -> None:
    settings = load(
        {
            "container": {
                "command": ["sh", "-c", AWKWARD],
                "environment": {"AWKWARD": AWKWARD, "EMPTY": "", 'quo"ted {{ x }}': "1"},
            }
        }
    )
    made = aws.call("ecs:RegisterTaskDefinition", **definition(settings))["taskDefinition"]
    registered = aws.call("ecs:DescribeTaskDefinition", taskDefinition=made["taskDefinitionArn"])
    (container,) = registered["taskDefinition"]["containerDefinitions"]
    found = {each["name"]: each["value"] for each in container["environment"]}
    assert found["AWKWARD"] == AWKWARD
    assert found["EMPTY"] == ""
    assert found['quo"ted {{ x }}'] == "1"
    assert container["command"] == ["sh", "-c", AWKWARD]


# Every setting that adds something to a template.
SAYS_ALL = load(
    {
        "container": {
            "secrets": {"KEY": SECRET, "TOKEN": "/app/token"},
            "environment": {"MODE": "fast"},
            "secret_keys": [f"arn:aws:kms:us-east-2:{ACCOUNT}:key/1"],
            "command": ["python", "app.py"],
        },
        "tags": {"team": "web"},
        "task": {
            "policies": ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"],
            "permissions_boundary": "arn:aws:iam::aws:policy/PowerUserAccess",
        },
        "network": {"vpc": "vpc-1"},
        "scaling": {"max": 4},
        "domains": ["app.example.com"],
        "apprunner": {"service": "old-app"},
        "github": {"repository": "somebody/app", "owner_id": 1, "repository_id": 2},
    }
)
# Lower case, like records' names, and without a colon, which separates the parts of ARNs.
BREAKING = "\"'`\\{{ name }}{% raw %}{# c #}}],\n\r\t\x01\u2028</script>${home} $(id) & %"
OUTPUTS: Mapping[str, Callable[[Settings, str, str], Any]] = {
    templates.TASK_DEFINITION: lambda *given: templates.task_definition(*given, given[1]),
    templates.TRUST_POLICY: templates.trust_policy,
    templates.ROLE_POLICIES: templates.role_policies,
    templates.GITHUB_ACTIONS_POLICY: templates.github_actions_policy,
    templates.GITHUB_TRUST_POLICY: templates.github_trust_policy,
    templates.SETUP_POLICY: templates.setup_policy,
    templates.DEPLOY_POLICY: templates.deploy_policy,
    templates.MIGRATION_POLICY: lambda *given: templates.migration_policy(*given, edits_policies=True),
    "task-role-policy.json.j2": lambda *given: templates.render("task-role-policy.json.j2", *given),
}


def every_text(tree: Any, change: Callable[[str], str]) -> Any:
    """The same with every text changed, without validating the settings."""
    if isinstance(tree, str):
        return change(tree)
    if isinstance(tree, BaseModel):
        return tree.model_copy(update={name: every_text(value, change) for name, value in tree})
    if isinstance(tree, Mapping):
        return {change(name): every_text(value, change) for name, value in tree.items()}
    return type(tree)(every_text(each, change) for each in tree) if isinstance(tree, list | tuple) else tree


@pytest.mark.parametrize("template", sorted(each.name for each in (ROOT / "task-definitions").glob("*.j2")))
def test_no_template_lets_a_value_out_of_its_place(template: str) -> None:
    """Rendered with values that could break it, a template equals one with plain values, except for these values.

    Where a policy would take ``$`` for a variable, it is written ``${$}``.
    """

    # The other names are those of a load balancer as it is in the account, and not made of its own names.
    says_all = SAYS_ALL.model_copy(update={"load_balancer": SAYS_ALL.load_balancer.swapped()})

    def made(end: str) -> Any:
        given = every_text([says_all, ACCOUNT, "aws"], lambda text: f"{text}{end}")
        return OUTPUTS[template](*given)

    plain = made("zzz")
    broken = every_text(made(BREAKING), lambda text: text.replace("${$}", "$"))
    assert every_text(plain, lambda text: text.replace("zzz", BREAKING)) == broken
    assert ("zzz" in json.dumps(plain)) == (template != "task-role-policy.json.j2")


# Mistakes in a template


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{\n  "a": {{ nothing | tojson }}\n}', "line 2: 'nothing' is undefined."),
        ('{\n\n  "a": {{ container.nothing | tojson }}\n}', "line 3: "),
        ('{"a": {{ nothing }}}', "line 1: 'nothing' is undefined."),
        ("{\n{% if nothing %}{% endif %}}", "line 2: 'nothing' is undefined."),
        ('{\n  "a": "{{ name }}"\n}', "line 2: an expression does not end in '| tojson'."),
        ('{"a": {{ container.port }}}', "line 1: an expression does not end in '| tojson'."),
        ('{"a": {{ "constant" }}}', "line 1: an expression does not end in '| tojson'."),
        ('{\n\n  "a": {{ name | tojson }\n}', "line 3: "),
        ("{\n{% for %}\n}", "line 2: "),
        ('{"a":\n {{ name | nofilter }}}', "line 2: No filter named 'nofilter'."),
        ('{\n  "a": {{ (container.port + "x") | tojson }}}', "line 2: unsupported operand"),
        ('{\n\n "a": {{ (1 / 0) | tojson }}}', "line 3: division by zero."),
        ('{"a": {{ name | tojson }},}', "does not render valid JSON: "),
        ('{"a": "open', "does not render valid JSON: "),
        ("", "does not render valid JSON: "),
        ("[]", "does not render a JSON object."),
        ("[" * 100_000, "does not render valid JSON: it is nested too deeply."),
        (f'{{"a": {"9" * 5000}}}', "does not render valid JSON: "),
        ('{"a": {"b": 1, "c": 2, "b": 3}}', 'contains "b" twice in one object.'),
    ],
)
def test_a_mistake_is_told_with_its_place(project: Path, text: str, says: str) -> None:
    write(project, text)
    with pytest.raises(TemplateError) as refused:
        templates.trust_policy(load({}), ACCOUNT, "aws")
    assert refused.value.what.startswith(f"task-definitions/{templates.TRUST_POLICY}")
    assert says in refused.value.what
    assert str(project) not in refused.value.what
    assert refused.value.exit_code == 2


def test_invalid_json_shows_the_line_that_came_out(project: Path) -> None:
    write(project, '{\n  "a": {{ name | tojson }}\n  "b": 1\n}')
    with pytest.raises(TemplateError) as refused:
        templates.trust_policy(load({}), ACCOUNT, "aws")
    assert refused.value.why == 'in line 3 of what it renders: "b": 1'


def test_a_mistake_in_an_included_file_names_that_file(project: Path) -> None:
    write(project, '{"a":\n {% include "part.j2" %}}')
    write(project, "1\n{{ nothing | tojson }}", "part.j2")
    with pytest.raises(TemplateError, match=r"task-definitions/part\.j2, line 2: 'nothing' is undefined\."):
        templates.trust_policy(load({}), ACCOUNT, "aws")


def test_a_byte_order_mark_is_no_part_of_a_template(project: Path) -> None:
    (project / "task-definitions" / templates.TRUST_POLICY).write_bytes(b"\xef\xbb\xbf{}\r\n")
    assert templates.trust_policy(load({}), ACCOUNT, "aws") == {}


@pytest.mark.parametrize(
    ("data", "says"),
    [
        ("{}".encode("utf-16"), "it is in UTF-16"),
        ('{\n"Sid": "Donn\u00e9es"}'.encode("latin-1"), "line 2: the byte 0xe9 is not UTF-8"),
    ],
)
def test_a_template_in_another_encoding_is_told(project: Path, data: bytes, says: str) -> None:
    (project / "task-definitions" / templates.TRUST_POLICY).write_bytes(data)
    with pytest.raises(TemplateError) as wrong:
        templates.trust_policy(load({}), ACCOUNT, "aws")
    assert says in wrong.value.why
    assert templates.TRUST_POLICY in wrong.value.what


def test_a_file_that_is_not_there_is_named(project: Path) -> None:
    write(project, '{% include "absent.j2" %}')
    with pytest.raises(TemplateError, match=r"There is no template absent\.j2\."):
        templates.trust_policy(load({}), ACCOUNT, "aws")


# A project's own templates


def test_a_projects_own_files_win_one_by_one(project: Path) -> None:
    before = policies(load({}))
    write(project, '{"Statement": [{"Sid": {{ name | tojson }}}]}')
    after = policies(load({"name": "mine"}))
    assert after["trust"] == {"Statement": [{"Sid": "mine"}]}
    rest = json.loads(json.dumps({**after, "trust": None}).replace('"mine"', '"lobster"'))
    assert rest == json.loads(json.dumps({**before, "trust": None}))
    assert definition(load({}))["family"] == "lobster-streamlit-task"


def test_a_file_counts_at_once_when_it_appears_changes_or_goes(project: Path) -> None:
    packaged = templates.trust_policy(load({}), ACCOUNT, "aws")
    own = project / "task-definitions" / templates.TRUST_POLICY
    for later, text in enumerate(('{"Version": "1"}', '{"Version": "2"}'), 1):
        write(project, text)
        os.utime(own, (later, later))  # two files of the same time would count as unchanged
        assert templates.trust_policy(load({}), ACCOUNT, "aws") == json.loads(text)
    own.unlink()
    assert templates.trust_policy(load({}), ACCOUNT, "aws") == packaged


def test_an_own_task_definition_gets_the_tag_and_keeps_its_own(project: Path) -> None:
    write(
        project,
        '{"family": {{ task.family | tojson }}, "tags": [{"key": "team", "value": "a"}],'
        '"containerDefinitions": [{"name": "sidecar"}, {"name": {{ container.name | tojson }}}]}',
        templates.TASK_DEFINITION,
    )
    assert definition(load({"name": "mine"}))["tags"] == [
        {"key": "team", "value": "a"},
        {"key": "lobster:stack", "value": "mine"},
    ]


def test_the_execution_role_may_pull_every_image_of_an_own_task_definition(project: Path) -> None:
    """ "To allow a cross-account pull", the identity needs the permission, too (ECR, "Repository policies")."""
    images = (
        f"{ACCOUNT}.dkr.ecr.us-east-2.amazonaws.com/team/agent:1",
        f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com/agent@sha256:{'0' * 64}",
        "210987654321.dkr.ecr-fips.us-west-2.amazonaws.com/agent",
        "public.ecr.aws/x/y:1",
    )
    sidecars = "".join(f'{{"name": "s{number}", "image": "{image}"}},' for number, image in enumerate(images))
    write(
        project,
        '{"family": {{ task.family | tojson }}, "containerDefinitions": ['
        + sidecars
        + '{"name": {{ container.name | tojson }}, "image": {{ image | tojson }}}]}',
        templates.TASK_DEFINITION,
    )
    pulls = next(each for each in statements(load({}), "execution") if "ecr:BatchGetImage" in each["Action"])
    assert pulls["Resource"] == [
        f"arn:aws:ecr:eu-west-1:{ACCOUNT}:repository/agent",
        f"arn:aws:ecr:us-east-2:{ACCOUNT}:repository/homara",
        f"arn:aws:ecr:us-east-2:{ACCOUNT}:repository/team/agent",
        "arn:aws:ecr:us-west-2:210987654321:repository/agent",
    ]


def test_the_execution_role_may_write_every_log_group_where_it_is(project: Path) -> None:
    """awslogs-region: "Specify the AWS Region the awslogs log driver is to send your Docker logs to" (ECS)."""
    logs = {"logDriver": "awslogs", "options": {"awslogs-group": "theirs", "awslogs-region": "eu-west-1"}}
    write(
        project,
        '{"family": {{ task.family | tojson }}, "containerDefinitions": ['
        f'{{"name": "agent", "logConfiguration": {json.dumps(logs)}}},'
        '{"name": {{ container.name | tojson }}}]}',
        templates.TASK_DEFINITION,
    )
    (writes,) = [each for each in statements(load({}), "execution") if "logs:PutLogEvents" in each["Action"]]
    assert writes["Resource"] == [
        f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:theirs:*",
        f"arn:aws:logs:us-east-2:{ACCOUNT}:log-group:/ecs/lobster-streamlit:*",
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"family": "other", "containerDefinitions": []}', "is of the family other"),
        (
            '{"family": {{ task.family | tojson }}, "containerDefinitions": [{"name": "web"}]}',
            "has no container lobster-streamlit",
        ),
        ('{"family": {{ task.family | tojson }}}', "has no container lobster-streamlit"),
    ],
)
def test_an_own_task_definition_has_to_be_of_the_stack(project: Path, text: str, says: str) -> None:
    write(project, text, templates.TASK_DEFINITION)
    with pytest.raises(TemplateError, match=says):
        definition(load({}))


_WITH = '{"family": {{ task.family | tojson }}, "containerDefinitions": [%s]%s}'
_APP = '{"name": {{ container.name | tojson }}%s}'
SLIPS = {
    _WITH % ('{"image": "x"}, ' + _APP % "", ""): "containerDefinitions[0].name is missing",
    _WITH % ('{"name": ""}, ' + _APP % "", ""): "containerDefinitions[0].name is missing",
    _WITH % ('{"name": 3}, ' + _APP % "", ""): "containerDefinitions[0].name is not a text",
    _WITH % ('"x", ' + _APP % "", ""): "containerDefinitions[0] is not an object",
    _WITH % ("null, " + _APP % "", ""): "containerDefinitions[0] is not an object",
    _WITH % (", ".join([_APP % ""] * 2), ""): "two containers have the name lobster-streamlit",
    _WITH % (_APP % ', "secrets": [{"name": "A"}]', ""): "[0].secrets[0].valueFrom is missing",
    _WITH % (_APP % ', "secrets": [{"valueFrom": "A"}]', ""): "[0].secrets[0].name is missing",
    _WITH % (_APP % ', "secrets": [{"name": "A", "valueFrom": 3}]', ""): "valueFrom is not a text",
    _WITH % (_APP % ', "logConfiguration": "awslogs"', ""): "[0].logConfiguration is not an object",
    _WITH % (_APP % ', "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": 3}}', ""): (
        "awslogs-group is not a text"
    ),
    _WITH % (_APP % ', "repositoryCredentials": []', ""): "repositoryCredentials is not an object",
    _WITH % (_APP % ', "environment": [{"name": "A", "value": 1}]', ""): "environment[0].value is not a text",
    _WITH % (_APP % ', "portMappings": [{"containerPort": "80"}]', ""): "containerPort is not a whole number",
    _WITH % (_APP % ', "colour": "red"', ""): "[0].colour is not a member of RegisterTaskDefinition",
    _WITH % (_APP % "", ', "tags": null'): "tags is not a list",
    _WITH % (_APP % "", ', "tags": ["a"]'): "tags[0] is not an object",
    _WITH % (_APP % "", ', "cpu": 256'): "cpu is not a text",
    '{"family": {{ task.family | tojson }}, "containerDefinitions": {}}': "containerDefinitions is not a list",
}


@pytest.mark.parametrize("text", SLIPS)
def test_a_slip_in_an_own_task_definition_is_told_with_its_member(project: Path, text: str) -> None:
    write(project, text, templates.TASK_DEFINITION)
    with pytest.raises(TemplateError) as refused:
        definition(load({}))
    assert refused.value.what.startswith(f"{templates.OWN_DEFINITION} does not make a task definition")
    assert SLIPS[text] in refused.value.why


def test_values_of_an_own_task_definition_are_not_told(project: Path) -> None:
    slips = ', "environment": [{"name": "A", "value": ["hunter22"]}], "hostname": {"hunter22": 1}, "user": 1'
    write(
        project,
        _WITH % (_APP % slips, ', "cpu": 1, "memory": 2, "tags": 3, "volumes": 4'),
        templates.TASK_DEFINITION,
    )
    with pytest.raises(TemplateError) as refused:
        definition(load({}))
    assert "hunter22" not in str(refused.value.lines())
    assert "and 2 more" in refused.value.why


def test_own_role_policies_have_to_be_for_both_roles(project: Path) -> None:
    write(project, '{"execution": {"Statement": []}}', templates.ROLE_POLICIES)
    with pytest.raises(TemplateError, match="has no policy task"):
        templates.role_policies(load({}), ACCOUNT, "aws")


# The wheel


def test_templates_and_pages_travel_in_the_wheel(tmp_path: Path) -> None:
    """The wheel contains the checkout's folders, so an installed package renders the same."""
    uv = [Path(sys.executable).with_name("uv"), "build", "--wheel", "--no-build-isolation", "--offline"]
    built = [*uv, "--python", sys.executable, "--out-dir", tmp_path / "dist", ROOT]
    subprocess.run(built, check=True, capture_output=True, stdin=subprocess.DEVNULL, timeout=600)
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    names = {path.name for path in (tmp_path / "site" / "lobster_tasks" / "task-definitions").iterdir()}
    assert names == {path.name for path in (ROOT / "task-definitions").iterdir()}
    pages = ["docs/apprunner.md", "docs/causes.md", "docs/causes/exits.md", "docs/express-and-gateway.md"]
    program = (
        "import json; from lobster_tasks import documentation, settings, templates;"
        f"print(*map(documentation.place, {pages!r}));"
        f"print(json.dumps(templates.task_definition(settings.load({{}}), {ACCOUNT!r}, 'aws', {IMAGE!r})))"
    )
    (tmp_path / "empty").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", program],
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path / "empty",
        env=_only(tmp_path / "site"),
        timeout=PATIENCE,
    )
    places, rendered = done.stdout.splitlines()
    assert places.split() == [str(tmp_path / "site" / "lobster_tasks" / page) for page in pages]
    assert all(Path(place).is_file() for place in places.split())
    assert json.loads(rendered) == definition(load({}))


def _only(site: Path) -> Mapping[str, str]:
    return {"PYTHONPATH": str(site), "PYTHONSAFEPATH": "1"}


@pytest.mark.parametrize("where", ["environment", "command"])
def test_a_task_definition_that_ecs_would_refuse_for_its_size_is_refused_here(
    project: Path, where: str
) -> None:
    """The error names the path of the large part, and does not show its value."""
    value: Any = (
        {"BIG": "s3cret" * 12_000, "SMALL": "x"} if where == "environment" else ["app", "s3cret" * 12_000]
    )
    settings = load({"name": "homara", "container": {"port": 8501, where: value}})
    with pytest.raises(TemplateError) as refused:
        definition(settings)
    told = "\n".join(refused.value.lines())
    assert re.search(r"The task definition has 7\d,\d{3} bytes; ECS takes 65,536 at the most\.", told)
    part = "environment[BIG].value" if where == "environment" else "command[1]"
    assert f"the largest part is containerDefinitions[{settings.container.name}].{part}: 72,002 bytes" in told
    assert "s3cret" not in told


def test_many_small_values_are_told_as_what_has_them_together(project: Path) -> None:
    settings = load({"container": {"port": 8501, "environment": {f"V{n}": "y" * 100 for n in range(620)}}})
    with pytest.raises(TemplateError) as refused:
        definition(settings)
    told = "\n".join(refused.value.lines())
    part = rf"the largest part is containerDefinitions\[{settings.container.name}\]\.environment: 7\d,\d{{3}} bytes"
    assert re.search(part, told), told
