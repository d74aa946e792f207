"""Distinguishes programs from web pages: a browser on this machine shows pages of anybody.

A page's script can send requests to 127.0.0.1. The Fetch standard adds ``Origin`` to every script's request that is
not a simple read, and requires a preflight before a header that forms cannot send; Fetch Metadata names the
origin of a request in ``Sec-Fetch-Site``; and an attacker who makes the name of a site resolve to 127.0.0.1 (DNS
rebinding) cannot change the name in ``Host``. AWS clients send neither of the first two.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..kernel.loopback import is_loopback_address

HOST = re.compile(r"(?P<name>\[::1\]|[a-z0-9.-]+)(?::\d{1,5})?", re.IGNORECASE)
OWN_SITES = ("none", "same-origin")
TASK_ENDPOINT = "169.254.170.2"
"""The address of the endpoint for tasks, which containers use; it is no name that an attacker could change."""
CHECK_IP = "checkip.amazonaws.com"
"""AWS's host that tells clients their address; nor is this one."""

CONTROL = "X-Embedded-Aws"
"""The header of requests to ``/_embedded/…``, with any value: pages may send such headers after a preflight only."""

SEALED = (
    ("Content-Security-Policy", "sandbox"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("X-Content-Type-Options", "nosniff"),
)
"""Headers of every answer, so that none becomes a page that can send more requests, or a part of one."""


def why_refused(environ: Mapping[str, Any]) -> str | None:
    """Why a request (WSGI environ) is refused, in words; None where a program on this machine sent it."""
    if not (_is_loopback(environ.get("HTTP_HOST", "")) or asks_for_address(environ)):
        return "the Host of the request is not this machine's own; use http://127.0.0.1:PORT"
    if "HTTP_ORIGIN" in environ:
        return "the request has an Origin"
    if environ.get("HTTP_SEC_FETCH_SITE", "none").strip().lower() not in OWN_SITES:
        return "the request has the Sec-Fetch-Site of another site"
    if any(name.startswith("HTTP_ACCESS_CONTROL_REQUEST_") for name in environ):
        return "the request is a browser's preflight"
    return None


def asks_for_address(environ: Mapping[str, Any]) -> bool:
    """Whether a request is for the host that tells clients their address."""
    return str(environ.get("HTTP_HOST", "")).lower() == CHECK_IP


def may_control(environ: Mapping[str, Any]) -> bool:
    """Whether a request has the header that a page cannot send."""
    return bool(environ.get(f"HTTP_{CONTROL.upper().replace('-', '_')}"))


def _is_loopback(host: str) -> bool:
    parts = HOST.fullmatch(host)
    if parts is None:
        return False
    name = parts["name"].lower()
    if name in ("localhost", "[::1]") or name.endswith(".localhost"):  # RFC 6761: never resolved by DNS
        return True
    if name == TASK_ENDPOINT:
        return True
    return is_loopback_address(name)
