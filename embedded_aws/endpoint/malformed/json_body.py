"""JSON bodies: refuses invalid JSON, and values of types other than the model's."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from botocore.utils import parse_timestamp

from ...moto.adapter import AwsError
from ...moto.wire import Call
from ...shapes import numbers

NAMES = {**numbers.NAMES, "string": "String", "boolean": "Boolean", "blob": "Blob", "timestamp": "Date"}


def check_target(call: Call, environ: Mapping[str, Any], model: Any) -> None:
    """Raise UnknownOperationException unless X-Amz-Target names an operation of the service."""
    named = f"{model.metadata.get('targetPrefix')}.{call.operation}"
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    if target != named or call.operation not in model.operation_names:
        raise AwsError("UnknownOperationException", "")


def parsed(body: bytes) -> Any:
    """The value of a body; SerializationException for invalid JSON."""
    try:
        return json.loads(body.decode(), parse_constant=_no_constant)
    except (RecursionError, ValueError) as error:
        raise AwsError("SerializationException", "") from error


def as_object(value: Any) -> Any:
    """The body as an object; SerializationException for any other value."""
    if value is None or isinstance(value, str | int | float):
        raise _serialization("")
    return _of_type(None, value, dict)


def members(shape: Any, body: bytes) -> Mapping[str, Any]:
    """A request's members by the model's names; SerializationException."""
    found = read(shape, as_object(parsed(body)))
    assert isinstance(found, Mapping)
    return found


def read(shape: Any, value: Any) -> Any:
    """A value converted by its shape, with the model's names; SerializationException for another type."""
    if value is None or getattr(shape, "is_document_type", False):
        return value
    match shape.type_name:
        case "structure":
            return _structure(shape, _of_type(shape, value, dict))
        case "map":
            return {key: read(shape.value, each) for key, each in _of_type(shape, value, dict).items()}
        case "list":
            return [read(shape.member, each) for each in _of_type(shape, value, list)]
    return _scalar(shape.type_name, value)


def _structure(shape: Any, value: Mapping[str, Any]) -> dict[str, Any]:
    found = {}
    for name, member in shape.members.items():
        written = member.serialization.get("name", name)
        if "location" not in member.serialization and written in value:
            found[name] = read(member, value[written])
    return found


def _of_type(shape: Any, value: Any, expected: type) -> Any:
    if isinstance(value, expected):
        return value
    if isinstance(value, list):
        raise _serialization("Start of list found where not expected")
    if isinstance(value, dict):
        raise _serialization("Start of structure or map found where not expected.")
    raise _serialization("Unexpected field type")


def _scalar(kind: str, value: Any) -> Any:
    if isinstance(value, list | dict):
        _of_type(None, value, str)
    if not _fits(kind, value):
        raise _serialization(f"{_token(value)} cannot be converted to {NAMES.get(kind, 'String')}")
    return value


def _fits(kind: str, value: Any) -> bool:
    match kind:
        case "boolean":
            return isinstance(value, bool)
        case "timestamp":
            return type(value) in (int, float, str) and is_date(value)
        case "blob":
            return isinstance(value, str) and is_base64(value)
        case "string" | "character":
            return isinstance(value, str)
        case _:
            return type(value) in (int, float) and numbers.fits(kind, value)


def is_date(given: str | float) -> bool:
    """Whether it is a timestamp in one of AWS's formats, including seconds since 1970."""
    try:
        parse_timestamp(given)
    except (OverflowError, RuntimeError, ValueError):
        return False
    return True


def is_base64(text: str) -> bool:
    """Whether it is valid base64."""
    try:
        base64.b64decode(text)
    except ValueError:
        return False
    return True


def _token(value: Any) -> str:
    if isinstance(value, bool):
        return f"{str(value).upper()}_VALUE"
    return "STRING_VALUE" if isinstance(value, str) else "NUMBER_VALUE"


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _serialization(message: str) -> AwsError:
    return AwsError("SerializationException", message)
