"""Page tokens: every paged operation refuses a token that no answer contained."""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.parsers import create_parser

from ...moto.adapter import AwsError
from ...moto.dispatch import Answer
from ...moto.wire import Call

TOKENS = ("NextToken", "nextToken", "PaginationToken")
MARKER = "Marker"
WITH_MARKERS = ("elasticloadbalancing", "iam", "kms", "lambda", "route53")
"""Services whose markers are tokens; elsewhere a marker may be any name, after which a page begins."""
GIVEN_OUT = (*TOKENS, MARKER, "NextMarker", "nextForwardToken", "nextBackwardToken")

OWN_ERROR = re.compile(r"Invalid(?:Next|Pagination)?(?:Token|Marker)(?:Exception)?")
CODES = {
    "acm": "ValidationException",
    "apprunner": "InvalidRequestException",
    "ec2": "InvalidParameterValue",
    "ecr": "InvalidParameterException",
    "ecs": "InvalidParameterException",
    "elasticloadbalancing": "ValidationError",
    "iam": "ValidationError",
    "logs": "InvalidParameterException",
    "route53": "InvalidInput",
    "tagging": "InvalidParameterException",
    "wafv2": "WAFInvalidParameterException",
}
"""Error codes where the model has none for an invalid token."""
TEXTS = {
    "ec2": "Value ( {value} ) for parameter {name} is invalid. The token is invalid.",
    "ecr": "Invalid parameter at '{name}' failed to satisfy constraint: 'Invalid token'",
    "logs": "The specified {name} is invalid.",
}
KEPT = 100_000


class PageTokens:
    """The latest tokens in answers; safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: set[tuple[Any, ...]] = set()
        self._order: deque[tuple[Any, ...]] = deque()

    def told_apart(
        self, call: Call, operation: Any, members: Mapping[str, Any]
    ) -> tuple[Mapping[str, Any], AwsError | None]:
        """The members of a request without tokens that this operation issued, and the error for any other token."""
        known = {name for name in _asked_with(call, operation) if self._is_known(call, members.get(name))}
        rest = {name: value for name, value in members.items() if name not in known}
        for name in _asked_with(call, operation):
            if rest.get(name):
                text = TEXTS.get(call.service, "The specified {name} is not valid.")
                return rest, AwsError(_code(call, operation), text.format(name=name, value=rest[name]))
        return rest, None

    def _is_known(self, call: Call, value: Any) -> bool:
        with self._lock:
            return (*_place(call), value) in self._known

    def learn(self, call: Call, operation: Any, protocol: str, answer: Answer) -> None:
        """Remember the tokens of an answer."""
        if answer.status >= 300 or not any(_asked_with(call, operation)):
            return
        for value in _given_out(operation.output_shape, protocol, answer):
            key = (*_place(call), value)
            with self._lock:
                if key not in self._known:
                    self._known.add(key)
                    self._order.append(key)
                if len(self._order) > KEPT:
                    self._known.discard(self._order.popleft())


def _place(call: Call) -> tuple[str, str, str]:
    return call.service, call.operation, call.region


def _asked_with(call: Call, operation: Any) -> Iterator[str]:
    names = (*TOKENS, MARKER) if call.service in WITH_MARKERS else TOKENS
    members = operation.input_shape.members if operation.input_shape else {}
    return (name for name in names if name in members)


def _given_out(shape: Any, protocol: str, answer: Answer) -> Iterator[str]:
    names = [name for name in GIVEN_OUT if shape is not None and name in shape.members]
    written = (str(shape.members[name].serialization.get("name", name)).encode() for name in names)
    if not any(each in answer.body for each in written):
        return
    headers = {name.lower(): value for name, value in answer.headers}
    wire = {"status_code": answer.status, "headers": headers, "body": answer.body}
    told = create_parser(protocol).parse(wire, shape)
    yield from (str(told[name]) for name in names if told.get(name))


def _code(call: Call, operation: Any) -> str:
    own = (
        shape.error_code or shape.name for shape in operation.error_shapes if OWN_ERROR.fullmatch(shape.name)
    )
    return next(own, CODES.get(call.service, "ValidationException"))
