"""Finds whether a plan keeps out the machine that it is made on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from ipaddress import IPv4Address, ip_network

from ..account import find_own_address
from ..aws import Aws
from ..errors import LobsterError
from .planner import Lockout, Plan


def with_lockout(aws: Aws, made: Plan) -> Plan:
    """The plan with its ``lockout``; the address of this machine is looked up only if the plan limits visitors."""
    ranges = limits(made)
    return replace(made, lockout=lockout(ranges, lambda: find_own_address(aws))) if ranges else made


def limits(made: Plan) -> tuple[str, ...]:
    """The address ranges to which the plan's changes limit visitors; empty where they do not."""
    making = [
        each for each in made.changes if each.action in ("create", "update") and not each.resource.former
    ]
    ranges = (each.resource.limits_visitors(made.live[each.resource], each.changed) for each in making)
    return tuple(dict.fromkeys(each for listed in ranges for each in listed))


def lockout(ranges: Iterable[str], own_address: Callable[[], IPv4Address]) -> Lockout | None:
    """What the ranges mean for this machine; None where they contain its address.

    ``own_address`` may raise LobsterError, and is not called if there is no IPv4 range to compare with.
    """
    networks = [each for each in map(ip_network, ranges) if each.version == 4]
    if not networks:
        return Lockout(
            "own-address-not-checked",
            why="the ranges are IPv6, and only this machine's IPv4 address can be found",
        )
    try:
        address = own_address()
    except LobsterError as unknown:
        return Lockout("own-address-not-checked", why=unknown.why)
    if any(address in each for each in networks):
        return None
    return Lockout("own-address-not-allowed", str(address))
