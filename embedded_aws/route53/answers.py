"""The answers of a hosted zone's name servers: by type, by weight, and through aliases.

A load balancer and an App Runner service have one address here, which includes its port: an alias to one is
answered with it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from ..moto import adapter
from .changes import Record, canonical, wildcard_for
from .store import Route53Store, find_balancer

IsHealthy = Callable[[adapter.NamedBalancer], bool]
"""Whether every target group of a load balancer has a healthy target."""


def answer(store: Route53Store, healthy: IsHealthy, zone: Any, name: str, kind: str) -> tuple[str, list[str]]:
    """The response code and the values for a question; a CNAME answers every type, as in DNS."""
    records = _at(store.served(zone), canonical(name))
    if not records:
        return "NXDOMAIN", []
    chosen = [each for each in records if each["Type"] == kind] or [
        each for each in records if each["Type"] == "CNAME"
    ]
    return "NOERROR", _values(store, healthy, zone, _choose(store, healthy, chosen)) if chosen else []


def _at(records: Sequence[Record], name: str) -> list[Record]:
    """The records of a name, or of the wildcard that matches it."""
    found = [each for each in records if each["Name"] == name]
    return found or [each for each in records if each["Name"] == wildcard_for(name)]


def _choose(store: Route53Store, is_healthy: IsHealthy, records: Sequence[Record]) -> Record:
    """One of several records by weight; unhealthy ones only where all are."""
    healthy = [each for each in records if _is_healthy(store, is_healthy, each)] or list(records)
    weights = [int(each.get("Weight") or 0) for each in healthy]
    return random.choices(healthy, weights if any(weights) else None)[0]


def _is_healthy(store: Route53Store, is_healthy: IsHealthy, record: Record) -> bool:
    """Whether a record is healthy: an alias that evaluates its target's health needs healthy target groups."""
    alias = record.get("AliasTarget") or {}
    balancer = find_balancer(store.account_id, alias.get("DNSName", "")) if alias else None
    if balancer is None or not alias.get("EvaluateTargetHealth"):
        return True
    return is_healthy(balancer)


def _values(store: Route53Store, healthy: IsHealthy, zone: Any, record: Record) -> list[str]:
    alias = record.get("AliasTarget")
    if not alias:
        return [each["Value"] for each in record["ResourceRecords"]]
    name = canonical(alias["DNSName"])
    if alias["HostedZoneId"] == zone.resource_id:
        return answer(store, healthy, zone, name, record["Type"])[1]
    balancer = find_balancer(store.account_id, name)
    return [balancer.dns_name if balancer else name.rstrip(".")]
