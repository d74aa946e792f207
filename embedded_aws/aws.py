"""Composes the embedded AWS of this process from its components."""

from __future__ import annotations

import errno
import logging

from .apprunner.component import AppRunnerComponent
from .cloudfront.edge import Edge
from .ecr.distribution import Distribution
from .ecs.scheduler import Fargate
from .elbv2.balancer import Balancer
from .endpoint.calls import CallLog
from .endpoint.control import Control
from .endpoint.server import Server
from .iam.access.authorizer import Authorizer
from .iam.access.queries import Queries
from .iam.access.resource_tags import ResourceTags
from .kernel.data_plane import DataPlane
from .kernel.pace import Pace
from .runtime.engine.client import Engine, EngineError, find
from .runtime.runtime import Runtime

PROCESS, CONTAINER = "process", "container"
RUNTIMES = ("auto", CONTAINER, PROCESS)
"""How tasks run; ``auto``: as containers where an engine answers, else as processes."""

log = logging.getLogger(__name__)


class CannotStartError(Exception):
    """This machine cannot run the embedded AWS as requested; the text says why, in one or more lines."""


class EmbeddedAws:
    """One embedded AWS; at most one per process. Raises CannotStartError when the port is taken."""

    def __init__(
        self, port: int = 0, pace: Pace | None = None, *, young: bool = False, runtime: str = PROCESS
    ) -> None:
        """``runtime`` is one of ``RUNTIMES``."""
        self._server = _listen(port)
        self.plane = DataPlane(pace or Pace(), young)
        self.runtime = _runtime(self.plane, _engine(runtime), self.url)
        self.balancer = Balancer(self.plane, self.runtime)
        self.edge = Edge(self.plane, self.balancer)
        self.fargate = Fargate(self.plane, self.runtime, self.balancer, self.url)
        self.app_runner = AppRunnerComponent(self.plane, self.runtime, self.url)
        self.plane.components = (
            self.fargate,
            self.app_runner,
            self.edge,
            self.balancer,
            *self.runtime.components,
        )

    @property
    def url(self) -> str:
        """The URL for ``AWS_ENDPOINT_URL``."""
        return self._server.url

    def start(self) -> None:
        """Start every component; the endpoint answers when this returns."""
        from .ecr.store import policy_of  # slow, as the services: after everything that may fail
        from .services import keep_resources, own_services

        own = own_services(
            self.plane, self.runtime.images, self.balancer, self.edge, self.fargate, self.app_runner
        )
        keep_resources(self.plane, self.edge, self.app_runner)
        self.plane.start()
        authorizer = Authorizer(Queries(ResourceTags(self.fargate.tags_of, self.edge.tags_of)), policy_of)
        control = Control(
            self.plane,
            self.runtime,
            self.fargate,
            self.app_runner,
            self.edge.authority.pem,
            self.balancer.public_key,
            CallLog(),
        )
        distribution = Distribution(self.runtime.images)
        self._server.start(own, authorizer, control, distribution, self.plane)

    def stop(self) -> None:
        """Stop answering, then end every process that was started."""
        self._server.stop()
        self.plane.stop()


def _engine(runtime: str) -> Engine | None:
    """The container engine that runs tasks; None where they are processes of this machine."""
    if runtime == PROCESS:
        return None
    try:
        return find()
    except EngineError as why:
        if runtime == CONTAINER:
            raise CannotStartError(str(why)) from why
        log.warning("Tasks run as processes of this machine, without the image's own files: %s", why)
        return None


def _runtime(plane: DataPlane, engine: Engine | None, url: str) -> Runtime:
    try:
        return Runtime.on(plane, engine, url)
    except RuntimeError as none_left:  # its text says what to do
        raise CannotStartError(str(none_left)) from none_left


def _listen(port: int) -> Server:
    try:
        return Server(port)
    except OSError as error:
        reason = f"port {port} is in use" if error.errno == errno.EADDRINUSE else str(error)
        raise CannotStartError(f"{reason}; choose another with --port, or 0 for a free one") from error
