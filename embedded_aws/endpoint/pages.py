"""Tells programs from web pages: the browser of this machine shows pages of anybody, who are not its user.

A page's script reaches 127.0.0.1. The Fetch standard gives every request of a script that is not a plain reading an
``Origin``, and asks first (a preflight) before a header that forms cannot send; Fetch Metadata says with
``Sec-Fetch-Site`` who made a request; and whoever makes the name of his own site resolve to 127.0.0.1 (DNS rebinding)
cannot change the name in ``Host``. Programs that speak with AWS send none of the first two.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from ipaddress import AddressValueError, IPv4Address
from typing import Any

HOST = re.compile(r"(?P<name>\[::1\]|[a-z0-9.-]+)(?::\d{1,5})?", re.IGNORECASE)
OWN_SITES = ("none", "same-origin")
CONTROL = "X-Embedded-Aws"
"""What a request to ``/_embedded/…`` carries, with any value: pages may send such headers after a preflight only."""

SEALED = (
    ("Content-Security-Policy", "sandbox"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("X-Content-Type-Options", "nosniff"),
)
"""Headers of every answer, so that none becomes a page that may ask for more, or a part of one."""


def why_refused(environ: Mapping[str, Any]) -> str | None:
    """Why the request of a WSGI environ is not answered, in words; None where a program of this machine made it."""
    if not _is_loopback(environ.get("HTTP_HOST", "")):
        return "the Host of the request is not this machine's own; use http://127.0.0.1:PORT"
    if "HTTP_ORIGIN" in environ:
        return "the request has an Origin"
    if environ.get("HTTP_SEC_FETCH_SITE", "none").strip().lower() not in OWN_SITES:
        return "the request has the Sec-Fetch-Site of another site"
    if any(name.startswith("HTTP_ACCESS_CONTROL_REQUEST_") for name in environ):
        return "the request is a browser's preflight"
    return None


def may_control(environ: Mapping[str, Any]) -> bool:
    """Whether a request carries the header that a page cannot send."""
    return bool(environ.get(f"HTTP_{CONTROL.upper().replace('-', '_')}"))


def _is_loopback(host: str) -> bool:
    parts = HOST.fullmatch(host)
    if parts is None:
        return False
    name = parts["name"].lower()
    if name in ("localhost", "[::1]") or name.endswith(".localhost"):  # RFC 6761: never asked of DNS
        return True
    try:
        return IPv4Address(name).is_loopback
    except AddressValueError:
        return False
