"""In a project that has put the tasks into a collection of its own, every next command is one that works there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.embedded_process import EmbeddedProcess
from tests.project import Ended, Project

BELOW = """
from invoke import Collection, task
from lobster_tasks import namespace

@task
def deploy(c):
    \"\"\"The project's own.\"\"\"
    print("own")

ns = Collection(deploy)
ns.add_collection(namespace(), name="aws")
"""
ALONE = """
from invoke import Collection
from lobster_tasks.tasks import namespace

whole = namespace()
ns = Collection("ours")
ns.add_task(whole["push-image"], name="ship-it")
ns.add_collection(whole, name="lobster")
"""


@pytest.fixture
def project(project: Project) -> Project:
    """One with the tasks below ``aws``."""
    project.write("tasks.py", BELOW)
    return project


def check(ended: Ended, code: int, *commands: str) -> None:
    """It names these commands, and none that is not there."""
    ended.check(code)
    for command in commands:
        assert command in ended.said
    assert not re.findall(r"inv (?!aws\.)[a-z]+-?\w*", ended.said)


def test_help_names_them(project: Project) -> None:
    check(project.inv("--help", "aws.create-task-definition"), 0, "only inv aws.deploy changes it")
    every = re.findall(r"^  (aws\.[\w-]+)", project.inv("--list").check().out, re.M)
    assert len(every) > 20
    for name in every:
        check(project.inv("--help", name), 0)


def test_errors_name_them(project: Project) -> None:
    check(project.inv("aws.push-image", "--tag", "v1"), 5, "inv aws.setup-fargate")
    check(project.inv("aws.push-image", "--tag", "v1", "--json"), 5, '"next": "inv aws.setup-fargate')
    check(project.inv("aws.push-image"), 2, "inv aws.push-image --tag T")


def test_what_comes_next_names_them(project: Project, embedded: EmbeddedProcess) -> None:
    check(project.inv("aws.plan"), 0, "Apply it:  inv aws.setup-fargate")
    check(project.inv("aws.setup-fargate"), 0, "inv aws.push-image --tag T   then   inv aws.deploy --tag T")
    check(project.inv("aws.validate-fargate-setup"), 1, "→ inv aws.push-image --tag T, then inv aws.deploy")


def test_causes_and_their_remedies_name_them(
    project: Project, embedded: EmbeddedProcess, tmp_path: Path
) -> None:
    """On GitHub too: in the annotation and in the summary."""
    project.inv("aws.setup-fargate").check()
    summary = tmp_path / "summary"
    on_github = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)}
    ended = project.inv("aws.deploy", "--tag", "nope", **on_github)
    check(ended, 5, "Next: inv aws.push-image --tag nope")
    assert "inv aws.push-image --tag nope" in summary.read_text()
    shown = project.on_terminal("aws.deploy", "--tag", "nope", columns=30)
    assert re.search(r"inv\s+aws\.push-image", shown.out)
    answer = project.inv("aws.deploy", "--tag", "nope", "--json").check(5).json
    assert "inv aws.push-image --tag nope" in answer["cause"]["remedy"]


def test_a_task_may_have_another_name(project: Project) -> None:
    project.write("tasks.py", ALONE)
    ended = project.inv("ship-it").check(2)
    assert "inv ship-it --tag T" in ended.err
    ended = project.inv("lobster.deploy").check(2)
    assert "inv lobster.deploy --tag T" in ended.err


def test_underscores_stay_where_the_project_keeps_them(project: Project) -> None:
    project.write("tasks.py", "from lobster_tasks import namespace\n\nns = namespace()\n")
    project.write("invoke.yaml", "tasks: {auto_dash_names: false}\n")
    ended = project.inv("--list")
    name = "push_image" if "push_image" in ended.out else "push-image"
    assert f"inv {name} --tag T" in project.inv(name).check(2).err
