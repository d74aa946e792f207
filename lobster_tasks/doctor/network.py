"""Checks of subnets and routes. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..account import BLACKHOLE, EndpointFault, default_route_of, endpoint_services, lets_in
from ..errors import RefusedError
from ..settings import DeploymentSettings
from ..stack.subnets import free_addresses, impossible, weak, without_fargate
from .check import CheckResult, UnknownError, failed, listed, passed, warned
from .facts import Facts
from .references import network_of
from .security import task_groups
from .task_needs import task_needs

_HTTPS = 443


def subnets(facts: Facts) -> CheckResult:
    """The tasks' subnets are in two zones of one VPC."""
    refused = facts.error("network")
    if isinstance(refused, RefusedError):
        return failed(f"{refused.what.rstrip('.')}: {refused.why}", refused.next_step)
    found = facts.known("network")
    zones = {subnet["AvailabilityZone"] for subnet in found}
    vpcs = {subnet["VpcId"] for subnet in found}
    saw = f"{_count(len(found), 'subnet')} in {_count(len(zones), 'zone')} of {listed(sorted(vpcs))}"
    own = facts.settings.network.task_subnets
    if len(vpcs) > 1 or (len(zones) < 2 and not own):
        return failed(saw, "name subnets in two zones of one VPC in network.subnets")
    if lost := _without_fargate(facts):
        return warned(f"{saw}; {'; '.join(lost)}", "choose other subnets in network.subnets")
    if len(zones) < 2:  # the load balancer has its own two
        return warned(
            f"{saw}: if that zone fails, all tasks stop",
            "name one in another zone in network.task_subnets too",
        )
    return passed(saw)


def _without_fargate(facts: Facts) -> list[str]:
    """The reasons why no Fargate task starts in some of the subnets, for now or at all."""
    zones, region = facts.known("zones"), facts.settings.region
    whys = {}
    for each in facts.known("network"):
        zone = zones.get(each["AvailabilityZone"], {})
        why = impossible(each, zone.get("ZoneType", "")) or without_fargate(each, region)
        whys[each["SubnetId"]] = why or weak(each, zone.get("State", ""))
    return [f"{subnet}: {why}" for subnet, why in whys.items() if why]


def addresses(facts: Facts) -> CheckResult:
    """Every subnet has free addresses for the additional tasks of a deployment."""
    needed = most_tasks(facts.settings.deployment)
    free = {each["SubnetId"]: free_addresses(each) for each in facts.known("network")}
    scarce = [f"{subnet} has {count}" for subnet, count in free.items() if count < needed]
    saw = f"{listed(scarce)} free addresses; a deployment needs up to {needed} at once"
    if scarce and sum(free.values()) < needed:
        return failed(saw, "name larger subnets in network.subnets")
    if scarce:
        return warned(saw, "name larger subnets in network.subnets")
    return passed(f"each subnet has {min(free.values())} free addresses or more")


