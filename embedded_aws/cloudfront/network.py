"""The network path from edge locations to an origin: whether packets are allowed, and where they go.

A VPC origin's connections come from CloudFront's network interfaces in the VPC, which are in CloudFront's own
security group; a rule for the managed prefix list of CloudFront's addresses allows them, too (Developer Guide,
"Restrict access with VPC origins"). A rule for the VPC's addresses does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..ec2.reachability import Interface, has_internet_gateway, lets_in
from ..elbv2.balancer import Balancer
from ..elbv2.settings import Listener, LoadBalancer
from ..kernel.loopback import is_loopback_address
from ..moto import adapter
from .configuration import covers
from .model import Config, VpcOrigin

SOURCE = "130.176.0.1"
"""An address in the managed prefix list."""


@dataclass(frozen=True)
class OriginRoute:
    """The destination of a request: a loopback address and port, with TLS or not.

    ``silent`` where packets are dropped; ``port`` is None where nothing accepts the connection, or the certificate is
    one that CloudFront does not trust.
    """

    address: str = "127.0.0.1"
    port: int | None = None
    tls: bool = False
    silent: bool = False


DROPPED = OriginRoute(silent=True)
REFUSED = OriginRoute()


def route_to_vpc_origin(balancer: Balancer, origin: VpcOrigin, secure: bool, host: str) -> OriginRoute:
    """The path through a VPC origin, for a viewer with or without TLS; on the data-plane thread.

    ``host`` is the request's host name, for which the certificate must be valid.
    """
    tls = _by_tls(origin.config, secure)
    port = int(origin.config["HTTPSPort" if tls else "HTTPPort"])
    found = None if origin.failed else balancer.snapshot().load_balancers.get(origin.endpoint)
    if found is None or not balancer.is_active(found.arn) or not _passes(origin, found, port):
        return DROPPED
    listener = next((one for one in found.listeners if one.port == port), None)
    if listener is None or (tls and not _is_trusted(found, listener, host)):
        return REFUSED
    return OriginRoute(port=balancer.private_port(found.arn, port), tls=tls)


def route_to_custom_origin(origin: Config, secure: bool) -> OriginRoute:
    """The path to a load balancer with an address of its own; other servers, and HTTPS to them, are not supported."""
    address, _, port = origin["DomainName"].partition(":")
    if not (is_loopback_address(address) and port.isdigit()) or _by_tls(origin["CustomOriginConfig"], secure):
        return REFUSED
    return OriginRoute(address, int(port))


def _by_tls(config: Config, secure: bool) -> bool:
    policy = config["OriginProtocolPolicy"]
    return policy == "https-only" or (policy == "match-viewer" and secure)


def _passes(origin: VpcOrigin, balancer: LoadBalancer, port: int) -> bool:
    """Whether VPC Block Public Access, the internet gateway and the load balancer's security groups allow a
    connection."""
    where = origin.account, origin.region
    ec2 = adapter.ec2_backends[origin.account][origin.region]
    group = ec2.service_group(origin.vpc)
    subnets = {ec2.enis[eni].subnet for eni in origin.interfaces if eni in ec2.enis}
    return (
        has_internet_gateway(*where, origin.vpc)
        and any(ec2.blocked(subnet) == "off" for subnet in subnets)
        and lets_in(*where, balancer.security_groups, port, Interface(SOURCE, frozenset({group.id})))
    )


def _is_trusted(balancer: LoadBalancer, listener: Listener, host: str) -> bool:
    """Whether the listener has a certificate for ``host`` from an authority: one of ACM, not an imported
    self-signed one."""
    shown: list[Any] = [
        adapter.find_certificate(balancer.account, balancer.region, arn) for arn in listener.certificates
    ]
    return any(
        one.status == "ISSUED" and not one.self_signed and covers(one.names, host) for one in shown if one
    )
