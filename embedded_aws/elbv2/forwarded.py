"""The request that a target gets: the client's, with headers removed and added by the load balancer.

Source: "HTTP headers and Application Load Balancers" and "Request tracing for your Application Load Balancer".
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass

from aiohttp.web import BaseRequest

from .settings import Listener, LoadBalancer
from .sign_in.authenticator import HEADERS, Admission

HOP_BY_HOP = frozenset(
    {b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding", b"upgrade"}
)
WRITTEN_HERE = frozenset({b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-port", b"x-amzn-trace-id"})
NONE: frozenset[bytes] = frozenset()
DROPPED = HOP_BY_HOP | WRITTEN_HERE | {b"expect"}
VALID_NAME = re.compile(rb"[A-Za-z0-9-]+")
CRLF = b"\r\n"


@dataclass(frozen=True)
class RequestHead:
    """A request's head, ready to send, and how its body is framed."""

    data: bytes
    has_body: bool
    chunked: bool


def build_head(
    request: BaseRequest, balancer: LoadBalancer, listener: Listener, admission: Admission
) -> RequestHead:
    """The head to send to a target; the Host header is the client's own."""
    own = _forwarded_for(request, balancer)
    own += admission.headers
    own.append(b"X-Forwarded-Proto: " + listener.protocol.lower().encode())
    own.append(b"X-Forwarded-Port: %d" % listener.port)
    own.append(b"X-Amzn-Trace-Id: " + _trace(request.headers.get("X-Amzn-Trace-Id", "")).encode())
    strict = balancer.on("routing.http.drop_invalid_header_fields.enabled")
    replaced = HEADERS if admission.asked else NONE
    return pass_on(request, own, upgrade=is_websocket(request), strict=strict, replaced=replaced)


def pass_on(
    request: BaseRequest,
    own: list[bytes],
    *,
    upgrade: bool = False,
    strict: bool = False,
    replaced: frozenset[bytes] = NONE,
) -> RequestHead:
    """The client's head without hop-by-hop headers, and with the proxy's ``own`` lines.

    ``upgrade`` requests a WebSocket from the target; ``strict`` drops headers with invalid names; ``replaced`` are
    names of which the client's headers are dropped.
    """
    named = request.headers.get("Connection", "").lower().encode().split(b",")
    dropped = DROPPED | replaced | {name.strip() for name in named}
    lines = [b"%b %b HTTP/1.1" % (request.method.encode(), _path(request))]
    for name, value in request.raw_headers:
        if name.lower() not in dropped and not (strict and not VALID_NAME.fullmatch(name)):
            lines.append(name + b": " + value)
    if "Host" not in request.headers:  # HTTP/1.0: the proxy uses its own name
        lines.append(b"Host: 127.0.0.1")
    lines += own
    chunked = "chunked" in request.headers.get("Transfer-Encoding", "").lower()
    if chunked:
        lines.append(b"Transfer-Encoding: chunked")
    if upgrade:
        lines += [b"Connection: Upgrade", b"Upgrade: websocket"]
    has_body = request.body_exists and not upgrade
    return RequestHead(CRLF.join([*lines, b"", b""]), has_body, chunked)


def is_websocket(request: BaseRequest) -> bool:
    """Whether the client requests an upgrade to a WebSocket."""
    return request.headers.get("Upgrade", "").lower() == "websocket"


def head_size(headers: Iterable[tuple[bytes, bytes]]) -> int:
    """The size of headers in bytes, as sent."""
    return sum(len(name) + len(value) + 4 for name, value in headers)


def too_many_hops(request: BaseRequest) -> bool:
    """Whether X-Forwarded-For has more than the 30 addresses that the load balancer accepts."""
    return request.headers.get("X-Forwarded-For", "").count(",") >= 30


def _path(request: BaseRequest) -> bytes:
    path = request.raw_path
    if not path.startswith(("/", "*")):  # an absolute URL, as sent to a proxy
        path = request.rel_url.raw_path_qs or "/"
    return path.encode("utf-8", "surrogateescape")


def _forwarded_for(request: BaseRequest, balancer: LoadBalancer) -> list[bytes]:
    before = request.headers.get("X-Forwarded-For", "")
    mode = balancer.attributes["routing.http.xff_header_processing.mode"]
    if mode == "remove":
        return []
    client = request.remote or ""
    if balancer.on("routing.http.xff_client_port.enabled") and request.transport is not None:
        client = f"{client}:{request.transport.get_extra_info('peername')[1]}"
    appended = f"{before}, {client}" if before else client
    value = before if mode == "preserve" else appended
    return [b"X-Forwarded-For: " + value.encode()] if value else []


def _trace(given: str) -> str:
    """The client's trace id with the load balancer's own field, or a new one."""
    own = f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"
    if not given:
        return f"Root={own}"
    fields = [field for field in given.split(";") if field and not field.startswith("Self=")]
    if any(field.startswith("Root=") for field in fields):
        return ";".join([f"Self={own}", *fields])
    return ";".join([f"Root={own}", *fields])
