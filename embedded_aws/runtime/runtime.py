"""The components that run programs: addresses, images and containers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..kernel.data_plane import Component, DataPlane
from .addresses import Addresses
from .engine.client import Engine
from .engine.containers import EngineContainers
from .images import Images
from .interface import ContainerRuntime
from .processes import Processes


@dataclass(frozen=True)
class Runtime:
    """The three components that run programs; ``engine`` is what runs tasks as containers, None for processes.

    ``limits_together``: a task's memory is the limit of all its containers together, not of each.
    """

    addresses: Addresses
    images: Images
    containers: ContainerRuntime
    engine: str | None = None
    limits_together: bool = True

    @classmethod
    def on(cls, plane: DataPlane, engine: Engine | None = None, url: str = "") -> Runtime:
        """Create the components; RuntimeError, whose text says what to do, without usable addresses.

        Tasks are containers of ``engine``, and the embedded AWS is at ``url``; without an engine they are processes.
        """
        if engine is not None:
            addresses, images = Addresses(plane, names_suffice=True), Images(plane)
            containers = EngineContainers(plane, images, engine, url)
            return cls(addresses, images, containers, engine.name, engine.limits_together)
        addresses, images = Addresses(plane), Images(plane)
        return cls(addresses, images, Processes(plane, images))

    def release(self, vpc_id: str, ip: str) -> None:
        """Release a task's address, and what the task had there; its containers have ended."""
        if address := self.addresses.release(vpc_id, ip):
            self.containers.vacate(address)

    @property
    def components(self) -> Sequence[Component]:
        """In the order of starting and emptying."""
        return (self.containers, self.images, self.addresses)
