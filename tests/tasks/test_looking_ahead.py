"""``inv deploy --dry-run`` while another deployment is under way, and what a job on GitHub hears of a refusal."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.embedded_process import EmbeddedProcess
from tests.project import Project, calls, forget_calls
from tests.test_step_outputs import read

LOOK = ("deploy", "--dry-run", "--tag", "a")


@pytest.fixture
def busy(project: Project, embedded: EmbeddedProcess) -> Project:
    """A live service over which somebody deploys what takes minutes to start."""
    project.settings("deployment: {deregistration_delay: 0}\nhealth_check: {grace_period: 7200}")
    project.inv("setup-fargate", "push-image", "--tag", "a", "deploy", "--tag", "a").check()
    ecs = embedded.client("ecs")
    found = ecs.describe_task_definition(taskDefinition="lobster-streamlit-task")["taskDefinition"]
    [container] = found["containerDefinitions"]
    container["environment"] = [*container["environment"], {"name": "START_DELAY", "value": "300"}]
    kept = (
        "family",
        "networkMode",
        "cpu",
        "memory",
        "executionRoleArn",
        "taskRoleArn",
        "containerDefinitions",
    )
    made = ecs.register_task_definition(**{name: found[name] for name in kept})["taskDefinition"]
    where = {"cluster": "lobster-cluster", "service": "lobster-streamlit-service"}
    ecs.update_service(**where, taskDefinition=made["taskDefinitionArn"])
    forget_calls(embedded)
    return project


def test_it_waits_for_its_turn_when_asked(busy: Project, embedded: EmbeddedProcess, tmp_path: Path) -> None:
    outputs = tmp_path / "outputs"
    github = {"GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": str(outputs)}
    short = ("--if-busy", "wait", "--set", "deployment.wait_minutes=0.01")
    waited = busy.inv(*LOOK, *short, **github).check(5).err
    assert waited.index("is in progress: waiting for it") < waited.index(
        "inv deploy waited 0.01 minutes for it"
    )
    assert "::error title=service-busy::" in waited
    told = read(outputs)
    assert (told["verdict"], told["cause"]) == ("refused", "service-busy")
    assert "--if-busy refuse" in busy.inv(*LOOK, "--if-busy", "refuse").check(5).err
    assert not calls(embedded)


def test_otherwise_it_looks_at_once(busy: Project, embedded: EmbeddedProcess) -> None:
    told = busy.inv(*LOOK).check().err
    assert not [each for each in ("is in progress.", "waiting for it", "inv status --watch") if each in told]
    assert not calls(embedded)
