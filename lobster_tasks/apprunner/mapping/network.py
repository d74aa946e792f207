"""Where it runs and who reaches it: connector, ingress, and the subnets of tasks and load balancer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ...doctor.task_needs import needed_endpoints
from ...settings import merge
from ..description import AwsDict, Description, Subnet, Vpc
from .rows import MappingRow, Rule, RuleResult, approximated, same, translated, unsettled

_MOST_GROUPS = 4  # beside the tasks' own; a network interface takes five
_MOST_SUBNETS = 16
_EGRESS = "NetworkConfiguration.EgressConfiguration."
_TWO_ZONES = "a load balancer needs subnets in two Availability Zones"


@dataclass(frozen=True)
class SubnetPlacement:
    """The subnets of tasks and load balancer; ``public``: the tasks have public addresses."""

    tasks: tuple[Subnet, ...]
    balancer: tuple[Subnet, ...]
    public: bool

    @property
    def has_zones(self) -> bool:
        """Whether a load balancer can be made."""
        return len(self.balancer) > 1


def network(description: Description) -> RuleResult:
    """EgressConfiguration, IngressConfiguration, IpAddressType, the connector and the ingress connections."""
    internal = not description.is_public
    parts = [_egress(description), _ingress(description), _address_type(description)]
    settings: AwsDict = {"load_balancer": {"internal": internal}}
    for part in parts:
        settings = merge(settings, part.settings)
    return RuleResult(tuple(row for part in parts for row in part.rows), settings)


def _egress(description: Description) -> RuleResult:
    if description.connector:
        return _connected(description, description.connector)
    kind = (
        description.service.get("NetworkConfiguration", {}).get("EgressConfiguration", {}).get("EgressType")
    )
    if kind == "VPC":
        why = description.unknown.get("VpcConnector", "")
        decide = "set network.vpc, network.subnets, network.task_subnets and network.security_groups"
        return RuleResult(
            (unsettled(f"{_EGRESS}VpcConnectorArn", "not known", f"it could not be read: {why}", decide),)
        )
    if description.ingress_vpc or not description.is_public:
        return _private(description)
    return _default(description)


def _default(description: Description) -> RuleResult:
    """Egress to the internet, by App Runner's own network: public subnets of the default VPC."""
    setting, vpc = f"{_EGRESS}EgressType", description.vpc
    new = "public subnets of the default VPC, tasks with a public address"
    if why := description.unknown.get("network"):
        note, decide = f"its network could not be read: {why}", "set network.vpc and network.subnets"
        return RuleResult((unsettled(setting, "DEFAULT", note, decide),))
    if vpc is None:
        decide = "set network.vpc and network.subnets, or create one: aws ec2 create-default-vpc"
        return RuleResult((unsettled(setting, "DEFAULT", "there is no default VPC", decide),))
    if len(one_a_zone(_public(vpc))) < 2:
        decide = "set network.vpc and network.subnets with two public subnets"
        return RuleResult((unsettled(setting, "DEFAULT", f"{vpc.id}: {_TWO_ZONES}, public ones", decide),))
    return RuleResult((translated(setting, "DEFAULT", new),))


def _private(description: Description) -> RuleResult:
    """A private service without a connector: reached in one VPC, with App Runner's own way out."""
    setting, vpc = f"{_EGRESS}EgressType", description.vpc
    if vpc is None:
        decide = "set network.vpc, network.subnets and network.task_subnets"
        return RuleResult((unsettled(setting, "DEFAULT", "the VPC that reaches it is not known", decide),))
    ways = [_with(vpc, "nat"), _with(vpc, "internet"), _with(vpc, "other")]
    tasks = next((found for found in ways if len(one_a_zone(found)) > 1), next(filter(None, ways), ()))
    placed = _place(description, vpc, tasks, public=bool(tasks) and tasks[0].way == "internet")
    return RuleResult(tuple(_private_rows(setting, vpc, placed)), _settings(vpc, placed))


def _private_rows(setting: str, vpc: Vpc, placed: SubnetPlacement) -> Iterable[MappingRow]:
    if not placed.tasks:
        note, decide = (
            f"no subnet of {vpc.id} has a route to the internet",
            "give one a NAT gateway, or VPC endpoints",
        )
        yield unsettled(setting, "DEFAULT", note, decide)
        return
    yield translated(setting, "DEFAULT", f"tasks in {_named(placed.tasks)}", f"by {_ways(placed.tasks)}")
    yield from _zones(placed, vpc)


