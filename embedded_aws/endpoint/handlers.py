"""The handlers that a request passes on its way to a service, in order.

A handler answers, or passes the request on and may process the answer. An answer of None drops the connection.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

from ..ecr.distribution import Distribution, is_of_registry
from ..iam.access import call_context
from ..iam.access.authorizer import Authorizer, status_of
from ..iam.access.call_context import CallContext
from ..kernel.data_plane import DataPlane
from ..kernel.faults import Effect
from ..moto import adapter, dispatch
from ..moto.adapter import AwsError
from ..moto.dispatch import Answer
from ..moto.wire import Call, read_call, refusal
from . import malformed, pages
from .calls import CallLog
from .control import Control
from .keep_alive import TOO_LARGE
from .malformed.page_tokens import PageTokens
from .one_reading import in_one_way
from .services import Services

log = logging.getLogger(__name__)


@dataclass
class Request:
    """One request (a WSGI environ), with what handlers found out for later ones."""

    environ: dict[str, Any]
    effects: list[Effect] = field(default_factory=list)
    call_context: CallContext | None = None

    @cached_property
    def call(self) -> Call:
        """The API call of the request."""
        return read_call(self.environ)

    @cached_property
    def reading(self) -> malformed.Reading:
        """The call, read with botocore's models."""
        return malformed.Reading(self.call, self.environ)

    def refusal(self, error: AwsError, status: int | None = None) -> Answer:
        """An error as the answer, in the client's protocol."""
        return refusal(self.call, error, status)


Next = Callable[[Request], Answer | None]
Handler = Callable[[Request, Next], Answer | None]


def chained(handlers: Sequence[Handler], last: Next) -> Next:
    """Pass a request through the handlers in order, the first outermost, and to ``last``."""
    for handler in reversed(handlers):
        last = partial(_pass, handler, last)
    return last


def _pass(handler: Handler, following: Next, request: Request) -> Answer | None:
    return handler(request, following)


def no_web_pages(request: Request, following: Next) -> Answer | None:
    """Refuse web pages: only programs on this machine are answered."""
    if why := pages.why_refused(request.environ):
        log.info("refused: %s", why)
        message = f"The embedded AWS answers only programs on this machine, not web pages: {why}."
        return request.refusal(AwsError("AccessDenied", message), 403)
    return following(request)


def address_told(request: Request, following: Next) -> Answer | None:
    """Tell clients of ``checkip.amazonaws.com`` the address that their connection comes from; no call has this host."""
    environ = request.environ
    if not pages.asks_for_address(environ):
        return following(request)
    kind = (("Content-Type", "text/plain"),)
    if (environ["REQUEST_METHOD"], environ["PATH_INFO"]) != ("GET", "/"):
        return Answer(404, kind)
    return Answer(200, kind, f"{environ['REMOTE_ADDR']}\n".encode())


def controlled_by(control: Control) -> Handler:
    """Answer requests about the embedded AWS itself; everything else is a call of a service."""

    def handle(request: Request, following: Next) -> Answer | None:
        if request.environ["PATH_INFO"].startswith("/_embedded/"):
            return control.answer(request.environ)
        return following(request)

    return handle


def in_registries(distribution: Distribution) -> Handler:
    """Answer clients of registries; the calls of ECR's API that their requests become are passed on."""

    def handle(request: Request, following: Next) -> Answer | None:
        if not is_of_registry(request.environ):
            return following(request)
        too_large = bool(request.environ.get(TOO_LARGE))
        return distribution.answer(
            request.environ, lambda environ: following(Request(environ)), too_large=too_large
        )

    return handle


def not_too_large(request: Request, following: Next) -> Answer | None:
    """Refuse a request whose body was too large to be read."""
    if request.environ.get(TOO_LARGE):
        return request.refusal(AwsError("RequestEntityTooLarge", "Request Entity Too Large"), 413)
    return following(request)


def read_in_one_way(request: Request, following: Next) -> Answer | None:
    """Refuse a request that could be read in two ways; later handlers and the service read the one that is left."""
    try:
        environ = in_one_way(request.environ)
    except AwsError as ambiguous:
        too_large = ambiguous.code == "RequestEntityTooLarge"
        return request.refusal(ambiguous, 413 if too_large else 400)
    return following(Request(environ))


