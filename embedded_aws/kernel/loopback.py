"""Which names of a host are this machine's own."""

from __future__ import annotations

from ipaddress import AddressValueError, IPv4Address


def is_loopback_address(host: str) -> bool:
    """Whether a host is a loopback address of IPv4, as 127.0.0.1; a name is none, whatever it begins with."""
    try:
        return IPv4Address(host).is_loopback
    except AddressValueError:
        return False
