"""The data plane does nothing while there is nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future

import pytest

from embedded_aws.kernel.data_plane import DataPlane
from tests.embedded.machine import runtime
from tests.embedded_process import PATIENCE


@pytest.fixture
def plane() -> Iterator[DataPlane]:
    """One of a few components, without an endpoint."""
    with runtime() as made:
        yield made.plane


def ticked(plane: DataPlane) -> Future[None]:
    """What comes of a tick, on the data-plane thread."""
    return asyncio.run_coroutine_threadsafe(plane.tick(0.01), plane.loop)


def test_it_rests_until_it_is_woken(plane: DataPlane) -> None:
    ticking = ticked(plane)
    with pytest.raises(TimeoutError):
        ticking.result(timeout=0.2)
    plane.wake()
    ticking.result(timeout=PATIENCE)
    ticked(plane).result(timeout=PATIENCE)


def test_it_rests_again_once_it_is_empty(plane: DataPlane) -> None:
    plane.wake()
    ticked(plane).result(timeout=PATIENCE)
    plane.reset()
    ticking = ticked(plane)
    with pytest.raises(TimeoutError):
        ticking.result(timeout=0.2)
    plane.wake()
    ticking.result(timeout=PATIENCE)
