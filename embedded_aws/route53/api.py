"""Amazon Route 53: moto's hosted zones, with AWS's validation of records, pending changes, and DNS answers."""

from __future__ import annotations

from typing import Any

from ..kernel.data_plane import DataPlane
from ..moto.adapter import ActionResult, AwsError, Route53
from ..shapes import numbers
from . import answers
from .answers import IsHealthy
from .changes import Record, canonical, key
from .store import Change, Route53Store, store
from .values import is_domain

__all__ = ["AmazonRoute53"]

MOST_RECORDS, MOST_ZONES = 300, 100


class AmazonRoute53(Route53):
    """Route 53. The data plane's lock is held during every operation."""

    def __init__(self, plane: DataPlane, is_healthy: IsHealthy) -> None:
        super().__init__()
        self.plane = plane
        self._is_healthy = is_healthy

    @property
    def backend(self) -> Route53Store:
        """The account's zones."""
        return store(self.current_account)

    @property
    def given(self) -> dict[str, Any]:
        """The request's members."""
        given: dict[str, Any] = self._get_params()
        return given

    def call_action(self) -> Any:
        """Handle a request."""
        with self.plane.lock:
            return super().call_action()

    def create_hosted_zone(self) -> ActionResult:
        """CreateHostedZone."""
        if not is_domain(self._get_param("Name") or ""):
            raise AwsError("InvalidDomainName", "The specified domain name is not valid.")
        return self._with_change(super().create_hosted_zone())

    def list_hosted_zones(self) -> Any:
        """ListHostedZones."""
        self._most(MOST_ZONES)
        return super().list_hosted_zones()

    def list_hosted_zones_by_name(self) -> Any:
        """ListHostedZonesByName."""
        self._most(MOST_ZONES)
        return super().list_hosted_zones_by_name()

    def _most(self, otherwise: int) -> int:
        """MaxItems, which the model has as a text; InvalidInput for what is no number above 0 (own words)."""
        given = str(self.given.get("MaxItems") or otherwise)
        if size := numbers.page_size(given):
            return size
        raise AwsError("InvalidInput", f"The value of MaxItems is not valid: {given}")

    def delete_hosted_zone(self) -> ActionResult:
        """DeleteHostedZone, for a zone without records of its own."""
        return self._with_change(super().delete_hosted_zone())

    def change_resource_record_sets(self) -> ActionResult:
        """ChangeResourceRecordSets: the whole batch or nothing."""
        changes = self.given["ChangeBatch"]["Changes"]
        made = self.backend.change_resource_record_sets(self.given["HostedZoneId"], changes)
        return ActionResult({"ChangeInfo": made.info()})

    def get_change(self) -> ActionResult:
        """GetChange: PENDING until every name server has the change."""
        change_id = self.given["Id"].removeprefix("/change/")
        found = self.backend.changes.get(change_id)
        if found is None:
            raise AwsError("NoSuchChange", f"Could not find resource with ID: {change_id}")
        return ActionResult({"ChangeInfo": found.info()})

    def list_resource_record_sets(self) -> ActionResult:
        """ListResourceRecordSets: sorted by reversed name, type and set identifier; includes PENDING changes."""
        given, size = self.given, min(self._most(MOST_RECORDS), MOST_RECORDS)
        zone = self.backend.get_hosted_zone(given["HostedZoneId"])
        name, kind = given.get("StartRecordName"), given.get("StartRecordType")
        if kind and not name:
            raise AwsError("InvalidInput", "The input is not valid")
        start = (
            _order(canonical(name), kind or "", given.get("StartRecordIdentifier") or "") if name else None
        )
        records = sorted(self.backend.records(zone), key=lambda each: _order(*key(each)))
        rest = [each for each in records if start is None or _order(*key(each)) >= start]
        return ActionResult(_page(rest, size))

    def test_dns_answer(self) -> ActionResult:
        """TestDNSAnswer, without PENDING changes."""
        given = self.given
        zone = self.backend.get_hosted_zone(given["HostedZoneId"])
        if zone.private_zone:
            raise AwsError("InvalidInput", "This call only supports querying public hosted zones.")
        name, kind = given["RecordName"], given["RecordType"]
        code, values = answers.answer(self.backend, self._is_healthy, zone, name, kind)
        return ActionResult(
            {
                "Nameserver": zone.delegation_set.name_servers[0],
                "RecordName": canonical(name).rstrip("."),
                "RecordType": kind,
                "RecordData": values,
                "ResponseCode": code,
                "Protocol": "UDP",
            }
        )

    def _with_change(self, answer: ActionResult) -> ActionResult:
        made: Change = self.backend.new_change()
        return ActionResult({**answer.result, "ChangeInfo": made.info()})


def _order(name: str, kind: str, identifier: str) -> tuple[str, str, str]:
    """The sort key of records: ``com.example.www.``, type, set identifier."""
    return ".".join(reversed(name.rstrip(".").split("."))) + ".", kind, identifier


def _page(rest: list[Record], size: int) -> dict[str, Any]:
    answer = {"ResourceRecordSets": rest[:size], "MaxItems": size, "IsTruncated": len(rest) > size}
    if len(rest) <= size:
        return answer
    name, kind, identifier = key(rest[size])
    following = {"NextRecordName": name, "NextRecordType": kind}
    return {**answer, **following, **({"NextRecordIdentifier": identifier} if identifier else {})}
