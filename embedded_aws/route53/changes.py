"""Applies a change batch to the records of a hosted zone: completely, or not at all with an error. Pure.

A record is a ResourceRecordSet in the API's shape, its name in the form of ``canonical``. The error texts are
Route 53's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ..moto.adapter import AwsError
from .values import bad_values, name_problem

Record = Mapping[str, Any]

BATCH_MOST = 1000
POLICIES = ("Weight", "Region", "Failover", "GeoLocation", "MultiValueAnswer", "CidrRoutingConfig")
MEMBERS = ("TTL", "ResourceRecords", "AliasTarget", *POLICIES)


def canonical(name: str) -> str:
    """A name in Route 53's form: lower case, a trailing dot, ``*`` escaped."""
    return name.lower().rstrip(".").replace("*", "\\052") + "."


def wildcard_for(name: str) -> str:
    """The wildcard that matches a name, both in Route 53's form."""
    return f"\\052.{name.partition('.')[2]}"


def key(record: Record) -> tuple[str, str, str]:
    """The identity of a record in its zone."""
    return record["Name"], record["Type"], record.get("SetIdentifier") or ""


def changed(
    zone: str,
    records: Sequence[Record],
    changes: Iterable[Mapping[str, Any]],
    alias_trouble: Callable[[Record], Sequence[str]],
) -> tuple[Record, ...]:
    """The records of the zone called ``zone`` after ``changes``, which are applied in order.

    ``alias_trouble`` returns the problems of an alias. Raises AwsError InvalidInput or InvalidChangeBatch.
    """
    batch = [(each["Action"], _whole(each)) for each in changes]
    _check_size(batch)
    _check_once(batch)
    after = {key(record): record for record in records}
    troubles: list[str] = []
    for action, record in batch:
        troubles += _trouble(zone, after, action, record)
        if action == "DELETE":
            after.pop(key(record), None)
        else:
            troubles += alias_trouble(record) if record.get("AliasTarget") else bad_values(record)
            after[key(record)] = record
    troubles += _unequal_ttls(after.values(), [record for action, record in batch if action != "DELETE"])
    if troubles:
        raise AwsError("InvalidChangeBatch", f"[{', '.join(troubles)}]")
    return tuple(after.values())


def _check_size(batch: Iterable[tuple[str, Record]]) -> None:
    """Check the number of ResourceRecord elements; an UPSERT counts twice ("Limits": "1,000 … is counted twice")."""
    size = sum(
        max(1, len(record.get("ResourceRecords") or ())) * (2 if action == "UPSERT" else 1)
        for action, record in batch
    )
    if size > BATCH_MOST:
        raise AwsError("InvalidChangeBatch", f"Number of records limit of {BATCH_MOST} exceeded.")


def _whole(change: Mapping[str, Any]) -> Record:
    """The record of a change, if its members are consistent."""
    given = {name: value for name, value in change["ResourceRecordSet"].items() if value not in (None, [])}
    _check_members(change["Action"], given)
    return {**given, "Name": canonical(given["Name"])}


def _check_members(action: str, given: Record) -> None:
    where = (
        f"in Change with [Action={action}, Name={given['Name']}, Type={given['Type']}, "
        f"SetIdentifier={given.get('SetIdentifier') or 'null'}]"
    )
    ways = ("AliasTarget" in given) + ("TTL" in given and "ResourceRecords" in given)
    if ways != 1 or ("AliasTarget" in given and "TTL" in given):
        found = "more than one" if ways or ("TTL" in given and "AliasTarget" in given) else "none"
        _refuse(
            "Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or "
            f"TrafficPolicyInstanceId], but found {found} {where}"
        )
    policies = [policy for policy in POLICIES if policy in given]
    if policies and not given.get("SetIdentifier"):
        _refuse(f"Missing field 'SetIdentifier' {where}")
    if given.get("SetIdentifier") and len(policies) != 1:
        found = "more than one" if policies else "none"
        _refuse(f"Expected exactly one of [{', '.join(POLICIES)}], but found {found} {where}")


def _refuse(message: str) -> None:
    raise AwsError("InvalidInput", f"Invalid request: {message}")


def _check_once(batch: Iterable[tuple[str, Record]]) -> None:
    """Check that a batch deletes and creates each record at most once."""
    seen = Counter((action == "DELETE", key(record)) for action, record in batch)
    for (_, (name, kind, _identifier)), count in seen.items():
        if count > 1:
            message = (
                f"The request contains an invalid set of changes for a resource record set '{kind} {name}'"
            )
            raise AwsError("InvalidChangeBatch", f"[{message}]")


