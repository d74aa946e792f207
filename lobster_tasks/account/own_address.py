"""The public address of the machine that this runs on."""

from __future__ import annotations

from ipaddress import AddressValueError, IPv4Address

from ..aws import Aws
from ..errors import LobsterError
from ..http_client import Client
from .embedded import is_embedded

HOST = "checkip.amazonaws.com"
_ANSWER_WITHIN_SECONDS = 3.0
_MOST_BYTES = 64


def find_own_address(aws: Aws) -> IPv4Address:
    """The public IPv4 address of this machine, from AWS's service for it (EC2 User Guide, "Authorize inbound traffic").

    An embedded AWS is asked in its place, for the same host. Raises LobsterError.
    """
    with Client(HOST) as client:
        endpoint = aws.endpoint_url
        url = endpoint if endpoint and is_embedded(endpoint) else f"https://{HOST}"
        answer = client.request(url, _ANSWER_WITHIN_SECONDS, most=_MOST_BYTES)
    if answer.status != 200:
        raise _unknown(f"{HOST} did not return an address ({answer.said})")
    try:
        return IPv4Address(answer.body.decode("ascii", "replace").strip())
    except AddressValueError:
        raise _unknown(f"{HOST} answered with something that is not an IPv4 address") from None


def _unknown(why: str) -> LobsterError:
    return LobsterError("The address of this machine is not known.", why)
