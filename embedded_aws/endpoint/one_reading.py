"""One reading of a request for all who read it: what logs, authorizes and carries it out sees the same call.

A request that could be read in two ways is refused; everything else is rewritten to the one way that is left. S3's
requests are passed on as they are: their content type and body are the object's.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections import Counter
from typing import Any
from urllib.parse import urlencode

from ..moto import dispatch
from ..moto.adapter import JSON_TYPES, AwsError
from ..moto.wire import CREDENTIAL, FORM, media_type, parameters, read_call

MOST = 64 * 1024**2
"""Bytes of a body when it is unpacked."""
UNREAD = "multipart/form-data"
"""A type that no service takes, and that moto would read as a form."""


def in_one_way(environ: dict[str, Any]) -> dict[str, Any]:
    """The request (WSGI environ) with one reading.

    AwsError InvalidQueryParameter for a parameter that is given twice, SerializationException for a body that is not
    in its Content-Encoding, RequestEntityTooLarge for one that unpacks to too much.
    """
    signed = CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
    service = signed["service"].lower() if signed else ""
    if service == "s3":
        return environ
    plain = {**environ, "CONTENT_TYPE": _content_type(environ, service)}
    if signed:
        plain["HTTP_AUTHORIZATION"] = f"AWS4-HMAC-SHA256 {signed[0]}, SignedHeaders=host, Signature=0"
    if environ.get("HTTP_CONTENT_ENCODING", "").strip().lower() == "gzip":
        del plain["HTTP_CONTENT_ENCODING"]
        _with_body(plain, _unpacked(environ["wsgi.input"].getvalue()))
    call = read_call(plain)
    if call.protocol in ("query", "ec2") or plain["CONTENT_TYPE"] == FORM:
        given = parameters(plain)
        _once(given)
        _as_form(plain, given)
    return plain


def _content_type(environ: dict[str, Any], service: str) -> str:
    """The type that every reader takes for the same; a type of JSON that the service does not speak stays as it is."""
    kind, given = media_type(environ), str(environ.get("CONTENT_TYPE", ""))
    if kind == UNREAD:
        return ""
    if kind in JSON_TYPES:
        return kind if service and dispatch.protocol_of(service, kind) else given
    return kind if kind == FORM else given


def _once(given: list[tuple[str, str]]) -> None:
    twice = [name for name, count in Counter(name for name, _ in given).items() if count > 1]
    if twice:
        raise AwsError("InvalidQueryParameter", f"The parameter {twice[0]} is given more than once.")


def _as_form(environ: dict[str, Any], given: list[tuple[str, str]]) -> None:
    """Move all parameters into the body, where every reader finds them."""
    environ |= {"REQUEST_METHOD": "POST", "QUERY_STRING": "", "CONTENT_TYPE": FORM}
    for name in ("RAW_URI", "REQUEST_URI"):
        environ[name] = environ.get(name, "/").partition("?")[0]
    _with_body(environ, urlencode(given).encode())


def _with_body(environ: dict[str, Any], body: bytes) -> None:
    environ |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}


def _unpacked(packed: bytes) -> bytes:
    try:
        body = gzip.GzipFile(fileobj=io.BytesIO(packed)).read(MOST + 1)
    except (EOFError, OSError, zlib.error) as error:
        raise AwsError("SerializationException", "") from error
    if len(body) > MOST:
        raise AwsError("RequestEntityTooLarge", "Request Entity Too Large")
    return body
