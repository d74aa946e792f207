"""The HTTP endpoint: one port for every AWS service."""

from __future__ import annotations

import logging
import threading
from typing import Any

from werkzeug.serving import make_server

from . import moto_door
from .services import ecr, ecs, elbv2
from .world import current

OWN: dict[str, type[moto_door.BaseResponse]] = {
    "ecs": ecs.Ecs,
    "elb": elbv2.ElasticLoadBalancingV2,
    "ecr": ecr.Ecr,
}


class Doorway:
    """Takes requests about the embedded AWS itself (``/_embedded/…``) before any service does."""

    def __init__(self, aws: Any) -> None:
        self._aws = aws

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Answer one request (WSGI). ``POST /_embedded/reset`` empties every account and ends every task."""
        if environ["PATH_INFO"] == "/_embedded/reset":
            current().reset()
            environ["PATH_INFO"] = "/moto-api/reset"
        return self._aws(environ, start_response)


class Server:
    """Serves the control plane on 127.0.0.1 in threads of its own."""

    def __init__(self, port: int) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        app: Any = Doorway(moto_door.Dispatcher(OWN))
        handler = moto_door.MotoRequestHandler
        self._server = make_server("127.0.0.1", port, app, threaded=True, request_handler=handler)
        self._thread = threading.Thread(target=self._server.serve_forever, name="control-plane", daemon=True)

    @property
    def url(self) -> str:
        """The address to put into ``AWS_ENDPOINT_URL``."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(timeout=10)
