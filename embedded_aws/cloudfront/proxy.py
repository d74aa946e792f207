"""Handles a viewer's request at an edge location: refuses it, redirects it, or sends it to the origin.

Sources: Developer Guide, "Request and response behavior for custom origins", "Distribution settings reference",
"Quotas" (a URL of 8,192 bytes, 20,480 bytes of request line and headers; 10 minutes of a silent WebSocket).
"""

from __future__ import annotations

import asyncio
import hashlib
from typing import Protocol

from aiohttp import web

from ..elbv2.forwarded import head_size
from ..elbv2.proxy import Attempt, ClientSilentError, inspected, send
from ..kernel.pace import Pace
from ..kernel.wildcards import wildcard
from ..proxy.relay import Relayed, Tunnel, send_reply
from ..proxy.upstream import BrokenError, Connection, Reply, SilentError, UnreachableError
from ..wafv2.store import firewall_for_cloudfront
from . import pages
from .configuration import behaviors
from .forwarding import OriginHead, Passing, head_for, new_request_id
from .model import Config, Distribution, origins
from .network import Way

URL_MOST, HEAD_MOST = 8_192, 20_480
WEBSOCKET_IDLE = 600.0
UNSCALED_IDLE = 60.0  # real seconds: programs send heartbeats at their own speed
SHORTEST = 10.0  # real seconds that an origin may take for an answer, unless its limit is shorter
REPEATED = ("GET", "HEAD")


class Surroundings(Protocol):
    """What the proxy needs from the edge locations."""

    @property
    def pace(self) -> Pace:
        """How fast time passes."""

    def way(self, account: str, origin: Config, secure: bool, host: str) -> Way:
        """The route for an origin's requests now."""

    def websocket_idle(self) -> float | None:
        """AWS seconds from a fault rule, instead of ten minutes."""


def own_name(id: str) -> str:
    """The name that AWS would give a distribution; its certificate is valid for it, too."""
    return f"d{id[1:].lower()}.cloudfront.net"


class Proxy:
    """Answers every request at a distribution's port."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around

    async def handle(
        self, distribution: Distribution, secure: bool, request: web.BaseRequest
    ) -> web.StreamResponse:
        """Answer one request; drops the connection where the distribution is not deployed yet."""
        config = distribution.serving()
        if config is None:
            raise ConnectionResetError("the edges do not know the distribution")
        via = f"{hashlib.sha256(distribution.id.encode()).hexdigest()[:32]}.cloudfront.net"
        passing = Passing(request, secure, new_request_id(), via)
        answer = await self._answer(distribution, config, passing)
        if isinstance(answer, web.Response):
            answer.headers.update(passing.added(answer.status))
            if "Location" in answer.headers:
                answer.headers["X-Cache"] = "Redirect from cloudfront"
        return answer

    async def _answer(
        self, distribution: Distribution, config: Config, passing: Passing
    ) -> web.StreamResponse:
        refused = _refused(distribution, config, passing)
        if refused is not None:
            return pages.error(refused[0], passing.id, refused[1])
        behavior = _behavior(config, passing.request)
        policy = behavior["ViewerProtocolPolicy"]
        if not passing.secure and policy == "redirect-to-https":
            return pages.redirect(passing.request.method, f"https://{_host(passing.request)}{_url(passing)}")
        if not passing.secure and policy == "https-only":
            return pages.error(403, passing.id, pages.BAD)
        if passing.request.method not in behavior["AllowedMethods"]["Items"]:
            return pages.error(403, passing.id, pages.METHOD_NOT_ALLOWED)
        found = [one for one in origins(config) if one["Id"] == behavior["TargetOriginId"]]
        return await self._forward(distribution.account, passing, behavior, found[0])

    async def _forward(
        self, account: str, passing: Passing, behavior: Config, origin: Config
    ) -> web.StreamResponse:
        request, pace = passing.request, self._around.pace
        head = head_for(passing, behavior, origin)
        way = self._around.way(account, origin, passing.secure, head.host.partition(":")[0])
        if way.silent:
            await asyncio.sleep(pace.real(origin["ConnectionAttempts"] * origin["ConnectionTimeout"]))
            return pages.error(504, passing.id)
        if "100-continue" in request.headers.get("Expect", "").lower():
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            request.writer.output_size = 0  # the response itself has not begun
        try:
            connection, reply, attempt = await self._ask(passing, head, origin, way)
        except SilentError:
            return _ended(pages.error(504, passing.id))
        except UnreachableError as failure:
            return pages.error(502 if failure.refused else 504, passing.id, pages.NOT_CONNECTED)
        except BrokenError:
            return _ended(pages.error(502, passing.id, pages.CLOSED))
        except ClientSilentError:
            return _ended(pages.error(400, passing.id, pages.BAD))
        try:
            return await self._reply(passing, origin, connection, reply)
        finally:
            attempt.cut()

    async def _ask(
        self, passing: Passing, head: OriginHead, origin: Config, way: Way
    ) -> tuple[Connection, Reply, Attempt]:
        """Send the request and wait for the response's head, again for a GET or HEAD that the origin does not
        answer.

        ConnectionAttempts "also specifies the number of times that CloudFront attempts to get a response from the
        origin, in the case of an Origin Response Timeout" (model); PUT, POST and the others are sent once ("Response
        timeout").
        """
        request = passing.request
        repeatable = request.method in REPEATED and not passing.is_websocket
        left = int(origin["ConnectionAttempts"]) if repeatable else 1
        silence = self._patience(_reading(origin)["OriginReadTimeout"])
        if way.port is None:
            raise UnreachableError(refused=True)
        while True:
            left -= 1
            attempt = Attempt()
            try:
                connection = attempt.connection = await Connection.open(way.address, way.port, way.tls)
                return connection, await send(request, head, attempt, connection, silence), attempt
            except BaseException as failure:  # also where the viewer has disconnected
                attempt.cut()
                if left <= 0 or not isinstance(failure, SilentError):
                    raise

    async def _reply(
        self, passing: Passing, origin: Config, connection: Connection, reply: Reply
    ) -> web.StreamResponse:
        request, message = passing.request, reply.message
        added = passing.added(message.code, message.headers.get("Via", ""))
        if message.code == 101:
            tunnel = Tunnel(self._idle(), by_target_only=True)
            response = Relayed(request, reply, (), more=added)
            await tunnel.run(request, connection, response)
            return response
        try:
            whole = origin.get("ResponseCompletionTimeout")
            async with asyncio.timeout(self._patience(whole) if whole else None):
                return await send_reply(request, reply, (), more=added)
        except (BrokenError, SilentError, TimeoutError) as failure:
            if request.transport is not None:
                request.transport.abort()
            raise ConnectionResetError("the origin did not finish its response") from failure

    def _patience(self, seconds: float) -> float:
        """Real seconds for a program that has so many AWS seconds, because programs run at their own speed."""
        return self._around.pace.real(seconds, at_least=min(seconds, SHORTEST))

    def _idle(self) -> float:
        """Real seconds for which a WebSocket's origin may be silent, whatever the viewer sends."""
        ordered = self._around.websocket_idle()
        if ordered is not None:
            return self._around.pace.real(ordered)
        return self._around.pace.real(WEBSOCKET_IDLE, at_least=UNSCALED_IDLE)


