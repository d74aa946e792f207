"""Embedded AWS of several speeds, emptied before each test."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.embedded.apprunner_stack import Sites
from tests.embedded.balanced import Balanced
from tests.embedded.ecs_stack import Stack
from tests.embedded.guarded import Guarded
from tests.embedded_process import EmbeddedProcess, start


@pytest.fixture
def aws(embedded_process: EmbeddedProcess) -> EmbeddedProcess:
    """The embedded AWS, empty; ``aws.client("ecs")`` is a boto3 client of it."""
    embedded_process.reset()
    return embedded_process


@pytest.fixture
def client(aws: EmbeddedProcess) -> Any:
    """``client("ecs")`` makes a boto3 client."""
    return aws.client


@pytest.fixture(scope="session")
def quick_process() -> Iterator[EmbeddedProcess]:
    """An embedded AWS in which 100 seconds pass in one, for what takes AWS minutes."""
    with start(speed=100, boot_allowance=2) as running:
        yield running


@pytest.fixture
def balanced(quick_process: EmbeddedProcess) -> Iterator[Balanced]:
    """A load balancer with a listener on port 80 and an empty target group."""
    quick_process.reset()
    made = Balanced(quick_process)
    yield made
    made.close()


@pytest.fixture
def stack(quick_process: EmbeddedProcess) -> Stack:
    """What an ECS service stands on, made when asked for."""
    quick_process.reset()
    return Stack(quick_process)


@pytest.fixture(scope="session")
def rapid_process() -> Iterator[EmbeddedProcess]:
    """An embedded AWS in which 1000 seconds pass in one, for what only has to be waited for."""
    with start(speed=1000, boot_allowance=2) as running:
        yield running


@pytest.fixture
def rapid_stack(rapid_process: EmbeddedProcess) -> Stack:
    """What an ECS service stands on, where minutes are nothing."""
    rapid_process.reset()
    return Stack(rapid_process)


@pytest.fixture
def sites(rapid_process: EmbeddedProcess) -> Sites:
    """App Runner, empty, where minutes are nothing."""
    rapid_process.reset()
    return Sites(rapid_process)


@pytest.fixture(scope="module")
def sign_in(quick_process: EmbeddedProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """One load balancer and one identity provider for all tests of a file."""
    quick_process.reset()
    made = Guarded(quick_process, tmp_path_factory.mktemp("tls"))
    made.site.seen.clear()
    yield made
    made.close()
    quick_process.reset()


@pytest.fixture
def guarded(sign_in: Guarded) -> Iterator[Guarded]:
    """The same, without rules that ask for a sign-in."""
    yield sign_in
    sign_in.clean()
