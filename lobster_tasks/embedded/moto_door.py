"""The one module that imports moto.

moto has no public extension point, so everything that may break with a new moto release is named here and
touched by one test. Other modules of ``embedded`` import from this one only.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable
from typing import Any

os.environ.setdefault("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")  # read by moto when it is imported

from flask import Flask
from moto.backend_index import backend_url_patterns
from moto.core import DEFAULT_ACCOUNT_ID
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, BaseResponse
from moto.core.utils import convert_to_flask_response
from moto.ec2.models import ec2_backends
from moto.ec2.responses import EC2Response
from moto.ecr.models import ecr_backends
from moto.ecr.responses import ECRResponse
from moto.ecs.models import ecs_backends
from moto.ecs.responses import EC2ContainerServiceResponse
from moto.elbv2.models import elbv2_backends
from moto.elbv2.responses import ELBV2Response
from moto.iam.models import iam_backends
from moto.iam.responses import IamResponse
from moto.logs.models import logs_backends
from moto.logs.responses import LogsResponse
from moto.moto_server.werkzeug_app import (
    BackendRequest,
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from moto.secretsmanager.models import secretsmanager_backends
from moto.secretsmanager.responses import SecretsManagerResponse
from moto.ssm.models import ssm_backends

__all__ = [
    "DEFAULT_ACCOUNT_ID",
    "ActionResult",
    "AwsError",
    "BaseResponse",
    "Dispatcher",
    "EC2ContainerServiceResponse",
    "EC2Response",
    "ECRResponse",
    "ELBV2Response",
    "IamResponse",
    "LogsResponse",
    "MotoRequestHandler",
    "SecretsManagerResponse",
    "ec2_backends",
    "ecr_backends",
    "ecs_backends",
    "elbv2_backends",
    "iam_backends",
    "logs_backends",
    "secretsmanager_backends",
    "ssm_backends",
]


class AwsError(ServiceException):
    """An error answer: ``AwsError(code, message)``, put into the service's own wire form by moto."""


class Strict(BaseResponse):
    """Refuses an operation that nobody wrote, by name, instead of moto's HTTP 500 that clients retry."""

    def call_action(self) -> Any:
        """Answer the request; an operation that is not known is a 400 with its name."""
        try:
            return super().call_action()
        except NotImplementedError:
            message = f"The embedded AWS does not know {self.service_name} {self._get_action()}."
            body = json.dumps({"__type": "UnknownOperationException", "message": message})
            return 400, {"Content-Type": "application/x-amz-json-1.0"}, body


class Dispatcher(DomainDispatcherApplication):
    """moto's front door, with our response classes in place of its own where we have one.

    ``own`` maps moto's name of a service to a response class. Elastic Load Balancing v2 is ``elb`` here:
    both versions share a host name, and moto forwards by the request's ``Version``.
    """

    def __init__(self, own: dict[str, type[BaseResponse]], new_hosts: Iterable[tuple[str, str]] = ()) -> None:
        super().__init__(lambda name: _app(own[name]) if name in own else create_backend_app(name))
        self.backend_url_patterns: list[Any] = [
            *backend_url_patterns,
            *((name, re.compile(pattern)) for name, pattern in new_hosts),
        ]


def _app(response: type[BaseResponse]) -> Flask:
    strict: Any = type(response.__name__, (Strict, response), {})
    app = Flask("embedded-aws")
    app.request_class = BackendRequest
    view: Callable[..., Any] = convert_to_flask_response(strict.dispatch)
    app.add_url_rule("/", endpoint="root", methods=["GET", "POST"], view_func=view)
    return app
