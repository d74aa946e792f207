"""The conditions of listener rules, as predicates on a request.

Source: "Condition types for listener rules" of the Application Load Balancers guide.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..kernel.wildcards import wildcard


@dataclass(frozen=True)
class RequestParts:
    """The parts of a request that conditions use.

    ``host`` has no port; ``path`` is as sent, without the query string; ``query`` contains decoded pairs.
    """

    method: str
    host: str
    path: str
    query: Sequence[tuple[str, str]]
    headers: Mapping[str, Sequence[str]]
    source: str


Condition = Callable[[RequestParts], bool]


def read_condition(data: dict[str, Any]) -> Condition:
    """A condition from AWS's shape, as a predicate."""
    match data["Field"]:
        case "path-pattern":
            return _path(_values(data, "PathPatternConfig"))
        case "host-header":
            return _host(_values(data, "HostHeaderConfig"))
        case "http-header":
            return _header(data["HttpHeaderConfig"]["HttpHeaderName"], _values(data, "HttpHeaderConfig"))
        case "http-request-method":
            return _method(_values(data, "HttpRequestMethodConfig"))
        case "query-string":
            return _query(data["QueryStringConfig"]["Values"])
        case _:
            return _source(_values(data, "SourceIpConfig"))


def _values(data: dict[str, Any], config: str) -> Sequence[str]:
    values: Sequence[str] = (data.get(config) or {}).get("Values") or data.get("Values") or ()
    return values


def _any(patterns: Iterable[re.Pattern[str]], texts: Iterable[str]) -> bool:
    patterns = tuple(patterns)
    return any(pattern.fullmatch(text) for text in texts for pattern in patterns)


def _path(values: Sequence[str]) -> Condition:
    patterns = [wildcard(value, ignore_case=False) for value in values]
    return lambda request: _any(patterns, [request.path])


def _host(values: Sequence[str]) -> Condition:
    patterns = [wildcard(value, ignore_case=True) for value in values]
    return lambda request: _any(patterns, [request.host])


def _header(name: str, values: Sequence[str]) -> Condition:
    patterns = [wildcard(value, ignore_case=True) for value in values]
    return lambda request: _any(patterns, request.headers.get(name.lower(), ()))


def _method(values: Sequence[str]) -> Condition:
    allowed = frozenset(values)
    return lambda request: request.method in allowed


def _query(values: Sequence[dict[str, str]]) -> Condition:
    patterns = [
        (wildcard(value["Key"], True) if value.get("Key") else None, wildcard(value["Value"], True))
        for value in values
    ]

    def test(request: RequestParts) -> bool:
        return any(
            (key is None or key.fullmatch(name) is not None) and value.fullmatch(text) is not None
            for name, text in request.query
            for key, value in patterns
        )

    return test


def _source(values: Sequence[str]) -> Condition:
    networks = [ipaddress.ip_network(value, strict=False) for value in values]
    return lambda request: any(ipaddress.ip_address(request.source) in network for network in networks)
