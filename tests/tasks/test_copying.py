"""Whoever waits for a large folder to be copied into an image sees what is copied, and how far it is."""

from __future__ import annotations

import os
import re

import pytest

from tests.embedded_process import EmbeddedProcess
from tests.project import Project, plain

MIB = 1024 * 1024
LINES = [f"copying /app/data: {size} of 250 MiB" for size in (100, 200)]


@pytest.fixture
def project(project: Project, embedded: EmbeddedProcess) -> Project:
    """One with a large file, and a repository for its image."""
    embedded.client("ecr").create_repository(repositoryName="homara")
    project.write("Dockerfile.streamlit", "FROM python\nWORKDIR /app\nCOPY data ./data\nCMD x\n")
    os.truncate(project.write("data/all.bin", ""), 250 * MIB)
    return project


def test_a_line_each_100_mib(project: Project) -> None:
    ended = project.inv("push-image", "--tag", "v1").check()
    assert [line for line in ended.err.splitlines() if line.startswith("copying")] == LINES
    assert not ended.out


def test_nothing_of_it_in_json(project: Project) -> None:
    ended = project.inv("push-image", "--tag", "v1", "--json").check()
    assert ended.json["pushed"]
    assert not ended.err


def test_a_bar_on_a_terminal(project: Project) -> None:
    shown = plain(project.on_terminal("push-image", "--tag", "v1").check().out)
    assert re.search(r"copying /app/data  ▕█+ +▏  \d+ of 250 MiB", shown)
    assert not any(line in shown for line in LINES)


def test_in_a_rehearsal_too(project: Project) -> None:
    """Its own embedded AWS lacks nothing of the image but a program, which is not what is looked at."""
    told = project.inv("rehearse", "--no-from-apprunner", "--speed", "60").said
    assert told.count(LINES[0]) == 1
