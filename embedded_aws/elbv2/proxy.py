"""The reverse proxy: from a client's request to a target's response."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Protocol

from aiohttp import web
from aiohttp.http import StreamWriter

from ..kernel.pace import Pace
from ..proxy import pages
from ..proxy.relay import Relayed, Tunnel, send_reply
from ..proxy.upstream import BrokenError, Connection, Reply, SilentError, UnreachableError
from ..wafv2.firewall import FORBIDDEN, Firewall, InspectedRequest
from .actions import FixedResponse, Forward, Redirect
from .conditions import RequestParts
from .forwarded import RequestHead, build_head, head_size, is_websocket, too_many_hops
from .settings import Listener, LoadBalancer, Rule, Snapshot, TargetGroup
from .sign_in.authenticator import NOBODY, Admission, Authenticator
from .sign_in.bearer import TokenValidator
from .stickiness import APPLICATION, GROUP, TARGET, Stickiness
from .targets import Exchange, Target, Targets, candidates

IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})
CONNECT_TIMEOUT = 10.0  # AWS seconds, "Troubleshoot your Application Load Balancers", HTTP 504
UNSCALED_IDLE = 60.0  # real seconds: programs send heartbeats at their own speed


class BalancerContext(Protocol):
    """What the proxy needs from the balancer."""

    pace: Pace
    targets: Targets

    def snapshot(self) -> Snapshot:
        """The current configuration of all load balancers."""

    def reaches(self, balancer: LoadBalancer, target: Target, port: int) -> bool:
        """Whether security groups allow the load balancer to connect to the target."""

    def firewall(self, arn: str) -> Firewall | None:
        """The web ACL that protects a load balancer, if any."""

    def leaves(self, balancer: LoadBalancer, host: str) -> bool:
        """Whether security groups and routes let the load balancer call a host by HTTPS."""


@dataclass(frozen=True)
class Inbound:
    """A request, with the load balancer and listener that received it, and what is known of its sender."""

    request: web.BaseRequest
    balancer: LoadBalancer
    listener: Listener
    cookies: Mapping[str, str]
    admission: Admission = NOBODY

    @property
    def secure(self) -> bool:
        """Whether the client uses TLS."""
        return self.listener.protocol == "HTTPS"


@dataclass
class ChosenTarget:
    """The chosen target of a request, and the cookies that make the client return to it."""

    group: TargetGroup
    target: Target
    cookies: list[str] = field(default_factory=list)


@dataclass
class Attempt:
    """A request in progress: the connection to the target, and the transfer of the client's body."""

    connection: Connection | None = None
    body: asyncio.Task[None] | None = None
    ended: bool = False

    def cut(self) -> None:
        """End it."""
        self.ended = True
        if self.body is not None:
            self.body.cancel()
        if self.connection is not None:
            self.connection.abort()


REQUEST_HEAD_AT_MOST, RESPONSE_HEAD_AT_MOST = 65_536, 32_768
"""Bytes of all headers ("Troubleshoot your Application Load Balancers", HTTP 400 and HTTP 502)."""


class ClientSilentError(Exception):
    """The client did not send its body within the idle timeout."""


