"""Hosted zones for tests: records by plain boto3, and what the name servers answer."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tests.embedded_process import EmbeddedProcess, eventually


class Zone:
    """A public hosted zone, or a private one."""

    def __init__(self, aws: EmbeddedProcess, name: str = "example.com", **more: Any) -> None:
        self.route53 = aws.client("route53")
        self.name = name
        made = self.route53.create_hosted_zone(Name=name, CallerReference=f"{name}-{more}"[:128], **more)
        self.id = str(made["HostedZone"]["Id"]).removeprefix("/hostedzone/")
        self.created = made

    def change(self, *changes: dict[str, Any]) -> dict[str, Any]:
        """ChangeResourceRecordSets; the ChangeInfo."""
        made = self.route53.change_resource_record_sets(
            HostedZoneId=self.id, ChangeBatch={"Changes": list(changes)}
        )
        found: dict[str, Any] = made["ChangeInfo"]
        return found

    def create(self, *records: dict[str, Any]) -> dict[str, Any]:
        """Create records in one batch."""
        return self.change(*(change("CREATE", record) for record in records))

    def settle(self, *records: dict[str, Any]) -> None:
        """Create records in one batch and wait until they are in sync."""
        self.await_sync(self.create(*records))

    def await_sync(self, info: dict[str, Any]) -> None:
        """Wait until a change is INSYNC."""
        eventually(lambda: self.status(info) == "INSYNC")

    def status(self, info: dict[str, Any]) -> str:
        """The status of a change."""
        return str(self.route53.get_change(Id=info["Id"])["ChangeInfo"]["Status"])

    def records(self) -> list[dict[str, Any]]:
        """Every record but NS and SOA of the zone itself."""
        pages = self.route53.get_paginator("list_resource_record_sets").paginate(HostedZoneId=self.id)
        found = [record for page in pages for record in page["ResourceRecordSets"]]
        return [record for record in found if record["Type"] not in ("NS", "SOA")]

    def ask(self, name: str, kind: str = "A") -> list[str]:
        """The values that TestDNSAnswer gives."""
        found: list[str] = self.answer(name, kind)["RecordData"]
        return found

    def answer(self, name: str, kind: str = "A") -> dict[str, Any]:
        """TestDNSAnswer."""
        found: dict[str, Any] = self.route53.test_dns_answer(
            HostedZoneId=self.id, RecordName=name, RecordType=kind
        )
        return found

    def shares(self, name: str, kind: str = "A", times: int = 200) -> Counter[str]:
        """How often each first value is given."""
        return Counter(self.ask(name, kind)[0] for _ in range(times))


def change(action: str, record: dict[str, Any]) -> dict[str, Any]:
    """One change of a batch."""
    return {"Action": action, "ResourceRecordSet": record}


def simple(name: str, value: str, kind: str = "CNAME", ttl: int = 300) -> dict[str, Any]:
    """A record without a routing policy."""
    return {"Name": name, "Type": kind, "TTL": ttl, "ResourceRecords": [{"Value": value}]}


def weighted(name: str, value: str, weight: int, **more: Any) -> dict[str, Any]:
    """A weighted record whose set identifier is its value."""
    return {**simple(name, value, **more), "SetIdentifier": value, "Weight": weight}


def alias(name: str, target: str, zone: str, healthy: bool = False, **more: Any) -> dict[str, Any]:
    """An alias of type A."""
    to = {"DNSName": target, "HostedZoneId": zone, "EvaluateTargetHealth": healthy}
    return {"Name": name, "Type": "A", "AliasTarget": to, **more}
