"""The engines of the tests do what tests expect of them: they build, run, and leave nothing behind."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.engines import FOLDER, LABEL, OURS, ContainerEngine, NoEngineError, busybox, podman

pytestmark = pytest.mark.engine

DOCKERFILE = 'FROM scratch\nCOPY busybox /bin/sh\nCMD ["/bin/sh", "-c", "echo hello"]\n'


def test_podman_takes_its_runroot_as_an_argument_too(tmp_path: Path) -> None:
    """As it is called at the end of each container, wherever the tests have their files."""
    folder = tmp_path / ("long" * 10)
    folder.mkdir()
    try:
        with podman(folder) as engine:
            runroot = engine.run("info", "--format", "{{.Store.RunRoot}}").strip()
            engine.run("--runroot", runroot, "info")
    except NoEngineError as missing:
        pytest.skip(str(missing))
    assert not Path(runroot).exists()


def test_counts_what_embedded_awss_of_this_process_have_made(container_engine: ContainerEngine) -> None:
    before = container_engine.made()
    folders = {"mine": container_engine.environment["TMPDIR"], "other": "/elsewhere"}
    names = {which: f"lobster-tests-{which}-{os.getpid()}" for which in folders}
    try:
        for which, folder in folders.items():
            labels = (f"{LABEL}={os.getpid()}", f"{OURS}={which}", f"{FOLDER}={folder}/one")
            container_engine.run(
                "volume", "create", *(word for each in labels for word in ("--label", each)), names[which]
            )
        assert set(names.values()) <= set(container_engine.labelled(OURS))
        assert sorted(container_engine.made()) == sorted([*before, names["mine"]])
    finally:
        container_engine.run("volume", "rm", "--force", *names.values())


def test_builds_and_runs_an_image(container_engine: ContainerEngine) -> None:
    container_engine.build("localhost/hello:1", DOCKERFILE, {"busybox": busybox()})
    mine = f"{LABEL}={os.getpid()}"
    said = container_engine.run("run", "--label", mine, "--network", "none", "localhost/hello:1")
    assert said.strip() == "hello"
    assert container_engine.run("ps", "-a", "-q", "--filter", f"label={mine}").strip()
    container_engine.remove_own()
    assert not container_engine.run("ps", "-a", "-q", "--filter", f"label={mine}").strip()
    assert not container_engine.run("images", "-q", "--filter", f"label={mine}").strip()
