"""The VPC endpoints by which the tasks of a subnet reach AWS's services, and why others are of no use. Pure.

Sources: EC2 API Reference, VpcEndpoint; AWS PrivateLink Guide, "Access an AWS service using an interface VPC
endpoint" (private DNS names need private DNS, and the endpoint's security groups must allow the traffic), "Gateway
endpoints" (a gateway endpoint is a route in the route tables that it names) and "AWS PrivateLink for Amazon S3"
(private DNS for inbound Resolver endpoints alone leaves the names to a gateway endpoint).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .routes import route_table_of

Endpoint = Mapping[str, Any]


@dataclass(frozen=True)
class EndpointFault:
    """Why an endpoint is of no use; ``is_certain`` is false where something that is not read may help."""

    why: str
    is_certain: bool = True


def endpoint_services(
    endpoints: Iterable[Endpoint],
    region: str,
    tables: Sequence[Mapping[str, Any]],
    subnet: str,
    closed: Callable[[Endpoint], EndpointFault | None] = lambda _: None,
) -> dict[str, EndpointFault | None]:
    """The services for which a VPC has endpoints, such as ``ecr.api``, with the fault of the best one of each.

    None is no fault: the tasks of ``subnet`` reach the service. ``tables`` are the VPC's route tables; ``closed`` is
    asked about each interface endpoint, whose security groups may let nobody in.
    """
    found: dict[str, EndpointFault | None] = {}
    for endpoint in endpoints:
        service = endpoint["ServiceName"].rpartition(f"{region}.")[2]
        fault = next(_faults(endpoint, tables, subnet, closed), None)
        if service not in found or _rank(fault) < _rank(found[service]):
            found[service] = fault
    return found


def _rank(fault: EndpointFault | None) -> int:
    return 0 if fault is None else 1 + fault.is_certain


def _faults(
    endpoint: Endpoint,
    tables: Sequence[Mapping[str, Any]],
    subnet: str,
    closed: Callable[[Endpoint], EndpointFault | None],
) -> Iterator[EndpointFault]:
    name = endpoint.get("VpcEndpointId", "the endpoint")
    state, kind = str(endpoint.get("State", "available")), endpoint.get("VpcEndpointType", "Gateway")
    if state.lower() != "available":  # EC2 answers in small letters, its model has capital ones
        yield EndpointFault(f"{name} is {state}", is_certain=state.lower() != "partial")
    if kind == "Gateway":
        table = route_table_of(tables, subnet).get("RouteTableId", "")
        if table not in endpoint.get("RouteTableIds", ()):
            yield EndpointFault(f"{name} is in no route of {subnet}")
    elif kind != "Interface":
        yield EndpointFault(f"{name} is of the type {kind}")
    else:
        yield from _faults_of_an_interface(endpoint, name, closed)


def _faults_of_an_interface(
    endpoint: Endpoint, name: str, closed: Callable[[Endpoint], EndpointFault | None]
) -> Iterator[EndpointFault]:
    if fault := closed(endpoint):
        yield fault
    if not endpoint.get("PrivateDnsEnabled"):
        why = f"{name} has no private DNS; only a private hosted zone of one's own leads to it"
        yield EndpointFault(why, is_certain=False)
    elif endpoint.get("DnsOptions", {}).get("PrivateDnsOnlyForInboundResolverEndpoint"):
        yield EndpointFault(f"{name} has private DNS for inbound Resolver endpoints only")
