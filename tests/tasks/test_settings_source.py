"""Where the settings are from is said once, where it matters, and not in JSON."""

from __future__ import annotations

import pytest

from tests.embedded_process import EmbeddedProcess
from tests.project import Project

NONE = "the defaults are used (inv settings shows them)."


def said(project: Project, *words: str) -> list[str]:
    """The lines that say where the settings are from."""
    lines = project.inv(*words).err.splitlines()
    return [line for line in lines if line.startswith("Settings of ") or line.endswith(NONE)]


@pytest.mark.parametrize(
    "words",
    [("plan",), ("setup-fargate", "--dry-run"), ("deploy", "--tag", "a"), ("teardown", "--dry-run")],
)
def test_without_a_file_the_defaults_count(
    project: Project, embedded: EmbeddedProcess, words: tuple[str, ...]
) -> None:
    assert said(project, *words) == [f"There is no invoke.yaml in {project.folder}: {NONE}"]


def test_once_for_a_chain(project: Project, embedded: EmbeddedProcess) -> None:
    project.settings("region: us-east-2")
    assert said(project, "plan", "setup-fargate", "--dry-run") == ["Settings of invoke.yaml."]


def test_not_in_json(project: Project, embedded: EmbeddedProcess) -> None:
    ended = project.inv("plan", "--json").check()
    assert ended.err == ""
    assert ended.json["changes"]


def test_files_without_the_section_are_named(project: Project, embedded: EmbeddedProcess) -> None:
    project.write("invoke.yaml", "run: {echo: false}\n")
    assert said(project, "plan") == [f"invoke.yaml has no section lobster: {NONE}"]


def test_every_file_that_counts_is_named(project: Project, embedded: EmbeddedProcess) -> None:
    project.settings("region: us-east-2")
    path = project.write("home/.invoke.yaml", "lobster: {cluster: mine}\n")
    assert said(project, "plan") == [f"Settings of {path}, invoke.yaml."]


def test_what_tasks_py_configures_is_named(project: Project, embedded: EmbeddedProcess) -> None:
    more = "ns.configure({'lobster': {'cluster': 'a'}})\n"
    project.write("tasks.py", f"from lobster_tasks import namespace\n\nns = namespace()\n{more}")
    assert said(project, "plan") == ["Settings of tasks.py."]
