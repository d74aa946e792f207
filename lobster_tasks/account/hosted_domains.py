"""Reads where domains lead whose DNS is in Route 53 in this account. A record is a ResourceRecordSet."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from .. import dns
from ..aws import Aws
from ..errors import RefusedError
from ..in_parallel import in_parallel
from .embedded import is_embedded

NameServers = Callable[[str], frozenset[str] | None]
"""Returns the name servers of a zone in public DNS: empty if it is not delegated, None if that is not known."""
Record = Mapping[str, Any]

# Record types that lead to an address.
ADDRESS_TYPES = ("A", "AAAA", "CNAME")
# A name has a few records at most; records of other names that follow in the listing are ignored.
_RECORDS_OF_A_NAME = 30


class AmbiguousZoneError(RefusedError):
    """Several public hosted zones of this account match one domain, and it is not known which of them is delegated."""


@dataclass(frozen=True)
class HostedDomains:
    """Domains whose DNS is in this account: the hosted zone of each, and its records."""

    zones: Mapping[str, str]
    records: Mapping[str, Sequence[Record]]

    def has_address(self, domain: str) -> bool:
        """Whether a zone here has an address record of a domain.

        Where a zone matches and has none, a wildcard may answer for the domain, or other name servers have it.
        """
        return has_address(self.records.get(domain, ()))


def public_dns(aws: Aws) -> NameServers | None:
    """The function that asks public DNS; None for an embedded AWS, whose names are not public."""
    return None if is_embedded(aws.endpoint_url) else dns.name_servers


def hosted_domains(
    aws: Aws,
    domains: Sequence[str],
    *,
    known: Mapping[str, str] | None = None,
    name_servers: NameServers | None = None,
) -> HostedDomains:
    """Read the zones and records of the domains.

    Of several zones with one name it is the one that public DNS names: ``name_servers`` asks, by default
    ``public_dns``. ``known`` are zones of an earlier reading, which stay as long as they exist. Raises
    AmbiguousZoneError where public DNS does not tell.
    """
    asked = name_servers or public_dns(aws)
    zones = _zones_of(aws, domains, known or {}, asked) if domains else {}
    listed = in_parallel(*(partial(records_of, aws, zone, domain) for domain, zone in zones.items()))
    return HostedDomains(zones, dict(zip(zones, listed, strict=True)))


def _zones_of(
    aws: Aws, domains: Sequence[str], known: Mapping[str, str], ask: NameServers | None
) -> dict[str, str]:
    """The hosted zone of each domain in this account: the public zone with the longest matching name."""
    listed = aws.pages("route53:ListHostedZones", "HostedZones")
    public = [zone for zone in listed if not zone.get("Config", {}).get("PrivateZone")]
    found: dict[str, str] = {}
    for domain in domains:
        fitting = [zone for zone in public if f".{domain}.".endswith(f".{zone['Name']}")]
        longest = max((len(zone["Name"]) for zone in fitting), default=0)
        best = [zone["Id"].rpartition("/")[2] for zone in fitting if len(zone["Name"]) == longest]
        if len(best) > 1:
            before = known.get(domain, "")
            best = [before] if before in best else [_delegated(aws, domain, best, ask)]
        found |= {domain: best[0]} if best else {}
    return found


def _delegated(aws: Aws, domain: str, zones: Sequence[str], ask: NameServers | None) -> str:
    """The one of several zones of one name to which public DNS delegates it."""
    own = {zone: apex_of(aws, zone) for zone in zones}
    name = own[zones[0]][0]
    public = ask(name) if ask else None
    chosen = [zone for zone, (_, servers) in own.items() if servers & (public or frozenset())]
    if len(chosen) == 1:
        return chosen[0]
    told = "public DNS does not answer" if public is None else f"public DNS knows {_listed(public)}"
    theirs = "; ".join(f"{zone} has {_listed(servers)}" for zone, (_, servers) in own.items())
    raise AmbiguousZoneError(
        f"{len(zones)} public hosted zones match {domain}: {', '.join(zones)}.",
        f"the registrar delegates {name} to at most one of them; {told if ask else 'this AWS is not public'}",
        f"run dig NS {name}, and delete each zone whose name servers are not in the answer ({theirs})",
    )


def _listed(servers: frozenset[str]) -> str:
    return ", ".join(sorted(servers)) or "no name servers"


def apex_of(aws: Aws, zone: str) -> tuple[str, frozenset[str]]:
    """A zone's name and its name servers, from the NS record of its delegation set, which Route 53 lists first."""
    listed = aws.call("route53:ListResourceRecordSets", zone, HostedZoneId=zone)["ResourceRecordSets"]
    record = next(each for each in listed if each["Type"] == "NS")
    servers = frozenset(each["Value"].rstrip(".").lower() for each in record["ResourceRecords"])
    return record["Name"].rstrip("."), servers


def records_of(aws: Aws, zone: str, domain: str) -> list[Record]:
    """The records of one name; a wildcard is shown with its asterisk."""
    listed = aws.call(
        "route53:ListResourceRecordSets",
        domain,
        HostedZoneId=zone,
        StartRecordName=domain,
        MaxItems=str(_RECORDS_OF_A_NAME),
    )["ResourceRecordSets"]
    return [each for each in listed if each["Name"].replace("\\052", "*") == f"{domain}."]


def has_address(records: Sequence[Record]) -> bool:
    """Whether one of the records leads to an address."""
    return any(each["Type"] in ADDRESS_TYPES for each in records)


def is_left_to_others(aws: Aws, zone: str, domain: str) -> bool:
    """Whether a wildcard in the zone may answer for a domain, or the zone delegates it to other name servers.

    No wildcard answers for a name that has a record of any type (RFC 4592, 2.2.1).
    """
    name, exists = domain, False
    while name:
        kinds = {each["Type"] for each in records_of(aws, zone, name)}
        if "SOA" in kinds:  # the zone's own name, whose NS record delegates nothing
            return False
        exists, name = exists or bool(kinds), name.partition(".")[2]
        if "NS" in kinds or (not exists and has_address(records_of(aws, zone, f"*.{name}"))):
            return True
    return False


def target(record: Record) -> str:
    """The name or address that a record leads to."""
    if "AliasTarget" in record:
        return bare(record["AliasTarget"]["DNSName"])
    return ", ".join(bare(each["Value"]) for each in record.get("ResourceRecords", ()))


def leads_to(record: Record, host: str) -> bool:
    """Whether a record leads to a host."""
    return target(record) == bare(host)


def share_of(records: Sequence[Record], host: str) -> float:
    """The part of a name's visitors that its records lead to a host, 0 to 1.

    Of several types (A and AAAA), the one with the largest part counts. If all records of a type have weight 0,
    Route 53 answers with each of them equally often (API Reference, ResourceRecordSet, Weight).
    """
    return max(
        _share_of_type([each for each in records if each["Type"] == kind], host) for kind in ADDRESS_TYPES
    )


def _share_of_type(records: Sequence[Record], host: str) -> float:
    weights = [int(each.get("Weight", 1)) for each in records]
    weights = weights if any(weights) else [1] * len(records)
    there = sum(weight for weight, each in zip(weights, records, strict=True) if leads_to(each, host))
    return there / max(1, sum(weights))


def bare(name: str) -> str:
    """A host's name in one spelling: lower case, no dot at the end, no ``dualstack.`` of Route 53's console."""
    return name.lower().rstrip(".").removeprefix("dualstack.")
