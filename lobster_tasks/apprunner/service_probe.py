"""Detects what a running App Runner service serves, with two GET requests."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from ..http_client import get
from ..in_parallel import in_parallel
from .description import Answers

_WITHIN_SECONDS = 5.0
_BODY_BYTES = 64
STREAMLIT_HEALTH = "/_stcore/health"


def address(service: Mapping[str, Any]) -> str:
    """The service's URL. ServiceUrl is a host name, with HTTPS; only the embedded AWS's has a port."""
    host = service.get("ServiceUrl", "")
    return f"{'http' if ':' in host else 'https'}://{host}" if host else ""


def ask(service: Mapping[str, Any]) -> Answers | None:
    """The answers of the service; None for a service that does not run or is not publicly accessible."""
    ingress = service.get("NetworkConfiguration", {}).get("IngressConfiguration", {})
    url = address(service)
    if service["Status"] != "RUNNING" or not url or not ingress.get("IsPubliclyAccessible", True):
        return None
    health, root = in_parallel(
        *(partial(get, f"{url}{path}", _WITHIN_SECONDS, most=_BODY_BYTES) for path in (STREAMLIT_HEALTH, "/"))
    )
    if health.status is None and root.status is None:
        return None
    return Answers(health.body.strip() == b"ok", root.status)
