"""The world does nothing while there is nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future

import pytest

from embedded_aws.kernel.world import World
from tests.embedded.runtime_world import runtime


@pytest.fixture
def world() -> Iterator[World]:
    """One of a few parts, without an endpoint."""
    with runtime() as made:
        yield made.world


def ticked(world: World) -> Future[None]:
    """What comes of a tick, on the data-plane thread."""
    return asyncio.run_coroutine_threadsafe(world.tick(0.01), world.loop)


def test_it_rests_until_it_is_woken(world: World) -> None:
    ticking = ticked(world)
    with pytest.raises(TimeoutError):
        ticking.result(timeout=0.2)
    world.wake()
    ticking.result(timeout=10)
    ticked(world).result(timeout=10)


def test_it_rests_again_once_it_is_empty(world: World) -> None:
    world.wake()
    ticked(world).result(timeout=10)
    world.reset()
    ticking = ticked(world)
    with pytest.raises(TimeoutError):
        ticking.result(timeout=0.2)
    world.wake()
    ticking.result(timeout=10)
