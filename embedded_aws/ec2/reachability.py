"""Decides whether packets from a load balancer reach a target, by subnets and security groups.

A connection that a security group does not allow is dropped without an answer, so the load balancer sees a
timeout (``Target.Timeout``, HTTP 504), never a refusal.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any

from ..moto import adapter


@dataclass(frozen=True)
class Interface:
    """The address and security groups of a network interface."""

    ip: str
    groups: frozenset[str]


# Any client of a load balancer that runs here.
CLIENT = Interface("127.0.0.1", frozenset())


def may_connect(
    account: str, region: str, sources: Iterable[Interface], vpc: str, ip: str, port: int
) -> bool:
    """Whether every one of ``sources`` may open a TCP connection to ``ip:port`` in the VPC.

    An address without a network interface does not answer.
    """
    ec2 = adapter.ec2_backends[account][region]
    target = find_interface(ec2, vpc, ip)
    if target is None:
        return False
    return all(
        _allowed(ec2, source.groups, "egress_rules", port, target)
        and _allowed(ec2, target.groups, "ingress_rules", port, source)
        for source in sources
    )


def may_leave(account: str, region: str, source: Interface, ip: str, port: int) -> bool:
    """Whether the security groups of ``source`` allow a TCP connection to an address outside the VPC."""
    ec2 = adapter.ec2_backends[account][region]
    return _allowed(ec2, source.groups, "egress_rules", port, Interface(ip, frozenset()))


def open_to_clients(account: str, region: str, groups: Iterable[str], port: int) -> bool:
    """Whether clients may connect to ``port``. All clients have this machine's loopback address."""
    return lets_in(account, region, groups, port, CLIENT)


def lets_in(account: str, region: str, groups: Iterable[str], port: int, source: Interface) -> bool:
    """Whether security groups allow ``source`` to connect to ``port``."""
    return _allowed(adapter.ec2_backends[account][region], groups, "ingress_rules", port, source)


def has_internet_gateway(account: str, region: str, vpc: str) -> bool:
    """Whether an internet gateway is attached to a VPC."""
    gateways = adapter.ec2_backends[account][region].internet_gateways.values()
    return any(gateway.vpc and gateway.vpc.id == vpc for gateway in list(gateways))


def faces_clients(account: str, region: str, arn: str) -> bool:
    """Whether clients can reach a load balancer.

    An internet-facing one must not be in subnets whose internet gateway is blocked (VPC Block Public Access).
    """
    found = adapter.elbv2_backends[account][region].load_balancers.get(arn)
    if found is None or found.scheme == "internal":
        return True
    ec2 = adapter.ec2_backends[account][region]
    return any(ec2.blocked(subnet) == "off" for subnet in found.subnets)


def find_interface(ec2: Any, vpc: str, ip: str) -> Interface | None:
    """The network interface with this address in the VPC."""
    for eni in list(ec2.enis.values()):
        if eni.private_ip_address == ip and eni.vpc_id == vpc:
            return Interface(ip, frozenset(group.id for group in eni.group_set))
    return None


def _groups(ec2: Any, ids: Iterable[str]) -> list[Any]:
    found = (ec2.get_security_group_from_id(one) for one in ids)
    return [group for group in found if group is not None]


def _allowed(ec2: Any, groups: Iterable[str], direction: str, port: int, peer: Interface) -> bool:
    for group in _groups(ec2, groups):
        if group.is_default and direction == "ingress_rules" and group.id in peer.groups:
            return True  # a default group allows its own members; moto leaves that rule out
        if any(_covers(rule, port) and _admits(ec2, rule, peer) for rule in list(getattr(group, direction))):
            return True
    return False


def _covers(rule: Any, port: int) -> bool:
    if rule.ip_protocol == "-1":
        return True
    return rule.ip_protocol == "tcp" and int(rule.from_port) <= port <= int(rule.to_port)


def _admits(ec2: Any, rule: Any, peer: Interface) -> bool:
    if rule.source_group:
        return rule.source_group.get("GroupId") in peer.groups
    if rule.cidr_ipv4:
        return ip_address(peer.ip) in ip_network(rule.cidr_ipv4, strict=False)
    if rule.prefix_list_id:
        return any(ip_address(peer.ip) in network for network in _prefixes(ec2, rule.prefix_list_id))
    return False


def _prefixes(ec2: Any, prefix_list: str) -> Iterable[Any]:
    found = ec2.managed_prefix_lists.get(prefix_list)
    if found is not None:  # AWS's own lists have no version
        for entry in found.entries.get(found.version or 1, ()):
            yield ip_network(entry["Cidr"], strict=False)
