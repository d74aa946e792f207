"""Handles a viewer's request at an edge location: refuses it, redirects it, or sends it to the origin.

Sources: Developer Guide, "Request and response behavior for custom origins", "Distribution settings reference",
"Quotas" (a URL of 8,192 bytes, 20,480 bytes of request line and headers; 10 minutes of a silent WebSocket).
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from aiohttp import web

from ..elbv2.forwarded import head_size
from ..elbv2.proxy import Attempt, ClientSilentError, inspected, send
from ..kernel.loopback import is_loopback_address
from ..kernel.pace import Pace
from ..kernel.wildcards import wildcard
from ..proxy.relay import Relayed, Tunnel, send_reply
from ..proxy.upstream import BrokenError, Connection, Reply, SilentError, UnreachableError
from ..wafv2.store import firewall_for_cloudfront
from . import pages
from .configuration import behaviors
from .error_pages import ErrorPage, error_page
from .forwarding import OriginHead, ViewerRequest, head_for, head_for_page, new_request_id
from .model import Config, Distribution, origins
from .network import OriginRoute

URL_MOST, HEAD_MOST = 8_192, 20_480
WEBSOCKET_IDLE = 600.0
UNSCALED_IDLE = 60.0  # real seconds: programs send heartbeats at their own speed
SHORTEST = 30.0  # real seconds that an origin may take for an answer, unless its limit is shorter
REPEATED = ("GET", "HEAD")
WITH_PAGE = (pages.COUNTRY, pages.BLOCKED)
"""What CloudFront refuses and can have a custom error page ("Restrict the geographic distribution of your content";
AWS WAF Developer Guide, "Using AWS WAF with CloudFront custom error pages"); of other refusals it is not documented."""


class EdgeContext(Protocol):
    """What the proxy needs from the edge locations."""

    @property
    def pace(self) -> Pace:
        """How fast time passes."""

    def route(self, account: str, origin: Config, secure: bool, host: str) -> OriginRoute:
        """The route for an origin's requests now."""

    def websocket_idle(self) -> float | None:
        """AWS seconds from a fault rule, instead of ten minutes."""

    def viewer_country(self) -> str | None:
        """The viewers' country; None where it cannot be determined."""


def own_name(id: str) -> str:
    """The name that AWS would give a distribution; its certificate is valid for it, too."""
    return f"d{id[1:].lower()}.cloudfront.net"


@dataclass(frozen=True)
class OriginReply:
    """What an origin has begun to answer, by which connection, and the request that is in progress there."""

    connection: Connection
    reply: Reply
    attempt: Attempt

    @property
    def status(self) -> int:
        """The status."""
        return self.reply.message.code

    def cut(self) -> None:
        """Leave the rest of it."""
        self.attempt.cut()


