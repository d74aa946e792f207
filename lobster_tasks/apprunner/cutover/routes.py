"""Where a domain leads, and the change batches that shift it step by step. Pure.

A record is a ResourceRecordSet of Route 53. Two weighted records of one name and type are the whole state of a
cut-over: one leads to the previous location and one to the destination, and their weights show the progress. The
previous location is App Runner or, while two load balancers serve, the address that another one replaces. A hosted zone
is the same in all regions: every other record of the name belongs to others and stays as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...account import ADDRESS_TYPES, Address, Record, leads_to, share_of, target
from ...errors import RefusedError

Change = dict[str, Any]

WHOLE = 100
# The TTL that Route 53 recommends for use with load balancer aliases, which have it too (ResourceRecordSet, "TTL").
TTL_SECONDS = 60
_ROUTING = ("Weight", "SetIdentifier")
_APP_RUNNER_DOMAIN = "awsapprunner.com"
APP_RUNNER = "App Runner"
# Member of a record -> its routing policy (Route 53, "Choosing a routing policy").
_POLICIES = {
    "Weight": "weighted",
    "Region": "latency",
    "Failover": "failover",
    "GeoLocation": "geolocation",
    "GeoProximityLocation": "geoproximity",
    "MultiValueAnswer": "multivalue answer",
    "CidrRoutingConfig": "IP-based",
}


@dataclass(frozen=True)
class Destination:
    """Where the records lead: the load balancer, or the distribution in front of it (``is_distribution``).

    ``allowed_sources`` are the addresses that it allows, empty for everybody; ``unread_sources`` is why these are
    not known. ``aliases`` are the distribution's. ``sign_in`` is the URL at which visitors sign in, empty where
    they do not. ``secure`` is whether it serves HTTPS, and not only HTTP.
    """

    name: str
    dns_name: str
    zone: str
    dual_stack: bool = False
    internal: bool = False
    allowed_sources: tuple[str, ...] = ()
    unread_sources: str = ""
    is_distribution: bool = False
    sign_in: str = ""
    secure: bool = True
    aliases: frozenset[str] = frozenset()

    @property
    def url(self) -> str:
        """Its own address."""
        return f"{'https' if self.secure else 'http'}://{self.dns_name}"

    @property
    def address(self) -> Address:
        """How public DNS can be seen to lead there."""
        return Address(self.dns_name, self.is_distribution, self.aliases)

    @property
    def former_words(self) -> str:
        """What it is, in words, while another one takes its place."""
        kind = "" if self.is_distribution else "load balancer "
        return f"the former {kind}{self.name} of this stack, which serves too"


@dataclass(frozen=True)
class Origin:
    """The previous locations of the app: App Runner in the stack's region, and the addresses of a former load balancer.

    ``hosts`` are those of existing services of App Runner; ``former`` are the load balancer that another one replaces,
    and its distribution.
    """

    stack: str
    region: str
    hosts: frozenset[str] = frozenset()
    former: tuple[Destination, ...] = ()

    @property
    def identifier(self) -> str:
        """The set identifier of the weighted record that leads to App Runner."""
        return self._identifier(APP_RUNNER)

    def identifiers(self, before: Record, destination: Destination) -> tuple[str, str]:
        """The set identifiers of the weighted records for the previous location and for the destination."""
        former = self.former_of(before)
        if former is None:
            return self.identifier, self._identifier("Fargate")
        return self._identifier(former.name), self._identifier(destination.name)

    def _identifier(self, location: str) -> str:
        return f"{self.stack} in {self.region}: {location}"

    def has(self, record: Record) -> bool:
        """Whether a record leads to a previous location, or is left of an earlier cut-over."""
        return self.is_app_runner(record) or self.former_of(record) is not None or self.is_left(record)

    def is_app_runner(self, record: Record) -> bool:
        """Whether a record leads to App Runner: by its target, even of a deleted service, or by our set identifier."""
        where = target(record)
        ours = record.get("SetIdentifier") == self.identifier
        return ours or where in self.hosts or where.endswith(f".{self.region}.{_APP_RUNNER_DOMAIN}")

    def former_of(self, record: Record) -> Destination | None:
        """The former address to which a record leads."""
        return next((each for each in self.former if leads_to(record, each.dns_name)), None)

    def is_left(self, record: Record) -> bool:
        """Whether a record with our set identifier gets no visitors and leads to what is no longer there."""
        ours = str(record.get("SetIdentifier", "")).startswith(self._identifier(""))
        known = self.is_app_runner(record) or self.former_of(record) is not None
        return ours and record.get("Weight") == 0 and not known

    def host(self, record: Record) -> str:
        """A previous location by its host: that of the record; empty for App Runner, whatever the service's."""
        return "" if self.is_app_runner(record) else target(record)

    def words(self, record: Record) -> str:
        """A previous location in words."""
        former = self.former_of(record)
        if former:
            return former.name
        return APP_RUNNER if self.is_app_runner(record) else target(record)


