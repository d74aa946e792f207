"""The fixtures of the library's tests: an embedded AWS in a separate process, and the library's client for it."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import hypothesis
import pytest

from lobster_tasks.aws import Aws
from lobster_tasks.clock import Clock
from tests import engines
from tests.embedded_process import RUNNING, EmbeddedProcess, start
from tests.engines import ContainerEngine, NoEngineError
from tests.project import Project, make

# The time for creating and running an example depends on the machine.
hypothesis.settings.register_profile(
    "patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("patient")

SPEED = 20.0
SWIFT = 200.0
FIRST = (
    "tests/engines/test_container_runtime.py",  # minutes
    *("tests/embedded/test_terraform.py", "tests/test_patterns.py", "tests/wording/"),
    *("tests/journeys/", "tests/tasks/", "tests/test_fargate_deployment.py"),
)

if (
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN
):  # as in the background of a shell; many tests are about Ctrl-C
    signal.signal(signal.SIGINT, signal.default_int_handler)


gc.disable()  # until the tests are collected: thousands of objects that stay to the end


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """How many workers `-n auto` means: three per core, because most tests wait for events at AWS's pace."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return 3 * cores


def pytest_configure(config: pytest.Config) -> None:
    """The complete matrices are a few slow files, so their cases are distributed among all workers."""
    if config.option.markexpr == "exhaustive":
        config.option.dist = "load"


def pytest_collection_finish() -> None:
    """Exclude all current objects from garbage collection."""
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)
    gc.enable()


def pytest_sessionfinish() -> None:
    """Exclude the remaining objects too: the process ends, and pytest would collect garbage several times."""
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run slow files first, so that no worker runs one alone at the end."""
    items.sort(key=lambda item: [not item.nodeid.startswith(each) for each in FIRST])


@pytest.fixture(scope="session")
def embedded_process() -> Iterator[EmbeddedProcess]:
    """One embedded AWS for all tests of a worker."""
    with start(speed=SPEED, boot_allowance=2) as running:
        yield running


@pytest.fixture(scope="module")
def swift() -> Iterator[EmbeddedProcess]:
    """An embedded AWS for one file, in which 200 seconds pass in one: CloudFront takes minutes."""
    with start(speed=SWIFT, boot_allowance=2) as running:
        yield running


@pytest.fixture(scope="module", autouse=True)
def nothing_goes_on() -> Iterator[None]:
    """Reset every embedded AWS after a file: running tasks and health checks would slow down other files."""
    yield
    for running in RUNNING:
        running.reset()


@pytest.fixture
def embedded(embedded_process: EmbeddedProcess) -> EmbeddedProcess:
    """The embedded AWS, empty; ``embedded.client("ecs")`` is a boto3 client that is independent of the library."""
    embedded_process.reset()
    return embedded_process


@pytest.fixture(scope="session")
def abroad(embedded_process: EmbeddedProcess) -> Aws:
    """One session for all tests of a worker: loading botocore's models takes longer than most tests."""
    credentials = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "example"}
    return Aws("eu-west-1", endpoint_url=embedded_process.url, credentials=credentials)


@pytest.fixture
def aws(embedded: EmbeddedProcess, abroad: Aws) -> Aws:
    """The library's client for the empty embedded AWS, with a clock at its speed."""
    door = abroad.in_region("us-east-2")
    door.clock = Clock(speed=SPEED)
    return door


@pytest.fixture
def project(tmp_path: Path, embedded: EmbeddedProcess) -> Project:
    """A project, and an empty embedded AWS for its commands."""
    return make(tmp_path, embedded.url)


@pytest.fixture(scope="session")
def docker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ContainerEngine]:
    """A real docker; skipped by name where none answers."""
    with _engine(engines.docker, tmp_path_factory.mktemp("docker")) as docker:
        yield docker


@pytest.fixture(scope="session")
def buildkit(docker: ContainerEngine) -> ContainerEngine:
    """Docker with BuildKit: the client of PATH if it has the plugin buildx, else Debian's, which needs none."""
    for program in (docker.program, "/usr/bin/docker"):
        engine = replace(docker, program=program, environment={**docker.environment, "DOCKER_BUILDKIT": "1"})
        if Path(program).exists() and "--secret" in engine.run("build", "--help", code=None):
            return engine
    pytest.skip("docker has no BuildKit here (Debian: apt-get install docker.io)")


@pytest.fixture(scope="session")
def podman(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ContainerEngine]:
    """A real podman; skipped by name where none works."""
    with _engine(engines.podman, tmp_path_factory.mktemp("podman")) as podman:
        yield podman


@pytest.fixture(params=["docker", "podman"])
def container_engine(request: pytest.FixtureRequest) -> ContainerEngine:
    """Each of the engines."""
    engine: ContainerEngine = request.getfixturevalue(request.param)
    return engine


@contextmanager
def _engine(
    started: Callable[[Path], AbstractContextManager[ContainerEngine]], folder: Path
) -> Iterator[ContainerEngine]:
    with ExitStack() as running:
        try:
            engine = running.enter_context(started(folder))
        except NoEngineError as missing:
            pytest.skip(str(missing))
        yield engine
