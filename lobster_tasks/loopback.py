"""Tells this machine's own addresses from all others. Pure.

A name is an address only where it is one as a whole: ``127.example.com`` and ``localhost.example.com`` are other
machines.
"""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit


def is_loopback(host: str) -> bool:
    """Whether a host is ``localhost``, in 127.0.0.0/8, or ``::1``, which may stand in brackets."""
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    try:
        return ip_address(bare).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def is_loopback_url(url: str | None) -> bool:
    """Whether a URL is one of this machine; False without a URL, and for one that clients read differently.

    Clients of HTTP end the host at a backslash (WHATWG URL Standard, "host state"), which ``urlsplit`` does not.
    """
    if not url or "\\" in url:
        return False
    try:
        return is_loopback(urlsplit(url).hostname or "")
    except ValueError:
        return False
