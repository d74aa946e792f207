"""The authority that signs the certificates of distributions."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from ..aws import Aws
from ..foreign import parsed
from ..http_client import Client

_ANSWER_WITHIN_SECONDS = 10.0


def find_authority(aws: Aws, url: str) -> str:
    """The authority's certificate (PEM) for the server at ``url``; empty where this machine's own authorities apply.

    An embedded AWS signs with an authority of its own. It is trusted only if calls to AWS go to this machine, and only
    for addresses of this machine. AWS itself is never asked for one.
    """
    endpoint = aws.endpoint_url
    if not endpoint or not _is_here(endpoint) or not _is_here(url):
        return ""
    with Client(by_proxy=False, headers={"X-Embedded-Aws": "lobster-tasks"}) as client:
        answer = client.request(f"{endpoint.rstrip('/')}/_embedded/authority", _ANSWER_WITHIN_SECONDS)
    return _pem(answer.body) if answer.status == 200 else ""


def _pem(body: bytes) -> str:
    """The certificate in the answer; empty if the server is not an embedded AWS."""
    try:
        return str(parsed(body)["pem"])
    except (ValueError, KeyError, TypeError):
        return ""


def _is_here(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
