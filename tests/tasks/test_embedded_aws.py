"""``inv embedded-aws``: a line on stdout once it answers, and nothing left when it ends."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import boto3
import psutil
import pytest

from tests.embedded_process import PATIENCE, EmbeddedProcess, eventually
from tests.project import Ended, Project, interrupt, make, rest_of


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project; it starts its own embedded AWS."""
    return replace(make(tmp_path, None), as_people_do=True)


def address(process: subprocess.Popen[str]) -> str:
    """The address on the first line of stdout."""
    assert process.stdout is not None
    found = re.fullmatch(r"AWS_ENDPOINT_URL=(http://127\.0\.0\.1:\d+)\n", process.stdout.readline())
    assert found
    return found[1]


def test_it_ends_with_everything_that_it_started(project: Project) -> None:
    with project.start("embedded-aws", "--port", "0", "--speed", "50") as process:
        url = address(process)
        _release(project, url)
        started = psutil.Process(process.pid).children(recursive=True)
        assert started  # the task's processes among them
        process.terminate()
        assert rest_of(process) == Ended(0, "", "")
    eventually(lambda: not [each for each in started if each.is_running() and each.status() != "zombie"])


def test_ctrl_c_ends_it_too(project: Project) -> None:
    with project.start("embedded-aws", "--port", "0") as process:
        address(process)
        assert interrupt(process) == Ended(0, "", "")


def _release(project: Project, url: str) -> None:
    """By its address alone it is an AWS for every client."""
    keys = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any"}
    words = ("setup-fargate", "push-image", "--tag", "a", "deploy", "--tag", "a")
    project.inv(*words, AWS_ENDPOINT_URL=url, **keys).check()
    ecs = boto3.client(
        "ecs", "us-east-2", endpoint_url=url, aws_access_key_id="any", aws_secret_access_key="any"
    )
    assert len(ecs.list_tasks(cluster="lobster-cluster")["taskArns"]) == 1


def test_a_port_that_is_taken(project: Project) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = project.inv("embedded-aws", "--port", str(port)).check(5)
    assert ended.out == ""
    assert str(port) in ended.err
    assert "Traceback" not in ended.err


def test_it_ends_with_whoever_holds_its_standard_input(embedded: EmbeddedProcess) -> None:
    command = [sys.executable, "-m", "embedded_aws", "--until-stdin-ends"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        address(process)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(timeout=PATIENCE) == 0
