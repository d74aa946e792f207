"""A task of several containers: which one ended it, and what is said of it."""

from __future__ import annotations

from typing import Any

import pytest

from lobster_tasks.definition import container_of, images, log_groups, secrets
from lobster_tasks.rollout.diagnosis.culprit import culprit
from lobster_tasks.rollout.diagnosis.diagnose import diagnose
from lobster_tasks.rollout.observation.snapshot import Container, Task

from .shapes import stopped
from .test_diagnose import EXITED, FETCH, PULL, SECRET, SESSION, definition, evidence, not_started

APP = "lobster-streamlit"
AGENT_SECRET = "arn:aws:secretsmanager:us-east-2:123456789012:secret:agent-a1B2c3"
AGENT_IMAGE = "123456789012.dkr.ecr.us-east-2.amazonaws.com/agent:7"
HIDDEN = (
    f"{FETCH}unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret "
    f"{AGENT_SECRET} from secrets manager: AccessDeniedException: {SESSION} is not authorized to perform: "
    f"secretsmanager:GetSecretValue on resource: {AGENT_SECRET}"
)


def beside(app: dict[str, Any] | None = None, **agent: Any) -> dict[str, Any]:
    """The definition with a second container, ``agent``, in front of the app's."""
    plain = definition(**(app or {}))
    sidecar = {"name": "agent", "image": AGENT_IMAGE, **agent}
    return {**plain, "containerDefinitions": [sidecar, *plain["containerDefinitions"]]}


def after(condition: str) -> dict[str, Any]:
    """What the app's container waits for."""
    return {"dependsOn": [{"containerName": "agent", "condition": condition}]}


def ended(app: int | None, agent: int | None, *, agent_reason: str = "", reason: str = EXITED) -> Task:
    """A task whose containers ended so."""
    both = (Container("agent", "STOPPED", agent, agent_reason), Container(APP, "STOPPED", app))
    return stopped("a", reason, stop_code="EssentialContainerExited", containers=both)


@pytest.mark.parametrize(
    ("agent", "app", "task", "name"),
    [
        ({}, {}, ended(1, 137), APP),
        ({}, {}, ended(137, 1), "agent"),
        ({}, {}, ended(0, 143), APP),
        ({}, {}, ended(143, 0), "agent"),
        ({"essential": False}, {}, ended(3, 1), APP),
        ({"essential": False}, {}, ended(0, 1), APP),
        ({"essential": False}, {}, ended(137, 1), APP),
        (
            {"essential": False},
            {"dependsOn": [{"containerName": "agent", "condition": "SUCCESS"}]},
            ended(None, 1),
            "agent",
        ),
        (
            {"essential": False},
            {"dependsOn": [{"containerName": "agent", "condition": "SUCCESS"}]},
            ended(2, 0),
            APP,
        ),
        (
            {"essential": False},
            {"dependsOn": [{"containerName": "agent", "condition": "COMPLETE"}]},
            ended(2, 1),
            APP,
        ),
        (
            {"essential": False},
            {"dependsOn": [{"containerName": "agent", "condition": "HEALTHY"}]},
            ended(None, 1),
            "agent",
        ),
        (
            {},
            {},
            ended(143, 137, agent_reason="OutOfMemoryError: Container killed due to memory usage"),
            "agent",
        ),
        ({}, {}, ended(None, None), None),
    ],
)
def test_the_container_that_ended_a_task(
    agent: dict[str, Any], app: dict[str, Any], task: Task, name: str | None
) -> None:
    found = culprit(beside(app, **agent), task)
    assert (found.name if found else None) == name


def test_what_is_said_names_a_container_that_is_not_the_apps() -> None:
    [cause] = diagnose(evidence(ended(137, 4), definition=beside(), log=("no key",)))
    assert cause.message.startswith("The program of agent ended with exit code 4; its last log line: no key")
    assert "ecs-task-definition.json.j2" in cause.remedy
    [own] = diagnose(evidence(ended(4, 137), definition=beside()))
    assert own.message.startswith("The program ended with exit code 4")


def test_a_secret_of_another_container() -> None:
    both = beside(secrets=[{"name": "DD_API_KEY", "valueFrom": AGENT_SECRET}])
    [cause] = diagnose(evidence(not_started(HIDDEN), definition=both))
    assert (cause.code, "is not allowed to read DD_API_KEY of agent." in cause.message) == (
        "secret-not-readable",
        True,
    )
    assert cause.remedy.startswith("inv create-iam-policies, then")
    [foreign] = diagnose(
        evidence(not_started(HIDDEN), definition=both, uncovered_secrets=frozenset({AGENT_SECRET}))
    )
    assert foreign.remedy.startswith(f"name {AGENT_SECRET} in container.secrets or in task-definitions/")


def test_an_image_of_another_container() -> None:
    gone = f"{PULL}pull image manifest has been retried: failed to resolve ref {AGENT_IMAGE}: {AGENT_IMAGE}: not found"
    [cause] = diagnose(evidence(not_started(gone), definition=beside()))
    assert cause.message == "The repository does not have agent:7 of agent."
    assert "inv push-image" not in cause.remedy


def test_the_own_limit_of_a_container() -> None:
    task = ended(143, 137, agent_reason="OutOfMemoryError: Container killed due to memory usage")
    [cause] = diagnose(evidence(task, definition=beside(memory=128)))
    assert cause.message == "The container of agent needs more memory than its own limit of 128 MiB."


def test_the_health_check_of_another_container() -> None:
    both = (
        Container("agent", "STOPPED", 137, health="UNHEALTHY"),
        Container(APP, "STOPPED", 137, health="HEALTHY"),
    )
    task = stopped("a", "Task failed container health checks", containers=both)
    unhealthy = beside(healthCheck={"command": ["CMD-SHELL", "curl -f localhost:8126"]})
    [cause] = diagnose(evidence(task, definition=unhealthy))
    assert "own health check of agent fails: curl -f localhost:8126" in cause.message


def test_a_log_group_of_another_container() -> None:
    reason = (
        "ResourceInitializationError: failed to validate logger args: The specified log group does not exist."
    )
    options = {"awslogs-group": "/ecs/agent", "awslogs-region": "us-west-2"}
    there = beside(logConfiguration={"logDriver": "awslogs", "options": options})
    [cause] = diagnose(evidence(not_started(reason), definition=there))
    assert (cause.code, "/ecs/agent in us-west-2" in cause.message) == ("log-group-region", True)


def test_everything_that_the_execution_role_reads() -> None:
    router = {
        "secrets": [{"name": "A", "valueFrom": "/a"}],
        "logConfiguration": {
            "logDriver": "splunk",
            "secretOptions": [{"name": "splunk-token", "valueFrom": "/t"}],
        },
        "repositoryCredentials": {"credentialsParameter": SECRET},
    }
    found = secrets(beside({"secrets": [{"name": "A", "valueFrom": "/own"}]}, **router), APP)
    assert found == {
        "A": "/own",
        "A of agent": "/a",
        "splunk-token of agent": "/t",
        "the registry's credentials of agent": SECRET,
    }


def test_the_parts_of_a_definition() -> None:
    both = beside()
    assert container_of(both, APP)["name"] == APP
    assert container_of(both, "none")["name"] == "agent"
    assert container_of({}, "none") == {}
    assert images(both)["agent"] == AGENT_IMAGE
    assert list(log_groups(both)) == [APP]
