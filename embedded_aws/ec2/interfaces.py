"""A network interface, as its owner sees it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class NetworkInterface:
    """An elastic network interface, with EC2's data about it."""

    id: str
    vpc_id: str
    subnet_id: str
    zone: str
    private_ip: str
    private_dns: str
    mac: str
    public_ip: str | None