def _connected(description: Description, connector: AwsDict) -> RuleResult:
    """The connector's subnets, if they have a way out; otherwise public subnets of the same VPC."""
    vpc, ids = description.vpc, tuple(connector.get("Subnets", ()))
    groups = tuple(connector.get("SecurityGroups", ()))
    arn = connector.get("VpcConnectorArn", "")
    head = (
        translated(f"{_EGRESS}EgressType", "VPC", "tasks in the VPC"),
        translated(f"{_EGRESS}VpcConnectorArn", arn, "none", "tasks are in the VPC themselves"),
    )
    if vpc is None:
        note, decide = (
            "its VPC could not be read",
            "set network.vpc, network.subnets and network.task_subnets",
        )
        return RuleResult((*head, unsettled("VpcConnector.Subnets", list(ids), note, decide)))
    tasks, row = _tasks_subnets(description, vpc, vpc.named(ids))
    placed = _place(description, vpc, tasks, public=bool(tasks) and tasks[0].way == "internet")
    rows = [*head, row, *_dropped(tasks, placed), *_zones(placed, vpc), _groups(groups)]
    settings = _settings(vpc, placed)
    return RuleResult(
        tuple(rows), merge(settings, {"network": {"security_groups": list(groups[:_MOST_GROUPS])}})
    )


def _tasks_subnets(
    description: Description, vpc: Vpc, own: tuple[Subnet, ...]
) -> tuple[tuple[Subnet, ...], MappingRow]:
    """The subnets for the tasks, and what is said of it."""
    setting, old = "VpcConnector.Subnets", [each.id for each in own]
    private = tuple(each for each in own if each.way in ("nat", "other"))
    public = tuple(each for each in own if each.way == "internet")
    if private:
        return private, _moved(setting, old, private)
    if public:
        note = "they route to an internet gateway, so tasks have public addresses there"
        return public, translated(setting, old, _named(public), note)
    sources = description.configuration.get("RuntimeEnvironmentSecrets", {}).values()
    missing = [each for each in needed_endpoints(sources) if each not in vpc.endpoints]
    if not missing and own:
        return own, translated(
            setting, old, _named(own), "no route to the internet; the VPC endpoints are sufficient"
        )
    note = f"they have no route to the internet, and {vpc.id} has no endpoint for {', '.join(missing)}"
    if elsewhere := _public(vpc):
        decide = "give them a NAT gateway or endpoints, then network.task_subnets; or keep the public ones"
        return elsewhere, approximated(
            setting, old, _named(elsewhere), f"{note}; public subnets of the same VPC", decide
        )
    return own, unsettled(setting, old, note, "give them a NAT gateway, or VPC endpoints", _named(own))


def _moved(setting: str, old: Sequence[str], private: tuple[Subnet, ...]) -> MappingRow:
    note = f"through {_ways(private)}"
    if len(private) == len(old):
        return translated(setting, list(old), _named(private), note)
    return approximated(setting, list(old), _named(private), f"{note}; the others have no such route")


def _place(description: Description, vpc: Vpc, tasks: tuple[Subnet, ...], *, public: bool) -> SubnetPlacement:
    """Tasks and load balancer in the same zones: a target in another zone gets no requests."""
    eligible = _public(vpc) if description.is_public else (*tasks, *vpc.subnets)
    zones = {each.zone for each in tasks}
    near = one_a_zone(each for each in eligible if each.zone in zones)
    far = one_a_zone(each for each in eligible if each.zone not in zones)
    balancer = near if len(near) > 1 else (*near, *far)[:2]
    served = {each.zone for each in balancer}
    kept = tuple(each for each in tasks if each.zone in served) if len(balancer) > 1 else tasks
    return SubnetPlacement(kept[:_MOST_SUBNETS], balancer, public)


def one_a_zone(subnets: Iterable[Subnet]) -> tuple[Subnet, ...]:
    """The first subnet of each zone."""
    found: dict[str, Subnet] = {}
    for subnet in subnets:
        found.setdefault(subnet.zone, subnet)
    return tuple(found.values())


def _public(vpc: Vpc) -> tuple[Subnet, ...]:
    return _with(vpc, "internet")


def _with(vpc: Vpc, way: str) -> tuple[Subnet, ...]:
    return tuple(each for each in vpc.subnets if each.way == way)


def _dropped(subnets: tuple[Subnet, ...], placed: SubnetPlacement) -> Iterable[MappingRow]:
    if not placed.has_zones or len(placed.tasks) == len(subnets):
        return
    lost = [each.id for each in subnets if each not in placed.tasks]
    if not placed.tasks:
        note = "the load balancer has no subnet in their zones"
        yield unsettled("VpcConnector.Subnets (zones)", lost, note, "set subnets in the same zones")
        return
    yield approximated(
        "VpcConnector.Subnets (zones)", lost, "left out", "the load balancer is not in their zones"
    )


def _zones(placed: SubnetPlacement, vpc: Vpc) -> Iterable[MappingRow]:
    """That a load balancer can be made at all."""
    if placed.has_zones:
        yield translated("(load balancer subnets)", "none", _named(placed.balancer), _TWO_ZONES)
        return
    count = len(placed.balancer)
    note = f"{vpc.id} has suitable subnets in {count} zone{'' if count == 1 else 's'}; {_TWO_ZONES}"
    decide = (
        "create a public subnet in another zone, or set load_balancer.internal: true; then network.subnets"
    )
    yield unsettled("(load balancer subnets)", "none", note, decide)


