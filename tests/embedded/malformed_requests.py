"""Requests as no client of AWS's sends them, made for any operation from botocore's model, and sent as bytes."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import urlencode, urlsplit

import botocore.session
from botocore.serialize import create_serializer

CREDENTIAL = (
    "AWS4-HMAC-SHA256 Credential=any/20260101/us-east-2/{}/aws4_request, SignedHeaders=host, Signature=0"
)


@dataclass(frozen=True)
class Sent:
    """One request, and what is wrong with it."""

    wrong: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    method: str = "POST"


@dataclass
class Answered:
    """What came back."""

    status: int
    text: str


@dataclass
class Wire:
    """A connection to an embedded AWS that is kept open."""

    url: str
    _connection: http.client.HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        at = urlsplit(self.url)
        self._connection = http.client.HTTPConnection(at.hostname or "", at.port, timeout=600)

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def send(self, sent: Sent) -> Answered:
        """Send one request."""
        self._connection.request(sent.method, sent.path, sent.body, dict(sent.headers))
        answer = self._connection.getresponse()
        return Answered(answer.status, answer.read().decode(errors="replace"))


@cache
def model_of(service: str) -> Any:
    """botocore's model by its own name of the service."""
    return botocore.session.get_session().get_service_model(service)


def signing_name(service: str) -> str:
    """What a service's calls are signed with."""
    return str(model_of(service).signing_name)


def sample(shape: Any, depth: int = 0) -> Any:
    """The least that a shape must have."""
    match shape.type_name:
        case "structure":
            return {
                name: sample(shape.members[name], depth + 1) for name in shape.required_members if depth < 6
            }
        case "list":
            return [sample(shape.member, depth + 1)] if depth < 6 else []
        case "map":
            return {}
        case "integer" | "long" | "float" | "double":
            return int(shape.metadata.get("min", 1))
        case "boolean":
            return False
        case "blob":
            return b"x"
        case "timestamp":
            return "2026-01-01T00:00:00Z"
    return (shape.enum or ["x" * max(1, shape.metadata.get("min", 1))])[0]


def request(service: str, operation: str, members: Mapping[str, Any]) -> Sent:
    """A request with these members, as botocore writes it, without its validation."""
    model = model_of(service)
    protocol = model.resolved_protocol
    wire = create_serializer(protocol, include_validation=False).serialize_to_request(
        dict(members), model.operation_model(operation)
    )
    body = wire["body"]
    if isinstance(body, Mapping):
        body = urlencode(body)
    body = body.encode() if isinstance(body, str) else bytes(body)
    joint = "&" if "?" in wire["url_path"] else "?"
    query = f"{joint}{urlencode(wire['query_string'], doseq=True)}" if wire["query_string"] else ""
    headers = {"Authorization": CREDENTIAL.format(signing_name(service)), **wire["headers"]}
    headers = {name: str(value) for name, value in headers.items()}
    return Sent("", wire["url_path"] + query, headers, body, wire["method"])


def with_body(sent: Sent, wrong: str, body: bytes) -> Sent:
    """The same request with another body."""
    return Sent(wrong, sent.path, sent.headers, body, sent.method)


def is_located(shape: Any) -> bool:
    """Whether a member is in the path, the query string or a header."""
    return "location" in shape.serialization


def of_operation(service: str, operation: str) -> Iterator[Sent]:
    """Every kind of malformed request to an operation."""
    model = model_of(service)
    shape = model.operation_model(operation).input_shape
    protocol = model.resolved_protocol
    good = request(service, operation, sample(shape) if shape else {})
    if protocol in ("json", "rest-json") and (protocol == "json" or _has_body(shape)):
        yield from _broken_json(good, shape)
    if protocol in ("query", "ec2"):
        yield from _broken_form(good, shape, model, operation)
    if protocol == "rest-xml" and good.body:
        for body in (b"<", b"<a></b>", b"\xff\xfe", b"plain", b"<a>&unknown;</a>"):
            yield with_body(good, f"body {body!r}", body)
    if shape is not None:
        yield from _incomplete(service, operation, shape, protocol)


def _has_body(shape: Any) -> bool:
    if shape is None:
        return False
    payload = shape.serialization.get("payload")
    if payload:
        return bool(shape.members[payload].type_name == "structure")
    return any(not is_located(member) for member in shape.members.values())


def _broken_json(good: Sent, shape: Any) -> Iterator[Sent]:
    for body in (b"{", b"[]", b'"x"', b"1", b"\xff", b'{"a": NaN}', b"[" * 100_000):
        yield with_body(good, f"body {body[:20]!r}", body)
    inner = shape
    if shape is not None and (payload := shape.serialization.get("payload")):
        inner = shape.members[payload]
    members = inner.members.items() if inner is not None else ()
    for name, member in [each for each in members if not is_located(each[1])][:4]:
        given = json.loads(good.body or b"{}")
        written = member.serialization.get("name", name)
        for wrong in _wrong_values(member):
            yield with_body(good, f"{written}: {wrong!r}", json.dumps({**given, written: wrong}).encode())


def _wrong_values(shape: Any) -> list[Any]:
    if getattr(shape, "is_document_type", False):
        return []
    match shape.type_name:
        case "structure" | "map":
            return [[], "x", 1, True]
        case "list":
            return [{}, "x", 1]
        case "string":
            return [1, True, [], {}]
        case "boolean":
            return ["x", 1, [], {}]
        case "blob":
            return [1, "x", []]
        case "timestamp":
            return ["x", True, {}]
    return ["x", True, [], {}]