class DistributionProxy:
    """Answers every request at a distribution's port."""

    def __init__(self, context: EdgeContext) -> None:
        self._context = context

    async def handle(
        self, distribution: Distribution, secure: bool, request: web.BaseRequest
    ) -> web.StreamResponse:
        """Answer one request; drops the connection where the distribution is not deployed yet."""
        config = distribution.serving()
        if config is None:
            raise ConnectionResetError("the edges do not know the distribution")
        via = f"{hashlib.sha256(distribution.id.encode()).hexdigest()[:32]}.cloudfront.net"
        viewer_request = ViewerRequest(request, secure, new_request_id(), via)
        answer = await self._answer(distribution, config, viewer_request)
        if isinstance(answer, web.Response):
            answer.headers.update(viewer_request.added(answer.status))
            if "Location" in answer.headers:
                answer.headers["X-Cache"] = "Redirect from cloudfront"
        return answer

    async def _answer(
        self, distribution: Distribution, config: Config, viewer_request: ViewerRequest
    ) -> web.StreamResponse:
        account, request = distribution.account, viewer_request.request
        refused = _refused(distribution, config, viewer_request, self._context.viewer_country())
        if refused is not None:
            page = error_page(config, refused[0]) if refused[1] in WITH_PAGE else None
            if page is not None:
                return await self._error_page(account, config, viewer_request, page, refused[0])
            return pages.error(refused[0], viewer_request.id, refused[1])
        behavior = _behavior(config, request.rel_url.raw_path)
        policy = behavior["ViewerProtocolPolicy"]
        if not viewer_request.secure and policy == "redirect-to-https":
            return pages.redirect(request.method, f"https://{_host(request)}{_url(viewer_request)}")
        if not viewer_request.secure and policy == "https-only":
            return pages.error(403, viewer_request.id, pages.BAD)
        if request.method not in behavior["AllowedMethods"]["Items"]:
            return pages.error(403, viewer_request.id, pages.METHOD_NOT_ALLOWED)
        return await self._forward(account, config, viewer_request, behavior)

    async def _forward(
        self, account: str, config: Config, viewer_request: ViewerRequest, behavior: Config
    ) -> web.StreamResponse:
        """The origin's answer, or the distribution's page for it."""
        origin = _origin(config, behavior)
        found = await self._asked(account, viewer_request, origin, head_for(viewer_request, behavior, origin))
        page = error_page(config, found.status)
        if page is not None:
            if isinstance(found, OriginReply):
                found.cut()
            return await self._error_page(account, config, viewer_request, page, found.status)
        if isinstance(found, web.Response):
            return found
        return await self._reply(viewer_request, origin, found, found.status)

    async def _error_page(
        self, account: str, config: Config, viewer_request: ViewerRequest, page: ErrorPage, error: int
    ) -> web.StreamResponse:
        """The custom error page instead of an error, from the origin of the first cache behavior for its path.

        Where the page isn't available, "CloudFront returns to the viewer the status code that CloudFront received from
        the origin that contains the custom error pages".
        """
        behavior = _behavior(config, page.path)
        origin = _origin(config, behavior)
        head = head_for_page(viewer_request, behavior, origin, page.path)
        found = await self._asked(account, viewer_request, origin, head)
        if isinstance(found, web.Response):
            return found
        if found.status >= 400:
            return await self._reply(viewer_request, origin, found, found.status)
        return await self._reply(viewer_request, origin, found, error, page.status)

    async def _asked(
        self, account: str, viewer_request: ViewerRequest, origin: Config, head: OriginHead
    ) -> OriginReply | web.Response:
        """What an origin answers to a request, or CloudFront itself where it does not answer."""
        request, pace = viewer_request.request, self._context.pace
        route = self._context.route(account, origin, viewer_request.secure, head.host.partition(":")[0])
        if route.silent:
            await asyncio.sleep(pace.real(origin["ConnectionAttempts"] * origin["ConnectionTimeout"]))
            return pages.error(504, viewer_request.id)
        if head.has_body and "100-continue" in request.headers.get("Expect", "").lower():
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            request.writer.output_size = 0  # the response itself has not begun
        try:
            return OriginReply(*await self._ask(viewer_request, head, origin, route))
        except SilentError:
            return _ended(pages.error(504, viewer_request.id))
        except UnreachableError as failure:
            return pages.error(502 if failure.refused else 504, viewer_request.id, pages.NOT_CONNECTED)
        except BrokenError:
            return _ended(pages.error(502, viewer_request.id, pages.CLOSED))
        except ClientSilentError:
            return _ended(pages.error(400, viewer_request.id, pages.BAD))

    async def _ask(
        self, viewer_request: ViewerRequest, head: OriginHead, origin: Config, route: OriginRoute
    ) -> tuple[Connection, Reply, Attempt]:
        """Send the request and wait for the response's head, again for a GET or HEAD that the origin does not
        answer.

        ConnectionAttempts "also specifies the number of times that CloudFront attempts to get a response from the
        origin, in the case of an Origin Response Timeout" (model); PUT, POST and the others are sent once ("Response
        timeout").
        """
        request = viewer_request.request
        repeatable = request.method in REPEATED and not viewer_request.is_websocket
        left = int(origin["ConnectionAttempts"]) if repeatable else 1
        silence = self._patience(_reading(origin)["OriginReadTimeout"])
        if route.port is None:
            raise UnreachableError(refused=True)
        while True:
            left -= 1
            attempt = Attempt()
            try:
                connection = attempt.connection = await Connection.open(route.address, route.port, route.tls)
                return connection, await send(request, head, attempt, connection, silence), attempt
            except BaseException as failure:  # also where the viewer has disconnected
                attempt.cut()
                if left <= 0 or not isinstance(failure, SilentError):
                    raise

    async def _reply(
        self,
        viewer_request: ViewerRequest,
        origin: Config,
        found: OriginReply,
        answered: int,
        status: int | None = None,
    ) -> web.StreamResponse:
        """Pass an origin's answer on. ``answered`` is the status of the answer to the viewer's own request, and
        ``status`` replaces that of this one."""
        request, message = viewer_request.request, found.reply.message
        added = viewer_request.added(answered, message.headers.get("Via", ""))
        try:
            if message.code != 101:
                return await self._sent(request, origin, found.reply, added, status)
            tunnel = Tunnel(self._idle(), by_target_only=True)
            response = Relayed(request, found.reply, (), more=added)
            await tunnel.run(request, found.connection, response)
            return response
        finally:
            found.cut()

    async def _sent(
        self,
        request: web.BaseRequest,
        origin: Config,
        reply: Reply,
        added: Mapping[str, str],
        status: int | None,
    ) -> web.StreamResponse:
        try:
            whole = origin.get("ResponseCompletionTimeout")
            async with asyncio.timeout(self._patience(whole) if whole else None):
                return await send_reply(request, reply, (), more=added, status=status)
        except (BrokenError, SilentError, TimeoutError) as failure:
            if request.transport is not None:
                request.transport.abort()
            raise ConnectionResetError("the origin did not finish its response") from failure

    def _patience(self, seconds: float) -> float:
        """Real seconds for a program that has so many AWS seconds, because programs run at their own speed."""
        return self._context.pace.real(seconds, at_least=min(seconds, SHORTEST))

    def _idle(self) -> float:
        """Real seconds for which a WebSocket's origin may be silent, whatever the viewer sends."""
        ordered = self._context.websocket_idle()
        if ordered is not None:
            return self._context.pace.real(ordered)
        return self._context.pace.real(WEBSOCKET_IDLE, at_least=UNSCALED_IDLE)


