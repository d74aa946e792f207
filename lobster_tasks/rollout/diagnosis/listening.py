"""Finds the address on which an app listens, from its log. Pure.

The address is taken only from servers whose message contains the one they are bound to; many others print
``localhost`` for people to click on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from ...loopback import is_loopback

_URL = r"(?P<scheme>https?)://(?P<host>\[[0-9a-f:]{2,45}\]|[\w.*-]{1,253})(?::(?P<port>\d{2,5}))?"
# Uvicorn, Hypercorn, Werkzeug (Flask), Gunicorn, Waitress, Puma, Gradio, Dash, and Streamlit with an address given.
_BOUND = re.compile(
    r"(?:Uvicorn running on|Hypercorn running on|Listening at:|Serving on|Listening on|Running on(?: local URL:)?"
    r"|is running on|development server at|^\s{0,100}URL:)\s{1,100}" + _URL,
    re.IGNORECASE,
)
# Streamlit's Local, Network and External URL, and the messages for people of Node and others.
_SHOWN = re.compile(
    r"\b(?:URL|listening|running|serving|started)\b.{0,200}?"
    r"(?P<scheme>https?)://(?P<host>localhost|\[[0-9a-f:]{2,45}\]|[\d.]{7,15})(?::(?P<port>\d{2,5}))",
    re.IGNORECASE,
)
_HTTP_SERVER = re.compile(r"Serving HTTPS? on (?P<host>\S{1,253}) port (?P<port>\d{1,5})")
_PORT_ONLY = (
    re.compile(
        r"\b(?:listen(?:s|ing)|serv(?:es|ing)|running|started|initialized)\b.{0,200}?\bport(?:\(s\)|s)?:?\s{0,100}(\d{2,5})\b",
        re.I,
    ),
    re.compile(r"\blistening(?:\s{1,100}(?:on|at))?\s{1,100}(?:\S{0,253}:)?(\d{2,5})\b", re.IGNORECASE),
    re.compile(
        r"\b(?:running|started|serving)\b.{0,200}?\b(?:on|at)\s{1,100}(?:\*|\[::\]|0\.0\.0\.0)?:(\d{2,5})\b",
        re.I,
    ),
)
_EVERYWHERE = ("0.0.0.0", "[::]", "::", "*")
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class ListeningPort:
    """A port that an app reports; ``address`` is empty where its message does not contain it."""

    port: int
    address: str
    line: str

    @property
    def is_on_loopback(self) -> bool:
        """Whether only the task itself can connect to it."""
        return is_loopback(self.address)


def listening_ports(lines: Iterable[str]) -> tuple[ListeningPort, ...]:
    """The ports in the lines, each once and with its widest address, the latest last."""
    found: dict[int, ListeningPort] = {}
    for line in lines:
        told = _told(line)
        known = found.get(told.port) if told else None
        if told and (known is None or known.is_on_loopback or not known.address):
            found.pop(told.port, None)
            found[told.port] = told
    return tuple(found.values())


def _told(line: str) -> ListeningPort | None:
    if bound := _BOUND.search(line):
        return ListeningPort(_port(bound), _bound_address(bound), line.strip())
    if served := _HTTP_SERVER.search(line):
        return ListeningPort(int(served["port"]), served["host"], line.strip())
    if shown := _SHOWN.search(line):
        return ListeningPort(_port(shown), _shown_address(shown["host"]), line.strip())
    port = next((int(found[1]) for pattern in _PORT_ONLY if (found := pattern.search(line))), 65536)
    return ListeningPort(port, "", line.strip()) if port < 65536 else None


def _port(found: re.Match[str]) -> int:
    return int(found["port"] or _DEFAULT_PORTS[found["scheme"].lower()])


def _bound_address(found: re.Match[str]) -> str:
    """The host; ``localhost`` counts only where the server repeats the address that it was told to bind."""
    is_repeated = found[0].lower().lstrip().startswith(("uvicorn", "hypercorn", "running"))
    return found["host"] if is_repeated or found["host"] != "localhost" else ""


def _shown_address(host: str) -> str:
    """The host, where it is an IP address; messages for people contain ``localhost`` whatever the bound address
    is."""
    if host == "localhost":
        return ""
    return host if host in _EVERYWHERE or host[0].isdigit() else ""
