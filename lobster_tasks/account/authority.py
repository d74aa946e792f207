"""Who has signed the certificates that distributions show."""

from __future__ import annotations

import ipaddress
import json
from urllib.parse import urlsplit

from ..aws import Aws
from ..http_client import Client

_ANSWER_WITHIN_SECONDS = 10.0


def find_authority(aws: Aws, url: str) -> str:
    """The certificate (PEM) that vouches for what is shown at ``url``; empty where those of this machine do.

    An embedded AWS has an authority of its own, which is of no worth elsewhere: it is trusted only where calls to AWS
    go to this machine, and only for addresses of this machine. AWS itself is never asked.
    """
    endpoint = aws.endpoint_url
    if not endpoint or not _is_here(endpoint) or not _is_here(url):
        return ""
    with Client(by_proxy=False, headers={"X-Embedded-Aws": "lobster-tasks"}) as client:
        answer = client.request(f"{endpoint.rstrip('/')}/_embedded/authority", _ANSWER_WITHIN_SECONDS)
    return _pem(answer.body) if answer.status == 200 else ""


def _pem(body: bytes) -> str:
    """Nothing from what is no embedded AWS."""
    try:
        return str(json.loads(body)["pem"])
    except (ValueError, KeyError, TypeError):
        return ""


def _is_here(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
