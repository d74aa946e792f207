"""How a container engine is found, what it is ordered to do, and what its refusals mean; without an engine."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from embedded_aws.runtime.engine import archive, arguments
from embedded_aws.runtime.engine.arguments import Variables
from embedded_aws.runtime.engine.client import Engine, elsewhere, explained
from embedded_aws.runtime.engine.container import refusal
from embedded_aws.runtime.engine.gateway import Gateway
from embedded_aws.runtime.images import Image
from embedded_aws.runtime.interface import ContainerSpec, Isolation, Mount
from tests.embedded_process import EMBEDDED_AWS, PATIENCE

IMAGE = Image(
    "i:1", "sha256:1", 1, "linux/amd64", ("run",), ("me",), {}, "/app", "", (8501,), (), "SIGTERM", Path()
)


def started(*more: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """An embedded AWS that ends at once, or cannot start."""
    words = [*EMBEDDED_AWS, "--until-stdin-ends", *more]
    env = {**os.environ, **environment}
    return subprocess.run(
        words,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_without_an_engine_containers_are_refused(tmp_path: Path) -> None:
    done = started("--runtime", "container", PATH=str(tmp_path))
    assert done.returncode == 5
    assert (
        "no container engine can be used here. docker is not installed. podman is not installed."
        in done.stderr
    )


def test_without_an_engine_auto_runs_processes_and_says_so(tmp_path: Path) -> None:
    done = started("--runtime", "auto", PATH=str(tmp_path))
    assert done.returncode == 0
    assert done.stdout.startswith("AWS_ENDPOINT_URL=")
    assert "Tasks run as processes of this machine, without the image's own files" in done.stderr


@pytest.mark.skipif(shutil.which("docker") is None, reason="no docker (Debian: apt-get install docker.io)")
def test_a_daemon_that_does_not_answer_is_named_with_the_next_step(tmp_path: Path) -> None:
    address = f"unix://{tmp_path}/docker.sock"
    done = started("--runtime", "container", EMBEDDED_AWS_ENGINE="docker", DOCKER_HOST=address)
    assert done.returncode == 5
    assert f"docker: Cannot connect to the Docker daemon at {address}" in done.stderr
    assert "start it: Docker Desktop, `sudo systemctl start docker`" in done.stderr


@pytest.mark.parametrize(
    ("said", "step"),
    [
        (
            "permission denied while trying to connect to the Docker daemon socket at unix:///var/run/docker.sock",
            "add yourself to the group that owns the socket",
        ),
        ("Error response from daemon: write /layer.tar: no space left on device", "`docker system df` shows"),
        (
            "Cannot connect to the Docker daemon at tcp://127.0.0.1:1. Is the docker daemon running?",
            "start it",
        ),
    ],
)
def test_a_refusal_names_the_next_step(said: str, step: str) -> None:
    told = explained("docker", said)
    assert told.startswith("docker: ")
    assert said.removeprefix("Error response from daemon: ") in told
    assert step in told


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("unix:///var/run/docker.sock", None),
        ("npipe:////./pipe/docker_engine", None),
        ("tcp://127.0.0.1:2375", None),
        ("ssh://core@localhost:5000/run/podman.sock", None),
        ("", None),
        ("ssh://me@builder.example.com", "builder.example.com"),
        ("tcp://10.0.0.7:2376", "10.0.0.7"),
    ],
)
def test_an_engine_on_another_machine_is_recognised(address: str, host: str | None) -> None:
    assert elsewhere(address) == host


@pytest.mark.parametrize(
    ("said", "reason", "code"),
    [
        (
            "Error response from daemon: failed to create shim task: OCI runtime create failed: runc create failed: "
            'unable to start container process: exec: "x": executable file not found in $PATH: unknown\n'
            "Error: failed to start containers: 1",
            'unable to start container process: exec: "x": executable file not found in $PATH: unknown',
            127,
        ),
        (
            "Error: OCI runtime error: runc: runc create failed: unable to start container process: exec: "
            '"/www": permission denied',
            'unable to start container process: exec: "/www": permission denied: unknown',
            126,
        ),
        ("Error: something else", "unable to start container process: docker: something else: unknown", 127),
    ],
)
def test_why_a_container_was_not_started(said: str, reason: str, code: int) -> None:
    told = refusal("docker", said)
    assert str(told).startswith("CannotStartContainerError: ResourceInitializationError: ")
    assert str(told).endswith(reason)
    assert told.exit_code == code


def test_variables_of_several_lines_pass_by_the_environment() -> None:
    """A file for --env-file has one variable a line."""
    made = Variables.of({"A": "1", "B": "two\nlines", "C": "# not a comment"})
    assert (made.file, made.others) == ("A=1\nC=# not a comment\n", {"B": "two\nlines"})


def test_the_order_that_creates_a_container() -> None:
    isolation = Isolation("app", True, 4.0, 256, 32, {"nofile": (1, 2)}, ("SYS_PTRACE",), ("ALL",))
    spec = ContainerSpec(
        IMAGE, "127.31.0.1", print, memory_limit_mib=64, task_memory_mib=512, init=True, isolation=isolation
    )
    spec = replace(spec, mounts=(Mount("data", "/data"), Mount("cache", "/cache", True, True)))
    volumes, variables = {"data": "vol-1", "cache": "vol-2"}, Variables("", {"B": "2"})
    engine = Engine("docker", "docker", cpus=2)
    words = arguments.container(spec, "ref", "pod", ["--label", "l"], variables, "/file", engine, volumes)
    said = " ".join(words)
    assert said.endswith("ref me")
    for each in (
        *("--network container:pod", "--workdir /app --entrypoint run", "--env-file /file --env B"),
        *("--memory 64m --memory-swap 64m", "--memory-reservation 32m", "--cpus 2 --cpu-shares 256"),
        *("--ulimit nofile=1:2", "--user app --read-only --init", "--cap-add SYS_PTRACE --cap-drop ALL"),
        *("--volume vol-1:/data:rw,nocopy", "--volume vol-2:/cache:ro"),
    ):
        assert each in said


def test_containers_are_limited_together_in_the_control_group_of_their_pod() -> None:
    """By an engine that can; what limits the container alone stays."""
    spec = ContainerSpec(IMAGE, "127.31.0.1", print, memory_limit_mib=64, task_memory_mib=512)

    def words(engine: Engine) -> str:
        return " ".join(arguments.container(spec, "r", "id", [], Variables("", {}), "/file", engine, {}))

    assert "--cgroup-parent" not in words(Engine("docker", "docker"))
    together = words(Engine("docker", "docker", limits_together=True))
    assert "--cgroup-parent /docker/id --memory 64m --memory-swap 64m" in together
    gateway = Gateway("embedded-aws", "host-gateway", 4566)
    pod = " ".join(arguments.pod("pod", "net", gateway, "ip-1", [80], [], 512))
    assert "--cgroup-parent /docker --memory 512m --memory-swap 512m" in pod


def test_a_pod_publishes_its_ports_on_loopback_only() -> None:
    words = arguments.pod("pod", "net", Gateway("embedded-aws", "host-gateway", 4566), "ip-1", [80, 8501], [])
    said = " ".join(words)
    assert "--publish 127.0.0.1::80 --publish 127.0.0.1::8501" in said
    assert "--add-host embedded-aws:host-gateway --hostname ip-1" in said
    assert said.endswith("pod 169.254.170.2 4566 embedded-aws")


def test_an_image_as_engines_load_it() -> None:
    """The Docker image specification v1.2: manifest.json with Config, RepoTags and Layers."""
    layer, digest = archive.single_file("pod", b"program")
    config = archive.with_labels({"config": {"Labels": {"a": "1"}}}, {"b": "2"})
    stream = io.BytesIO()
    archive.write(stream, "embedded-aws:x", config, [(len(layer), lambda: io.BytesIO(layer))])
    stream.seek(0)
    with tarfile.open(fileobj=stream) as packed:
        read = {member.name: packed.extractfile(member) for member in packed}
        content = {name: file.read() for name, file in read.items() if file}
    (about,) = json.loads(content["manifest.json"])
    assert about["RepoTags"] == ["embedded-aws:x"]
    assert json.loads(content[about["Config"]])["config"]["Labels"] == {"a": "1", "b": "2"}
    assert [content[name] for name in about["Layers"]] == [layer]
    assert digest.startswith("sha256:")
