"""Two task definitions are the same when the same tasks would run."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from lobster_tasks.stack.task_definition import differences, normalise

IMAGE = "123456789012.dkr.ecr.us-east-2.amazonaws.com/homara@sha256:" + "a" * 64

REGISTERED: dict[str, Any] = {
    "family": "lobster-streamlit-task",
    "requiresCompatibilities": ["FARGATE"],
    "networkMode": "awsvpc",
    "cpu": "512",
    "memory": "1024",
    "runtimePlatform": {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"},
    "executionRoleArn": "arn:aws:iam::123456789012:role/ecsTaskExecutionRole",
    "containerDefinitions": [
        {
            "name": "app",
            "image": IMAGE,
            "essential": True,
            "portMappings": [{"containerPort": 8501, "protocol": "tcp"}],
            "environment": [{"name": "PORT", "value": "8501"}, {"name": "A", "value": "1"}],
            "secrets": [],
            "healthCheck": {"command": ["CMD", "true"]},
            "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/app"}},
        }
    ],
    "tags": [{"key": "lobster:stack", "value": "lobster"}],
}

# The same, as DescribeTaskDefinition answers.
DESCRIBED: dict[str, Any] = {
    "taskDefinitionArn": "arn:aws:ecs:us-east-2:123456789012:task-definition/lobster-streamlit-task:7",
    "revision": 7,
    "status": "ACTIVE",
    "requiresAttributes": [{"name": "ecs.capability.task-eni"}],
    "compatibilities": ["EC2", "FARGATE"],
    "registeredAt": datetime(2026, 6, 1, tzinfo=UTC),
    "registeredBy": "arn:aws:iam::123456789012:user/someone",
    "family": "lobster-streamlit-task",
    "requiresCompatibilities": ["FARGATE"],
    "networkMode": "awsvpc",
    "cpu": "512",
    "memory": "1024",
    "volumes": [],
    "placementConstraints": [],
    "enableFaultInjection": False,
    "runtimePlatform": {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"},
    "executionRoleArn": "arn:aws:iam::123456789012:role/ecsTaskExecutionRole",
    "containerDefinitions": [
        {
            "name": "app",
            "image": IMAGE,
            "cpu": 0,
            "essential": True,
            "portMappings": [{"containerPort": 8501, "hostPort": 8501, "protocol": "tcp"}],
            "environment": [{"name": "A", "value": "1"}, {"name": "PORT", "value": "8501"}],
            "mountPoints": [],
            "volumesFrom": [],
            "systemControls": [],
            "healthCheck": {"command": ["CMD", "true"], "interval": 30, "timeout": 5, "retries": 3},
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {"awslogs-group": "/ecs/app"},
                "secretOptions": [],
            },
        }
    ],
}


def container(**members: Any) -> dict[str, Any]:
    """The registered definition with other members in its container."""
    return {**REGISTERED, "containerDefinitions": [{**REGISTERED["containerDefinitions"][0], **members}]}


def test_a_described_definition_is_the_registered_one() -> None:
    assert normalise(DESCRIBED) == normalise(REGISTERED)
    assert differences(DESCRIBED, REGISTERED) == []


@pytest.mark.parametrize(
    "same",
    [
        {**REGISTERED, "cpu": "0.5 vCPU", "memory": "1 GB"},
        {**REGISTERED, "cpu": ".5 vcpu"},
        {**REGISTERED, "runtimePlatform": None},
        {**REGISTERED, "tags": []},
        container(secrets=None, command=[], stopTimeout=30, interactive=False, essential=None),
        container(environment=list(reversed(REGISTERED["containerDefinitions"][0]["environment"]))),
    ],
    ids=["units", "short units", "default platform", "tags", "container defaults", "order of variables"],
)
def test_what_aws_takes_for_the_same(same: dict[str, Any]) -> None:
    assert differences(DESCRIBED, same) == []
    assert differences(same, DESCRIBED) == []


@pytest.mark.parametrize(
    ("desired", "told"),
    [
        (container(image="other"), [f"app: image {IMAGE[:-60]}…aaaa → other"]),
        ({**REGISTERED, "memory": "2048"}, ["memory 1024 → 2048"]),
        (
            {**REGISTERED, "runtimePlatform": {"cpuArchitecture": "ARM64"}},
            ["runtimePlatform default → cpuArchitecture=ARM64"],
        ),
        (container(command=["a", "b"]), ["app: command default → [a, b]"]),
        (container(portMappings=[{"containerPort": 80}]), None),
        (
            container(secrets=[{"name": "KEY", "valueFrom": "/app/key"}]),
            ["app: adds the secret KEY"],
        ),
        (
            container(environment=[{"name": "A", "value": "hush"}, {"name": "NEW", "value": "hush"}]),
            [
                "app: adds the environment variable NEW",
                "app: removes the environment variable PORT",
                "app: changes the environment variable A",
            ],
        ),
        (
            {**REGISTERED, "containerDefinitions": [{"name": "proxy", "image": "nginx"}]},
            ["removes the container app", "adds the container proxy"],
        ),
    ],
)
def test_a_difference_is_a_sentence(desired: dict[str, Any], told: list[str] | None) -> None:
    found = differences(DESCRIBED, desired)
    assert found
    assert told is None or found == told
    assert "hush" not in " ".join(found)


def test_the_order_of_a_command_counts() -> None:
    assert differences(container(command=["a", "b"]), container(command=["b", "a"]))


def test_comparing_changes_nothing() -> None:
    before = repr(DESCRIBED)
    differences(DESCRIBED, container(image="other"))
    assert repr(DESCRIBED) == before
