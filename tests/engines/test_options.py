"""What a build is told, with real engines: the stage, arguments, and secrets, of which nothing is left."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lobster_tasks.build_secret import BuildSecret
from lobster_tasks.images import BuildOptions
from lobster_tasks.images.engines import Engine
from tests.engines import LABEL, ContainerEngine, busybox
from tests.environment import environment

pytestmark = pytest.mark.engine

# RUN shows the secrets, as nobody should, and fails where one is missing.
DOCKERFILE = f"""\
FROM scratch AS tools
COPY busybox /bin/sh
LABEL {LABEL}=options
FROM tools AS Web
ARG RELEASE
ENV R=$RELEASE
RUN --mount=type=secret,id=file --mount=type=secret,id=variable \\
    read -r a < /run/secrets/file && read -r b < /run/secrets/variable; \\
    echo "read $a, read $b" && test ${{#a}} = 11 && test ${{#b}} = 15
FROM tools
ENV R=not-the-target
"""
REFERENCE = "localhost/lobster-tests/options:1"


def test_secrets_stage_and_arguments(
    container_engine: ContainerEngine, buildkit: ContainerEngine, tmp_path: Path
) -> None:
    engine = buildkit if container_engine.name == "docker" else container_engine
    (tmp_path / "Dockerfile").write_text(DOCKERFILE)
    (tmp_path / "busybox").write_bytes(busybox())
    (tmp_path / "busybox").chmod(0o755)
    (tmp_path / "token").write_text("of-the-file\n")
    options = BuildOptions(
        arguments={"RELEASE": "one"},
        target="web",
        secrets=(BuildSecret("file", "token"), BuildSecret("variable", variable="A_TOKEN")),
    )
    said: list[str] = []
    with environment(**engine.environment, A_TOKEN="of-the-variable"):
        Engine(engine.name, engine.program).build(tmp_path, "Dockerfile", REFERENCE, options, said.append)
    assert any("read ***, read ***" in line for line in said)
    [image] = json.loads(engine.run("image", "inspect", REFERENCE))
    assert "R=one" in image["Config"]["Env"]
    history = engine.run("history", "--no-trunc", REFERENCE)
    engine.run("save", "-o", str(tmp_path / "saved"), REFERENCE)
    engine.run("rmi", "--force", REFERENCE)
    kept = (tmp_path / "saved").read_bytes() + history.encode() + "\n".join(said).encode()
    assert b"of-the-file" not in kept
    assert b"of-the-variable" not in kept