def _refused(
    distribution: Distribution, config: Config, viewer_request: ViewerRequest, country: str | None
) -> tuple[int, str] | None:
    """The status and the reason of a request that is refused; 403 for a disabled distribution is not verified."""
    request = viewer_request.request
    if len(request.raw_path) > URL_MOST:
        return 414, ""
    line = len(request.method) + len(request.raw_path) + len(" HTTP/1.1\r\n") + 1
    if line + head_size(request.raw_headers) > HEAD_MOST:
        return 413, ""
    if not config["Enabled"] or not _is_for(distribution, config, _host(request).partition(":")[0].lower()):
        return 403, pages.BAD
    if country is not None and not _lets_in(config["Restrictions"]["GeoRestriction"], country):
        return 403, pages.COUNTRY
    firewall = firewall_for_cloudfront(config["WebACLId"]) if config["WebACLId"] else None
    if firewall is not None and firewall.blocks(inspected(request)):
        return 403, pages.BLOCKED
    if request.method == "GET" and request.body_exists:
        return 403, pages.BAD
    return None


def _lets_in(restriction: Config, country: str) -> bool:
    """Whether a geographic restriction lets viewers of a country in."""
    kind, named = restriction["RestrictionType"], country in (restriction.get("Items") or ())
    return kind == "none" or named is (kind == "whitelist")


def _is_for(distribution: Distribution, config: Config, host: str) -> bool:
    """Whether a host name is the distribution's: its own, the address here, or an alias (``*`` is one label)."""
    if host in ("localhost", own_name(distribution.id)) or is_loopback_address(host):
        return True
    aliases = config["Aliases"].get("Items") or ()
    return any(wildcard(name, ignore_case=True).fullmatch(host) for name in aliases)


def _behavior(config: Config, path: str) -> Config:
    """The first cache behavior whose path pattern matches, else the default one."""
    asked = path.partition("?")[0].lstrip("/")
    return next(
        one
        for one in behaviors(config)
        if "PathPattern" not in one or wildcard(one["PathPattern"].lstrip("/")).fullmatch(asked)
    )


def _origin(config: Config, behavior: Config) -> Config:
    return next(one for one in origins(config) if one["Id"] == behavior["TargetOriginId"])


def _reading(origin: Config) -> Config:
    found: Config = (
        origin.get("VpcOriginConfig") or origin.get("CustomOriginConfig") or {"OriginReadTimeout": 30}
    )
    return found


def _host(request: web.BaseRequest) -> str:
    return request.headers.get("Host", "")


def _url(viewer_request: ViewerRequest) -> str:
    return viewer_request.request.rel_url.raw_path_qs


def _ended(response: web.Response) -> web.Response:
    """The same response, after which the viewer's connection closes: its body may be unread."""
    response.force_close()
    return response
