"""Fargate."""

from __future__ import annotations

from ..world import World


class Fargate:
    """Fargate."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def run(self) -> None:
        """Nothing yet."""

    def reset(self) -> None:
        """Nothing yet."""

    def close(self) -> None:
        """Nothing yet."""
