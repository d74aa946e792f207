"""What the library's tests stand on: an embedded AWS in a process of its own, and the library's door to it."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

from lobster_tasks.aws import Aws
from lobster_tasks.clock import Clock
from tests.embedded_process import RUNNING, EmbeddedProcess, start
from tests.project import Project, make

# How long an example may take, and how long it takes to make one, is the machine's business.
hypothesis.settings.register_profile(
    "patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("patient")

SPEED = 20.0
FIRST = (
    *("tests/embedded/test_terraform.py", "tests/wording/"),  # minutes, much of it waiting
    *("tests/journeys/", "tests/tasks/", "tests/test_fargate_deployment.py"),
)

if (
    signal.getsignal(signal.SIGINT) is signal.SIG_IGN
):  # as in the background of a shell; many tests are about Ctrl-C
    signal.signal(signal.SIGINT, signal.default_int_handler)


gc.disable()  # until the tests are collected: thousands of them, and what they import, stay to the end


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """How many workers `-n auto` means: three a core of ours, as most tests wait for what happens at AWS's pace."""
    return 3 * len(os.sched_getaffinity(0))


def pytest_configure(config: pytest.Config) -> None:
    """The complete matrices are few files that take long: whoever is free takes the next case, of whichever file."""
    if config.option.markexpr == "exhaustive":
        config.option.dist = "load"


def pytest_collection_finish() -> None:
    """What is there now is no garbage, and never looked through again."""
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)
    gc.enable()


def pytest_sessionfinish() -> None:
    """The rest ends with the process; pytest would look for garbage in all of it several times."""
    gc.freeze()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take long come first, so that no worker is left alone with one of them at the end."""
    items.sort(key=lambda item: [not item.nodeid.startswith(each) for each in FIRST])


@pytest.fixture(scope="session")
def embedded_process() -> Iterator[EmbeddedProcess]:
    """One embedded AWS for all tests of a worker."""
    with start(speed=SPEED, boot_allowance=2) as running:
        yield running


@pytest.fixture(scope="module", autouse=True)
def nothing_goes_on() -> Iterator[None]:
    """What a file leaves running, tasks and their health checks, would take time from all other files."""
    yield
    for running in RUNNING:
        running.reset()


@pytest.fixture
def embedded(embedded_process: EmbeddedProcess) -> EmbeddedProcess:
    """The embedded AWS, empty; ``embedded.client("ecs")`` is a boto3 client that knows nothing of the library."""
    embedded_process.reset()
    return embedded_process


@pytest.fixture(scope="session")
def abroad(embedded_process: EmbeddedProcess) -> Aws:
    """One session for all tests of a worker: reading botocore's models takes longer than most tests."""
    credentials = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "example"}
    return Aws("eu-west-1", endpoint_url=embedded_process.url, credentials=credentials)


@pytest.fixture
def aws(embedded: EmbeddedProcess, abroad: Aws) -> Aws:
    """The library's door to the empty embedded AWS, with a clock that runs at its speed."""
    door = abroad.in_region("us-east-2")
    door.clock = Clock(speed=SPEED)
    return door


@pytest.fixture
def project(tmp_path: Path, embedded: EmbeddedProcess) -> Project:
    """Somebody's project, and an empty embedded AWS that its commands reach."""
    return make(tmp_path, embedded.url)