@dataclass(frozen=True)
class Route:
    """One name and type: ``before`` is the record for the previous location, ``after`` that for the destination.

    ``share`` is the percentage of visitors that the destination gets. ``source`` is the previous location in words;
    ``is_from_former`` is whether it is a former address, and not App Runner. ``idle`` are weighted records for other
    previous locations, which get no visitors.
    """

    domain: str
    kind: str
    zone: str
    before: Record | None
    after: Record | None
    share: int
    source: str = APP_RUNNER
    is_from_former: bool = False
    idle: tuple[Record, ...] = ()

    @property
    def is_pair(self) -> bool:
        """Whether both weighted records exist."""
        return self.before is not None and self.after is not None

    @property
    def ttl(self) -> int:
        """How many seconds resolvers may cache the current answer."""
        known = [each for each in (self.before, self.after) if each]
        return max((int(each.get("TTL", TTL_SECONDS)) for each in known), default=0)

    @property
    def leads_to(self) -> str:
        """The previous location in words; empty without a record for it."""
        return target(self.before) if self.before else ""


def find(
    domain: str, zone: str, records: Sequence[Record], destination: Destination, origin: Origin
) -> tuple[Route, ...]:
    """The routes of a domain, from the records of its name.

    Raises RefusedError if the records cannot be weighted, or are not all ours to change.
    """
    kinds = [kind for kind in ADDRESS_TYPES if any(each["Type"] == kind for each in records)]
    if not kinds:
        new = ("A", "AAAA") if destination.is_distribution else ("A",)
        return tuple(Route(domain, kind, zone, None, None, 0) for kind in new)
    return tuple(
        _route(domain, kind, zone, [each for each in records if each["Type"] == kind], destination, origin)
        for kind in kinds
    )


def _route(
    domain: str, kind: str, zone: str, records: Sequence[Record], destination: Destination, origin: Origin
) -> Route:
    here = [each for each in records if leads_to(each, destination.dns_name)]
    others = [each for each in records if each not in here]
    if foreign := [each for each in others if not origin.has(each)]:
        raise _not_ours(f"{domain} {kind}", foreign, destination, origin)
    ordered = sorted(others, key=lambda each: _order(each, origin))
    before, idle = next(iter(ordered), None), ordered[1:]
    if kind == "AAAA" and before is not None and not destination.dual_stack:
        raise RefusedError(
            f"{domain} has an AAAA record, and the load balancer {destination.name} has no IPv6.",
            f"visitors with IPv6 would still go to {target(before)}",
            "set load_balancer.dual_stack: true, or remove the AAAA record",
        )
    source = origin.words(before) if before else APP_RUNNER
    is_former = before is not None and origin.former_of(before) is not None
    if len(records) == 1 and "SetIdentifier" not in records[0]:
        only = next(iter(here), None)
        return Route(domain, kind, zone, before, only, WHOLE if here else 0, source, is_former)
    used = [each for each in others if each.get("Weight")]
    if len({origin.host(each) for each in used}) > 1:
        raise _divided(f"{domain} {kind}", used, origin)
    if before is None or not _can_be_weighted(records, here, origin):
        raise RefusedError(
            f"The {kind} records of {domain} have another routing policy.",
            "; ".join(map(_described, records)),
            "move this domain by hand, or replace its records by one simple record first",
        )
    after, share = next(iter(here), None), round(WHOLE * share_of(records, destination.dns_name))
    return Route(domain, kind, zone, before, after, share, source, is_former, tuple(idle))


def _order(record: Record, origin: Origin) -> tuple[bool, bool, bool]:
    """Sorts the record to go back to before others: one with visitors, the former address, App Runner, what is left."""
    return not record.get("Weight", 1), origin.former_of(record) is None, origin.is_left(record)


def _can_be_weighted(records: Sequence[Record], here: Sequence[Record], origin: Origin) -> bool:
    """Whether all are weighted, each place has one record at most, and one exists for the destination or is replaced
    by it: a former address or what is left of an earlier cut-over."""
    places = [origin.host(each) for each in records if each not in here and not origin.is_left(each)]
    replaced = any(not origin.is_app_runner(each) for each in records)
    return (
        all("Weight" in each for each in records)
        and len(here) <= 1
        and len(set(places)) == len(places)
        and (bool(here) or replaced)
    )


def _divided(name: str, used: Sequence[Record], origin: Origin) -> RefusedError:
    return RefusedError(
        f"{name}: its visitors are divided among previous locations.",
        "; ".join(map(_described, used)),
        f"give all of them to one of {', '.join(map(origin.words, used))} in Route 53, then run the same command again",
    )


def _not_ours(name: str, foreign: Sequence[Record], destination: Destination, origin: Origin) -> RefusedError:
    return RefusedError(
        f"{name}: some of its records do not belong to this stack.",
        f"{'; '.join(map(_described, foreign))}: neither App Runner in {origin.region} nor {destination.name}",
        "set another domain in domains, or move this one by hand",
    )


