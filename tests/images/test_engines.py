"""How docker and podman are called; a program that writes down its calls takes their place."""

from __future__ import annotations

from pathlib import Path

import pytest

from lobster_tasks.errors import LobsterError, RefusedError
from lobster_tasks.images.engines import Engine, choose
from tests.environment import environment
from tests.images import stand_in

REFERENCE = "123456789012.dkr.ecr.us-east-2.amazonaws.com/homara:v1"


@pytest.fixture
def docker(tmp_path: Path) -> stand_in.StandIn:
    """A docker."""
    return stand_in.make(tmp_path, "docker")


@pytest.fixture
def engine(docker: stand_in.StandIn) -> Engine:
    """The docker, as the library knows it."""
    return Engine("docker", str(docker.program))


def test_builds_for_the_platform(engine: Engine, docker: stand_in.StandIn, tmp_path: Path) -> None:
    said: list[str] = []
    engine.build(tmp_path, "Dockerfile.streamlit", REFERENCE, "linux/arm64", {"RELEASE": "1"}, said.append)
    assert docker.calls == [
        {
            "arguments": [
                *("build", "--platform", "linux/arm64", "-f", "Dockerfile.streamlit", "-t", REFERENCE),
                *("--build-arg", "RELEASE=1", "."),
            ],
            "cwd": str(tmp_path),
        }
    ]
    assert "working" in said


def test_asks_for_no_attestations(engine: Engine, docker: stand_in.StandIn, tmp_path: Path) -> None:
    docker.on("build", does="print('attestations off:', os.environ['BUILDX_NO_DEFAULT_ATTESTATIONS'])")
    said: list[str] = []
    engine.build(tmp_path, "Dockerfile", REFERENCE, "linux/amd64", {}, said.append)
    assert "attestations off: 1" in said


def test_the_password_goes_by_standard_input(engine: Engine, docker: stand_in.StandIn) -> None:
    engine.login("registry.example", "s3cret")
    assert docker.calls[0]["arguments"] == [
        "login",
        "--username",
        "AWS",
        "--password-stdin",
        "registry.example",
    ]
    assert docker.calls[0]["input"] == "s3cret"


def test_a_failed_sign_in_does_not_show_the_password(engine: Engine, docker: stand_in.StandIn) -> None:
    docker.on("login", exit=1, complains="denied: s3cret is wrong")
    with pytest.raises(LobsterError) as failed:
        engine.login("registry.example", "s3cret")
    assert failed.value.lines() == ["docker cannot sign in to registry.example.", "why   denied: … is wrong"]


def test_a_failed_build_shows_its_last_lines(
    engine: Engine, docker: stand_in.StandIn, tmp_path: Path
) -> None:
    docker.on("build", exit=3, complains="\n".join(f"line {number}" for number in range(100)))
    with pytest.raises(LobsterError) as failed:
        engine.build(tmp_path, "Dockerfile", REFERENCE, "linux/amd64", {}, lambda _: None)
    assert failed.value.what == "docker build failed (exit 3)."
    assert failed.value.why.startswith("line 8")
    assert failed.value.why.endswith("line 99")


def test_tells_podman_of_a_registry_without_tls(tmp_path: Path) -> None:
    podman = stand_in.make(tmp_path, "podman")
    engine = Engine("podman", str(podman.program))
    engine.login("127.0.0.1:4566", "s3cret", plain_http=True)
    engine.push("127.0.0.1:4566/homara:v1", lambda _: None, plain_http=True)
    assert [call["arguments"][1] for call in podman.calls] == ["--tls-verify=false", "--tls-verify=false"]


def test_says_that_an_engine_elsewhere_has_another_address(engine: Engine, docker: stand_in.StandIn) -> None:
    docker.on("login", exit=1, complains="connection refused")
    with pytest.raises(LobsterError) as failed:
        engine.login("127.0.0.1:4566", "s3cret", plain_http=True)
    assert failed.value.next_step.startswith("--builder process")


def test_pushes(engine: Engine, docker: stand_in.StandIn) -> None:
    engine.push(REFERENCE, lambda _: None)
    assert docker.calls[0]["arguments"] == ["push", REFERENCE]


class TestChoice:
    def test_auto_takes_docker_first(self, tmp_path: Path, docker: stand_in.StandIn) -> None:
        stand_in.make(tmp_path, "podman")
        with environment(PATH=str(tmp_path / "bin")):
            assert choose("auto") == Engine("docker", str(docker.program))

    def test_auto_takes_podman_where_docker_does_not_answer(
        self, tmp_path: Path, docker: stand_in.StandIn
    ) -> None:
        docker.on("version", exit=1)
        podman = stand_in.make(tmp_path, "podman")
        with environment(PATH=str(tmp_path / "bin")):
            assert choose("auto") == Engine("podman", str(podman.program))

    def test_says_what_is_missing(self, tmp_path: Path, docker: stand_in.StandIn) -> None:
        docker.on("version", exit=1)
        with environment(PATH=str(tmp_path / "bin")), pytest.raises(RefusedError) as refused:
            choose("auto")
        assert "docker is installed but does not answer, podman is not installed" in refused.value.what
        assert "CI" in refused.value.next_step

    def test_takes_the_one_that_is_named(self, tmp_path: Path, docker: stand_in.StandIn) -> None:
        with environment(PATH=str(tmp_path / "bin")), pytest.raises(RefusedError) as refused:
            choose("podman")
        assert "podman is not installed" in refused.value.what
