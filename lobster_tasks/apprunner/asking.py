"""Asks the running App Runner service what it is, with two harmless requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import requests

from ..together import together
from .description import Answers

_WITHIN_SECONDS = 5.0
STREAMLIT_HEALTH = "/_stcore/health"


def address(service: Mapping[str, Any]) -> str:
    """The service's URL. ServiceUrl is a bare host, reached by HTTPS; one with a port is no real App Runner's."""
    host = service.get("ServiceUrl", "")
    return f"{'http' if ':' in host else 'https'}://{host}" if host else ""


def ask(service: Mapping[str, Any]) -> Answers | None:
    """What it answers; None for one that does not run or that nobody reaches from here."""
    ingress = service.get("NetworkConfiguration", {}).get("IngressConfiguration", {})
    url = address(service)
    if service["Status"] != "RUNNING" or not url or not ingress.get("IsPubliclyAccessible", True):
        return None
    health, root = together(lambda: _get(f"{url}{STREAMLIT_HEALTH}"), lambda: _get(f"{url}/"))
    if health is None and root is None:
        return None
    return Answers(health is not None and health[1].strip() == "ok", root and root[0])


def _get(url: str) -> tuple[int, str] | None:
    """Status and the beginning of the body; None where nothing answers."""
    try:
        with requests.get(url, timeout=_WITHIN_SECONDS, allow_redirects=False, stream=True) as answer:
            return answer.status_code, next(answer.iter_content(64), b"").decode("utf-8", "replace")
    except requests.RequestException:
        return None
