"""A definition of the project's own with a second container: looked at before, and told apart in the diagnosis."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from lobster_tasks import converge, stack, templates
from lobster_tasks.doctor import examine
from lobster_tasks.doctor.permissions import denied, may_pull
from lobster_tasks.errors import NotReadyError
from lobster_tasks.rollout import Outcome, deploy, follow, rollback

from .releasing import Account, said

TEMPLATE = Path(__file__).parents[2] / "task-definitions" / templates.TASK_DEFINITION
BEATS = "import time\nfor i in range(40): print('agent: heartbeat', i, flush=True)\ntime.sleep(10000)"
LOGS: dict[str, Any] = {
    "logDriver": "awslogs",
    "options": {
        "awslogs-group": "/ecs/lobster-streamlit",
        "awslogs-region": "us-east-2",
        "awslogs-stream-prefix": "agent",
    },
}


def own_template(folder: Path, **agent: Any) -> None:
    """The project's own definition, with a container ``agent`` that has the release's image."""
    text = TEMPLATE.read_text()
    plain = {"name": "agent", "image": "IMAGE", "essential": False, "command": ["sleep", "10000"]}
    sidecar = json.dumps(plain | agent)
    end = text.index('  ],\n  "tags"')
    made = f"{text[:end].rstrip()},\n    {sidecar.replace(json.dumps('IMAGE'), '{{ image | tojson }}')}\n{text[end:]}"
    place = folder / templates.FOLDER
    place.mkdir(exist_ok=True)
    (place / templates.TASK_DEFINITION).write_text(made)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project's folder, which is the current one."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def beside(account: Account, tag: str, agent: dict[str, Any], **environment: str) -> Outcome:
    """What comes of a definition with a second container that somebody else deploys."""
    image = account.push(tag, **environment).by_digest
    definition = templates.task_definition(account.settings, account.aws.account, "aws", image)
    app = definition["containerDefinitions"][0]
    definition["containerDefinitions"] = [{"name": "agent", "image": image, "essential": False, **agent}, app]
    made = account.client("ecs").register_task_definition(**definition)["taskDefinition"]["taskDefinitionArn"]
    account.update(taskDefinition=made, desiredCount=1, healthCheckGracePeriodSeconds=7200)
    return follow(account.aws, account.settings, made)


def test_the_policy_of_the_execution_role_is_made_for_every_container(account: Account, folder: Path) -> None:
    hidden = account.client("secretsmanager").create_secret(Name="agent-key", SecretString="k")["ARN"]
    account.push("one")
    own_template(folder, secrets=[{"name": "DD_API_KEY", "valueFrom": hidden}])
    with pytest.raises(NotReadyError, match="is not allowed to read DD_API_KEY of agent") as refused:
        deploy(account.aws, account.settings, "one")
    assert (refused.value.code, refused.value.next_step) == ("secret-not-readable", "inv create-iam-policies")
    resources = stack.build(account.settings, account.aws.account, account.aws.partition)
    converge.apply(
        account.aws, converge.plan(resources, converge.read(account.aws, resources)), lambda _: None
    )
    outcome = deploy(account.aws, account.settings, "one")
    assert outcome.verdict == "live", said(outcome)
    checks = {check.id: check for check in examine(account.aws, account.settings, folder).checks}
    assert checks["secrets.exist"].saw == "1 of 1 are there"
    assert checks["roles.secrets"].saw.endswith("can read 1 of 1 secrets")


@pytest.mark.parametrize("place", ["eu-west-1:123456789012", "us-east-2:210987654321"])
def test_the_role_may_pull_from_another_region_and_another_account(
    account: Account, folder: Path, place: str
) -> None:
    region, owner = place.split(":")
    own_template(folder, image=f"{owner}.dkr.ecr.{region}.amazonaws.com/agent:1")
    definition = templates.task_definition(account.settings, account.aws.account, "aws", "")
    role = f"arn:aws:iam::{account.aws.account}:role/{account.settings.task.execution_role}"

    def refused() -> set[str]:
        return {
            each.resource
            for each in denied(may_pull(account.aws, account.settings.repository, role, definition))
        }

    assert refused() == {f"arn:aws:ecr:{place}:repository/agent"}
    resources = stack.build(account.settings, account.aws.account, account.aws.partition)
    made = converge.plan(resources, converge.read(account.aws, resources))
    converge.apply(account.aws, made, lambda _: None)
    assert refused() == set()


OWN = {"aws:ResourceAccount": "123456789012"}


@pytest.mark.parametrize(
    ("effect", "condition", "refuses"),
    [
        ("Deny", {"StringNotEquals": OWN}, "theirs"),
        ("Deny", {"StringEquals": OWN}, "ours"),
        ("Allow", {"StringEquals": OWN}, "theirs"),
    ],
)
def test_each_resource_is_simulated_with_its_own_account(
    account: Account, folder: Path, effect: str, condition: dict[str, Any], refuses: str
) -> None:
    """A data perimeter lets a role use its account's resources only; one simulation has one value for each key."""
    own_template(folder, image="210987654321.dkr.ecr.us-east-2.amazonaws.com/agent:1")
    definition = templates.task_definition(account.settings, account.aws.account, "aws", "")
    iam, service = account.client("iam"), {"Service": "ecs-tasks.amazonaws.com"}
    trust = [{"Effect": "Allow", "Principal": service, "Action": "sts:AssumeRole"}]
    role = iam.create_role(
        RoleName="perimeter",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": trust}),
    )["Role"]["Arn"]
    perimeter = {"Effect": effect, "Action": "ecr:*", "Resource": "*"}
    statements = [
        {**perimeter, "Effect": "Allow", **({"Condition": condition} if effect == "Allow" else {})},
        {**perimeter, "Action": "ecr:Batch*", "Condition": condition},
    ]
    iam.put_role_policy(
        RoleName="perimeter",
        PolicyName="perimeter",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": statements}),
    )
    repositories = {
        "arn:aws:ecr:us-east-2:123456789012:repository/homara": "ours",
        "arn:aws:ecr:us-east-2:210987654321:repository/agent": "theirs",
    }
    told = denied(may_pull(account.aws, account.settings.repository, role, definition))
    assert {repositories[each.resource] for each in told} == {refuses}


