"""Finds the address on which an app listens, from its log. Pure.

Only a server's own announcement of its main address counts: a log also names the ports of databases that the app waits
for, of debuggers, of exporters and of other processes. The address is taken only from servers whose message contains
the one they are bound to; many others print ``localhost`` for people to click on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ...foreign import without_colours
from ...loopback import is_loopback

_URL = (
    r"(?P<scheme>https?|tcp|ssl)://(?P<host>\[[0-9a-f:]{2,45}\]|[\w.*-]{1,253})(?::(?P<port>\d{1,5})(?!\d))?"
    r"(?P<path>/[\w.~/-]{1,500})?"
)
# What may stand before an announcement: nothing, or what loggers write (times, levels, names, bullets, JSON).
_START = r"(?:^|[\]\[(:|>\"*=•⇨➜-]|\d|\b(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR))\s{0,100}"
# Uvicorn, Gradio, Dash, Panel and Bokeh, Django, NiceGUI, Vite and Next.js; and, where nothing else stands before it,
# Hypercorn, Werkzeug (Flask), aiohttp, Gunicorn, Granian, Waitress, CherryPy, Puma, ASP.NET, Quarkus, Bottle.
_BOUND = re.compile(
    r"(?:Uvicorn running on|Hypercorn running on|Running on local URL:|\bDash is running on|Bokeh app running at:"
    r"|development server at|NiceGUI ready to go on|^\s{0,100}[➜-]?\s{0,100}(?:Local|Network):"
    rf"|(?P<anybody>{_START}(?:Running on|Listening at:|Serving on|(?:Now )?listening on:?)))\s{{1,100}}"
    + _URL,
    re.IGNORECASE,
)
# Streamlit, whose URL ends in the path that it is served at.
_STREAMLIT = re.compile(r"^\s{0,100}(?:(?:Local|Network|External) )?URL:\s{1,100}" + _URL, re.IGNORECASE)
_HTTP_SERVER = re.compile(r"Serving (?P<scheme>HTTPS?) on (?P<host>\S{1,253}) port (?P<port>\d{1,5})")
# Tomcat, Netty, Jetty and Undertow in Spring Boot; Next.js; Daphne; PHP's own server.
_NAMED = (
    re.compile(r"started server on (?P<host>[\w.:\[\]-]{1,253}):(?P<port>\d{2,5}), url:"),
    re.compile(
        r"\b(?:Tomcat|Netty|Jetty|Undertow) (?:started|initialized) (?:on|with) port(?:\(s\)|s)?:? "
        r"(?P<port>\d{2,5})\b(?: \((?P<scheme>https?)\))?"
    ),
    re.compile(r"Listening on TCP address (?P<host>[\w.:\[\]-]{1,253}):(?P<port>\d{2,5})\b"),
    re.compile(
        r"Started ServerConnector@\w{1,20}\{(?P<scheme>SSL)?[^{}]{1,100}\}"
        r"\{(?P<host>[\w.:\[\]-]{1,253}):(?P<port>\d{2,5})\}"
    ),
    re.compile(
        r"PHP [\d.]{1,20} Development Server \(https?://(?P<host>[\w.:\[\]-]{1,253}):(?P<port>\d{2,5})\) started"
    ),
)
# The sentence that apps on Node, Go and others write themselves: a server, or nobody, listens at a port, and no more.
_KIND = (
    r"(?:(?:the|example|web|http|(?P<by>https)|express|node|nest|next|fastify|flask|rest|graphql|dev|development"
    r"|production|started|ready|your|my)[ -]{1,3}){0,4}(?:server|app|application|api|service|backend|frontend|site)"
)
_WHERE = (
    r"(?:on|at):?\s{1,100}(?:the )?(?:port:?\s{1,10}|(?P<scheme>https?)://)?"
    r"(?:(?P<host>\*|localhost|\[[0-9a-f:]{2,45}\]|\d{1,3}(?:\.\d{1,3}){3}|[a-z][\w.-]{0,253})?:)?(?P<port>\d{2,5})"
    r"(?:/[\w.~/-]{0,500})?(?=\s{0,10}(?:[.,;!…(\"'}\]]|$|in \w{1,20} mode|with \d))(?!\.\d)"
)
_SAID = re.compile(
    rf"{_START}(?:(?:{_KIND}) (?:is |has |now |up and ){{0,3}}(?:listening|running|started)"
    rf"|(?:now )?listening(?: and serving (?P<serves>HTTPS?))?|serving)\s{{1,10}}{_WHERE}",
    re.IGNORECASE,
)
# Listeners beside the app's own: they say the same, and are not what visitors use.
_BESIDE = re.compile(
    r"\b(?:(?<!GIN-)debug\w{0,10}|inspect\w{0,10}|metrics?|prometheus|admin|management|actuator|health|profil\w{1,5}|pprof"
    r"|trac\w{2,5}|jmx|otlp|opentelemetry|telemetry|statsd|exporter|agent|proxy|sidecar|spark\w{0,5}|ray|dask|celery"
    r"|flower|worker|databases?|db|postgres\w{0,5}|mysql\w{0,5}|maria\w{0,5}|redis|mongo\w{0,5}|kafka|rabbit\w{0,5}"
    r"|elastic\w{0,10}|memcached?|gossip|cluster|peers?|livereload|hmr|grpc|smtp|ssh|dns)\b",
    re.IGNORECASE,
)
_TLS = ("https", "ssl")
_EVERYWHERE = ("0.0.0.0", "[::]", "::", "*")
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class ListeningPort:
    """A port that an app reports; ``address`` is empty where its message does not contain it.

    ``base_path`` is the path that Streamlit says it is served at, empty for ``/`` and for other servers. ``scheme`` is
    how the message names the protocol, in small letters (``https``), and empty where it does not.
    """

    port: int
    address: str
    line: str
    base_path: str = ""
    scheme: str = ""

    @property
    def is_tls(self) -> bool:
        """Whether its clients have to begin with a TLS handshake."""
        return self.scheme in _TLS

    @property
    def is_on_loopback(self) -> bool:
        """Whether only the task itself can connect to it."""
        return is_loopback(self.address)


def listening_ports(lines: Iterable[str]) -> tuple[ListeningPort, ...]:
    """The ports that servers announce in the lines, each once and with its widest address, the latest last."""
    found: dict[int, ListeningPort] = {}
    for line in lines:
        told = _told(without_colours(line))
        known = found.get(told.port) if told else None
        if told and (known is None or known.is_on_loopback or not known.address):
            found.pop(told.port, None)
            found[told.port] = told
    return tuple(found.values())


def _told(line: str) -> ListeningPort | None:
    told = None if _BESIDE.search(_without_own_path(line)) else _announced(line)
    return told if told and 0 < told.port < 65536 else None


def _without_own_path(line: str) -> str:
    """The line without the path that a server says it serves its app at, which may be ``/admin``; in a sentence that
    anybody writes, a path tells what listens there."""
    for pattern in (_STREAMLIT, _BOUND):
        if (found := pattern.search(line)) and not found.groupdict().get("anybody"):
            start, end = found.span("path")
            return f"{line[:start]} {line[end:]}" if found["path"] else line
    return line


def _announced(line: str) -> ListeningPort | None:
    said = line.strip()
    if (streamlit := _STREAMLIT.search(line)) and streamlit["port"]:
        path = (streamlit["path"] or "").rstrip("/")
        address = _shown_address(streamlit["host"])
        return ListeningPort(int(streamlit["port"]), address, said, path, _scheme(streamlit))
    if (bound := _BOUND.search(line)) and (port := _port(bound)):
        return ListeningPort(port, _bound_address(bound), said, scheme=_scheme(bound))
    if served := _HTTP_SERVER.search(line):
        return ListeningPort(int(served["port"]), served["host"], said, scheme=_scheme(served))
    for pattern in _NAMED:
        if named := pattern.search(line):
            host = named.groupdict().get("host") or ""
            return ListeningPort(int(named["port"]), host, said, scheme=_scheme(named))
    if told := _SAID.search(line):
        host = told["host"] or ""
        address, is_here = _shown_address(host), host in ("", "localhost") or not host[:1].isalpha()
        # A domain's URL is the one that visitors use, which may end at another server.
        return ListeningPort(int(told["port"]), address, said, scheme=_scheme(told) if is_here else "")
    return None


def _scheme(found: re.Match[str]) -> str:
    """The protocol that an announcement names, in its URL or before it."""
    named = found.groupdict()
    return next((named[each] for each in ("scheme", "serves", "by") if named.get(each)), "").lower()


def _port(found: re.Match[str]) -> int:
    return int(found["port"] or _DEFAULT_PORTS.get(found["scheme"].lower(), 0))


def _bound_address(found: re.Match[str]) -> str:
    """The host; ``localhost`` counts only where the server repeats the address that it was told to bind."""
    is_repeated = re.search(r"(?:uvicorn|hypercorn|^\W{0,100}running)", found[0], re.IGNORECASE)
    return found["host"] if is_repeated or found["host"] != "localhost" else ""


def _shown_address(host: str) -> str:
    """The host, where it is an IP address; messages for people contain ``localhost`` whatever the bound address
    is."""
    return host if host in _EVERYWHERE or host[:1].isdigit() else ""
