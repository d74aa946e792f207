"""VPC endpoints with addresses and security groups of their own, and routes with their state."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import Any

from ..moto.adapter import AwsError, EC2Backend


class Gateways(EC2Backend):
    """The store's operations on VPC endpoints."""

    def create_vpc_endpoint(
        self, vpc_id: str, service_name: str, endpoint_type: str | None, *args: Any, **kwargs: Any
    ) -> Any:
        """Create an endpoint; an interface endpoint has the given security groups, or the VPC's default one."""
        kind = endpoint_type or "Gateway"
        if kind == "Interface":
            self._check_private_dns(vpc_id, kwargs.get("private_dns_enabled"))
        made = super().create_vpc_endpoint(vpc_id, service_name, kind, *args, **kwargs)
        if kind == "Interface":
            made.security_group_ids = made.security_group_ids or [self.get_default_security_group(vpc_id).id]
            groups = [self.group(one) for one in made.security_group_ids]
            for eni in made.network_interface_ids:
                self.enis[eni]._group_set = groups
        else:
            made.private_dns_enabled = False
        return made

    def _check_private_dns(self, vpc_id: str, enabled: bool | None) -> None:
        vpc = self.get_vpc(vpc_id)
        if enabled and not (vpc.enable_dns_support and vpc.enable_dns_hostnames):
            message = (
                "Enabling private DNS requires both enableDnsSupport and enableDnsHostnames VPC attributes set to "
                f"true for {vpc_id}"
            )
            raise AwsError("InvalidParameter", message)


def is_in(subnet: Any, address: str) -> bool:
    """Whether an address belongs to a subnet."""
    return ip_address(address) in ip_network(subnet.cidr_block)


class ShownRoute:
    """A route with its state."""

    def __init__(self, route: Any, vpc_id: str) -> None:
        self._route = route
        self._vpc_id = vpc_id

    def __getattr__(self, name: str) -> Any:
        return getattr(self._route, name)

    @property
    def state(self) -> str:
        """Route: "The blackhole state indicates that the route's target isn't available"."""
        route = self._route
        gateway, nat = route.gateway, route.nat_gateway
        detached = hasattr(gateway, "vpc") and (gateway.vpc is None or gateway.vpc.id != self._vpc_id)
        gone = nat is not None and nat.state != "available"
        return "blackhole" if detached or gone else "active"


class ShownSubnet:
    """A subnet in DescribeSubnets' answer."""

    def __init__(self, subnet: Any, blocked: str) -> None:
        self._subnet = subnet
        self.block_public_access_states = {"InternetGatewayBlockMode": blocked}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._subnet, name)


class ShownTable:
    """A route table in DescribeRouteTables' answer."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def __getattr__(self, name: str) -> Any:
        return getattr(self._table, name)

    @property
    def routes(self) -> list[ShownRoute]:
        """The routes with their states."""
        return [ShownRoute(route, self._table.vpc_id) for route in self._table.routes]