def most_tasks(deployment: DeploymentSettings) -> int:
    """The maximum number of tasks during a deployment."""
    desired = deployment.desired_count
    return max(desired, desired * deployment.maximum_percent // 100)


def routes(facts: Facts) -> CheckResult:
    """Every subnet has a route to what a task needs: an internet gateway, a NAT gateway, or VPC endpoints."""
    ways = default_routes(facts)
    lost = [subnet for subnet, way in ways.items() if way in ("", BLACKHOLE)]
    unsure = {subnet: way for subnet, way in ways.items() if not _is_known(way)}
    if not lost and not unsure:
        return passed(
            f"{_all(len(ways))} route to {listed(sorted({_gateway(way) for way in ways.values()}))}"
        )
    if missing := _missing_endpoints(facts, lost) if lost else []:
        return failed(
            f"{listed(lost)} has no route to the internet, and no VPC endpoint for {listed(missing, 6)}",
            "route 0.0.0.0/0 to an internet or NAT gateway, or choose other subnets in network.subnets",
        )
    if unsure and _missing_endpoints(facts, unsure):
        raise UnknownError(_unsure(unsure))
    without = listed([*lost, *unsure])
    return passed(f"{without} has no known route to the internet, but VPC endpoints for what a task needs")


def public_address(facts: Facts) -> CheckResult:
    """Tasks have public addresses if, and only if, their subnets route to an internet gateway."""
    service = facts.known("service")
    given = network_of(service).get("assignPublicIp") if service else None
    public = given == "ENABLED" if service else facts.settings.network.public
    ways = default_routes(facts)
    through_gateway = [subnet for subnet, way in ways.items() if way.startswith("igw-")]
    others = [subnet for subnet in ways if subnet not in through_gateway]
    if unsure := {subnet: way for subnet, way in ways.items() if not _is_known(way)}:
        raise UnknownError(_unsure(unsure))
    if public and others:
        saw = f"tasks have a public address, which has no effect in {listed(others)}: no route to an internet gateway"
        return warned(saw, "set network.public: false, or choose public subnets")
    if not public and through_gateway:
        return _needs_public(facts, through_gateway)
    return passed(
        "tasks have a public address" if public else "tasks have no public address and do not need one"
    )


def _needs_public(facts: Facts, subnets: list[str]) -> CheckResult:
    """The result without public addresses: an internet gateway requires them, VPC endpoints do not."""
    saw = f"tasks have no public address, and {listed(subnets)} routes to an internet gateway"
    if missing := _missing_endpoints(facts, subnets):
        return failed(
            f"{saw}: they cannot reach AWS; there is no VPC endpoint for {listed(missing, 6)}",
            "name subnets with a NAT gateway in network.task_subnets, or set network.public: true",
        )
    return passed(f"{saw}; VPC endpoints lead to what a task needs")


def default_routes(facts: Facts) -> dict[str, str]:
    """The target of each subnet's default route: a gateway's or another target's id, ``blackhole``, or empty."""
    tables = facts.known("route_tables")
    return {
        subnet["SubnetId"]: default_route_of(tables, subnet["SubnetId"]) for subnet in facts.known("network")
    }


_GATEWAYS = {"igw-": "an internet gateway", "nat-": "a NAT gateway"}


def _is_known(way: str) -> bool:
    """Whether it is known if the target reaches the internet; for a route to another network it is not."""
    return way in ("", BLACKHOLE) or way.startswith(tuple(_GATEWAYS))


def _unsure(ways: Mapping[str, str]) -> str:
    subnet, way = next(iter(ways.items()))
    return f"{subnet} routes to {way}; cannot tell whether that route reaches AWS's services"


def _gateway(way: str) -> str:
    return next((words for prefix, words in _GATEWAYS.items() if way.startswith(prefix)), way)


def _missing_endpoints(facts: Facts, subnets: Iterable[str]) -> list[str]:
    """What tasks in the subnets need and no VPC endpoint leads to; raises UnknownError where one may."""
    needs = task_needs(facts.settings, facts.readings["task_definition"].value)
    faults = [faults_of(_services(facts, subnet), needs.endpoints) for subnet in subnets]
    missing = list(dict.fromkeys(told for each in faults for told in each.certain))
    if doubts := [told for each in faults for told in each.doubtful if not (missing or needs.outside)]:
        raise UnknownError(f"cannot tell whether a VPC endpoint leads to {doubts[0]}")
    return [*missing, *needs.outside]


@dataclass(frozen=True)
class EndpointFaults:
    """Services that lack an endpoint that works, with why one there is does not; ``doubtful`` are those that may."""

    certain: tuple[str, ...]
    doubtful: tuple[str, ...]


def faults_of(services: Mapping[str, EndpointFault | None], needed: Iterable[str]) -> EndpointFaults:
    """The faults among the needed services."""
    faults = {each: services.get(each, _ABSENT) for each in needed}
    told = {
        each: (fault, f"{each} ({fault.why})" if fault.why else each)
        for each, fault in faults.items()
        if fault
    }
    return EndpointFaults(
        tuple(says for fault, says in told.values() if fault.is_certain),
        tuple(says for fault, says in told.values() if not fault.is_certain),
    )


_ABSENT = EndpointFault("")


def _services(facts: Facts, subnet: str) -> dict[str, EndpointFault | None]:
    region, tables = facts.settings.region, facts.known("route_tables")
    block = next(
        (each.get("CidrBlock", "") for each in facts.known("network") if each["SubnetId"] == subnet), ""
    )
    return endpoint_services(
        facts.known("endpoints"), region, tables, subnet, lambda each: _closed(facts, each, block)
    )


def _closed(facts: Facts, endpoint: Mapping[str, Any], block: str) -> EndpointFault | None:
    """The fault of an endpoint whose security groups do not let the tasks in."""
    ids = [each["GroupId"] for each in endpoint.get("Groups", ())]
    if not ids:
        return None
    groups = [each for each in facts.known("security_groups") if each["GroupId"] in ids]
    allowed = lets_in(groups, _HTTPS, _tasks(facts), block)
    if allowed:
        return None
    why = f"{listed(ids)} of {endpoint.get('VpcEndpointId', 'the endpoint')} does not let the tasks in on tcp {_HTTPS}"
    return EndpointFault(why, is_certain=allowed is False)


def _tasks(facts: Facts) -> list[str] | None:
    """The ids of the tasks' security groups; None where they are not known, such as the default one of the VPC."""
    found = task_groups(facts)
    if found is None:  # without a service
        named = facts.settings.tasks_security_group
        found = [each["GroupId"] for each in facts.known("security_groups") if each["GroupName"] == named]
    return found or None


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _all(number: int) -> str:
    return {1: "the subnet", 2: "both subnets"}.get(number, f"all {number} subnets")
