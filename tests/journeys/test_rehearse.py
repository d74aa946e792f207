"""``inv rehearse``: the whole way offline, as one command."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
import requests

from tests.embedded_process import PATIENCE, eventually
from tests.project import Ended, Project, interrupt, make, rest_of

AWS_CLI = Path(sys.executable).with_name("aws")
ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with the test app; no AWS anywhere."""
    return replace(make(tmp_path, None), as_people_do=True)


@contextmanager
def nothing_is_left(process: subprocess.Popen[str]) -> Iterator[None]:
    """After the block, no process that this one started is there any more."""
    started = psutil.Process(process.pid).children(recursive=True)
    assert started
    yield
    eventually(lambda: not [each for each in started if each.is_running() and each.status() != "zombie"])


def test_this_project_passes(project: Project) -> None:
    """With the real Streamlit, and with a user's AWS and proxy around that must play no part."""
    around = {
        "AWS_PROFILE": "nobody",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "HTTP_PROXY": "http://127.0.0.1:9",
    }
    answer = project.inv("rehearse", "--json", folder=ROOT, **around).check().json
    assert set(answer) == {"verdict", "requests", "seconds", "timeline"}
    assert answer["verdict"] == "passed"
    assert answer["requests"]["sent"] > 0
    assert answer["requests"]["failed"] == 0
    assert all(moment["ok"] for moment in answer["timeline"])
    told = "\n".join(moment["what"] for moment in answer["timeline"])
    for what in (
        "lobster serves lobster.example.com",
        "no WebSocket",
        "settings: ",
        "repository/homara adopted",
        "WebSocket open",
        "under traffic: LIVE",
        "ROLLED BACK",
        "better: WebSocket",
        "10 → 50 → 100 %",
        "lobster paused",
        "deleted 1 service, 2 roles",
        "nothing is left of the stack",
    ):
        assert what in told


def test_an_app_behind_cloudfront_passes(project: Project) -> None:
    """Without a domain: visitors get HTTPS at the distribution's own name."""
    answer = project.inv("rehearse", "--json", "--set", "front.kind=cloudfront").check().json
    assert answer["verdict"] == "passed"
    assert answer["requests"]["failed"] == 0
    told = "\n".join(moment["what"] for moment in answer["timeline"])
    for what in (
        "lobster serves http://127.0.0.1",
        "14 resources",
        "WebSocket open",
        "under traffic: LIVE",
        "; a WebSocket lived ",
        "ROLLED BACK",
        "better: WebSocket",
        "visitors go to https://127.0.0.1",
        "lobster paused",
        "deleted 1 service, 2 roles",
        "nothing is left of the stack",
    ):
        assert what in told


@pytest.mark.exhaustive  # test_an_app_behind_cloudfront_passes, test_cutover_front.py
def test_a_domain_is_cut_over_to_cloudfront(project: Project) -> None:
    flags = "front.kind=cloudfront", "domains=app.example.com"
    answer = project.inv("rehearse", "--json", *(word for each in flags for word in ("--set", each))).check()
    assert answer.json["verdict"] == "passed"
    assert answer.json["requests"]["failed"] == 0
    told = "\n".join(moment["what"] for moment in answer.json["timeline"])
    for what in ("lobster serves app.example.com", "10 → 50 → 100 %", "nothing is left of the stack"):
        assert what in told


def test_a_young_account_passes(project: Project) -> None:
    """Refusals that pass are waited out from the first step on, and told."""
    ended = project.inv("rehearse", "--young").check()
    assert ended.err.rstrip().splitlines()[-1].startswith("PASSED")
    assert "… waiting, 120 s at most: AWS refused apprunner:CreateService on lobster." in ended.err


def test_a_broken_app_fails_with_its_cause(project: Project) -> None:
    project.write("web_app.py", "raise SystemExit('no model is configured')\n")
    ended = project.inv("rehearse", "--no-from-apprunner").check(1)
    assert re.search(r"^ ✘ +\d:\d\d  deploy 1 +FAILED|ROLLED BACK", ended.err, re.M)
    assert "no model is configured" in ended.err
    assert ended.err.rstrip().splitlines()[-1].startswith("FAILED after ")
    assert "Traceback" not in ended.err


def test_a_dockerfile_that_cannot_be_read_fails_too(project: Project) -> None:
    project.write("Dockerfile.streamlit", "FROM python\nCOPY nowhere/ .\nCMD x\n")
    answer = project.inv("rehearse", "--json").check(1).json
    assert answer["verdict"] == "failed"
    assert "nowhere" in answer["timeline"][-1]["what"]


def test_kept_until_ctrl_c(project: Project) -> None:
    with project.start("rehearse", "--no-from-apprunner", "--keep") as process:
        told = _until(process, "The app:")
        url = process.stdout.readline().strip()
        variables = dict(re.findall(r"(AWS_\w+)=(\S+)", told))
        assert requests.get(url, timeout=PATIENCE).text == "rehearsal-2"
        assert project.inv("status", **variables).check().out.rstrip().endswith(url)
        assert "lobster-streamlit-service" in _aws(
            project, variables, "ecs", "list-services", "--cluster", "lobster-cluster"
        )
        with nothing_is_left(process):
            ended = interrupt(process).check(0)
    assert "PASSED" in ended.err
    assert "Traceback" not in ended.err


@pytest.mark.exhaustive  # test_an_app_behind_cloudfront_passes, test_kept_until_ctrl_c
def test_kept_behind_cloudfront(project: Project) -> None:
    with project.start(
        "rehearse", "--no-from-apprunner", "--keep", "--set", "front.kind=cloudfront"
    ) as process:
        _until(process, "The app:")
        url = process.stdout.readline().strip()
        _, _, authority, again = _until(process, "curl").splitlines()[-1].split()
        assert (again, requests.get(url, verify=authority, timeout=PATIENCE).text) == (url, "rehearsal-2")
        with nothing_is_left(process):
            interrupt(process).check(0)
    assert not Path(authority).exists()


def _until(process: subprocess.Popen[str], text: str) -> str:
    told = ""
    for line in iter(process.stdout.readline, ""):
        told += line
        if text in line:
            return told
    raise AssertionError(f"it ended:\n{told}{rest_of(process)}")


def _aws(project: Project, variables: dict[str, str], *words: str) -> str:
    """The AWS CLI, which knows of the embedded AWS by its variables alone."""
    environment = {**project.environment, **variables}
    done = subprocess.run([AWS_CLI, *words], env=environment, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.parametrize(
    "number",
    [
        pytest.param(signal.SIGINT, marks=pytest.mark.exhaustive),  # later: test_kept_until_ctrl_c
        pytest.param(signal.SIGTERM, marks=pytest.mark.exhaustive),
        signal.SIGKILL,
    ],
)
def test_nothing_is_left_however_it_ends(project: Project, number: signal.Signals) -> None:
    with project.start("rehearse", "--no-from-apprunner") as process:
        while "setup-fargate" not in (line := process.stderr.readline()):
            assert line, "it ended"
        with nothing_is_left(process):
            process.send_signal(number)
            ended = rest_of(process)
    if number != signal.SIGKILL:
        _is_calm(ended)


def _is_calm(ended: Ended) -> None:
    assert ended.code == 130
    assert "Interrupted." in ended.err
    assert "Traceback" not in ended.err