def disturbed(plane: DataPlane, control: Control, stopping: threading.Event) -> Handler:
    """Find a call's faults, delay the call, and afterwards kill the tasks that a fault names."""

    def handle(request: Request, following: Next) -> Answer | None:
        plane.wake()
        request.effects = plane.faults.effects(request.call)
        resets = plane.resets
        delay = plane.faults.latency + sum(effect.delay for effect in request.effects)
        if delay:
            stopping.wait(delay)
        if resets != plane.resets:  # the reset has ended the tasks
            return None
        answer = following(request)
        for effect in request.effects:
            if effect.kill_task:
                control.kill_task(effect.kill_task)
        return answer

    return handle


def identified(request: Request, following: Next) -> Answer | None:
    """Identify the caller."""
    with call_context.opened(request.call) as request.call_context:
        return following(request)


def logged(calls: CallLog, services: Services) -> Handler:
    """Record each call with its answer and its authorization queries."""

    def handle(request: Request, following: Next) -> Answer | None:
        answer = following(request)
        asked = request.call_context.asked if request.call_context else ()
        calls.add(request.call, services.handler(request.call), answer.status if answer else None, asked)
        return answer

    return handle


def faulty(request: Request, following: Next) -> Answer | None:
    """Drop the connection, or answer with an error, where a fault says so."""
    if _is_cut(request.effects, "before"):
        return None
    for effect in request.effects:
        if effect.error:
            return request.refusal(effect.error, effect.status)
    answer = following(request)
    return None if _is_cut(request.effects, "after") else answer


def _is_cut(effects: list[Effect], moment: str) -> bool:
    """Whether the connection is reset ``before`` or ``after`` the work; waits first where the call is held."""
    holds = [effect.hold for effect in effects if effect.held == moment]
    for hold in holds:
        hold.keep()
    return bool(holds) or any(effect.drop == moment for effect in effects)


def failures_answered(tokens: PageTokens) -> Handler:
    """Turn unsupported operations and unexpected errors into an answer."""

    def handle(request: Request, following: Next) -> Answer | None:
        try:
            return following(request)
        except (ModuleNotFoundError, NotImplementedError) as gap:  # parts of moto need more packages
            return _not_known(request, gap)
        except Exception as defect:
            if refused := request.reading.why_not_allowed(tokens, failed=True):
                return request.refusal(refused, 400)
            log.exception("%s failed", request.call)
            return _failed(request, defect)

    return handle


def _not_known(request: Request, gap: Exception) -> Answer:
    """The answer for an unknown operation, or an unknown filter."""
    log.warning("%s is not known to the embedded AWS (%s)", request.call, gap)
    detail = re.match(r"the (filter .*?)(?: for \w+)?(?: has not been .*)?$", str(gap), re.IGNORECASE)
    what = f"{request.call}{f' with the {detail[1]}' if detail else ''}"
    message = f"The embedded AWS does not know {what}."
    return request.refusal(AwsError("UnknownOperationException", message), 400)


def _failed(request: Request, defect: Exception) -> Answer:
    call = request.call
    if adapter.is_motos(defect):
        message = f"The embedded AWS does not support {call} with these values."
        return request.refusal(AwsError("UnknownOperationException", message), 400)
    message = f"The embedded AWS failed in {call}: {type(defect).__name__}: {defect}"
    return request.refusal(AwsError("InternalFailure", message), 500)


def well_formed(request: Request, following: Next) -> Answer | None:
    """Refuse a request that is malformed, unknown, or lacks a required member."""
    if refused := request.reading.why_refused():
        return request.refusal(refused, 400)
    return following(request)


def one_at_a_time() -> Handler:
    """Let one call at a time be authorized and answered.

    moto's stores have no locks: two creations of one name could both succeed, and services read and write each other's
    stores, as CreateCluster does when it creates the service-linked role in IAM.
    """
    turn = threading.Lock()

    def handle(request: Request, following: Next) -> Answer | None:
        with turn:
            return following(request)

    return handle


def authorized(authorizer: Authorizer) -> Handler:
    """Refuse a call that the caller is not authorized to make; the others are of the caller's account.

    Whom IAM does not know is an administrator of every account, and may name one; by default it is ours.
    """

    def handle(request: Request, following: Next) -> Answer | None:
        if denied := authorizer.refused(request.environ):
            return request.refusal(denied, status_of(denied))
        if request.call_context:
            dispatch.in_account(request.environ, request.call_context.caller.account)
        return following(request)

    return handle


def allowed(tokens: PageTokens) -> Handler:
    """Refuse values that the service's model does not allow, and page tokens that no answer contained."""

    def handle(request: Request, following: Next) -> Answer | None:
        if refused := request.reading.why_not_allowed(tokens):
            return request.refusal(refused, 400)
        answer = following(request)
        if answer is not None:
            request.reading.learn_pages(answer, tokens)
        return answer

    return handle
