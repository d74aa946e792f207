"""The address of a service: a plain HTTP port that forwards requests to its instances like App Runner's Envoy.

Sources: Developer Guide, "Developing application code for App Runner" (HTTP/1 only, 120 s for a complete
request, no WebSockets). TLS is not modelled; the address is ``127.0.0.1:<port>``, like a load balancer's.
Envoy's own responses are: 403 to an upgrade that is not configured, 404 without a route, 503, 504.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from aiohttp import web

from ..elbv2.forwarded import RequestHead, pass_on
from ..elbv2.proxy import Attempt, ClientSilentError, inspected, send
from ..kernel.pace import Pace
from ..proxy.front import FrontDoor, Mode
from ..proxy.relay import send_reply
from ..proxy.upstream import BrokenError, Reply, SilentError, UnreachableError
from ..wafv2.firewall import FORBIDDEN, InspectedRequest
from .instances import Instance
from .metrics import Meter

WHOLE_REQUEST = 120.0
"""AWS seconds for a request, from its first byte to the last of its response."""

SHORTEST = 10.0
"""Real seconds that a request may take in any case, because programs run at their own speed."""

ENVOY = "envoy"
NO_INSTANCE = "no healthy upstream"
NOT_RUN = "The embedded AWS runs images of private ECR repositories only; no process is behind this service."


class ServiceProxy:
    """Owns a service's port from its creation to its deletion.

    ``candidates`` are the instances that serve now; ``accepts`` says whether the service accepts requests for a host,
    ``blocks`` whether its web ACL blocks a request.
    """

    def __init__(
        self,
        pace: Pace,
        meter: Meter,
        candidates: Callable[[], list[Instance]],
        accepts: Callable[[str], bool],
        blocks: Callable[[InspectedRequest], bool],
    ) -> None:
        self._pace = pace
        self._meter = meter
        self._candidates = candidates
        self._accepts = accepts
        self._blocks = blocks
        self._front = FrontDoor(self._handle)
        self._front.plain = True
        # Real seconds: visitors do not pause for a shorter time when time passes faster.
        self._front.set_idle(WHOLE_REQUEST)
        self._answer_alone: str | None = None
        self._closed = False
        self.routed = False

    @property
    def address(self) -> str:
        """``127.0.0.1:<port>``."""
        return f"127.0.0.1:{self._front.port}"

    def open(self, *, without_process: bool = False) -> None:
        """Start routing requests; on the data-plane thread."""
        self._answer_alone = NOT_RUN if without_process else None
        self.routed = True
        self._front.set_mode(Mode.SERVING)

    def close(self) -> None:
        """Release the port, once; on the data-plane thread."""
        if not self._closed:
            self._closed = True
            self._front.close()

    async def _handle(self, _secure: bool, request: web.BaseRequest) -> web.StreamResponse:
        began = time.monotonic()
        answer = await self._answer(request)
        self._meter.count(answer.status, (time.monotonic() - began) * 1000)
        return answer

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if not self.routed or not self._accepts(_host(request)):
            return _alone(404)
        if self._blocks(inspected(request)):
            return _alone(FORBIDDEN)
        if "Upgrade" in request.headers:
            return _alone(403)
        if self._answer_alone is not None:
            return _alone(503, self._answer_alone)
        instances = self._candidates()
        if not instances:
            return _alone(503, NO_INSTANCE)
        instance = min(instances, key=lambda one: one.requests)
        instance.requests += 1
        self._meter.give(instance.id)
        try:
            return await self._forward(request, instance)
        finally:
            instance.requests -= 1

    async def _forward(self, request: web.BaseRequest, instance: Instance) -> web.StreamResponse:
        attempt = Attempt()
        limit = self._pace.real(WHOLE_REQUEST, at_least=SHORTEST)
        try:
            async with asyncio.timeout(limit):
                reply = await _ask(request, instance, attempt, limit)
                return await send_reply(request, reply, (), server=ENVOY)
        except TimeoutError:
            return _late(request)
        except SilentError:
            return _late(request)
        except (UnreachableError, BrokenError):
            return _broken(request)
        except ClientSilentError:
            return _alone(408, close=True)
        finally:
            attempt.cut()


def _host(request: web.BaseRequest) -> str:
    return request.headers.get("Host", "").partition(":")[0].lower()


async def _ask(request: web.BaseRequest, instance: Instance, attempt: Attempt, limit: float) -> Reply:
    connection = attempt.connection = await instance.pool.take(fresh=True)
    return await send(request, _head(request), attempt, connection, limit)


def _head(request: web.BaseRequest) -> RequestHead:
    client = request.remote or ""
    before = request.headers.get("X-Forwarded-For", "")
    own = {
        "X-Forwarded-For": f"{before}, {client}" if before else client,
        "X-Forwarded-Proto": "https",  # what the program sees on AWS, although TLS is not modelled
    }
    return pass_on(request, [f"{name}: {value}".encode() for name, value in own.items()])


def _late(request: web.BaseRequest) -> web.StreamResponse:
    if request.writer.output_size > 0:
        raise ConnectionResetError("the response took longer than App Runner allows")
    return _alone(504, "upstream request timeout", close=True)


def _broken(request: web.BaseRequest) -> web.StreamResponse:
    if request.writer.output_size > 0:
        raise ConnectionResetError("the instance did not finish its response")
    return _alone(503, "upstream connect error or disconnect/reset before headers", close=True)


def _alone(status: int, text: str = "", *, close: bool = False) -> web.Response:
    """A response of Envoy's own."""
    answer = web.Response(status=status, text=text, headers={"Server": ENVOY})
    if close:
        answer.force_close()
    return answer
