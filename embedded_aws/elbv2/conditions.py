"""The conditions of listener rules, as predicates on a request.

Source: "Condition types for listener rules" of the Application Load Balancers guide. A regular expression
(``RegexValues``) matches anywhere in the text unless it says otherwise: "We need the match at the beginning of the
path. Regex handles this" (aws/aws-cli#9792). It ignores the case of host names, which have none, but no other (not
verified).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..kernel.expressions import expression
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
Test = Callable[[str], bool]


def read_condition(data: dict[str, Any]) -> Condition:
    """A condition from AWS's shape, as a predicate."""
    match data["Field"]:
        case "path-pattern":
            return _path(data)
        case "host-header":
            return _host(data)
        case "http-header":
            return _header(data)
        case "http-request-method":
            return _method(_values(data, "HttpRequestMethodConfig"))
        case "query-string":
            return _query(data["QueryStringConfig"]["Values"])
        case _:
            return _source(_values(data, "SourceIpConfig"))


def _values(data: dict[str, Any], config: str) -> Sequence[str]:
    values: Sequence[str] = (data.get(config) or {}).get("Values") or data.get("Values") or ()
    return values


def _patterns(data: dict[str, Any], config: str, *, ignore_case: bool) -> Test:
    """Whether a text meets one of a condition's patterns."""
    patterns = [wildcard(value, ignore_case) for value in _values(data, config)]
    return lambda text: any(pattern.fullmatch(text) for pattern in patterns)


def _expressions(data: dict[str, Any], config: str, *, ignore_case: bool = False) -> Test:
    """Whether one of a condition's regular expressions matches in a text."""
    values = (data.get(config) or {}).get("RegexValues") or ()
    tests = [expression(value, ignore_case) for value in values]
    return lambda text: any(test(text) for test in tests)


def _path(data: dict[str, Any]) -> Condition:
    fits = _patterns(data, "PathPatternConfig", ignore_case=False)
    matches = _expressions(data, "PathPatternConfig")
    return lambda request: fits(request.path) or matches(request.path)


def _host(data: dict[str, Any]) -> Condition:
    """A regular expression may ask for the port (``^example\\.com:8443$``: hashicorp/terraform-provider-aws#49147), or
    leave it out, for the port is this machine's own."""
    fits = _patterns(data, "HostHeaderConfig", ignore_case=True)
    matches = _expressions(data, "HostHeaderConfig", ignore_case=True)
    return lambda request: (
        fits(request.host) or any(map(matches, (request.host, *request.headers.get("host", ()))))
    )


def _header(data: dict[str, Any]) -> Condition:
    name = data["HttpHeaderConfig"]["HttpHeaderName"].lower()
    fits = _patterns(data, "HttpHeaderConfig", ignore_case=True)
    matches = _expressions(data, "HttpHeaderConfig")
    return lambda request: any(fits(text) or matches(text) for text in request.headers.get(name, ()))


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
