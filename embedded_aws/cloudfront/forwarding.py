"""The request that the origin gets, and the headers that CloudFront adds to responses.

Sources: Developer Guide, "Request and response behavior for custom origins", "Add CloudFront request headers", "Use
managed origin request policies".
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from aiohttp.web import BaseRequest

from ..elbv2.forwarded import HOP_BY_HOP, RequestHead, is_websocket
from .model import Config
from .policies import ORIGIN_REQUEST_POLICIES, OriginRequestPolicy

CRLF = b"\r\n"
POP = "FRA56-P1"
REMOVED = frozenset({b"x-forwarded-proto", b"x-real-ip", b"x-amz-cf-id", b"x-edge-location", b"expect"})
"""Headers removed from each request."""

WRITTEN_HERE = frozenset({b"host", b"via", b"x-forwarded-for", b"content-length"})
ALWAYS = frozenset(
    {b"content-length", b"content-type", b"content-encoding", b"range", b"if-range", b"upgrade"}
)
"""Headers forwarded without an origin request policy; which ones these are is not verified."""

NOTHING = OriginRequestPolicy("none", "none")


@dataclass(frozen=True)
class ViewerRequest:
    """One forwarded request: its id, the distribution's name in Via, and whether it came over TLS."""

    request: BaseRequest
    secure: bool
    id: str
    via: str

    @property
    def is_websocket(self) -> bool:
        """Whether it is a WebSocket request."""
        return is_websocket(self.request)

    def added(self, status: int, via: str = "") -> Mapping[str, str]:
        """The headers that CloudFront adds to a response; ``via`` is the origin's own header."""
        cache = "Error from cloudfront" if status >= 400 else "Miss from cloudfront"
        own = f"1.1 {self.via} (CloudFront)"
        return {
            "X-Cache": cache,
            "Via": f"{via}, {own}" if via else own,
            "X-Amz-Cf-Pop": POP,
            "X-Amz-Cf-Id": self.id,
        }


def new_request_id() -> str:
    """A request id as in AWS's logs: 56 characters of URL-safe base64."""
    return base64.urlsafe_b64encode(secrets.token_bytes(40)).decode()


@dataclass(frozen=True)
class OriginHead(RequestHead):
    """A request's head for an origin; ``host`` is its Host header."""

    host: str


def head_for(viewer_request: ViewerRequest, behavior: Config, origin: Config) -> OriginHead:
    """The HTTP/1.1 head to send to an origin."""
    request = viewer_request.request
    policy = ORIGIN_REQUEST_POLICIES.get(behavior.get("OriginRequestPolicyId") or "", NOTHING)
    custom = {
        each["HeaderName"].lower(): each["HeaderValue"] for each in origin["CustomHeaders"].get("Items") or ()
    }
    lines = [b"%b %b HTTP/1.1" % (request.method.encode(), _target(request, policy, origin))]
    host = _host(request, policy, origin)
    lines.append(b"Host: " + host.encode())
    lines += [
        name + b": " + value for name, value in _kept(request, policy) if name.lower().decode() not in custom
    ]
    lines += _own(viewer_request, policy)
    lines += [f"{name}: {value}".encode() for name, value in custom.items()]
    chunked = "chunked" in request.headers.get("Transfer-Encoding", "").lower()
    if chunked:
        lines.append(b"Transfer-Encoding: chunked")
    elif "Content-Length" in request.headers:
        lines.append(b"Content-Length: " + request.headers["Content-Length"].encode())
    if viewer_request.is_websocket:
        lines += [b"Connection: Upgrade", b"Upgrade: websocket"]
    has_body = request.body_exists and not viewer_request.is_websocket
    return OriginHead(CRLF.join([*lines, b"", b""]), has_body, chunked, host)


