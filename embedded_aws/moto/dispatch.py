"""Answers requests through moto's classes: this package's subclasses, and moto's own for all other services."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from botocore.exceptions import UnknownServiceError
from werkzeug.wrappers import Response

from .adapter import (
    DEFAULT_ACCOUNT_ID,
    BackendRequest,
    BaseResponse,
    DomainDispatcherApplication,
    NotFound,
    OperationModel,
    ServiceException,
    backend_url_patterns,
    create_backend_app,
    create_loader,
    determine_request_protocol,
    get_serializer_class,
    get_service_model,
    get_service_router,
    iam_backends,
)
from .patches import CARRIED_OUT, CarriedOut

CLASSIC_ELB = "2012-06-01"

PAGES = ("moto_api", "instance_metadata")
"""What moto serves besides AWS's services: pages that reset and record it, and unused credentials."""


@dataclass(frozen=True)
class FilePart:
    """``size`` bytes of a file, from the byte ``first``."""

    path: Path
    first: int
    size: int


@dataclass(frozen=True)
class Answer:
    """One complete HTTP answer; its body is part of a file where there is one."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""
    file: FilePart | None = None

    @classmethod
    def of(cls, response: Response) -> Answer:
        """The answer in a werkzeug response."""
        return cls(response.status_code, tuple(response.headers.items()), response.get_data())


def without_a_query(environ: dict[str, Any]) -> None:
    """Keep moto from looking for ``Action`` in a JSON body, where X-Amz-Target names the operation.

    Only for the JSON protocol: everywhere else the query string is part of the call.
    """
    environ["QUERY_STRING"] = "-"


def without_a_target(environ: dict[str, Any]) -> None:
    """Keep moto from taking the operation from X-Amz-Target, where something else names it."""
    environ.pop("HTTP_X_AMZ_TARGET", None)


def in_our_account(environ: dict[str, Any]) -> None:
    """Tell moto the account; otherwise it looks for the access key in every IAM store of every partition."""
    environ.setdefault("HTTP_X_MOTO_ACCOUNT_ID", DEFAULT_ACCOUNT_ID)


def in_account(environ: dict[str, Any], account: str) -> None:
    """Tell moto the account of a caller that IAM knows, whatever the request names."""
    environ["HTTP_X_MOTO_ACCOUNT_ID"] = account


def as_authorized(environ: dict[str, Any], operation: str, region: str, by_path: bool) -> None:
    """Have moto carry out this operation in this region, whatever else of the request it would take for them."""
    environ[CARRIED_OUT] = CarriedOut(operation, region, by_path)


def answer_from(made: BaseResponse, environ: dict[str, Any]) -> Answer:
    """The answer of a new response class instance to one request (a WSGI environ)."""
    request = BackendRequest(environ)
    status, headers, body = made._dispatch(request, request.raw_url, dict(request.headers))
    return Answer.of(Response(body, status, headers))


class MotoApplication(DomainDispatcherApplication):
    """moto's own WSGI application, for services without a class in this package."""

    def __init__(self) -> None:
        super().__init__(_known_app)

    def answer(self, environ: dict[str, Any]) -> Answer:
        """moto's answer; NotImplementedError for an unknown service or operation."""
        answer = Answer.of(Response.from_app(self, environ, buffered=True))
        if answer.status in (404, 405) and answer.body.lstrip().lower().startswith(b"<!doctype html"):
            raise NotImplementedError(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
        return answer

    def get_backend_for_host(self, host: str | None) -> Any:
        """As moto's, without its message on standard output for unknown hosts."""
        if host and host.endswith(".amazonaws.com") and _backend(host) is None:
            return None
        return super().get_backend_for_host(host)


def _backend(host: str) -> str | None:
    return next((name for name, pattern in backend_url_patterns if pattern.match(f"http://{host}")), None)


def _known_app(backend: Any) -> Any:
    if backend in (None, *PAGES):
        raise NotImplementedError("no such service")
    return create_backend_app(backend)


def model_name(service: str) -> str:
    """botocore's name of the service with the signing name ``service``."""
    if service in _MODEL_NAMES:
        return _MODEL_NAMES[service]
    backend = _backend(f"{service}.us-east-1.amazonaws.com") or service
    return _with_hyphens().get(backend, backend)


@cache
def _with_hyphens() -> dict[str, str]:
    """botocore's service names by the names of moto's packages."""
    names = create_loader().list_available_services("service-2")
    return {name.replace("-", ""): name for name in names}


_MODEL_NAMES = {
    "elasticloadbalancing": "elbv2",
    "servicequotas": "service-quotas",
    "tagging": "resourcegroupstaggingapi",
    "lambda": "lambda",
    "mobiletargeting": "pinpoint",
    "timestream": "timestream-write",
}

_SIGN_ALIKE = {"timestream": ("timestream-query", "timestream-write")}


def model_of(service: str, version: str | None = None, operation: str = "") -> Any:
    """botocore's model of a service by its signing name; UnknownServiceError.

    Where several services share a signing name, the version (of ELB) or the operation decides.
    """
    alike = map(get_service_model, _SIGN_ALIKE.get(service, ()))
    if model := next((each for each in alike if operation in each.operation_names), None):
        return model
    return get_service_model("elb" if version == CLASSIC_ELB else model_name(service))


def warm_up(service: str) -> None:
    """Load what a service's first call needs."""
    get_service_model(model_name(service))
    if service == "iam":
        iam_backends[DEFAULT_ACCOUNT_ID]["aws"]


def protocol_of(service: str, content_type: str) -> str | None:
    """What a service speaks with this content type; None without a model, or where it does not speak it."""
    try:
        return str(determine_request_protocol(get_service_model(model_name(service)), content_type))
    except (NotImplementedError, UnknownServiceError):
        return None


def rest_operation(service: str, environ: dict[str, Any]) -> str:
    """The operation of a REST request, by method and path; empty for an unknown one."""
    try:
        operation, _ = get_service_router(model_name(service)).match(BackendRequest(environ))
    except (NotFound, NotImplementedError, UnknownServiceError):
        return ""
    return str(operation.name)


def error_answer(service: str, content_type: str, error: ServiceException) -> Answer:
    """An error in the protocol of a service (by its signing name); UnknownServiceError without a model."""
    model = get_service_model(model_name(service))
    try:
        protocol = determine_request_protocol(model, content_type)
    except NotImplementedError:
        protocol = str(model.protocol)
    serializer = get_serializer_class(model.service_name, protocol)(OperationModel({}, model))
    wire = serializer.serialize(error)
    body = wire["body"]
    return Answer(
        wire["status_code"],
        tuple(wire["headers"].items()),
        body.encode() if isinstance(body, str) else bytes(body),
    )