def test_an_image_of_another_container_that_is_gone_is_seen_before(account: Account, folder: Path) -> None:
    account.push("one")
    own_template(folder, image="123456789012.dkr.ecr.us-east-2.amazonaws.com/homara:agent")
    account.forget_calls()
    with pytest.raises(NotReadyError, match="homara:agent, which is not in its repository") as refused:
        deploy(account.aws, account.settings, "one")
    assert refused.value.code == "image-not-found"
    assert not account.calls()


def test_an_image_of_another_container_in_the_archive_is_seen_before(account: Account, folder: Path) -> None:
    """Before a deployment, before a rollback to it, and by the doctor."""
    account.push("one")
    account.push("agent", WHO="agent")
    own_template(folder, image="123456789012.dkr.ecr.us-east-2.amazonaws.com/homara:agent")
    assert deploy(account.aws, account.settings, "one").verdict == "live"
    account.push("two")
    assert deploy(account.aws, account.settings, "two").verdict == "live"
    account.client("ecr").update_image_storage_class(
        repositoryName="homara", imageId={"imageTag": "agent"}, targetStorageClass="ARCHIVE"
    )
    account.forget_calls()
    for begin in (
        lambda: deploy(account.aws, account.settings, "one"),
        lambda: rollback(account.aws, account.settings),
    ):
        with pytest.raises(NotReadyError, match="homara:agent, which is archived") as refused:
            begin()
        assert refused.value.code == "image-not-found"
        assert "aws ecr update-image-storage-class" in refused.value.next_step
    assert not account.calls()
    checks = {check.id: check for check in examine(account.aws, account.settings, folder).checks}
    assert (checks["ecs.image"].status, "is archived" in checks["ecs.image"].saw) == ("fail", True)


@pytest.mark.parametrize(
    ("options", "code", "step"),
    [
        (
            {"awslogs-group": "/ecs/agent"},
            "log-group-missing",
            "aws logs create-log-group --log-group-name /ecs/agent --region us-east-2, or correct awslogs-group of "
            "agent in task-definitions/ecs-task-definition.json.j2",
        ),
        (
            {"awslogs-region": "us-west-2"},
            "log-group-region",
            "set awslogs-region of agent to us-east-2 in task-definitions/ecs-task-definition.json.j2",
        ),
    ],
)
def test_a_log_group_of_another_container_that_is_not_there_is_seen_before(
    account: Account, folder: Path, options: dict[str, str], code: str, step: str
) -> None:
    """Setup makes the group of the settings alone."""
    account.push("one")
    own_template(folder, logConfiguration={**LOGS, "options": LOGS["options"] | options})
    with pytest.raises(NotReadyError, match="There is no log group") as refused:
        deploy(account.aws, account.settings, "one")
    assert (refused.value.code, refused.value.next_step) == (code, step)


def test_a_talkative_container_does_not_hide_why_the_app_ended(account: Account) -> None:
    outcome = beside(
        account, "one", {"command": ["python3", "-c", BEATS], "logConfiguration": LOGS}, EXIT_CODE="3"
    )
    assert outcome.cause is not None, said(outcome)
    assert "The program ended with exit code 3; its last log line: giving up with 3" in outcome.cause.message
    assert not [line for line in outcome.cause.evidence if "heartbeat" in line]


def test_a_container_that_has_to_succeed_first_is_the_cause_by_name(account: Account) -> None:
    """The app never starts; what the first one wrote is what tells."""
    first = {
        "command": ["python3", "-c", "print('no such table'); raise SystemExit(4)"],
        "logConfiguration": LOGS,
    }
    image = account.push("one").by_digest
    definition = templates.task_definition(account.settings, account.aws.account, "aws", image)
    app = definition["containerDefinitions"][0]
    app["dependsOn"] = [{"containerName": "agent", "condition": "SUCCESS"}]
    definition["containerDefinitions"] = [app, {"name": "agent", "image": image, "essential": False, **first}]
    made = account.client("ecs").register_task_definition(**definition)["taskDefinition"]["taskDefinitionArn"]
    account.update(taskDefinition=made, desiredCount=1)
    outcome = follow(account.aws, account.settings, made)
    assert outcome.cause is not None, said(outcome)
    assert "The program of agent ended with exit code 4" in outcome.cause.message, outcome.cause
    assert "log: no such table" in outcome.cause.evidence


def test_a_log_that_is_not_in_cloudwatch_is_said(account: Account) -> None:
    silent = {"command": ["python3", "-c", "raise SystemExit(4)"], "essential": True}
    # The app is never healthy, however late the other one ends, and ECS does not act on that.
    outcome = beside(account, "one", silent, HEALTH_STATUS="503")
    assert outcome.cause is not None, said(outcome)
    assert "The program of agent ended with exit code 4" in outcome.cause.message
    assert "not read: the log of agent (it has no log driver)" in outcome.cause.evidence
