"""An app that writes what a terminal and a runner would obey, released: by every task that prints of it."""

from __future__ import annotations

import json
import re
import unicodedata
from pathlib import Path

import pytest

from tests.project import Ended, Project, plain
from tests.runner_log import carried_out, unfenced

LINES = [
    "::add-mask::rolled_back",
    "  ::error title=FORGED::forged",
    "text ##[set-output name=verdict]live",
    "carriage\r::warning title=CR::forged",
    "\x1b]0;title\x07\x1b]52;c;ZWNobw==\x07\x1b[2J\x1b[31mred\x1b[8mhidden\x1b[0m\x9b2J\u202e",
    "::stop-commands::endtoken",
    "a" * 100_000,
]
APP = f"""\
import sys, time
for line in {LINES!r}:
    print(line, flush=True)
sys.exit(3)
"""
DOCKERFILE = 'FROM python:3.13-slim\nCOPY app.py ./\nCMD ["python", "app.py"]\n'
TASKS = [
    ("status",),
    ("status", "--json"),
    ("history",),
    ("logs", "--since", "600"),
    ("validate-fargate-setup",),
]


def obeyed(text: str) -> set[str]:
    """Control characters and the like, line breaks and tabs apart."""
    return {each for each in text if unicodedata.category(each) in ("Cc", "Cf") and each not in "\n\t"}


def test_nothing_that_an_app_writes_is_obeyed(project: Project, tmp_path: Path) -> None:
    """One story, since a release takes its time."""
    project.settings("deployment: {deregistration_delay: 0}")
    project.write("app.py", APP)
    project.write("Dockerfile.streamlit", DOCKERFILE)
    project.inv("setup-fargate", "push-image", "--tag", "v1").check()
    summary, outputs = tmp_path / "summary", tmp_path / "outputs"
    job = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_STEP_SUMMARY": str(summary),
        "GITHUB_OUTPUT": str(outputs),
    }
    ended = project.inv("deploy", "--tag", "v1", **job)
    assert ended.code in (1, 3)
    check_job(ended, {"group", "endgroup", "error", "warning"})
    assert "FORGED" in ended.err  # it is shown, and is nothing but text
    assert all(
        each.properties.startswith("title=exits") for each in carried_out(ended.err) if each.name == "error"
    )
    assert not obeyed(summary.read_text())
    for words in TASKS:
        check_job(project.inv(*words, **job), set())
        assert not obeyed(project.inv(*words).said), words
    shown = project.on_terminal("logs", "--since", "600").out
    assert not obeyed(shown)
    assert "\\x1b]0;title\\x07" in shown
    raw = project.inv("logs", "--since", "600", "--raw")
    assert "\x1b]0;title\x07" in raw.out
    check_job(project.inv("logs", "--since", "600", "--raw", **job), set())


def check_job(ended: Ended, ours: set[str]) -> None:
    """The runner carries out our commands alone, and none where it has not seen the fence."""
    found = carried_out(ended.err, ended.out)
    assert {each.name for each in found} <= ours, found
    assert not [each for each in found if "FORGED" in each.properties]
    assert {each.name for each in unfenced(ended.err, ended.out)} <= ours


@pytest.mark.parametrize(
    "tag", ["v1\n::set-output name=verdict::live", "v1\x1b[2J", "v1 ##[add-mask]live", "\u202ev1"]
)
@pytest.mark.parametrize("task", ["deploy", "push-image", "render-task-definition"])
def test_a_tag_that_is_none_is_refused_before_it_is_printed(project: Project, task: str, tag: str) -> None:
    ended = project.inv(task, "--tag", tag, GITHUB_ACTIONS="true").check(2)
    said = [line for line in ended.err.splitlines() if "v1" in line]
    if task == "push-image":  # its last line is a tag that can be one
        assert re.fullmatch(r"next +--tag [A-Za-z0-9_.-]+", said.pop())
    assert len(said) == 1
    check_job(ended, set())
    assert not obeyed(plain(ended.said))


def test_an_answer_in_json_stays_what_it_is(project: Project) -> None:
    answer = project.inv("deploy", "--tag", "##[error]\x7f", "--json").check(2).out
    assert "##[" not in answer
    assert "##[error]" in json.loads(answer)["error"]["what"]
