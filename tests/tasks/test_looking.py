"""What looks at a running service, as commands: status, logs, the doctor. One service serves all tests."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

import pytest
import requests

from tests.embedded_process import PATIENCE, EmbeddedProcess
from tests.project import Project, calls, forget_calls, interrupt, make


@dataclass(frozen=True)
class Serving:
    """A project whose first release serves at ``url``."""

    project: Project
    embedded: EmbeddedProcess
    url: str


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory, embedded_process: EmbeddedProcess) -> Serving:
    """It is not emptied between the tests of this module, which change nothing."""
    embedded_process.reset()
    project = make(tmp_path_factory.mktemp("serving"), embedded_process.url)
    words = ("push-image", "--tag", "a", "--build-arg", "RELEASE=a", "deploy", "--tag", "a")
    url = project.inv("setup-fargate", *words).check().out.splitlines()[-1]
    return Serving(project, embedded_process, url)


@pytest.fixture
def project(serving: Serving) -> Project:
    """The project; its calls are counted from here on."""
    forget_calls(serving.embedded)
    return serving.project


def test_status(project: Project, serving: Serving) -> None:
    answer = project.inv("status", "--json").check().json
    assert (answer["url"], answer["desired"], answer["running"], answer["healthy"]) == (serving.url, 1, 1, 1)
    [task] = answer["tasks"]
    assert (task["status"], task["current"]) == ("RUNNING", True)
    assert task["targets"] == [{"state": "healthy", "reason": None}]
    told = project.inv("status").check()
    assert told.err == ""
    assert told.out.rstrip().endswith(serving.url)
    assert "1 running, 0 pending of 1 desired; 1 healthy" in told.out
    assert "running, target healthy" in told.out
    assert not calls(serving.embedded)


def test_logs(project: Project, serving: Serving) -> None:
    [task] = project.inv("status", "--json").check().json["tasks"]
    written = project.inv("logs", "--since", "5").check().out
    assert re.search(
        rf"^\d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d {task['task'][:8]} listening on 8501$", written, re.M
    )
    assert project.inv("logs", "--task", task["task"][:4]).check().out == written
    refused = project.inv("logs", "--task", "nobody").check(5)
    assert "No task whose id begins with nobody" in refused.err
    assert refused.out == ""
    assert not calls(serving.embedded)


def test_logs_name_another_container_than_the_apps(project: Project, serving: Serving) -> None:
    logs, group = serving.embedded.client("logs"), "/ecs/lobster-streamlit"
    stream = f"xray/aws-otel-collector/{'c' * 32}"
    logs.create_log_stream(logGroupName=group, logStreamName=stream)
    event = {"timestamp": int(time.time() * 1000), "message": "exporting\nfailed"}
    logs.put_log_events(logGroupName=group, logStreamName=stream, logEvents=[event])
    lines = project.inv("logs", "--task", "cccc").check().out.splitlines()
    assert lines[0].endswith(" cccccccc aws-otel-collector: exporting")
    assert lines[1] == " " * lines[0].index("exporting") + "failed"
    serving.embedded.forget_calls()


def test_logs_end_quietly_when_nobody_reads_on(project: Project, serving: Serving) -> None:
    with project.start("logs", "--follow") as process:
        assert "starting a" in process.stdout.readline()
        process.stdout.close()
        requests.get(f"{serving.url}/print?line=more", timeout=PATIENCE)
        assert process.wait(timeout=PATIENCE) == 0
        assert process.stderr.read() == ""


def test_following_logs_ends_with_an_interruption(project: Project, serving: Serving) -> None:
    with project.start("logs", "--follow") as process:
        assert "starting a" in process.stdout.readline()
        ended = interrupt(process)
    assert ended.code == 130
    assert "Traceback" not in ended.err


def test_the_doctor(project: Project, serving: Serving) -> None:
    answer = project.inv("validate-fargate-setup", "--json").check().json
    assert set(answer) == {"ok", "checks"}
    assert answer["ok"] is True
    assert all(set(check) == {"id", "status", "saw", "fix"} for check in answer["checks"])
    statuses = [check["status"] for check in answer["checks"]]
    assert set(statuses) <= {"pass", "warn", "skip"}
    told = project.inv("validate-fargate-setup").check().out
    assert told.splitlines()[-1].startswith(f"{statuses.count('pass')} pass, ")
    assert not calls(serving.embedded)


def test_the_doctor_fails_where_a_check_does(project: Project) -> None:
    wrong = ("--set", "container.port=9999")
    told = project.inv("validate-fargate-setup", *wrong).check(1).out
    assert re.search(r"^\S* +✘ +.*9999", told, re.M)
    assert re.search(r"^ +→ ", told, re.M)
    assert project.inv("validate-fargate-setup", "--json", *wrong).check(1).json["ok"] is False


@pytest.mark.parametrize(
    "task", [pytest.param("status", marks=pytest.mark.exhaustive), "validate-fargate-setup", "plan"]
)
def test_narrow_piped_or_without_colour_nothing_is_lost(project: Project, task: str) -> None:
    piped = project.inv(task).check()
    narrow = project.inv(task, COLUMNS="80").check().out
    shown = project.on_terminal(task, columns=40, NO_COLOR="1").check().out
    for text in (piped.said, narrow, shown):
        assert "\x1b" not in text
        assert not re.search(r"[ \t]$", text, re.M)
    assert max(map(len, narrow.splitlines())) <= 80
    assert max(map(len, shown.splitlines())) <= 40
    assert letters(narrow) == letters(piped.out)
    assert letters(shown) == letters(piped.said)
    assert "\x1b[" in project.on_terminal(task).check().out


def letters(text: str) -> list[str]:
    """What a text holds, wherever its lines end; how long an answer took is left out."""
    return sorted(re.sub(r"\d+ms", "", "".join(text.split())))


def test_a_terminal_without_unicode_gets_other_signs(project: Project) -> None:
    told = project.inv("validate-fargate-setup", PYTHONIOENCODING="ascii").check().out
    assert " ok " in told
    assert "?" not in told
    told.encode("ascii")
