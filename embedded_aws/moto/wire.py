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

    @property
    def mutating(self) -> bool:
        """Whether the call may change the account, judged by its name."""
        return READS.match(self.operation) is None

    def __str__(self) -> str:
        return f"{self.service} {self.operation}"


def read_call(environ: dict[str, Any]) -> Call:
    """The call in a WSGI environ, whose input must be seekable; names are empty where the request has none."""
    content_type = environ.get("CONTENT_TYPE", "")
    form = _form(environ, content_type)
    signed = CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
    target = environ.get("HTTP_X_AMZ_TARGET", "")
    operation = target.rpartition(".")[2] or form.get("Action", "")
    service = signed["service"].lower() if signed else UNSIGNED.get(operation, "")
    if service and not operation:
        operation = dispatch.rest_operation(service, environ)
    return Call(
        service,
        operation,
        signed["region"] if signed else "us-east-1",
        signed["key"] if signed else "",
        content_type,
        form,
    )


def _form(environ: dict[str, Any], content_type: str) -> dict[str, str]:
    if not content_type.startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
    body: io.BytesIO = environ["wsgi.input"]
    text = body.getvalue().decode("utf-8", "replace")
    return dict(parse_qsl(text, keep_blank_values=True))


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
