"""Where the routes of a VPC's subnets lead, from its route tables as EC2 DescribeRouteTables returns them. Pure.

A subnet has the routes of its own table, or else of the VPC's main one. A route in the state ``blackhole`` leads
nowhere: "the route's target isn't available" (EC2, Route).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Table = Mapping[str, Any]
Route = Mapping[str, Any]
BLACKHOLE = "blackhole"
_EVERYWHERE = "0.0.0.0/0"


def default_route_of(tables: Sequence[Table], subnet: str) -> str:
    """The target of a subnet's default route in the VPC's route tables: a gateway's id, ``blackhole``, or empty.

    Without a default route, it is the target of another route, except the VPC's own and those of gateway endpoints.
    Such a route may lead to the internet, by a prefix list or by parts of the address space.
    """
    routes = [route for route in _routes_of(tables, subnet) if not _is_inside(route)]
    default = _default(routes)
    if default and _leads_nowhere(default[0]):
        return BLACKHOLE
    return next((_target(route) for route in default or routes if not _leads_nowhere(route)), "")


def has_internet_gateway(tables: Sequence[Table], subnet: str) -> bool:
    """Whether a subnet is public: its default route leads to an internet gateway."""
    default = _default(_routes_of(tables, subnet))
    return any(
        str(route.get("GatewayId", "")).startswith("igw-") for route in default if not _leads_nowhere(route)
    )


def route_table_of(tables: Sequence[Table], subnet: str) -> Table:
    """The route table of a subnet, its own or else the VPC's main one; empty where neither was read."""
    main: Table = next((table for table in tables if _is_main(table)), {})
    return next((table for table in tables if _belongs_to(table, subnet)), main)


def _routes_of(tables: Sequence[Table], subnet: str) -> Sequence[Route]:
    return list(route_table_of(tables, subnet).get("Routes", []))


def _is_main(table: Table) -> bool:
    return any(association.get("Main") for association in table.get("Associations", []))


def _belongs_to(table: Table, subnet: str) -> bool:
    return any(association.get("SubnetId") == subnet for association in table.get("Associations", []))


def _default(routes: Sequence[Route]) -> list[Route]:
    return [route for route in routes if route.get("DestinationCidrBlock") == _EVERYWHERE]


def _leads_nowhere(route: Route) -> bool:
    return bool(route.get("State") == BLACKHOLE)


def _is_inside(route: Route) -> bool:
    """Whether it is the VPC's own route, that of a gateway endpoint (S3, DynamoDB), or one for IPv6."""
    gateway = str(route.get("GatewayId", ""))
    return (
        gateway == "local"
        or (gateway.startswith("vpce-") and "DestinationPrefixListId" in route)
        or ("DestinationIpv6CidrBlock" in route)
    )


def _target(route: Route) -> str:
    """The value of the member that names the route's target, of any kind (EC2, Route)."""
    about = ("Destination", "InstanceOwner", "Origin", "State", "IpAddress")
    return next((str(value) for name, value in route.items() if value and not name.startswith(about)), "")