class LoadBalancerProxy:
    """Answers every request at a load balancer's port."""

    def __init__(self, context: BalancerContext) -> None:
        self._context = context
        self._stickiness = Stickiness()
        self._authenticator = Authenticator(context.pace, context.leaves)
        self._tokens = TokenValidator(context.pace, context.leaves)
        self._turns: defaultdict[str, Iterator[int]] = defaultdict(count)

    def idle_seconds(self, balancer: LoadBalancer) -> float:
        """Real seconds for which a connection may be silent.

        The idle timeout is in AWS's time, but at least a minute of real time if it is that long: a program's
        heartbeat (Streamlit's is 30 s) keeps its connection open on AWS and must do so here.
        """
        given = balancer.seconds("idle_timeout.timeout_seconds")
        return self._context.pace.real(given, at_least=min(given, UNSCALED_IDLE))

    async def handle(self, arn: str, secure: bool, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request; drops the connection if there is no listener."""
        balancer = self._context.snapshot().load_balancers.get(arn)
        if balancer is None:
            raise ConnectionResetError("the load balancer is gone")
        listener = balancer.secure if secure else balancer.plain
        return await self._answer(balancer, listener, request)

    async def handle_at(
        self, arn: str, port: int, _secure: bool, request: web.BaseRequest
    ) -> web.StreamResponse:
        """As ``handle``, for clients in the VPC, which connect to a listener by its port."""
        balancer = self._context.snapshot().load_balancers.get(arn)
        if balancer is None:
            raise ConnectionResetError("the load balancer is gone")
        listener = next((one for one in balancer.listeners if one.port == port), None)
        return await self._answer(balancer, listener, request)

    async def _answer(
        self, balancer: LoadBalancer, listener: Listener | None, request: web.BaseRequest
    ) -> web.StreamResponse:
        if listener is None:
            raise ConnectionResetError("the listener is gone")
        if request.method == "TRACE":
            return pages.page(405)
        if head_size(request.raw_headers) > REQUEST_HEAD_AT_MOST:
            return pages.page(400, close=True)
        if too_many_hops(request):
            return pages.page(463)
        inbound = Inbound(request, balancer, listener, _cookies(request))
        firewall = self._context.firewall(balancer.arn)
        blocked = firewall is not None and firewall.blocks(inspected(request))
        answer = pages.page(FORBIDDEN) if blocked else await self._act(inbound)
        if not listener.names_itself and isinstance(answer, web.Response):
            return pages.unnamed(answer)
        return answer

    def public_key(self, kid: str) -> str | None:
        """The public key (PEM) of what targets are told of who has signed in; None for the id of no such key."""
        return self._authenticator.signer.public_key(kid)

    async def _act(self, inbound: Inbound) -> web.StreamResponse:
        request, balancer = inbound.request, inbound.balancer
        if self._authenticator.is_answer(request, inbound.listener):
            return await self._authenticator.answer(request, balancer, inbound.listener)
        rule = _rule(inbound)
        if rule.token is not None:
            refused = await self._tokens.refusal(request, balancer, rule.token)
            return pages.page(refused) if refused else await self._follow(inbound, rule)
        if rule.sign_in is None:
            return await self._follow(inbound, rule)
        admitted = await self._authenticator.admit(request, balancer, rule.sign_in)
        if not isinstance(admitted, Admission):
            return admitted
        answer = await self._follow(replace(inbound, admission=admitted), rule)
        if isinstance(answer, web.Response):  # the load balancer's own; a target's has them already
            for cookie in admitted.cookies:
                answer.headers.add("Set-Cookie", cookie)
        return answer

    async def _follow(self, inbound: Inbound, rule: Rule) -> web.StreamResponse:
        match rule.action:
            case Forward() as forward:
                return await self._forward(inbound, forward)
            case Redirect() as redirect:
                return _redirect(inbound, redirect)
            case FixedResponse() as fixed:
                return pages.answer(fixed.status, fixed.content_type, fixed.body)
            case other:
                raise TypeError(f"no data plane for {other!r}")

    async def _forward(self, inbound: Inbound, forward: Forward) -> web.StreamResponse:
        if "100-continue" in inbound.request.headers.get("Expect", "").lower():
            await inbound.request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            inbound.request.writer.output_size = 0  # the response itself has not begun
        choice = self._choose(inbound, forward)
        if choice is None:
            return pages.page(503)
        if not self._context.reaches(inbound.balancer, choice.target, choice.target.port):
            await asyncio.sleep(self._context.pace.real(CONNECT_TIMEOUT))
            return pages.page(504)
        try:
            return await self._exchange(inbound, choice)
        except UnreachableError as failure:
            return pages.page(502 if failure.refused else 504)
        except BrokenError:
            return pages.page(502, close=True)
        except SilentError:
            return pages.page(504, close=True)
        except ClientSilentError:
            return pages.page(408, close=True)

    def _choose(self, inbound: Inbound, forward: Forward) -> ChosenTarget | None:
        group, cookies = self._choose_group(inbound, forward)
        if group is None:
            return None
        serving = candidates(self._context.targets.of(group.arn), group.enough)
        if not serving:
            return None
        target = self._sticky_target(inbound, group, serving) or self._next(group, serving)
        choice = ChosenTarget(group, target, [*inbound.admission.cookies, *cookies])
        if group.sticky and group.attributes.get("stickiness.type") == "lb_cookie":
            seconds = int(group.attributes.get("stickiness.lb_cookie.duration_seconds", 86_400))
            choice.cookies += self._stickiness.write(TARGET, _name(target), seconds, inbound.secure)
        return choice

    def _choose_group(self, inbound: Inbound, forward: Forward) -> tuple[TargetGroup | None, list[str]]:
        groups = self._context.snapshot().target_groups
        if len(forward.groups) == 1:
            return groups.get(forward.groups[0][0]), []
        if forward.sticky_seconds is None:
            return groups.get(_weighted(forward.groups)), []
        stayed = self._stickiness.read(inbound.cookies, GROUP)
        arn = stayed if stayed in forward.target_groups else _weighted(forward.groups)
        cookies = self._stickiness.write(GROUP, arn, forward.sticky_seconds, inbound.secure)
        return groups.get(arn), list(cookies)

    def _sticky_target(self, inbound: Inbound, group: TargetGroup, serving: list[Target]) -> Target | None:
        if not group.sticky:
            return None
        by_application = group.attributes.get("stickiness.type") == "app_cookie"
        name = self._stickiness.read(inbound.cookies, APPLICATION if by_application else TARGET)
        return next((target for target in serving if _name(target) == name), None)

    def _next(self, group: TargetGroup, serving: list[Target]) -> Target:
        match group.attributes.get("load_balancing.algorithm.type"):
            case "least_outstanding_requests":
                fewest = min(len(target.exchanges) for target in serving)
                return random.choice([one for one in serving if len(one.exchanges) == fewest])
            case "weighted_random":
                return random.choice(serving)
            case _:
                return serving[next(self._turns[group.arn]) % len(serving)]

    async def _exchange(self, inbound: Inbound, choice: ChosenTarget) -> web.StreamResponse:
        head = build_head(inbound.request, inbound.balancer, inbound.listener, inbound.admission)
        attempt = Attempt()
        with _serving(choice.target, attempt):
            connection, reply = await self._ask(inbound, choice.target, head, attempt)
            if head_size(reply.message.raw_headers) > RESPONSE_HEAD_AT_MOST:
                raise BrokenError("the response has too large a head")
            choice.cookies += self._application_cookie(choice, reply)
            if reply.message.code == 101:
                return await self._tunnel(inbound, choice, connection, reply)
            return await self._relay(inbound, choice, attempt, reply)

    async def _ask(
        self, inbound: Inbound, target: Target, head: RequestHead, attempt: Attempt
    ) -> tuple[Connection, Reply]:
        """Send the request and wait for the head of the response.

        The target may close an idle connection at the same moment; if nothing was received, a request without side
        effects is sent again on a new one.
        """
        repeatable = inbound.request.method in IDEMPOTENT and not head.has_body
        silence = self.idle_seconds(inbound.balancer)
        fresh = head.has_body or is_websocket(inbound.request)
        while True:
            try:
                connection = attempt.connection = await target.pool.take(fresh)
                return connection, await send(inbound.request, head, attempt, connection, silence)
            except (BrokenError, UnreachableError):
                stale = attempt.connection is not None and attempt.connection.reused
                if attempt.ended or not (repeatable and stale and target.takes_requests):
                    raise
                attempt.connection, fresh = None, True

    async def _relay(
        self, inbound: Inbound, choice: ChosenTarget, attempt: Attempt, reply: Reply
    ) -> web.StreamResponse:
        try:
            response = await send_reply(inbound.request, reply, choice.cookies)
        except (BrokenError, SilentError) as failure:
            if inbound.request.transport is not None:
                inbound.request.transport.abort()
            raise ConnectionResetError("the target did not finish its response") from failure
        finished = attempt.body is None or attempt.body.done()
        if not finished or attempt.connection is None:
            attempt.cut()
        elif choice.target.takes_requests:
            choice.target.pool.give_back(attempt.connection, reply.message)
        else:
            attempt.connection.close()
        return response

    async def _tunnel(
        self, inbound: Inbound, choice: ChosenTarget, connection: Connection, reply: Reply
    ) -> web.StreamResponse:
        tunnel = Tunnel(self.idle_seconds(inbound.balancer))
        response = Relayed(inbound.request, reply, choice.cookies)
        await tunnel.run(inbound.request, connection, response)
        return response

    def _application_cookie(self, choice: ChosenTarget, reply: Reply) -> Iterable[str]:
        attributes = choice.group.attributes
        if not choice.group.sticky or attributes.get("stickiness.type") != "app_cookie":
            return ()
        name = f"{attributes.get('stickiness.app_cookie.cookie_name')}="
        set_now = any(one.startswith(name) for one in reply.message.headers.getall("Set-Cookie", ()))
        if not set_now:
            return ()
        seconds = int(attributes.get("stickiness.app_cookie.duration_seconds", 86_400))
        return (self._stickiness.write_application(_name(choice.target), seconds),)


@contextmanager
def _serving(target: Target, attempt: Attempt) -> Iterator[None]:
    """Count the request as one of the target's; ending it early closes its connection."""
    exchange = Exchange(attempt.cut)
    target.exchanges.add(exchange)
    try:
        yield
    except BaseException:
        attempt.cut()
        raise
    finally:
        target.exchanges.discard(exchange)


async def send(
    request: web.BaseRequest, head: RequestHead, attempt: Attempt, connection: Connection, silence: float
) -> Reply:
    """Send a request; the target may answer before it has the complete body. Also raises ClientSilentError."""
    connection.send_head(head.data, request.method, None if head.has_body else silence)
    if not head.has_body:
        return await connection.reply()
    body = attempt.body = asyncio.ensure_future(_send_body(request, connection, head.chunked, silence))
    body.add_done_callback(lambda done: done.cancelled() or done.exception())  # else asyncio logs it
    reply = asyncio.ensure_future(connection.reply())
    try:
        await asyncio.wait({body, reply}, return_when=asyncio.FIRST_COMPLETED)
        if not reply.done():
            body.result()
            connection.await_silence(silence)
        return await reply
    finally:
        reply.cancel()


async def _send_body(request: web.BaseRequest, connection: Connection, chunked: bool, silence: float) -> None:
    """Stream the client's body; returns when the target closes, because its response says why."""
    writer = StreamWriter(connection.protocol, asyncio.get_running_loop())
    if chunked:
        writer.enable_chunking()
    while not request.content.at_eof():
        try:
            async with asyncio.timeout(silence):
                chunk = await request.content.readany()
        except TimeoutError:
            raise ClientSilentError from None
        with suppress(ConnectionError):
            await writer.write(chunk)
    with suppress(ConnectionError):
        await writer.write_eof()


def inspected(request: web.BaseRequest) -> InspectedRequest:
    """The parts of a request that AWS WAF inspects."""
    return InspectedRequest(request.remote, {name.lower(): value for name, value in request.headers.items()})


def _cookies(request: web.BaseRequest) -> Mapping[str, str]:
    header = request.headers.get("Cookie", "")
    return {} if "AWSALB" not in header else dict(request.cookies)


def _rule(inbound: Inbound) -> Rule:
    rules = inbound.listener.rules
    if len(rules) == 1:
        return rules[0]
    asked = _asked(inbound.request)
    return next(rule for rule in rules if all(test(asked) for test in rule.conditions))


def _asked(request: web.BaseRequest) -> RequestParts:
    headers: defaultdict[str, list[str]] = defaultdict(list)
    for name, value in request.headers.items():
        headers[name.lower()].append(value)
    return RequestParts(
        method=request.method,
        host=_split_host(request.headers.get("Host", ""))[0],
        path=request.rel_url.raw_path,
        query=tuple(request.rel_url.query.items()),
        headers=headers,
        source=request.remote or "",
    )


def _redirect(inbound: Inbound, redirect: Redirect) -> web.Response:
    """A redirect; one to a port of this load balancer goes to its one loopback port.

    A client that used the DNS name (``127.0.0.1:<port>``) thus reaches the other listener.
    """
    request = inbound.request
    host, port = _split_host(request.headers.get("Host", ""))
    url = request.rel_url
    path, query = url.raw_path.lstrip("/"), url.raw_query_string
    location = redirect.location(inbound.listener.protocol, host, str(inbound.listener.port), path, query)
    if port and redirect.host == "#{host}":
        scheme, _, rest = location.partition("://")
        rest = rest.removeprefix(host)
        location = f"{scheme}://{host}:{port}{rest[_port_length(rest) :]}"
    response = pages.page(redirect.status)
    response.headers["Location"] = location
    return response


def _port_length(text: str) -> int:
    """The length of ``:443`` at the start of ``:443/path``."""
    digits = len(text[1:]) - len(text[1:].lstrip("0123456789"))
    return 1 + digits if text.startswith(":") else 0


def _split_host(host: str) -> tuple[str, str]:
    name, colon, port = host.rpartition(":")
    return (name, port) if colon and port.isdigit() else (host, "")


def _weighted(groups: tuple[tuple[str, int], ...]) -> str:
    """A group's ARN, chosen by weight; empty when all weights are 0."""
    weights = [weight for _, weight in groups]
    return random.choices([arn for arn, _ in groups], weights)[0] if sum(weights) else ""


def _name(target: Target) -> str:
    return f"{target.group} {target.ip}:{target.port}"
