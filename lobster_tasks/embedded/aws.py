"""Puts the parts together: the embedded AWS of this process."""

from __future__ import annotations

from .balancer.balancer import Balancer
from .fargate.scheduler import Fargate
from .pace import Pace
from .runtime.addresses import Addresses
from .runtime.images import Images
from .runtime.processes import Processes
from .server import Server
from .world import World, open_world


class EmbeddedAws:
    """One embedded AWS; a process holds at most one."""

    def __init__(self, port: int = 0, pace: Pace | None = None) -> None:
        self.world = World(pace or Pace())
        self.world.addresses = Addresses(self.world)
        self.world.images = Images(self.world)
        self.world.processes = Processes(self.world)
        self.world.balancer = Balancer(self.world)
        self.world.fargate = Fargate(self.world)
        open_world(self.world)
        self._server = Server(port, self.world)

    @property
    def url(self) -> str:
        """The address to put into ``AWS_ENDPOINT_URL``."""
        return self._server.url

    def start(self) -> None:
        """Start every part; the endpoint answers when this returns."""
        self.world.start()
        self._server.start()

    def stop(self) -> None:
        """End every process that was started, then the endpoint."""
        self._server.stop()
        self.world.stop()
