"""``inv settings``: what counts of file, environment and flags, without asking anybody."""

from __future__ import annotations

from pathlib import Path

import pytest

from lobster_tasks.settings import keys, load
from tests.project import Project, make


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project; there is no AWS to ask."""
    return make(tmp_path, None)


def test_the_settings_that_count(project: Project) -> None:
    project.settings("service: of-the-file\ncluster: of-the-file")
    flags = ("--set", "task.cpu=1024", "--set", "task.memory=2048")
    answer = (
        project.inv("settings", "--json", *flags, INVOKE_LOBSTER_CLUSTER="of-the-environment").check().json
    )
    expected = load(
        {"service": "of-the-file", "cluster": "of-the-environment", "task": {"cpu": 1024, "memory": 2048}}
    )
    assert answer == expected.model_dump(mode="json")


def test_a_line_for_each(project: Project) -> None:
    lines = project.inv("settings").check().out.splitlines()
    assert [line.split()[0] for line in lines] == list(keys())
    shown = dict(line.split(maxsplit=1) for line in lines)
    assert (shown["task.cpu"], shown["region"], shown["network.vpc"]) == ("512", "us-east-2", "null")


def test_wrong_settings_are_told(project: Project) -> None:
    ended = project.inv("settings", "--set", "task.cpu=300").check(2)
    assert "Fargate has no 300 CPU units" in ended.err
    assert ended.out == ""


def test_values_of_variables_are_not_shown(project: Project) -> None:
    """One of them may be a secret that is in the wrong place."""
    project.settings("container: {environment: {PASSWORD: hunter22}}")
    ended = project.inv("settings", "--json").check()
    assert ended.json["container"]["environment"] == {"PASSWORD": "***"}
    assert "hunter22" not in ended.said + project.inv("settings").check().said
