"""The endpoint that replaces AWS, where the environment or the profile names one."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from .errors import RefusedError, UsageError
from .loopback import is_loopback


def require_listening(endpoint: str | None) -> None:
    """Check that the endpoint answers, before a call is retried in vain.

    Raises UsageError for an invalid URL, RefusedError where nothing listens.
    """
    if not endpoint:
        return
    try:
        parts = urlsplit(endpoint)
        host, port = parts.hostname, parts.port or 80
    except ValueError:
        host = None
    if host is None or parts.scheme not in ("http", "https"):
        raise UsageError(
            f"AWS_ENDPOINT_URL, or endpoint_url of the profile, is {endpoint}, which is not a URL.",
            next_step="unset AWS_ENDPOINT_URL",
        )
    by_proxy = parts.scheme in getproxies() and not proxy_bypass(host)
    if parts.scheme == "https" or (by_proxy and not is_loopback(host)):
        return  # AWS itself, or a host that only the proxy reaches
    try:
        socket.create_connection((host, port), timeout=5).close()
    except OSError as error:
        raise RefusedError(
            f"Nothing listens at {endpoint}.",
            f"AWS_ENDPOINT_URL, or endpoint_url of the profile, names this address ({error.strerror or error})",
            "inv embedded-aws --port 4566 in another terminal, or unset AWS_ENDPOINT_URL",
        ) from None