def _groups(groups: Sequence[str]) -> MappingRow:
    setting, old = "VpcConnector.SecurityGroups", list(groups)
    note = "besides a group of their own that allows the load balancer"
    if len(groups) <= _MOST_GROUPS:
        return translated(setting, old, f"network.security_groups {', '.join(groups)}", note)
    left = ", ".join(groups[_MOST_GROUPS:])
    decide = f"merge the rules of {left} into the others"
    return approximated(setting, old, list(groups[:_MOST_GROUPS]), "a task has five groups at most", decide)


def _settings(vpc: Vpc, placed: SubnetPlacement) -> AwsDict:
    network_settings: dict[str, Any] = {"vpc": vpc.id, "public": placed.public}
    if placed.has_zones:
        network_settings["subnets"] = [each.id for each in placed.balancer]
    if placed.tasks:
        network_settings["task_subnets"] = [each.id for each in placed.tasks]
    return {"network": network_settings}


def _named(subnets: Sequence[Subnet]) -> str:
    return ", ".join(each.id for each in subnets)


def _ways(subnets: Sequence[Subnet]) -> str:
    words = {
        "nat": "a NAT gateway",
        "internet": "an internet gateway",
        "other": "a transit gateway or the like",
    }
    return " and ".join(sorted({words[each.way] for each in subnets if each.way}))


def _ingress(description: Description) -> RuleResult:
    setting = "NetworkConfiguration.IngressConfiguration.IsPubliclyAccessible"
    if description.is_public:
        rows = [same(setting, True, "internet-facing load balancer")]
    else:
        rows = [translated(setting, False, "load_balancer.internal: true", "reached inside its VPC only")]
        if not description.ingress:
            decide = "set network.vpc to the VPC that uses it"
            rows.append(unsettled("VpcIngressConnection", "none", "nobody can reach the service now", decide))
    return RuleResult((*rows, *(row for each in description.ingress for row in _way_in(description, each))))


def _way_in(description: Description, connection: AwsDict) -> Iterable[MappingRow]:
    into = connection.get("IngressVpcConfiguration", {})
    vpc, here = into.get("VpcId", ""), description.vpc
    domain = connection.get("DomainName", "")
    yield translated(
        "VpcIngressConnection.DomainName", domain, "the load balancer's address", "tell its clients"
    )
    yield translated(
        "VpcIngressConnection.IngressVpcConfiguration.VpcEndpointId",
        into.get("VpcEndpointId", ""),
        "none",
        "the load balancer is in the VPC itself; the endpoint stays until inv cleanup-apprunner",
    )
    setting = "VpcIngressConnection.IngressVpcConfiguration.VpcId"
    if here and here.id == vpc:
        yield same(setting, vpc, "network.vpc")
        return
    decide = f"peer {vpc} with {here.id if here else 'the VPC of the tasks'}, or share the load balancer (PrivateLink)"
    yield unsettled(setting, vpc, "a load balancer is in one VPC, that of its tasks", decide)


def _address_type(description: Description) -> RuleResult:
    setting = "NetworkConfiguration.IpAddressType"
    given = description.service.get("NetworkConfiguration", {}).get("IpAddressType", "IPV4")
    if given != "DUAL_STACK":
        return RuleResult((same(setting, given),))
    subnets = _balancer_subnets(description)
    if subnets and all(each.ipv6 for each in subnets):
        row = translated(setting, given, "load_balancer.dual_stack: true")
        return RuleResult((row,), {"load_balancer": {"dual_stack": True}})
    without = [each.id for each in subnets if not each.ipv6]
    decide = (
        f"give {', '.join(without) or 'its subnets'} IPv6 blocks, then set load_balancer.dual_stack: true"
    )
    return RuleResult((approximated(setting, given, "IPv4", "its subnets have no IPv6 block", decide),))


def _balancer_subnets(description: Description) -> tuple[Subnet, ...]:
    """Those that the load balancer gets."""
    part, vpc = _egress(description), description.vpc
    if vpc is None:
        return ()
    named = tuple(part.settings.get("network", {}).get("subnets", ()))
    return vpc.named(named) if named else one_a_zone(_public(vpc))[:2]


_NETWORK = "Service.NetworkConfiguration."
RULES = (
    Rule(
        (
            f"{_NETWORK}EgressConfiguration.EgressType",
            f"{_NETWORK}EgressConfiguration.VpcConnectorArn",
            f"{_NETWORK}IngressConfiguration.IsPubliclyAccessible",
            f"{_NETWORK}IpAddressType",
            "VpcConnector.Subnets[]",
            "VpcConnector.SecurityGroups[]",
            "VpcIngressConnection.DomainName",
            "VpcIngressConnection.IngressVpcConfiguration.VpcId",
            "VpcIngressConnection.IngressVpcConfiguration.VpcEndpointId",
        ),
        network,
    ),
)