def _refused(distribution: Distribution, config: Config, passing: Passing) -> tuple[int, str] | None:
    """The status and the reason of a request that is refused; 403 for a disabled distribution is not verified."""
    request = passing.request
    if len(request.raw_path) > URL_MOST:
        return 414, ""
    line = len(request.method) + len(request.raw_path) + len(" HTTP/1.1\r\n") + 1
    if line + head_size(request.raw_headers) > HEAD_MOST:
        return 413, ""
    if not config["Enabled"] or not _is_for(distribution, config, _host(request).partition(":")[0].lower()):
        return 403, pages.BAD
    firewall = firewall_for_cloudfront(config["WebACLId"]) if config["WebACLId"] else None
    if firewall is not None and firewall.blocks(inspected(request)):
        return 403, pages.BLOCKED
    if request.method == "GET" and request.body_exists:
        return 403, pages.BAD
    return None


def _is_for(distribution: Distribution, config: Config, host: str) -> bool:
    """Whether a host name is the distribution's: its own, the address here, or an alias (``*`` is one label)."""
    if host in ("localhost", own_name(distribution.id)) or host.startswith("127."):
        return True
    aliases = config["Aliases"].get("Items") or ()
    return any(wildcard(name, ignore_case=True).fullmatch(host) for name in aliases)


def _behavior(config: Config, request: web.BaseRequest) -> Config:
    """The first cache behavior whose path pattern matches, else the default one."""
    path = request.rel_url.raw_path.lstrip("/")
    return next(
        one
        for one in behaviors(config)
        if "PathPattern" not in one or wildcard(one["PathPattern"].lstrip("/")).fullmatch(path)
    )


def _reading(origin: Config) -> Config:
    found: Config = (
        origin.get("VpcOriginConfig") or origin.get("CustomOriginConfig") or {"OriginReadTimeout": 30}
    )
    return found


def _host(request: web.BaseRequest) -> str:
    return request.headers.get("Host", "")


def _url(passing: Passing) -> str:
    return passing.request.rel_url.raw_path_qs


def _ended(response: web.Response) -> web.Response:
    """The same response, after which the viewer's connection closes: its body may be unread."""
    response.force_close()
    return response
