"""Decides whether a task reaches the services that the Fargate agent calls over the task's network interface.

Sources: Developer Guide, "Fargate task networking" and "Amazon ECS interface VPC endpoints"; VPC User Guide,
"Configure route tables" and "NAT gateways"; AWS PrivateLink Guide, "Access an AWS service using an interface
VPC endpoint" (private DNS) and "Gateway endpoints".

Checked in this order: where the service's name resolves to (an interface endpoint with private DNS takes it over for
the whole VPC, even if the endpoint is closed), whether security groups allow TCP 443, whether the subnet's
route table has a route. A public address is needed only if that leads to an internet gateway; a NAT gateway needs
none. Network ACLs and IPv6 are not modelled; routes to transit gateways, peerings, virtual private gateways
and appliances are assumed to reach the internet. The app's own connections are not restricted.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from ipaddress import ip_address, ip_network
from typing import Any, Protocol

from ..iam.policy import decide
from ..kernel.place import Place
from ..moto.adapter import ec2_backends
from .interfaces import NetworkInterface
from .reachability import Interface, find_interface, may_connect, may_leave

HTTPS = 443
S3 = "s3"
BLOCKS = {S3: "52.216", "": "52.95"}
"""The first half of public addresses: of S3 (part of its prefix list), and of everything else."""


class EgressPath(Protocol):
    """A network path to AWS's services."""

    def timeout(self, service: str, region: str, host: str) -> str | None:
        """The error of a connection to ``host``; None when it succeeds."""


@dataclass(frozen=True)
class Egress:
    """A task's outbound network path, by the current state of its account's network."""

    place: Place
    interface: NetworkInterface

    def timeout(self, service: str, region: str, host: str) -> str | None:
        """``dial tcp 52.95.1.2:443: i/o timeout`` when ``host`` cannot be reached; None when it can.

        ``service`` is named as for VPC endpoints (``ecr.api``, ``s3``), in ``region``; empty for hosts outside AWS.
        """
        if not self._vpc.enable_dns_support:
            return f"dial tcp: lookup {host}: i/o timeout"
        for endpoint in self._endpoints(service, region, "interface"):
            if self._resolves_to(endpoint):
                addresses = self._addresses(endpoint)
                if any(self._reaches_inside(ip) for ip in addresses):
                    return None
                return f"dial tcp {next(iter(addresses), host)}:{HTTPS}: i/o timeout"
        ip = public_address(service, host)
        reached = self._may_leave(ip) and (self._is_routed(ip) or self._by_gateway(service, region))
        return None if reached else f"dial tcp {ip}:{HTTPS}: i/o timeout"

    def forbids_layers(self, region: str, bucket: str) -> bool:
        """Whether the policy of the S3 gateway endpoint on the path denies ECR's bucket of layers."""
        documents = [json.loads(one.policy_document) for one in self._gateways(S3, region)]
        return any(
            not decide([document], "s3:GetObject", f"arn:aws:s3:::{bucket}/layer").allowed
            for document in documents
        )

    @property
    def _ec2(self) -> Any:
        return ec2_backends[self.place.account][self.place.region]

    @property
    def _vpc(self) -> Any:
        return self._ec2.vpcs[self.interface.vpc_id]

    @property
    def _source(self) -> Interface:
        found = find_interface(self._ec2, self.interface.vpc_id, self.interface.private_ip)
        return found or Interface(self.interface.private_ip, frozenset())

    def _may_leave(self, ip: str) -> bool:
        return may_leave(self.place.account, self.place.region, self._source, ip, HTTPS)

    def _reaches_inside(self, ip: str) -> bool:
        place, vpc = self.place, self.interface.vpc_id
        return may_connect(place.account, place.region, [self._source], vpc, ip, HTTPS)

    # Endpoints

    def _endpoints(self, service: str, region: str, kind: str) -> Iterator[Any]:
        for endpoint in list(self._ec2.vpc_end_points.values()):
            if (
                endpoint.vpc_id == self.interface.vpc_id
                and endpoint.service_name == f"com.amazonaws.{region}.{service}"
                and endpoint.state == "available"
                and (endpoint.vpc_endpoint_type or "Gateway").lower() == kind
            ):
                yield endpoint

    def _resolves_to(self, endpoint: Any) -> bool:
        return bool(endpoint.private_dns_enabled and self._vpc.enable_dns_hostnames)

    def _addresses(self, endpoint: Any) -> list[str]:
        enis = self._ec2.enis
        return [enis[eni].private_ip_address for eni in endpoint.network_interface_ids if eni in enis]

    def _gateways(self, service: str, region: str) -> list[Any]:
        table = self._table(self.interface.subnet_id)
        found = self._endpoints(service, region, "gateway")
        return [endpoint for endpoint in found if table and table.id in endpoint.route_table_ids]

    def _by_gateway(self, service: str, region: str) -> bool:
        return bool(self._gateways(service, region))

    # Routes

    def _is_routed(self, ip: str) -> bool:
        route = self._route(self.interface.subnet_id, ip)
        if route is None:
            return False
        if self._is_internet_gateway(route):
            return self.interface.public_ip is not None and self._blocked(self.interface.subnet_id) == "off"
        return self._is_nat(route, ip) or _is_elsewhere(route)

    def _is_nat(self, route: Any, ip: str) -> bool:
        nat = route.nat_gateway
        if nat is None or nat.state != "available" or nat.connectivity_type == "private":
            return False
        onward = self._route(nat.subnet_id, ip)
        out = self._blocked(nat.subnet_id) != "block-bidirectional"  # a NAT gateway only allows outbound
        return out and onward is not None and self._is_internet_gateway(onward)

    def _blocked(self, subnet: str) -> str:
        """The subnet's VPC Block Public Access state (``public_access``)."""
        return str(self._ec2.blocked(self._ec2.get_subnet(subnet)))

    def _is_internet_gateway(self, route: Any) -> bool:
        gateway = route.gateway
        if gateway is None or not gateway.id.startswith("igw-"):
            return False
        return gateway.vpc is not None and gateway.vpc.id == self.interface.vpc_id

    def _route(self, subnet: str, ip: str) -> Any | None:
        """The most specific route to an address in a subnet's route table."""
        table = self._table(subnet)
        fitting = [route for route in (table.routes if table else ()) if _holds(route, ip)]
        return max(fitting, key=lambda r: ip_network(r.destination_cidr_block).prefixlen, default=None)

    def _table(self, subnet: str) -> Any | None:
        """The route table associated with a subnet, else the VPC's main one."""
        tables = [one for one in list(self._ec2.route_tables.values()) if one.vpc_id == self.interface.vpc_id]
        own = [one for one in tables if any(a.get("SubnetId") == subnet for a in one.associations)]
        main = [one for one in tables if any(a["Main"] for a in one.associations)]
        return next(iter([*own, *main]), None)


def public_address(service: str, host: str) -> str:
    """The address of ``host`` in the agent's messages; always the same."""
    digits = sha256(host.encode()).digest()
    return f"{BLOCKS.get(service, BLOCKS[''])}.{digits[0]}.{digits[1]}"


def _holds(route: Any, ip: str) -> bool:
    cidr = route.destination_cidr_block
    return bool(cidr) and ip_address(ip) in ip_network(cidr, strict=False)


def _is_elsewhere(route: Any) -> bool:
    """Whether a route leads to a target that is not modelled: another network, or an appliance."""
    gateway = route.gateway
    ways = (route.transit_gateway, route.vpc_pcx, route.instance, route.interface, route.carrier_gateway)
    return any(ways) or (gateway is not None and not gateway.id.startswith(("igw-", "vpce-")))
