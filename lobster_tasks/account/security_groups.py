"""Reads the rules of security groups. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from ipaddress import ip_network
from typing import Any


def covers_port(rule: Mapping[str, Any], port: int) -> bool:
    """Whether a rule, in the shape of IpPermissions, is about a TCP port."""
    if rule["IpProtocol"] == "-1":
        return True
    return rule["IpProtocol"] in ("tcp", "6") and rule.get("FromPort", 0) <= port <= rule.get("ToPort", 65535)


def peers_of(rule: Mapping[str, Any]) -> list[str]:
    """Whom a rule is about: networks, ids of groups, ids of prefix lists."""
    return [
        *(each["CidrIp"] for each in rule.get("IpRanges", [])),
        *(each["CidrIpv6"] for each in rule.get("Ipv6Ranges", [])),
        *(each["GroupId"] for each in rule.get("UserIdGroupPairs", [])),
        *(each["PrefixListId"] for each in rule.get("PrefixListIds", [])),
    ]


def lets_in(
    groups: Iterable[Mapping[str, Any]], port: int, members: Collection[str] | None, block: str
) -> bool | None:
    """Whether the groups together let the members of other groups, with addresses of ``block``, in on a TCP port.

    None is not known: a rule is about a prefix list, about a part of the block, about a network while the block, which
    may be empty, is not known, or about a group while ``members``, the groups' ids, is None.
    """
    rules = [rule for group in groups for rule in group.get("IpPermissions", [])]
    peers = [peer for rule in rules if covers_port(rule, port) for peer in peers_of(rule)]
    told = [_is_about(peer, members, block) for peer in peers]
    return True if True in told else None if None in told else False


def _is_about(peer: str, members: Collection[str] | None, block: str) -> bool | None:
    if peer.startswith("sg-"):
        return None if members is None else peer in members
    if peer.startswith("pl-"):
        return None
    network = ip_network(peer, strict=False)
    if network.prefixlen == 0:
        return network.version == 4
    if network.version == 6:
        return False
    own = ip_network(block, strict=False) if block else None
    if own is None or own.version == 6:
        return None
    if own.subnet_of(network):
        return True
    return None if own.overlaps(network) else False
