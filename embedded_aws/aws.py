"""Puts the parts together: the embedded AWS of this process."""

from __future__ import annotations

import errno

from .apprunner.part import AppRunner
from .ecs.scheduler import Fargate
from .elbv2.balancer import Balancer
from .endpoint.server import Server
from .kernel.pace import Pace
from .kernel.world import World, open_world
from .runtime.addresses import Addresses
from .runtime.images import Images
from .runtime.processes import Processes


class CannotStartError(Exception):
    """This machine cannot run an embedded AWS as asked; the text says why, in one line or a few."""


class EmbeddedAws:
    """One embedded AWS; a process holds at most one. CannotStartError when the port is taken."""

    def __init__(self, port: int = 0, pace: Pace | None = None, *, young: bool = False) -> None:
        self.world = World(pace or Pace(), young)
        self._server = _listen(port)
        self.world.url = self._server.url
        try:
            self.world.addresses = Addresses(self.world)
        except RuntimeError as none_left:  # its text says what to do
            raise CannotStartError(str(none_left)) from none_left
        self.world.images = Images(self.world)
        self.world.processes = Processes(self.world)
        self.world.balancer = Balancer(self.world)
        self.world.fargate = Fargate(self.world)
        self.world.apprunner = AppRunner(self.world)
        open_world(self.world)

    @property
    def url(self) -> str:
        """The address to put into ``AWS_ENDPOINT_URL``."""
        return self._server.url

    def start(self) -> None:
        """Start every part; the endpoint answers when this returns."""
        self.world.start()
        self._server.start(self.world)

    def stop(self) -> None:
        """Stop answering, then end every process that was started."""
        self._server.stop()
        self.world.stop()


def _listen(port: int) -> Server:
    try:
        return Server(port)
    except OSError as error:
        reason = f"port {port} is in use" if error.errno == errno.EADDRINUSE else str(error)
        raise CannotStartError(f"{reason}; choose another with --port, or 0 for a free one") from error
