"""Requests of the REST protocols: members in path, query string, headers and body."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from ...iam.access.request import members as parsed_members
from ...moto.adapter import AwsError, RequestParserError
from ...moto.wire import Call
from ...shapes import numbers
from ...shapes.walk import walk
from . import json_body

MANY = ("list", "map")
XML_CODES = {"cloudfront": "MalformedInput", "route53": "InvalidInput"}


def members(call: Call, operation: Any, environ: dict[str, Any], protocol: str) -> Mapping[str, Any]:
    """A request's members by the model's names; SerializationException, or the service's error for invalid XML."""
    _check_query(call, operation.input_shape, environ, protocol)
    if protocol == "rest-json":
        _check_json(operation.input_shape, environ["wsgi.input"].getvalue())
    try:
        found = parsed_members(call, environ)
        _check_numbers(operation.input_shape, found)
        return found
    except RequestParserError as error:
        raise _unreadable(call, protocol, "Invalid XML ; the document is not well-formed") from error
    except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise _unreadable(call, protocol, "Invalid XML ; a value has another type") from error


def _check_query(call: Call, shape: Any, environ: dict[str, Any], protocol: str) -> None:
    """Refuse a member of the query string that is given more than once, and is no list or map."""
    given = Counter(name for name, _ in parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
    for name, member in shape.members.items():
        is_one = member.serialization.get("location") == "querystring" and member.type_name not in MANY
        written = member.serialization.get("name", name)
        if is_one and given[written] > 1:
            raise _unreadable(call, protocol, f"The parameter {written} is given more than once")


def _check_numbers(shape: Any, members: Mapping[str, Any]) -> None:
    """Raise ValueError for a number outside its type, which parsing does not detect."""
    for found in walk(shape, members):
        plain = found.shape.member if found.shape.type_name == "list" else found.shape
        values = found.value if plain is not found.shape else [found.value]
        for value in values or () if plain.type_name in numbers.NAMES else ():
            if value is not None and not numbers.fits(plain.type_name, value):
                raise ValueError(value)


def _check_json(shape: Any, body: bytes) -> None:
    payload = shape.serialization.get("payload")
    inner = shape.members[payload] if payload else shape
    if body and inner.type_name == "structure" and _is_modelled(inner, payload):
        value = json_body.parsed(body)
        if value is not None:
            json_body.read(inner, value)


def _is_modelled(shape: Any, payload: str | None) -> bool:
    """Whether any member is in the body; otherwise its content is ignored."""
    return bool(payload) or any("location" not in each.serialization for each in shape.members.values())


def _unreadable(call: Call, protocol: str, why: str) -> AwsError:
    if protocol == "rest-json":
        return AwsError("SerializationException", "")
    return AwsError(XML_CODES.get(call.service, "MalformedXML"), why)
