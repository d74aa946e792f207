"""The hosted zones of Route 53: moto's store, with changes that take effect after some time."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from typing import Any

from ..kernel.pace import Pace
from ..moto import adapter
from ..moto.adapter import AwsError, Route53Backend, route53_backends
from . import changes
from .changes import Record, canonical, wildcard_for

PROPAGATION_SECONDS = 30.0
"""Seconds for which a change is PENDING; "generally within 60 seconds", "Checking the status of your changes"."""

CLOUDFRONT_ZONE = "Z2FDTNDATAQYW2"
"""The hosted zone id of every distribution, "AliasTarget"."""

APP_RUNNER_ZONES = frozenset(
    {
        "Z0224347AD7KVHMLOX31",
        "Z01915732ZBZKC8D32TPT",
        "Z02243383FTQ64HJ5772Q",
        "Z00855883LBHKTIC4ODF2",
        "Z09819469CZ3KQ8PWMCL",
        "Z03657752RA8799S0TI5I",
        "Z08491812XW6IPYLR6CCA",
        "Z0334911C2FDI2Q9M4FZ",
        "Z087551914Z2PCAU0QHMW",
        "Z098228427VC6B3IX76ON",
        "Z087117439MBKHYM69QS6",
    }
)
"""Hosted zone ids of App Runner services, "AWS App Runner endpoints and quotas"."""


@dataclass(frozen=True)
class Change:
    """A change, and the time (``time.time``) at which the name servers have it."""

    id: str
    submitted: float
    in_sync: float

    def info(self) -> dict[str, Any]:
        """The change in the shape of ChangeInfo."""
        status = "INSYNC" if time.time() >= self.in_sync else "PENDING"
        submitted = datetime.fromtimestamp(self.submitted, UTC)
        return {"Id": f"/change/{self.id}", "Status": status, "SubmittedAt": submitted}


def name_servers(number: int) -> list[str]:
    """The name servers of a zone that names no set: each number has four of its own, up to 511."""
    tops = ("com", "net", "org", "co.uk")
    return [
        f"ns-{512 * place + number % 512}.awsdns-{number % 64:02}.{top}" for place, top in enumerate(tops)
    ]


AliasesAt = Callable[[str], frozenset[str] | None]
"""Returns the alternate domain names of the distribution with a domain name; None where there is none."""


class Route53Store(Route53Backend):
    """The hosted zones of one account."""

    def __init__(self, region_name: str, account_id: str, pace: Pace, aliases_at: AliasesAt) -> None:
        super().__init__(region_name, account_id)
        self._pace = pace
        self._aliases_at = aliases_at
        self.changes: dict[str, Change] = {}
        self._sets = count(1)
        self._served: dict[str, list[tuple[float, tuple[Record, ...]]]] = defaultdict(list)

    def create_hosted_zone(self, name: str, *args: Any, **kwargs: Any) -> Any:
        """Create a zone; HostedZoneAlreadyExists where the caller reference was used before."""
        reference = kwargs.get("caller_reference")
        if any(zone.caller_reference == reference for zone in self.zones.values()):
            message = "A hosted zone has already been created with the specified caller reference."
            raise AwsError("HostedZoneAlreadyExists", message)
        made = super().create_hosted_zone(canonical(name), *args, **kwargs)
        for record in made.rrsets:  # moto stores them in two forms that a template may use
            record.ttl = int(record.ttl)
            record.records = [each["Value"] if isinstance(each, dict) else each for each in record.records]
        self._served[made.resource_id].append((0.0, self.records(made)))
        return made

    def create_reusable_delegation_set(
        self, caller_reference: str, delegation_set_id: str | None = None, hosted_zone_id: str | None = None
    ) -> Any:
        """Four name servers: those of a set or zone that is named, or else some that no other zone has."""
        made = super().create_reusable_delegation_set(caller_reference, delegation_set_id, hosted_zone_id)
        if not delegation_set_id and not hosted_zone_id:
            made.name_servers = name_servers(next(self._sets))
        return made

    def change_resource_record_sets(self, zoneid: str, change_list: Sequence[Any]) -> Change:
        """Apply a change batch, completely or not at all; it takes effect when it is in sync."""
        zone = self.get_hosted_zone(zoneid)
        now = self.records(zone)
        after = changes.changed(zone.name, now, change_list, lambda record: self._alias_trouble(zone, record))
        zone.rrsets = [adapter.record_set(record) for record in after]
        change = self.new_change()
        self._served[zone.resource_id].append((change.in_sync, after))
        return change

    def new_change(self) -> Change:
        """A change that is submitted now."""
        now = time.time()
        made = Change(f"C{adapter.random_hex(20).upper()}", now, now + self._pace.real(PROPAGATION_SECONDS))
        self.changes[made.id] = made
        return made

    def records(self, zone: Any) -> tuple[Record, ...]:
        """The latest records of a zone, including those that are not in effect yet."""
        return tuple({**record, "Name": canonical(record["Name"])} for record in adapter.record_views(zone))

    def served(self, zone: Any) -> tuple[Record, ...]:
        """The records with which a zone's name servers answer."""
        now = time.time()
        return [records for at, records in self._served[zone.resource_id] if at <= now][-1]

    def public_zones(self) -> list[Any]:
        """The public hosted zones."""
        return [zone for zone in self.zones.values() if not zone.private_zone]

    def served_since(self, name: str, kind: str, value: str) -> float | None:
        """Since when (``time.time``) a public zone has answered this way without a break; None where it does not
        now."""
        starts = [
            start
            for zone in self.public_zones()
            if (start := self._since(zone, canonical(name), kind, canonical(value))) is not None
        ]
        return min(starts, default=None)

    def authorization(self, name: str) -> list[str]:
        """The CAA values that hold for a name: those of the nearest name, itself or above, that has any.

        Source: RFC 8659, 3.
        """
        served = [record for zone in self.public_zones() for record in self.served(zone)]
        here = [record for record in served if record["Type"] == "CAA"]
        while name:
            found = [record for record in here if record["Name"] == canonical(name)]
            if found:
                return [each["Value"] for record in found for each in record["ResourceRecords"]]
            name = name.partition(".")[2]
        return []

    def _since(self, zone: Any, name: str, kind: str, value: str) -> float | None:
        now, start = time.time(), None
        for at, records in self._served[zone.resource_id]:
            if at > now:
                break
            holds = any(
                record["Name"] == name and record["Type"] == kind and value in _values(record)
                for record in records
            )
            start = (at if start is None else start) if holds else None
        return start

    def _alias_trouble(self, zone: Any, record: Record) -> list[str]:
        target = record["AliasTarget"]
        name, zone_id = canonical(target["DNSName"]), target["HostedZoneId"]
        tried = f"Tried to create an alias that targets {name}, type {record['Type']} in zone {zone_id}, but"
        if zone_id in APP_RUNNER_ZONES:
            return []
        if zone_id == CLOUDFRONT_ZONE:
            return [f"{tried} {each}" for each in self._distribution_trouble(zone, record)]
        if zone_id == zone.resource_id:
            inside = name.endswith(f".{zone.name}") or name == zone.name
            found = any(
                each["Name"] == name and each["Type"] == record["Type"] for each in self.records(zone)
            )
        else:
            inside = any(zone_id == each.zone for each in balancers(self.account_id))
            found = find_balancer(self.account_id, name) is not None
        outside = [] if inside else [f"{tried} the alias target name does not lie within the target zone"]
        return outside + ([] if found else [f"{tried} that target was not found"])

    def _distribution_trouble(self, zone: Any, record: Record) -> Iterator[str]:
        """The problems of an alias to a distribution; the texts are own words, but that of an unknown one."""
        target = record["AliasTarget"]
        aliases = self._aliases_at(canonical(target["DNSName"]).rstrip("."))
        if target.get("EvaluateTargetHealth"):
            yield "EvaluateTargetHealth cannot be true for a CloudFront distribution"
        if zone.private_zone:
            yield "a private hosted zone cannot route traffic to a CloudFront distribution"
        if aliases is None:
            yield "that target was not found"
        elif not {record["Name"], wildcard_for(record["Name"])} & {canonical(each) for each in aliases}:
            yield "the distribution has no alternate domain name that matches the name of the record"


def _values(record: Record) -> list[str]:
    return [canonical(each["Value"]) for each in record.get("ResourceRecords") or ()]


def balancers(account: str) -> Iterator[adapter.NamedBalancer]:
    """The load balancers that can be an alias's target."""
    return adapter.named_balancers(account)


def find_balancer(account: str, name: str) -> adapter.NamedBalancer | None:
    """The load balancer with a DNS name, also with the prefix ``dualstack.``."""
    bare = canonical(name).removeprefix("dualstack.")
    return next((each for each in balancers(account) if canonical(each.dns_name) == bare), None)


def store(account: str) -> Route53Store:
    """An account's hosted zones."""
    found: Route53Store = route53_backends[account]["aws"]
    return found
