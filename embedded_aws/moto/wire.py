"""Reads a request's API call from its headers and form, and writes errors in the client's protocol."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4

from botocore.exceptions import UnknownServiceError

from . import dispatch
from .adapter import AwsError
from .dispatch import Answer

CREDENTIAL = re.compile(r"Credential=(?P<key>[^/\s]+)/\d+/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")
READS = re.compile(
    r"(AssumeRole|BatchCheck|BatchGet|Check|Describe|Discover|Download|Estimate|Filter|Get|Head|List|Lookup"
    r"|Poll|Preview|Query|Scan|Search|Select|Simulate|Test|Validate|View)"
)
FORM = "application/x-www-form-urlencoded"
UNSIGNED = {"AssumeRoleWithSAML": "sts", "AssumeRoleWithWebIdentity": "sts"}


@dataclass(frozen=True)
class Call:
    """One API call. ``service`` is its signing name, which is also its IAM prefix."""

    service: str
    operation: str
    region: str = "us-east-1"
    access_key: str = ""
    content_type: str = ""
    form: Mapping[str, str] = field(default_factory=dict)
    protocol: str | None = None
    """What the service speaks for this content type; None where it has no model, or does not speak it."""

    @property
    def mutating(self) -> bool:
        """Whether the call may change the account, judged by its name."""
        return READS.match(self.operation) is None

    def __str__(self) -> str:
        return f"{self.service} {self.operation}"


def read_call(environ: dict[str, Any]) -> Call:
    """The call in a WSGI environ, whose input must be seekable; names are empty where the request has none."""
    content_type = environ.get("CONTENT_TYPE", "")
    given = dict(parameters(environ))
    signed = CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
    service = signed["service"].lower() if signed else UNSIGNED.get(given.get("Action", ""), "")
    protocol = dispatch.protocol_of(service, content_type) if service else None
    return Call(
        service,
        _operation(service, protocol, given, environ),
        signed["region"] if signed else "us-east-1",
        signed["key"] if signed else "",
        content_type,
        given,
        protocol,
    )


def _operation(service: str, protocol: str | None, given: Mapping[str, str], environ: dict[str, Any]) -> str:
    """The operation, from the one place where the protocol has it."""
    target = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
    match protocol:
        case "json":
            return str(target)
        case "query" | "ec2":
            return given.get("Action", "")
        case "rest-json" | "rest-xml":
            return dispatch.rest_operation(service, environ)
    named = str(target or given.get("Action", ""))
    return named if named or not service else dispatch.rest_operation(service, environ)


def parameters(environ: dict[str, Any]) -> list[tuple[str, str]]:
    """The names and values in a request's query string, and in its body where that is a form."""
    pairs = parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True)
    if media_type(environ) == FORM:
        body: io.BytesIO = environ["wsgi.input"]
        pairs += parse_qsl(body.getvalue().decode("utf-8", "replace"), keep_blank_values=True)
    return pairs


def media_type(environ: Mapping[str, Any]) -> str:
    """The type of a request's body, without parameters and in small letters (RFC 9110, 8.3.1)."""
    return str(environ.get("CONTENT_TYPE", "")).partition(";")[0].strip().lower()


def refusal(call: Call, error: AwsError, status: int | None = None) -> Answer:
    """``error`` in the protocol of the called service, with its HTTP status unless one is given."""
    try:
        answer = dispatch.error_answer(call.service, call.content_type, error)
    except UnknownServiceError:
        text = json.dumps({"__type": error.code, "message": error.message}).encode()
        answer = Answer(400, (("Content-Type", "application/x-amz-json-1.1"),), text)
    request_id = str(uuid4())
    headers = (*answer.headers, ("x-amzn-RequestId", request_id))
    return Answer(status or answer.status, headers, answer.body.replace(b"request-id", request_id.encode()))
