"""The engines of the tests do what tests expect of them: they build, run, and leave nothing behind."""

from __future__ import annotations

import os

import pytest

from tests.engines import LABEL, ContainerEngine, busybox

pytestmark = pytest.mark.engine

DOCKERFILE = 'FROM scratch\nCOPY busybox /bin/sh\nCMD ["/bin/sh", "-c", "echo hello"]\n'


def test_builds_and_runs_an_image(container_engine: ContainerEngine) -> None:
    container_engine.build("localhost/hello:1", DOCKERFILE, {"busybox": busybox()})
    mine = f"{LABEL}={os.getpid()}"
    said = container_engine.run("run", "--label", mine, "--network", "none", "localhost/hello:1")
    assert said.strip() == "hello"
    assert container_engine.run("ps", "-a", "-q", "--filter", f"label={mine}").strip()
    container_engine.remove_own()
    assert not container_engine.run("ps", "-a", "-q", "--filter", f"label={mine}").strip()
    assert not container_engine.run("images", "-q", "--filter", f"label={mine}").strip()