def _broken_form(good: Sent, shape: Any, model: Any, operation: str) -> Iterator[Sent]:
    form = good.body.decode()
    version = f"Version={model.api_version}"
    yield with_body(good, "no Action", version.encode())
    yield with_body(good, "unknown Action", f"Action=No{operation}&{version}".encode())
    yield with_body(good, "other Version", form.replace(version, "Version=2999-01-01").encode())
    if shape is None:
        return
    for name, member in list(shape.members.items())[:6]:
        if member.type_name in ("integer", "long", "float", "double", "boolean", "timestamp"):
            written = _in_form(model, member, name)
            yield with_body(good, f"{written}=x", f"{form}&{written}=x".encode())
        if member.type_name in ("structure", "map"):
            written = _in_form(model, member, name)
            yield with_body(good, f"{written}=x", f"Action={operation}&{version}&{written}=x".encode())


def _in_form(model: Any, shape: Any, name: str) -> str:
    written = str(shape.serialization.get("queryName") or shape.serialization.get("name", name))
    return written[:1].upper() + written[1:] if model.resolved_protocol == "ec2" else written


def _incomplete(service: str, operation: str, shape: Any, protocol: str) -> Iterator[Sent]:
    complete = sample(shape)
    for name in shape.required_members:
        given = shape.members[name].serialization
        if (
            given.get("location") in ("uri", "querystring") or "idempotencyToken" in given
        ):  # another operation's path
            continue
        lacking = {key: value for key, value in complete.items() if key != name}
        yield _named(f"without {name}", request(service, operation, lacking))
        member = shape.members[name]
        if member.type_name == "structure" and member.required_members and not protocol.startswith("rest"):
            first = member.required_members[0]
            inner = {key: value for key, value in complete[name].items() if key != first}
            if inner:
                yield _named(
                    f"without {name}.{first}", request(service, operation, {**complete, name: inner})
                )


def out_of_bounds(service: str, operation: str) -> Iterator[Sent]:
    """Requests with one value that the model does not allow; what is wrong is where, as AWS writes it."""
    shape = model_of(service).operation_model(operation).input_shape
    for name, member in shape.members.items() if shape else ():
        if is_located(member):  # another operation's path, or one that is read otherwise
            continue
        for where, wrong in _not_allowed(member, _camel(name)):
            yield _named(where, request(service, operation, {**sample(shape), name: wrong}))


def _not_allowed(shape: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Values of a shape with one thing wrong, and the path to it."""
    yield from ((path, wrong) for wrong in _wrong_sizes(shape))
    match shape.type_name:
        case "string":
            yield from ((path, wrong) for wrong in ("no such \x7f ☠", "") if not _is_allowed(shape, wrong))
        case "structure":
            for name, member in shape.members.items():
                if not is_located(member) and member.type_name not in ("structure", "list", "map"):
                    whole = sample(shape)
                    yield from (
                        (where, {**whole, name: wrong})
                        for where, wrong in _not_allowed(member, f"{path}.{_camel(name)}")
                    )
        case "list" if shape.member.type_name == "structure":
            yield from ((where, [wrong]) for where, wrong in _not_allowed(shape.member, f"{path}.1.member"))
        case "list":
            yield from ((path, [wrong]) for _, wrong in _not_allowed(shape.member, path))


def _wrong_sizes(shape: Any) -> Iterator[Any]:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    match shape.type_name:
        case "integer" | "long":
            yield from [most + 1] if most is not None else []
            yield from [least - 1] if least is not None else []
        case "string" if most is not None and most < 10_000 and not shape.enum:
            yield "x" * (most + 1)
        case "list" if most is not None and most < 1_000 and sample(shape.member):
            yield [sample(shape.member)] * (most + 1)


def _is_allowed(shape: Any, text: str) -> bool:
    if shape.enum or len(text) < shape.metadata.get("min", 0):
        return text in shape.enum
    pattern = re.sub(r"\\p\{[LZN]\}", "A-Za-z0-9", shape.metadata.get("pattern", ""))
    try:
        return not pattern or re.fullmatch(pattern, text) is not None
    except re.error:
        return True


NO_WHOLE_NUMBERS = {
    "integer": (1.5, 2**31, -(2**31) - 1, 10**12, 10**25),
    "long": (1.5, 2**63, -(2**63) - 1, 10**25),
}
"""For each type of the models: a fraction, and what is out of range."""


def no_whole_numbers(service: str, operation: str) -> Iterator[Sent]:
    """Requests in which one member that is a whole number, at any depth, is none of its type."""
    shape = model_of(service).operation_model(operation).input_shape
    for members, wrong in _with_a_wrong_number(shape, ()) if shape else ():
        yield _named(wrong, request(service, operation, members))


def _with_a_wrong_number(shape: Any, above: tuple[str, ...]) -> Iterator[tuple[Any, str]]:
    """Values of a shape with one number wrong, and which; shapes that are in themselves are entered once."""
    if shape.name in above or getattr(shape, "is_document_type", False):
        return
    inside = (*above, shape.name)
    match shape.type_name:
        case "integer" | "long":
            for wrong in NO_WHOLE_NUMBERS[shape.type_name]:
                yield wrong, str(wrong)
        case "structure":
            for name, member in shape.members.items():
                for value, wrong in _with_a_wrong_number(member, inside):
                    yield {**sample(shape), name: value}, f"{name}.{wrong}"
        case "list":
            yield from (([value], wrong) for value, wrong in _with_a_wrong_number(shape.member, inside))
        case "map":
            yield from (({"x": value}, wrong) for value, wrong in _with_a_wrong_number(shape.value, inside))


def _camel(name: str) -> str:
    return name if name[:2].isupper() else name[:1].lower() + name[1:]


def _named(wrong: str, sent: Sent) -> Sent:
    return Sent(wrong, sent.path, sent.headers, sent.body, sent.method)
