"""What people see before a task runs: the list, and each task's help."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import pytest

from lobster_tasks.tasks import namespace
from tests.project import Project, make

TASKS = sorted(namespace().task_names)
WITH_JSON = {
    *("plan", "setup-fargate", "teardown", "create-iam-policies", "create-security-groups"),
    *("setup-application-load-balancer", "create-ecs-cluster", "create-task-definition"),
    *("create-fargate-service", "push-image", "deploy", "settings", "status", "validate-fargate-setup"),
    *("rehearse", "history", "rollback", "scale", "cutover", "import-apprunner"),
    *("compare-apprunner", "cleanup-apprunner", "setup-aws", "print-setup-policy"),
    "remove-old-load-balancer",
}
CHANGING = {
    *("setup-fargate", "teardown", "create-iam-policies", "create-security-groups"),
    *("setup-application-load-balancer", "create-ecs-cluster", "create-task-definition"),
    *("create-fargate-service", "deploy", "cutover", "import-apprunner", "cleanup-apprunner"),
    *("push-image", "rollback", "scale", "setup-aws", "remove-old-load-balancer"),
}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project; no AWS is reached."""
    return make(tmp_path, None)


def test_the_list_has_a_line_for_each_task_at_80_columns(project: Project) -> None:
    listed = project.inv("--list", COLUMNS="80").check().out
    lines = [line for line in listed.splitlines() if line.startswith("  ")]
    assert [line.split()[0] for line in lines] == TASKS
    assert all(line.rstrip().endswith(".") and len(line) <= 80 for line in lines)


def test_every_task_says_what_it_does_and_what_its_flags_are() -> None:
    for name in TASKS:
        task = deepcopy(namespace()[name])  # Invoke takes the help out of a task that it asks
        first, *rest = (task.__doc__ or "").strip().splitlines()
        assert first.endswith(".")
        assert not rest or rest[0] == ""
        arguments = task.get_arguments()
        assert all(argument.help for argument in arguments), name
        flags = {argument.name for argument in arguments}
        assert {"set", "debug"} <= flags
        assert ("json" in flags) == (name in WITH_JSON), name
        assert ({"dry_run", "yes"} <= flags) == (name in CHANGING), name


def test_help_of_a_task(project: Project) -> None:
    told = project.inv("--help", "deploy").check().out
    for what in ("--tag=STRING", "--registered=STRING", "--json", "Exit codes: 0 live", "full image"):
        assert what in told


def test_tasks_run_in_the_projects_folder(project: Project) -> None:
    project.settings("task: {cpu: 300}")
    below = project.folder / "some" / "where"
    below.mkdir(parents=True)
    (below / "invoke.yaml").write_text("lobster: {task: {cpu: 400}}\n")  # nobody's: no tasks.py beside it
    assert "Fargate has no 300" in project.inv("plan", folder=below).check(2).err
    other = project.folder.parent / "other"
    other.mkdir(exist_ok=True)
    elsewhere = project.inv("--search-root", str(project.folder), "plan", folder=other)
    assert "Fargate has no 300" in elsewhere.check(2).err


def test_a_package_of_tasks(project: Project) -> None:
    (project.folder / "tasks.py").unlink()
    project.write("tasks/__init__.py", "from .aws import ns\n")
    project.write("tasks/aws.py", "from lobster_tasks import namespace\n\nns = namespace()\n")
    project.settings("task: {cpu: 300}")
    assert "Fargate has no 300" in project.inv("plan").check(2).err


def test_among_other_tasks(project: Project) -> None:
    project.write(
        "tasks.py",
        "from invoke import Collection, task\nfrom lobster_tasks import namespace\n\n\n@task\ndef hello(c):\n"
        '    """Greet."""\n    print("hello")\n\n\nns = Collection(hello)\nns.add_collection(namespace(), "aws")\n',
    )
    assert "aws.deploy" in project.inv("--list").check().out
    assert project.inv("hello").check().out == "hello\n"
    assert "Fargate has no 300" in project.inv("aws.plan", "--set", "task.cpu=300").check(2).err
