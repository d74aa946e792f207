"""What AWS refuses before a service looks at a request: what cannot be read, is not known, or lacks a member.

Read from botocore's models, for every service, in the words of its protocol. Sources are in
``tests/embedded/test_conformance_malformed.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import UnknownServiceError

from ..dispatch import model_of
from ..moto_door import AwsError, determine_request_protocol
from ..wire import Call
from . import form, json_body, rest
from .bounds import violations
from .required import missing

CODES = {
    "apprunner": "InvalidRequestException",
    "ecr": "InvalidParameterException",
    "ecs": "InvalidParameterException",
    "logs": "InvalidParameterException",
    "route53": "InvalidInput",
    "s3": "InvalidRequest",
    "tagging": "InvalidParameterException",
}
"""The code for a member that is missing; by protocol where a service is not named."""


def why_refused(call: Call, environ: dict[str, Any]) -> AwsError | None:
    """AWS's own refusal of a request; None where a service may look at it, or nobody has a model of it."""
    try:
        protocol = _protocol(call)
        if protocol:
            _check(call, environ, protocol)
    except AwsError as refusal:
        return refusal
    return None


def why_not_allowed(call: Call, environ: dict[str, Any]) -> AwsError | None:
    """AWS's refusal of values that the model does not allow; None where it allows them all. For who failed on them."""
    protocol = _protocol(call)
    model = model_of(call.service, call.form.get("Version")) if protocol else None
    if protocol is None or model is None or call.operation not in model.operation_names:
        return None
    operation = model.operation_model(call.operation)
    shape = operation.input_shape
    wrong = violations(shape, _members(call, environ, operation, protocol)) if shape else []
    return _validation(call.service, protocol, wrong) if wrong else None


def _protocol(call: Call) -> str | None:
    """How the request is written; None without a model; UnknownOperationException where the service reads no such."""
    try:
        model = model_of(call.service, call.form.get("Version"))
        return str(determine_request_protocol(model, call.content_type))
    except UnknownServiceError:
        return None
    except NotImplementedError as error:
        raise AwsError("UnknownOperationException", "") from error


def _check(call: Call, environ: dict[str, Any], protocol: str) -> None:
    model = model_of(call.service, call.form.get("Version"))
    match protocol:
        case "query" | "ec2":
            form.check_action(call, model, protocol)
        case "json":
            json_body.check_target(call, environ, model)
        case _ if not call.operation and call.service != "s3":  # whose buckets may be in the host
            raise AwsError("UnknownOperationException", "")
    if call.operation not in model.operation_names:
        return
    operation = model.operation_model(call.operation)
    if operation.input_shape is None:
        if protocol == "json":
            json_body.as_object(json_body.parsed(environ["wsgi.input"].getvalue()))
        return
    members = _members(call, environ, operation, protocol)
    if lacking := missing(operation.input_shape, members):
        raise _lacks(call.service, protocol, lacking)


def _members(call: Call, environ: dict[str, Any], operation: Any, protocol: str) -> Mapping[str, Any]:
    body = environ["wsgi.input"].getvalue()
    if protocol in ("query", "ec2"):
        return form.members(operation.input_shape, call.form, protocol)
    if protocol == "json":
        return json_body.members(operation.input_shape, body)
    return rest.members(call, operation, environ, protocol)


def _lacks(service: str, protocol: str, lacking: list[str]) -> AwsError:
    if protocol == "ec2":
        return AwsError(
            "MissingParameter", f"The request must contain the parameter {lacking[0].split('.')[-1]}"
        )
    told = [
        f"Value null at '{path}' failed to satisfy constraint: Member must not be null" for path in lacking
    ]
    return _validation(service, protocol, told)


def _validation(service: str, protocol: str, wrong: list[str]) -> AwsError:
    number = f"{len(wrong)} validation error{'s' if len(wrong) > 1 else ''} detected: "
    usual = {"query": "ValidationError", "ec2": "InvalidParameterValue"}.get(protocol, "ValidationException")
    return AwsError(CODES.get(service, usual), number + "; ".join(wrong))