def head_for_page(viewer_request: ViewerRequest, behavior: Config, origin: Config, path: str) -> OriginHead:
    """The head of the request for a custom error page: a GET, or HEAD where the viewer's is one, without a body.

    Which of the viewer's headers it has is not documented: those here that are not about the viewer's body or object.
    """
    request = viewer_request.request
    policy = ORIGIN_REQUEST_POLICIES.get(behavior.get("OriginRequestPolicyId") or "", NOTHING)
    method, host = "HEAD" if request.method == "HEAD" else "GET", _host(request, policy, origin)
    lines = [f"{method} {origin['OriginPath']}{path} HTTP/1.1".encode(), b"Host: " + host.encode()]
    lines += [
        name + b": " + value for name, value in _kept(request, policy) if not _is_of_object(name.lower())
    ]
    lines += _own(viewer_request, policy)
    return OriginHead(CRLF.join([*lines, b"", b""]), has_body=False, chunked=False, host=host)


def _is_of_object(name: bytes) -> bool:
    """Whether a header is about the body of a request, or about the object that it asks for."""
    return name in (b"range", b"upgrade") or name.startswith((b"content-", b"if-", b"sec-websocket-"))


def _kept(request: BaseRequest, policy: OriginRequestPolicy) -> Iterator[tuple[bytes, bytes]]:
    """The viewer's headers that are forwarded."""
    named = {name.strip() for name in request.headers.get("Connection", "").lower().encode().split(b",")}
    dropped = HOP_BY_HOP | REMOVED | WRITTEN_HERE | named
    for name, value in request.raw_headers:
        lower = name.lower()
        if lower in dropped or lower.startswith(b"cloudfront-"):
            continue
        if policy.cookies == "all" if lower == b"cookie" else _forwards(policy, lower):
            yield name, value


def _forwards(policy: OriginRequestPolicy, name: bytes) -> bool:
    handshake = name.startswith(b"sec-websocket-") and policy is not NOTHING
    return name in ALWAYS or handshake or policy.forwards(name.decode("latin-1"))


def _own(viewer_request: ViewerRequest, policy: OriginRequestPolicy) -> list[bytes]:
    request = viewer_request.request
    before, viewer = request.headers.get("X-Forwarded-For", ""), request.remote or ""
    via = request.headers.get("Via", "")
    own = f"1.1 {viewer_request.via} (CloudFront)"
    made = {
        "X-Forwarded-For": f"{before}, {viewer}" if before else viewer,
        "Via": f"{via}, {own}" if via else own,
        "X-Amz-Cf-Id": viewer_request.id,
    }
    if not policy.forwards("user-agent"):
        made["User-Agent"] = "Amazon CloudFront"
    if "CloudFront-Forwarded-Proto" in policy.headers:
        made |= {
            "CloudFront-Forwarded-Proto": "https" if viewer_request.secure else "http",
            "CloudFront-Viewer-Address": f"{viewer}:{_port(request)}",
            "CloudFront-Viewer-Http-Version": f"{request.version.major}.{request.version.minor}",
            **({"CloudFront-Viewer-TLS": _tls(request)} if viewer_request.secure else {}),
        }
    return [f"{name}: {value}".encode() for name, value in made.items()]


def _port(request: BaseRequest) -> int:
    return int(request.transport.get_extra_info("peername")[1]) if request.transport else 0


def _tls(request: BaseRequest) -> str:
    cipher = request.transport.get_extra_info("cipher") if request.transport else None
    name, version, _ = cipher or ("TLS_AES_128_GCM_SHA256", "TLSv1.3", 0)
    return f"{version}:{name}:fullHandshake"


def _host(request: BaseRequest, policy: OriginRequestPolicy, origin: Config) -> str:
    viewers = request.headers.get("Host") if policy.forwards("host") else None
    return str(viewers or origin["DomainName"])


def _target(request: BaseRequest, policy: OriginRequestPolicy, origin: Config) -> bytes:
    target = request.raw_path
    if not target.startswith(("/", "*")):  # an absolute URL, as sent to a proxy
        target = request.rel_url.raw_path_qs or "/"
    if policy.query_strings != "all":
        target = target.partition("?")[0]
    path: str = origin["OriginPath"] + target
    return path.encode("utf-8", "surrogateescape")
