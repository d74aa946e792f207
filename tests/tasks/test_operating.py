"""Operating what runs, as commands; and what a job of GitHub Actions sees of a release."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest
import requests

from tests.embedded_process import PATIENCE, EmbeddedProcess
from tests.project import Project, calls, forget_calls, make


def test_operating(project: Project, embedded: EmbeddedProcess, tmp_path: Path) -> None:
    """One story, since a release takes its time."""
    live = two_releases(project, embedded)
    look_at_history(project)
    as_a_job(project, tmp_path)
    go_back(project, embedded, live)
    run_a_command_inside(project, tmp_path)
    watch(project, live)
    run_more(project)


def two_releases(project: Project, embedded: EmbeddedProcess) -> str:
    """Release ``b`` after ``a``; the address."""
    project.settings("deployment: {deregistration_delay: 0}")
    words = [word for tag in "ab" for word in ("push-image", "--tag", tag, "--build-arg", f"RELEASE={tag}")]
    project.inv("setup-fargate", *words).check()
    project.inv("deploy", "--tag", "a").check()
    where = {"cluster": "lobster-cluster", "service": "lobster-streamlit-service"}
    embedded.client("ecs").update_service(**where, enableExecuteCommand=True)
    return project.inv("deploy", "--tag", "b").check().out.splitlines()[-1]


def look_at_history(project: Project) -> None:
    """For people and for programs."""
    shown = project.inv("history").check()
    assert re.search(r"▸ +3 .* live .*b  homara@sha256:", shown.out)
    assert re.search(r" +2 .* was live .*a  homara@sha256:", shown.out)
    answer = project.inv("history", "--json", "--count", "2").check().json
    assert [(each["revision"], each["live"], each["current"]) for each in answer["releases"]] == [
        (3, True, True),
        (2, True, False),
    ]


def as_a_job(project: Project, tmp_path: Path) -> None:
    """In a job of GitHub Actions."""
    summary = tmp_path / "summary.md"
    job = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary)}
    well = project.inv("deploy", "--tag", "b", **job).check()
    groups = re.findall(r"^::group::(.*)$", well.err, re.MULTILINE)
    assert groups == ["Check the prerequisites", "Register and update", "Probe the app"]
    assert well.err.count("::endgroup::") == len(groups)
    assert "::error" not in well.err
    assert "✅ Live: lobster-streamlit-service, b" in summary.read_text()
    refused = project.inv("deploy", "--tag", "nope", **job).check(5)
    assert "::error title=image-not-found::nope is not in the repository homara." in refused.err
    assert "⛔ Refused: lobster-streamlit-service, nope" in summary.read_text()
    quiet = project.inv("deploy", "--tag", "nope", "--json", **job).check(5)
    assert quiet.json["cause"]["code"] == "image-not-found"
    assert "::error title=image-not-found::" in quiet.err


def go_back(project: Project, embedded: EmbeddedProcess, live: str) -> None:
    """To the release before."""
    forget_calls(embedded)
    ahead = project.inv("rollback", "--dry-run", "--json").check()
    assert ahead.json["task_definition"].endswith(":3")
    assert any("image homara@sha256:" in change for change in ahead.json["changes"])
    assert not calls(embedded)
    back = project.inv("rollback").check()
    assert back.out == f"{live}\n"
    assert "lobster-streamlit-service · back to the last release that was live" in back.err
    assert "revision 3 → revision 2" in back.err
    assert requests.get(live, timeout=PATIENCE).text == "a"
    forget_calls(embedded)
    wrong = project.inv("rollback", "--to", "1", "--json").check(5).json
    assert (wrong["verdict"], wrong["cause"]["code"]) == ("refused", "no-release-before")
    assert not calls(embedded)


def run_a_command_inside(project: Project, tmp_path: Path) -> None:
    """By stand-ins for the AWS CLI and its plugin; the exit code is the command's."""
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, body in (("aws", 'echo "$@"; exit 7'), ("session-manager-plugin", "")):
        (programs / name).write_text(f"#!/bin/sh\n{body}\n")
        (programs / name).chmod(0o755)
    path = f"{programs}:{project.environment['PATH']}"
    done = project.inv("exec", "--command", "ls /app", PATH=path).check(7)
    assert done.out.startswith(
        "ecs execute-command --region us-east-2 --cluster lobster-cluster --task arn:aws:ecs:"
    )
    assert done.out.endswith("--container lobster-streamlit --interactive --command ls /app\n")


def watch(project: Project, live: str) -> None:
    """Until Ctrl-C."""
    with project.start("status", "--watch") as watching:
        lines = iter(watching.stdout.readline, "")
        assert any(line == f"{live}\n" for line in lines)
        watching.send_signal(signal.SIGINT)
        watching.wait(timeout=PATIENCE)
    assert watching.returncode == 130


def run_more(project: Project) -> None:
    """And what there is already."""
    planned = project.inv("scale", "--to", "2", "--dry-run", "--json").check().json
    assert planned == {"applied": False, "before": 1, "desired": 2, "says": ["desired count 1 → 2"]}
    assert "1 task in " in project.inv("scale", "--to", "1").check().err
    answer = project.inv("scale", "--to", "2", "--json").check().json
    assert (answer["desired"], answer["healthy"], answer["reached"]) == (2, 2, True)


@pytest.mark.parametrize(
    "words",
    [
        ("rollback", "--to", "x"),
        ("rollback", "--to", "0"),
        ("rollback", "--if-busy", "perhaps"),
        ("deploy", "--tag", "a", "--if-busy", "perhaps"),
        ("scale",),
        ("scale", "--to", "many"),
        ("scale", "--to", "-1"),
        ("history", "--count", "0"),
        ("status", "--watch", "--json"),
    ],
)
def test_wrong_flags(tmp_path: Path, words: tuple[str, ...]) -> None:
    make(tmp_path, None).inv(*words).check(2)
