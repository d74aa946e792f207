"""How docker and podman are called; a program that writes down its calls takes their place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from lobster_tasks.build_secret import BuildSecret
from lobster_tasks.errors import LobsterError, RefusedError
from lobster_tasks.images import BuildOptions
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
    options = BuildOptions("arm64", {"RELEASE": "1"})
    engine.build(tmp_path, "Dockerfile.streamlit", REFERENCE, options, said.append)
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
    engine.build(tmp_path, "Dockerfile", REFERENCE, BuildOptions(), said.append)
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
        engine.build(tmp_path, "Dockerfile", REFERENCE, BuildOptions(), lambda _: None)
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


@dataclass(frozen=True)
class Told:
    """How an engine is told of an option."""

    options: BuildOptions
    docker: str
    podman: str


HUB = "registry.example/app/cache"
TOLD = {
    "a stage": Told(
        BuildOptions(target="web"), "build … --target web", "build --format docker … --target Web"
    ),
    "a stage by its number": Told(
        BuildOptions(target="0"), "build … --target 0", "build --format docker … --target 0"
    ),
    "secrets": Told(
        BuildOptions(secrets=(BuildSecret("a", "key"), BuildSecret("b", variable="TOKEN"))),
        "build … --secret id=a,src=key --secret id=b,env=TOKEN",
        "build --format docker … --secret id=a,src=key --secret id=b,env=TOKEN",
    ),
    "a repository as the cache": Told(
        BuildOptions(cache_from=(HUB,), cache_to=(f"type=registry,ref={HUB}",)),
        f"buildx build --load … --cache-from {HUB} --cache-to type=registry,ref={HUB}",
        f"build --format docker … --cache-from {HUB} --cache-to {HUB}",
    ),
}


@pytest.mark.parametrize("name", ["docker", "podman"])
@pytest.mark.parametrize("case", TOLD)
def test_options_as_the_engine_spells_them(tmp_path: Path, name: str, case: str) -> None:
    program = stand_in.make(tmp_path, name)
    (tmp_path / "Dockerfile").write_text("FROM x\nFROM x AS Web\n")
    (tmp_path / "key").write_text("s3cret")
    engine = Engine(name, str(program.program))
    with environment(TOKEN="t0ken"):
        engine.check(tmp_path, TOLD[case].options)
        engine.build(tmp_path, "Dockerfile", REFERENCE, TOLD[case].options, lambda _: None)
    common = ["--platform", "linux/amd64"]
    told = getattr(TOLD[case], name).replace("…", " ".join(common)).split()
    called = program.calls[-1]["arguments"]
    assert [word for word in called if word not in ("-f", "Dockerfile", "-t", REFERENCE, ".")] == told
    assert called[-1] == "."


def test_what_a_build_says_shows_no_secret(engine: Engine, docker: stand_in.StandIn, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("first-line\nsecond-line\n")
    docker.on("build", exit=1, does="print('+ use', 's3cret', 'second-line,', 'first-line')")
    said: list[str] = []
    options = BuildOptions(secrets=(BuildSecret("a", "key"), BuildSecret("b", variable="TOKEN")))
    with environment(TOKEN="s3cret"), pytest.raises(LobsterError) as failed:
        engine.build(tmp_path, "Dockerfile", REFERENCE, options, said.append)
    assert "+ use *** ***, ***" in said
    assert "+ use *** ***, ***" in failed.value.why
    words = " ".join(docker.calls[-1]["arguments"])
    assert not any(secret in words for secret in ("s3cret", "first-line", "second-line"))


def test_secrets_need_buildkit(engine: Engine, docker: stand_in.StandIn, tmp_path: Path) -> None:
    """Docker before release 23 builds without it, unless it is told."""
    docker.on("build", does="print('BuildKit:', os.environ.get('DOCKER_BUILDKIT'))")
    (tmp_path / "key").touch()
    said: list[str] = []
    for secrets in ((), (BuildSecret("a", "key"),)):
        options = BuildOptions(secrets=secrets)
        engine.build(tmp_path, "Dockerfile", REFERENCE, options, said.append)
    assert [line for line in said if line.startswith("BuildKit")] == ["BuildKit: None", "BuildKit: 1"]


class TestRefusals:
    def refused(self, engine: Engine, folder: Path, options: BuildOptions) -> list[str]:
        """What is told of options that the engine cannot follow."""
        with pytest.raises(RefusedError) as refused:
            engine.check(folder, options)
        return refused.value.lines()

    def test_a_secret_in_a_variable_that_is_not_set(self, engine: Engine, tmp_path: Path) -> None:
        options = BuildOptions(secrets=(BuildSecret("pypi", variable="NOT_SET"),))
        assert self.refused(engine, tmp_path, options) == [
            "The build secret pypi is missing.",
            "why   the environment has no NOT_SET",
            "next  set NOT_SET in the environment, not on the command line",
        ]

    def test_a_secret_in_a_file_that_is_missing(self, engine: Engine, tmp_path: Path) -> None:
        options = BuildOptions(secrets=(BuildSecret("pypi", "token"),))
        assert self.refused(engine, tmp_path, options) == [
            "The build secret pypi is missing.",
            f"why   there is no file {tmp_path / 'token'}",
            "next  create it, or --secret id=pypi,src=FILE",
        ]

    def test_a_cache_that_podman_does_not_have(self, tmp_path: Path) -> None:
        engine = Engine("podman", str(stand_in.make(tmp_path, "podman").program))
        what, why, _ = self.refused(engine, tmp_path, BuildOptions(cache_to=("type=gha,mode=max",)))
        assert what == "podman has no build cache of type gha."
        assert "only in a repository" in why

    def test_a_cache_without_buildx(self, engine: Engine, docker: stand_in.StandIn, tmp_path: Path) -> None:
        docker.on("buildx", exit=1)
        what, _ = self.refused(engine, tmp_path, BuildOptions(cache_from=("type=gha",)))
        assert what == "docker has no buildx, and needs it for a build cache."


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


# What docker 20.10, 28 and 29 and podman 4 and 5 say, and the beginning of the next step.
COMPLAINTS = {
    "a stopped daemon": (
        "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
        "start it",
    ),
    "a stopped daemon, in docker 29": (
        "failed to connect to the docker API at unix:///var/run/docker.sock; check if the path is correct and if the "
        "daemon is running: dial unix /var/run/docker.sock: connect: no such file or directory",
        "start it",
    ),
    "podman's machine is not running": (
        "Cannot connect to Podman. Please verify your connection to the Linux system using `podman system connection "
        "list`, or try `podman machine init` and `podman machine start` to manage a new Linux VM",
        "start it",
    ),
    "no permission on the socket": (
        "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock: "
        'Get "http://%2Fvar%2Frun%2Fdocker.sock/v1.50/version": dial unix /var/run/docker.sock: connect: permission '
        "denied",
        "get access to its socket",
    ),
}


class TestComplaints:
    """What an engine says is told, with what to do about it."""

    @pytest.mark.parametrize("case", COMPLAINTS)
    def test_of_an_engine_that_does_not_answer(
        self, tmp_path: Path, docker: stand_in.StandIn, case: str
    ) -> None:
        said, step = COMPLAINTS[case]
        docker.on("version", exit=1, complains=said)
        with environment(PATH=str(tmp_path / "bin")), pytest.raises(RefusedError) as refused:
            choose("docker")
        assert refused.value.why == f"docker: {said}"
        assert refused.value.next_step.startswith(step)

    @pytest.mark.parametrize("case", COMPLAINTS)
    def test_of_one_that_stops_later(
        self, engine: Engine, docker: stand_in.StandIn, tmp_path: Path, case: str
    ) -> None:
        said, step = COMPLAINTS[case]
        for word in ("build", "login", "push"):
            docker.on(word, exit=1, complains=said)
        steps: tuple[Callable[[], None], ...] = (
            lambda: engine.build(tmp_path, "Dockerfile", REFERENCE, BuildOptions(), lambda _: None),
            lambda: engine.login("127.0.0.1:4566", "s3cret", plain_http=True),
            lambda: engine.push(REFERENCE, lambda _: None),
        )
        for each in steps:
            with pytest.raises(LobsterError) as failed:
                each()
            assert failed.value.why.endswith(said)
            assert failed.value.next_step.startswith(step)

    def test_of_a_full_disk(self, engine: Engine, docker: stand_in.StandIn, tmp_path: Path) -> None:
        said = "write /app/large: no space left on device"
        docker.on("build", exit=1, complains=said)
        with pytest.raises(LobsterError) as failed:
            engine.build(tmp_path, "Dockerfile", REFERENCE, BuildOptions(), lambda _: None)
        assert failed.value.next_step.startswith("free some disk space: `docker system df`")

    def test_a_program_in_a_build_that_cannot_connect_is_not_the_engine(
        self, engine: Engine, docker: stand_in.StandIn, tmp_path: Path
    ) -> None:
        docker.on("build", exit=1, complains="pip: cannot connect to the index: connection refused")
        with pytest.raises(LobsterError) as failed:
            engine.build(tmp_path, "Dockerfile", REFERENCE, BuildOptions(), lambda _: None)
        assert failed.value.next_step == ""
