"""The endpoint: one port for every AWS service, strict, and honest about what it does not know."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..iam.access import passage
from ..iam.access.gate import Gate, status_of
from ..kernel.data_plane import DataPlane
from ..kernel.faults import Effect
from ..moto import dispatch, moto_door
from ..moto.dispatch import Answer
from ..moto.moto_door import AwsError, BaseResponse
from ..moto.wire import Call, read_call, refusal
from . import malformed, pages
from .control import Control
from .keep_alive import TOO_LARGE, HttpServer
from .malformed.page_tokens import PageTokens

log = logging.getLogger(__name__)

Maker = Callable[[], BaseResponse]
"""Makes an object of one of our response classes, which answers one request."""


def name_of(response_class: type[BaseResponse]) -> str:
    """``package:Class`` of a response class of ours."""
    return f"{response_class.__module__.split('.')[1]}:{response_class.__name__}"


class Services:
    """Answers API calls: by our class of the service where there is one, else by moto.

    Calls to one of our services are answered one at a time: moto checks and then stores without a lock, so
    that two creations of one name could both win.
    """

    def __init__(self, own: Mapping[str, Maker]) -> None:
        self._own = dict(own)
        self._names = {service: name_of(type(make())) for service, make in own.items()}
        self._locks = {service: threading.Lock() for service in own}
        self._stock = dispatch.Stock()

    def handler(self, call: Call) -> str:
        """``package:Class`` of ours that answers, or ``moto``."""
        return self._names[call.service] if self._is_ours(call) else "moto"

    def answer(self, call: Call, environ: dict[str, Any]) -> Answer:
        """Answer one call; NotImplementedError when nobody knows its operation."""
        dispatch.in_our_account(environ)
        if "HTTP_X_AMZ_TARGET" in environ:
            dispatch.without_a_query(environ)
        if not self._is_ours(call):
            return self._stock.answer(environ)
        with self._locks[call.service]:
            return dispatch.answer_from(self._own[call.service](), environ)

    def _is_ours(self, call: Call) -> bool:
        return call.service in self._own and call.form.get("Version") != dispatch.CLASSIC_ELB


class Endpoint:
    """Takes every request: those about the embedded AWS itself, and those to its services."""

    def __init__(
        self, services: Services, gate: Gate, control: Control, plane: DataPlane, stopping: threading.Event
    ) -> None:
        self._services = services
        self._gate = gate
        self._control = control
        self._plane = plane
        self._faults = plane.faults
        self._tokens = PageTokens()
        self._stopping = stopping

    def __call__(self, environ: dict[str, Any]) -> Answer | None:
        """The answer to one request, or None to drop its connection."""
        if why := pages.why_refused(environ):
            return _refusal_of_a_page(environ, why)
        if environ["PATH_INFO"].startswith("/_embedded/"):
            return self._control.answer(environ)
        call = read_call(environ)
        if environ.get(TOO_LARGE):
            return refusal(call, AwsError("RequestEntityTooLarge", "Request Entity Too Large"), 413)
        self._plane.wake()
        effects = self._faults.effects(call)
        resets = self._plane.resets
        self._delay(effects)
        if resets != self._plane.resets:  # whom it was for is gone
            return None
        with passage.opened(call) as opened:
            answer = self._with_faults(call, effects, environ)
        status, asked = answer.status if answer else None, opened.asked if opened else ()
        self._control.calls.add(call, self._services.handler(call), status, asked)
        for effect in effects:
            if effect.kill_task:
                self._control.kill_task(effect.kill_task)
        return answer

    def _delay(self, effects: list[Effect]) -> None:
        delay = self._faults.latency + sum(effect.delay for effect in effects)
        if delay:
            self._stopping.wait(delay)

    def _with_faults(self, call: Call, effects: list[Effect], environ: dict[str, Any]) -> Answer | None:
        if _is_cut(effects, "before"):
            return None
        for effect in effects:
            if effect.error:
                return refusal(call, effect.error, effect.status)
        answer = self._answer(call, environ)
        return None if _is_cut(effects, "after") else answer

    def _answer(self, call: Call, environ: dict[str, Any]) -> Answer:
        reading = malformed.Reading(call, environ)
        try:
            if refused := reading.why_refused():
                return refusal(call, refused, 400)
            if denied := self._gate.refused(environ):
                return refusal(call, denied, status_of(denied))
            if refused := reading.why_not_allowed(self._tokens):
                return refusal(call, refused, 400)
            answer = self._services.answer(call, environ)
            reading.learn_pages(answer, self._tokens)
            return answer
        except (
            ModuleNotFoundError,
            NotImplementedError,
        ) as gap:  # moto takes more for some than is installed
            log.warning("%s is not known to the embedded AWS (%s)", call, gap)
            return refusal(call, AwsError("UnknownOperationException", _unknown(call, gap)), 400)
        except Exception as defect:
            if refused := reading.why_not_allowed(self._tokens, failed=True):
                return refusal(call, refused, 400)
            log.exception("%s failed: %s: %s", call, type(defect).__name__, defect)
            if moto_door.is_motos(defect):
                message = f"The embedded AWS does not carry {call} out with these values."
                return refusal(call, AwsError("UnknownOperationException", message), 400)
            message = f"The embedded AWS failed in {call}: {type(defect).__name__}: {defect}"
            return refusal(call, AwsError("InternalFailure", message), 500)


def _refusal_of_a_page(environ: dict[str, Any], why: str) -> Answer:
    log.info("refused: %s", why)
    message = f"The embedded AWS answers programs of this machine, and no web pages: {why}."
    return refusal(read_call(environ), AwsError("AccessDenied", message), 403)


def _is_cut(effects: list[Effect], moment: str) -> bool:
    """Whether the connection is reset ``before`` or ``after`` the work; waits where the call is held first."""
    holds = [effect.hold for effect in effects if effect.held == moment]
    for hold in holds:
        hold.keep()
    return bool(holds) or any(effect.drop == moment for effect in effects)


def _unknown(call: Call, gap: Exception) -> str:
    """What is not known: the operation, or one filter of it."""
    detail = re.match(r"the (filter .*?)(?: for \w+)?(?: has not been .*)?$", str(gap), re.IGNORECASE)
    return f"The embedded AWS does not know {call}{f' with the {detail[1]}' if detail else ''}."


class Server:
    """Serves the control plane on 127.0.0.1 in threads of its own; OSError when the port is taken."""

    def __init__(self, port: int) -> None:
        self._http = HttpServer(port)
        self._stopping = threading.Event()
        self._thread = threading.Thread(
            target=self._http.serve_forever, args=(0.05,), name="control-plane", daemon=True
        )

    @property
    def url(self) -> str:
        """The address to put into ``AWS_ENDPOINT_URL``."""
        return f"http://127.0.0.1:{self._http.port}"

    def start(self, own: Mapping[str, Maker], gate: Gate, control: Control, plane: DataPlane) -> None:
        """Answer with what ``own`` makes, by service; what only first calls need is read in the background."""
        self._http.application = Endpoint(Services(own), gate, control, plane, self._stopping)
        self._thread.start()
        warm_up = threading.Thread(target=self._warm_up, args=(tuple(own),), name="warm-up", daemon=True)
        warm_up.start()

    def stop(self) -> None:
        """Stop answering."""
        self._stopping.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(timeout=10)

    def _warm_up(self, services: Iterable[str]) -> None:
        for service in ("iam", *services):  # every first call asks IAM, which has 1600 policies to read
            if not self._stopping.is_set():
                dispatch.warm_up(service)
