"""The endpoint: one port for every AWS service; refuses what it does not support."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping

from ..ecr.distribution import Distribution
from ..iam.access.authorizer import Authorizer
from ..kernel.data_plane import DataPlane
from ..moto import dispatch
from .control import Control
from .handlers import (
    Request,
    address_told,
    allowed,
    authorized,
    chained,
    controlled_by,
    disturbed,
    failures_answered,
    faulty,
    identified,
    in_registries,
    logged,
    no_web_pages,
    not_too_large,
    one_at_a_time,
    read_in_one_way,
    well_formed,
)
from .keep_alive import Application, HttpServer
from .malformed.page_tokens import PageTokens
from .services import Maker, Services


def application(
    services: Services,
    authorizer: Authorizer,
    control: Control,
    distribution: Distribution,
    plane: DataPlane,
    stopping: threading.Event,
) -> Application:
    """The WSGI application for all requests: about the embedded AWS itself, to registries, and to its services."""
    tokens = PageTokens()
    answer = chained(
        (
            no_web_pages,
            address_told,
            controlled_by(control),
            in_registries(distribution),
            not_too_large,
            read_in_one_way,
            disturbed(plane, control, stopping),
            identified,
            logged(control.calls, services),
            faulty,
            failures_answered(tokens),
            well_formed,
            one_at_a_time(),
            authorized(authorizer),
            allowed(tokens),
        ),
        lambda request: services.answer(request.call, request.environ),
    )
    return lambda environ: answer(Request(environ))


class Server:
    """Serves the API on 127.0.0.1 in threads of its own; OSError when the port is taken."""

    def __init__(self, port: int) -> None:
        self._http = HttpServer(port)
        self._stopping = threading.Event()
        self._thread = threading.Thread(
            target=self._http.serve_forever, args=(0.05,), name="control-plane", daemon=True
        )

    @property
    def url(self) -> str:
        """The URL for ``AWS_ENDPOINT_URL``."""
        return f"http://127.0.0.1:{self._http.port}"

    def start(
        self,
        own: Mapping[str, Maker],
        authorizer: Authorizer,
        control: Control,
        distribution: Distribution,
        plane: DataPlane,
    ) -> None:
        """Serve the services in ``own``; models that only first calls need are loaded in the background."""
        services = Services(own)
        self._http.application = application(
            services, authorizer, control, distribution, plane, self._stopping
        )
        self._thread.start()
        warm_up = threading.Thread(target=self._warm_up, args=(tuple(own),), name="warm-up", daemon=True)
        warm_up.start()

    def stop(self) -> None:
        """Stop answering."""
        self._stopping.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(timeout=10)

    def _warm_up(self, services: Iterable[str]) -> None:
        for service in ("iam", *services):  # every first call is authorized by IAM, which loads 1600 policies
            if not self._stopping.is_set():
                dispatch.warm_up(service)
