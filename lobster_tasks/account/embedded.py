"""What an embedded AWS tells of itself; AWS is never asked."""

from __future__ import annotations

from ..aws import Aws
from ..foreign import parsed_object
from ..http_client import Client
from ..loopback import is_loopback_url

_ANSWER_WITHIN_SECONDS = 10.0


def find_authority(aws: Aws, url: str) -> str:
    """The authority's certificate (PEM) for the server at ``url``; empty where this machine's own authorities apply.

    An embedded AWS signs with an authority of its own. It is trusted only if calls to AWS go to this machine, and only
    for addresses of this machine.
    """
    return str(_told(aws, "authority").get("pem", "")) if is_embedded(url) else ""


def runs_containers(aws: Aws) -> bool:
    """Whether calls go to an embedded AWS whose tasks are containers of an engine; False for processes, and for AWS."""
    return bool(_told(aws, "runtime").get("engine"))


def is_embedded(endpoint_url: str | None) -> bool:
    """Whether a URL is one of this machine, as that of an embedded AWS is."""
    return is_loopback_url(endpoint_url)


def _told(aws: Aws, name: str) -> dict[str, object]:
    """The answer to ``GET /_embedded/NAME``; empty if the server is not an embedded AWS, or has no such request."""
    endpoint = aws.endpoint_url
    if not endpoint or not is_embedded(endpoint):
        return {}
    with Client(by_proxy=False, headers={"X-Embedded-Aws": "lobster-tasks"}) as client:
        answer = client.request(f"{endpoint.rstrip('/')}/_embedded/{name}", _ANSWER_WITHIN_SECONDS)
    try:
        return parsed_object(answer.body) if answer.status == 200 else {}
    except ValueError:
        return {}
