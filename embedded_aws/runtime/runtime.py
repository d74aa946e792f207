"""The components that run programs: addresses, images and containers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..kernel.data_plane import Component, DataPlane
from .addresses import Addresses
from .images import Images
from .interface import ContainerRuntime
from .processes import Processes


@dataclass(frozen=True)
class Runtime:
    """The three components that run programs."""

    addresses: Addresses
    images: Images
    containers: ContainerRuntime

    @classmethod
    def on(cls, plane: DataPlane) -> Runtime:
        """Create the components; RuntimeError, whose text says what to do, without usable addresses."""
        addresses, images = Addresses(plane), Images(plane)
        return cls(addresses, images, Processes(plane, images))

    @property
    def components(self) -> Sequence[Component]:
        """In the order of starting and emptying."""
        return (self.containers, self.images, self.addresses)
