"""Answers calls of services: with this package's classes where there is one, otherwise with moto."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..moto import dispatch
from ..moto.adapter import BaseResponse
from ..moto.dispatch import Answer
from ..moto.wire import Call

Maker = Callable[[], BaseResponse]
"""Creates an instance of a response class, which answers one request."""

BY_PATH = ("rest-json", "rest-xml")
"""The protocols in which method and path name the operation."""

UNTARGETED = (*BY_PATH, "query", "ec2")
"""The protocols in which X-Amz-Target means nothing."""


def name_of(response_class: type[BaseResponse]) -> str:
    """``package:Class`` of one of this package's response classes."""
    return f"{response_class.__module__.split('.')[1]}:{response_class.__name__}"


class Services:
    """Answers API calls: with this package's class of the service if there is one, otherwise with moto."""

    def __init__(self, own: Mapping[str, Maker]) -> None:
        self._own = dict(own)
        self._names = {service: name_of(type(make())) for service, make in own.items()}
        self._moto = dispatch.MotoApplication()

    def handler(self, call: Call) -> str:
        """What answers the call: ``package:Class``, or ``moto``."""
        return self._names[call.service] if self._is_ours(call) else "moto"

    def answer(self, call: Call, environ: dict[str, Any]) -> Answer:
        """Answer one call; NotImplementedError for an unknown operation."""
        dispatch.in_our_account(environ)
        if call.service not in ("", "s3"):
            dispatch.as_authorized(environ, call.operation, call.region, call.protocol in BY_PATH)
        if call.protocol == "json":
            dispatch.without_a_query(environ)
        elif call.protocol in UNTARGETED:
            dispatch.without_a_target(environ)
        if not self._is_ours(call):
            return self._moto.answer(environ)
        return dispatch.answer_from(self._own[call.service](), environ)

    def _is_ours(self, call: Call) -> bool:
        return call.service in self._own and call.form.get("Version") != dispatch.CLASSIC_ELB
