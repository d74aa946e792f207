"""ECS Exec by API: ExecuteCommand, and the agent in the containers."""

from __future__ import annotations

from typing import Any

import pytest

from tests.embedded.ecs_stack import Stack
from tests.embedded.identities import allow, policy
from tests.embedded.refusals import refused

SSM = [f"ssmmessages:{verb}{kind}Channel" for verb in ("Create", "Open") for kind in ("Control", "Data")]


def entered(stack: Stack, task: str, **more: Any) -> Any:
    """ExecuteCommand."""
    return stack.ecs.execute_command(
        **{"cluster": "c", "task": task, "command": "/bin/sh", "interactive": True, **more}
    )


def running(stack: Stack, *actions: str, enabled: bool = True) -> dict[str, Any]:
    """A running task whose task role may do ``actions``."""
    more = {}
    if actions:
        more = {"taskRoleArn": stack.role("task")}
        iam = stack.aws.client("iam")
        iam.put_role_policy(RoleName="task", PolicyName="exec", PolicyDocument=policy(allow(list(actions))))
    started = stack.run(stack.definition(**more), enableExecuteCommand=enabled)
    return stack.reaches(started["taskArn"], "RUNNING")


def test_a_session_of_a_container(stack: Stack) -> None:
    """ExecuteCommand's answer (botocore's model); DescribeTasks: managedAgents with ExecuteCommandAgent RUNNING
    (Developer Guide, "Using ECS Exec": "the ExecuteCommandAgent status is RUNNING").
    """
    task = running(stack, *SSM)
    (container,) = task["containers"]
    (agent,) = container["managedAgents"]
    assert (agent["name"], agent["lastStatus"]) == ("ExecuteCommandAgent", "RUNNING")
    assert agent["lastStartedAt"] == task["startedAt"]
    answer = entered(stack, task["taskArn"])
    assert (answer["taskArn"], answer["clusterArn"]) == (task["taskArn"], task["clusterArn"])
    assert (answer["containerArn"], answer["containerName"]) == (container["containerArn"], "app")
    assert answer["interactive"] is True
    assert answer["session"]["sessionId"].startswith("ecs-execute-command-")
    assert answer["session"]["streamUrl"].startswith(
        "wss://ssmmessages.us-east-2.amazonaws.com/v1/data-channel/"
    )
    assert answer["session"]["tokenValue"]


def test_a_task_that_was_started_without_it(stack: Stack) -> None:
    """InvalidParameterException, as users report it: "… execute command was not enabled when the task was run …"."""
    task = running(stack, *SSM, enabled=False)
    assert "managedAgents" not in task["containers"][0]
    with refused("InvalidParameterException", "execute command was not enabled when the task was run"):
        entered(stack, task["taskArn"])


@pytest.mark.parametrize("actions", [(), SSM[:1]])
def test_a_task_role_that_does_not_reach_systems_manager(stack: Stack, actions: tuple[str, ...]) -> None:
    """TargetNotConnectedException: "Incorrect IAM permissions" (API Reference), as users report its text."""
    task = running(stack, *actions)
    with refused(
        "TargetNotConnectedException", "The execute command failed due to an internal error. Try again later."
    ):
        entered(stack, task["taskArn"])


def test_what_is_not_there(stack: Stack) -> None:
    """ClusterNotFoundException; InvalidParameterException for a task, a container, or no interaction."""
    task = running(stack, *SSM)["taskArn"]
    with refused("ClusterNotFoundException"):
        entered(stack, task, cluster="nowhere")
    with refused("InvalidParameterException", "task was not found"):
        entered(stack, "0" * 32)
    with refused("InvalidParameterException"):
        entered(stack, task, container="other")
    with refused("InvalidParameterException", "Interactive is the only mode supported"):
        entered(stack, task, interactive=False)