def _twice(record: Record) -> str | None:
    """A value that a record set has more than once; None without one."""
    values = [each["Value"] for each in record.get("ResourceRecords") or ()]
    return next((value for value in values if values.count(value) > 1), None)


def _trouble(zone: str, now: Mapping[tuple[str, str, str], Record], action: str, record: Record) -> list[str]:
    name = record["Name"]
    if name != zone and not name.endswith(f".{zone}"):
        return [f"RRSet with DNS name {name} is not permitted in zone {zone}"]
    if action == "DELETE":
        return _not_deletable(zone, now.get(key(record)), record)
    if action == "CREATE" and key(record) in now:
        return [f"Tried to create resource record set {_named(record)} but it already exists"]
    if twice := _twice(record):
        return [f"Duplicate Resource Record: '{twice}'"]
    if problem := name_problem(name):
        return [f"FATAL problem: {problem} encountered with '{name}'"]
    if record["Type"] == "CNAME" and name == zone:
        return [f"RRSet of type CNAME with DNS name {name} is not permitted at apex in zone {zone}"]
    return _beside(zone, [each for each in now.values() if each["Name"] == name], record)


def _named(record: Record) -> str:
    identifier = record.get("SetIdentifier")
    more = f", set identifier='{identifier}'" if identifier else ""
    return f"[name='{record['Name']}', type='{record['Type']}'{more}]"


def _not_deletable(zone: str, found: Record | None, record: Record) -> list[str]:
    if found is None:
        return [f"Tried to delete resource record set {_named(record)} but it was not found"]
    if any(_plain(found, member) != _plain(record, member) for member in MEMBERS):
        told = "but the values provided do not match the current values"
        return [f"Tried to delete resource record set {_named(record)} {told}"]
    if record["Name"] == zone and record["Type"] == "SOA":
        return ["A HostedZone must contain exactly one SOA record."]
    if record["Name"] == zone and record["Type"] == "NS":
        return ["A HostedZone must contain at least one NS record for the zone itself."]
    return []


def _plain(record: Record, member: str) -> Any:
    """A member in a form in which equal meanings are equal."""
    value = record.get(member)
    if member == "ResourceRecords":
        return sorted(each["Value"] for each in value or ())
    if member == "AliasTarget" and value:
        return {**value, "DNSName": canonical(value["DNSName"])}
    return str(value)


def _beside(zone: str, others: Sequence[Record], record: Record) -> list[str]:
    """The conflicts with other records of the same name."""
    name, kind = record["Name"], record["Type"]
    if kind != "CNAME" and any(each["Type"] == "CNAME" for each in others):
        told = (
            f"because a conflicting RRSet of type CNAME with the same DNS name already exists in zone {zone}"
        )
        return [f"RRSet of type {kind} with DNS name {name} is not permitted {told}"]
    if kind == "CNAME" and any(each["Type"] != "CNAME" for each in others):
        told = f"is not permitted as it conflicts with other records with the same DNS name in zone {zone}"
        return [f"RRSet of type {kind} with DNS name {name} {told}"]
    same = [each for each in others if each["Type"] == kind and key(each) != key(record)]
    identifier = record.get("SetIdentifier")
    if identifier is None and same:
        told = "cannot be created as other RRSets exist with the same name and type."
        return [f"RRSet with DNS name {name}, type {kind} {told}"]
    if identifier and any("Weight" in record and "Weight" not in each for each in same):
        told = "cannot be created as a non-weighted set exists with the same name and type."
        return [f"RRSet with DNS name {name}, type {kind}, SetIdentifier {identifier} {told}"]
    return []


def _unequal_ttls(after: Iterable[Record], made: Iterable[Record]) -> list[str]:
    """Errors for weighted records of one name and type with different TTLs; aliases have their target's."""
    weighted = [each for each in after if "Weight" in each and "TTL" in each]
    return [
        f"RRSet with DNS name {each['Name']} and type {each['Type']}, SetIdentifier {each['SetIdentifier']} "
        "cannot be created as weighted sets must contain the same TTL."
        for each in made
        if "TTL" in each
        and "Weight" in each
        and any(key(other)[:2] == key(each)[:2] and other["TTL"] != each["TTL"] for other in weighted)
    ]
