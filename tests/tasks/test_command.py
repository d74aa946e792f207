"""What every task has in common, by tasks made for the purpose."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.project import Project, make

TASKS = '''
import os
from invoke import Collection, task
from lobster_tasks import namespace
from lobster_tasks.cli.command import Run, command


@command(json=True)
def boom(run: Run):
    """Fail."""
    raise RuntimeError("nobody thought of this")


@command(json=True)
def answers(run: Run):
    """Answer twice."""
    run.console.say("talk")
    run.console.show("data")
    run.console.json({"first": True})
    run.console.json({"second": True})


@command()
def signs(run: Run):
    """Say what looks like markup."""
    run.console.say("[bold]is[/bold] :smile: [y/N]")


@command()
def where(run: Run):
    """Say where it runs."""
    run.console.show(os.getcwd())


@task
def own(c):
    """Somebody's own task."""
    print(os.getcwd())


ns = namespace()
for each in (boom, answers, signs, where, own):
    ns.add_task(each)
'''


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with these tasks; no AWS is reached."""
    return make(tmp_path, None, {"tasks.py": TASKS})


def test_a_defect_is_called_one(project: Project) -> None:
    ended = project.inv("boom").check(1)
    assert "This is a defect in lobster-tasks: RuntimeError: nobody thought of this" in ended.err
    assert "--debug" in ended.err
    assert "Traceback" not in ended.err
    assert "Traceback" in project.inv("boom", "--debug").check(1).err
    assert project.inv("boom", "--json").check(1).json["error"]["exit_code"] == 1


def test_a_failure_ends_a_chain(project: Project) -> None:
    assert "talk" not in project.inv("boom", "answers").check(1).err


def test_one_object_and_nothing_else(project: Project) -> None:
    ended = project.inv("answers", "--json").check()
    assert ended.json == {"first": True}
    assert ended.err == ""
    ended = project.inv("answers").check()
    assert ended.out.startswith("data\n")
    assert ended.err == "talk\n"


def test_nothing_is_taken_for_markup(project: Project) -> None:
    assert project.inv("signs").check().err == "[bold]is[/bold] :smile: [y/N]\n"


def test_the_folder_is_the_projects_and_then_again_the_users(project: Project) -> None:
    below = project.folder / "below"
    below.mkdir()
    ended = project.inv("where", "own", folder=below).check()
    assert ended.out.splitlines() == [str(project.folder), str(below)]
