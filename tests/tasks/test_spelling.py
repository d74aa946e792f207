"""What is misspelt on the command line is told with what was probably meant; nothing is run."""

from __future__ import annotations

from pathlib import Path

import pytest

from lobster_tasks.cli.spelling import nearest
from tests.project import Project, make

BELOW = """
from invoke import Collection, task
from lobster_tasks import namespace

@task(help={"name": "whom"})
def hello(c, name="you"):
    \"\"\"Greet.\"\"\"
    print("hello", name)

ns = Collection(hello)
ns.add_collection(namespace(), name="aws")
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project; no AWS is reached."""
    return make(tmp_path, None)


TYPED: dict[str, tuple[tuple[str, ...], str, str]] = {
    "a task": (("depoly",), "There is no task depoly; did you mean deploy?", "inv --list"),
    "a task, with what it takes": (
        ("setup-fargat", "--adopt"),
        "There is no task setup-fargat; did you mean setup-fargate?",
        "inv --list",
    ),
    "a task with underscores": (("push_image",), "did you mean push-image?", "inv --list"),
    "a task after another": (("plan", "depoly"), "There is no task depoly; did you mean deploy?", "--list"),
    "no task at all": (("xyzzy",), "There is no task xyzzy.", "inv --list"),
    "a flag": (
        ("deploy", "--tga", "v1"),
        "inv deploy has no flag --tga; did you mean --tag?",
        "inv --help deploy",
    ),
    "a flag with its value": (("deploy", "--tga=v1"), "no flag --tga; did you mean --tag?", "--help deploy"),
    "a flag with one hyphen": (("deploy", "-tag", "v1"), "no flag -tag; did you mean --tag?", "--help"),
    "a flag that takes something away": (
        ("rehearse", "--no-from-aprunner"),
        "did you mean --no-from-apprunner?",
        "inv --help rehearse",
    ),
    "no flag at all": (("deploy", "--xyzzy"), "inv deploy has no flag --xyzzy.", "inv --help deploy"),
    "a flag of Invoke's own": (("--lsit",), "inv has no flag --lsit; did you mean --list?", "inv --help"),
    "one of these after a task": (("plan", "--hlep"), "did you mean --help?", "inv --help plan"),
    "a flag that is missing": (("deploy", "v1"), "There is no task v1.", "inv --help deploy"),
    "a value that is missing": (("deploy", "--tag"), "Flag --tag needed value", "inv --help deploy"),
    "help of a task": (("--help", "depoly"), "There is no task depoly; did you mean deploy?", "inv --list"),
}


@pytest.mark.parametrize(("words", "says", "step"), TYPED.values(), ids=TYPED.keys())
def test_what_was_meant_is_told(project: Project, words: tuple[str, ...], says: str, step: str) -> None:
    ended = project.inv(*words).check(2)
    what, following = ended.err.splitlines()
    assert what.startswith("✘ ")
    assert says in what
    assert following.startswith("next      ")
    assert step in following
    assert not ended.out


def test_below_a_collection_of_the_projects_own(project: Project) -> None:
    project.write("tasks.py", BELOW)
    for typed in ("aws.depoly", "deploy", "asw.deploy", "awsdeploy"):
        assert f"There is no task {typed}; did you mean aws.deploy?" in project.inv(typed).check(2).err
    told = project.inv("aws.deploy", "--tga", "v1").check(2).err
    assert "inv aws.deploy has no flag --tga; did you mean --tag?" in told
    assert "inv --help aws.deploy" in told
    assert "There is no task helo; did you mean hello?" in project.inv("helo").check(2).err
    assert project.inv("hello", "--name", "Ada").check().out == "hello Ada\n"


def test_what_is_spelt_right_is_left_to_invoke(project: Project) -> None:
    project.write("tasks.py", BELOW)
    assert "whom" in project.inv("--help", "hello").check().out
    assert "the tag to push" in project.inv("aws.push-image", "--help").check().out
    assert "--tag" in project.inv("--complete", "--", "inv", "aws.deploy", "--").check().out
    assert "aws.deploy" in project.inv("--complete", "--", "inv", "depoly").check().out


def test_a_job_on_github_is_told_too(project: Project, tmp_path: Path) -> None:
    annotations = tmp_path / "annotations"
    environment = {"GITHUB_ACTIONS": "true", "LOBSTER_ANNOTATIONS_FILE": str(annotations)}
    project.inv("depoly", **environment).check(2)
    assert "There is no task depoly; did you mean deploy?" in annotations.read_text()


def test_the_nearest_is_near() -> None:
    assert nearest("x", ["deploy", "plan"]) == ""
    assert nearest("anything", []) == ""
    assert nearest("aws.xyzzy", ["aws.logs"]) == ""
    assert nearest("deploy", ["display", "aws.deploy"]) == "aws.deploy"
    assert nearest("b.deploy", ["a.deploy", "b.deplay"]) == "a.deploy"