def _described(record: Record) -> str:
    """A record in words: its routing policy, its set identifier, its target."""
    policy = next((words for member, words in _POLICIES.items() if member in record), "simple")
    named = f" {record['SetIdentifier']!r}" if "SetIdentifier" in record else ""
    return f"{policy} record{named} to {target(record) or 'nowhere'}"


def begin(route: Route, destination: Destination, origin: Origin) -> list[Change]:
    """Replace the simple record by two weighted ones, all to the previous location, or add the second one.

    A name without records leads here at once. What is left of an earlier cut-over goes.
    """
    if route.before is None:
        return [_change("CREATE", _here(route, destination))]
    was, now = origin.identifiers(route.before, destination)
    ends = {"SetIdentifier": now, "Weight": 0}
    if "SetIdentifier" in route.before:
        left = [_change("DELETE", each) for each in route.idle if origin.is_left(each)]
        before = {**route.before, "Weight": route.before["Weight"] or WHOLE}
        after = {**_here(route, destination), **_ttl_of(before, route), **ends}
        return [*left, _change("UPSERT", before), _change("CREATE", after)]
    lower = {"TTL": min(int(route.before["TTL"]), TTL_SECONDS)} if "TTL" in route.before else {}
    before = {**route.before, **lower, "SetIdentifier": was, "Weight": WHOLE}
    after = {**_here(route, destination), **_ttl_of(before, route), **ends}
    return [_change("DELETE", route.before), _change("CREATE", before), _change("CREATE", after)]


def _ttl_of(before: Record, route: Route) -> dict[str, int]:
    """The TTL, which weighted records of one name share; an alias has none."""
    return {"TTL": before["TTL"]} if route.kind == "CNAME" else {}


def _here(route: Route, destination: Destination) -> dict[str, Any]:
    name = {"Name": f"{route.domain}.", "Type": route.kind}
    if route.kind == "CNAME":
        return {**name, "TTL": TTL_SECONDS, "ResourceRecords": [{"Value": destination.dns_name}]}
    # With EvaluateTargetHealth, Route 53 returns to the other record while no task is healthy. It has no health of a
    # distribution (API Reference, "AliasTarget").
    healthy = not destination.is_distribution
    alias = {
        "HostedZoneId": destination.zone,
        "DNSName": destination.dns_name,
        "EvaluateTargetHealth": healthy,
    }
    return {**name, "AliasTarget": alias}


def shift(route: Route, share: int) -> list[Change]:
    """Give the destination ``share`` per cent."""
    assert route.before is not None
    assert route.after is not None
    return [
        _change("UPSERT", {**route.before, "Weight": WHOLE - share}),
        _change("UPSERT", {**route.after, "Weight": share}),
    ]


def restore(route: Route) -> list[Change]:
    """Leave the record that leads to the previous location, without its weight where it is the only one."""
    return _only(route, route.before, route.after)


def keep(route: Route) -> list[Change]:
    """Leave the record that leads to the destination, so that no visitor goes back to the previous location."""
    return _only(route, route.after, route.before)


def _only(route: Route, record: Record | None, other: Record | None) -> list[Change]:
    assert record is not None
    assert other is not None
    if route.idle:
        return [_change("UPSERT", {**record, "Weight": WHOLE}), _change("DELETE", other)]
    simple = {member: value for member, value in record.items() if member not in _ROUTING}
    return [_change("DELETE", record), _change("DELETE", other), _change("CREATE", simple)]


def idle_pairs(
    domain: str, zone: str, records: Sequence[Record], host: str, dns_name: str
) -> tuple[Route, ...]:
    """Pairs with one record for ``host``, which gets no visitors, and one for our destination.

    Route 53 answers with that record anyway if no other is healthy ("How Amazon Route 53 chooses records when health
    checking is configured": with all records of a weight above zero unhealthy, those of weight zero are considered).
    """
    found = []
    for kind in ADDRESS_TYPES:
        listed = [each for each in records if each["Type"] == kind]
        used = [each for each in listed if each.get("Weight") != 0]
        other = [each for each in used if leads_to(each, dns_name) and "Weight" in each]
        idle = [each for each in listed if leads_to(each, host) and each not in used]
        rest = tuple(each for each in listed if each not in (*idle, *other))
        if len(used) == len(other) == len(idle) == 1:
            found.append(Route(domain, kind, zone, idle[0], other[0], WHOLE, idle=rest))
    return tuple(found)


def _change(action: str, record: Record) -> Change:
    return {"Action": action, "ResourceRecordSet": dict(record)}


@dataclass(frozen=True)
class RequiredRecord:
    """A record to create at another DNS provider; ``why`` is the reason in a few words."""

    name: str
    kind: str
    value: str
    why: str
