"""Ctrl-C and SIGTERM: it says what goes on, leaves nothing half done that the same command does not finish."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import Any

import pytest
import requests

from tests.embedded_process import PATIENCE, EmbeddedProcess, control, eventually
from tests.project import Ended, Project, interrupt, rest_of


def until(process: subprocess.Popen[str], text: str) -> str:
    """What the process says on stderr, up to the line with ``text``."""
    told = ""
    for line in process.stderr:
        told += line
        if text in line:
            return told
    raise AssertionError(f"it ended without saying {text!r}:\n{told}")


def slow_down(embedded: EmbeddedProcess, operation: str, seconds: float) -> None:
    """Make every call of an operation take so long."""
    rule = {"operation": operation, "delay_seconds": seconds}
    control.post(f"{embedded.url}/_embedded/faults", json=[rule], timeout=PATIENCE).raise_for_status()


def relent(embedded: EmbeddedProcess) -> None:
    """No more delays."""
    control.delete(f"{embedded.url}/_embedded/faults", timeout=PATIENCE).raise_for_status()


def is_calm(ended: Ended) -> None:
    """130, in words."""
    ended.check(130)
    assert "Interrupted" in ended.err
    assert "Traceback" not in ended.err
    assert "Exception" not in ended.err


@pytest.mark.parametrize(
    ("operation", "after"),
    [
        pytest.param("CreateRole", "to create", marks=pytest.mark.exhaustive),
        ("CreateLoadBalancer", "created role"),
        pytest.param("CreateService", "created task definition", marks=pytest.mark.exhaustive),
        pytest.param("DescribeSecurityGroups", "", marks=pytest.mark.exhaustive),
    ],
)
def test_an_interrupted_setup_is_finished_by_the_next(
    project: Project, embedded: EmbeddedProcess, operation: str, after: str
) -> None:
    slow_down(embedded, operation, 2)
    with project.start("setup-fargate") as process:
        told = until(process, after) if after else ""
        _until_called(embedded, operation)
        ended = interrupt(process)
    is_calm(ended)
    assert "run the same command again" in ended.err
    if after:
        assert "in progress: " in ended.err
    assert "does not exist" in told or not after
    relent(embedded)
    project.inv("setup-fargate").check()
    assert project.inv("plan", "--json").check().json["changes"] == []


def _until_called(embedded: EmbeddedProcess, operation: str) -> None:
    """Until the first delayed call has come in."""

    def seen() -> Any:
        rules = control.get(f"{embedded.url}/_embedded/faults", timeout=PATIENCE).json()
        return [rule for rule in rules if rule["operation"] == operation and rule["seen"]]

    eventually(seen)


def test_ctrl_c_ends_what_waits_for_an_answer(project: Project, embedded: EmbeddedProcess) -> None:
    slow_down(embedded, "CreateRole", 2)
    with project.start("create-iam-policies") as process:
        _until_called(embedded, "CreateRole")
        ended = interrupt(process)
    is_calm(ended)


def test_a_second_ctrl_c_does_not_tear_it_apart(project: Project, embedded: EmbeddedProcess) -> None:
    slow_down(embedded, "CreateRole", 5)
    with project.start("create-iam-policies") as process:
        _until_called(embedded, "CreateRole")
        for _ in range(3):
            os.killpg(process.pid, signal.SIGINT)
        ended = interrupt(process)
    is_calm(ended)


def test_sigterm_is_told_as_an_interruption(project: Project, embedded: EmbeddedProcess) -> None:
    slow_down(embedded, "CreateRole", 2)
    with project.start("create-iam-policies", "--json") as process:
        _until_called(embedded, "CreateRole")
        process.terminate()
        ended = rest_of(process)
    is_calm(ended)
    assert ended.json["error"]["exit_code"] == 130


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param("registered", marks=pytest.mark.exhaustive),
        "started",
        pytest.param("running", marks=pytest.mark.exhaustive),
    ],
)
def test_an_interrupted_deployment_goes_on_and_can_be_followed(
    project: Project, embedded: EmbeddedProcess, moment: str
) -> None:
    project.inv("setup-fargate", "push-image", "--tag", "a", "--build-arg", "RELEASE=a").check()
    with project.start("deploy", "--tag", "a") as process:
        until(process, moment)
        ended = interrupt(process)
    is_calm(ended)
    again = project.inv("deploy", "--tag", "a").check()
    assert "LIVE" in again.err
    assert requests.get(again.out.strip(), timeout=PATIENCE).text == "a"


def test_an_interrupted_teardown_is_finished_by_the_next(project: Project, embedded: EmbeddedProcess) -> None:
    project.inv("setup-fargate").check()
    with project.start("teardown", "--yes") as process:
        until(process, "deleted service")
        ended = interrupt(process)
    is_calm(ended)
    project.inv("teardown", "--yes").check()
    assert "Nothing to do" in project.inv("teardown", "--yes").check().err
