"""Requests the certificate of the domains, and validates it by DNS records in this account."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ...account import leads_to, records_of
from ...aws import Aws
from ...errors import OutOfTimeError
from ...stack import LiveResources
from ...stack.certificates import ISSUED, PENDING
from . import records
from .failed_certificates import failed
from .routes import RequiredRecord
from .state import CutoverState

AwsDict = Mapping[str, Any]

_LOOK_EVERY_SECONDS = 10.0
_RECORD_TTL_SECONDS = 300


def validate(aws: Aws, now: CutoverState, within: float, say: Callable[[str], None]) -> None:
    """Request the certificate if there is none yet, and wait up to ``within`` seconds until it is issued.

    Raises OutOfTimeError, which names the missing DNS records; ACM continues to try for 72 hours.
    """
    assert now.certificate is not None
    label, acm = now.certificate.label, now.certificate.place(aws)
    arn = (now.found or now.certificate.create(aws, LiveResources({}))).id
    written = False

    def look() -> AwsDict:
        nonlocal written
        shown: AwsDict = acm.call("acm:DescribeCertificate", label, CertificateArn=arn)["Certificate"]
        if shown["Status"] not in (ISSUED, PENDING):
            raise failed(arn, shown)
        options = _with_records(shown)
        is_whole = len(options) == len(shown["DomainValidationOptions"])
        if shown["Status"] == PENDING and is_whole and not written:
            written = True
            _write(aws, now, options)
            for each in required_records(now, options):
                say(f"create this record: {each.name} {each.kind} {each.value}")
        return shown

    shown = aws.clock.poll(look, within, _LOOK_EVERY_SECONDS, until=lambda seen: seen["Status"] == ISSUED)
    if shown["Status"] != ISSUED:
        raise _still_pending(_with_records(shown))
    say(f"certificate {arn.rpartition('/')[2]} is issued")


def _with_records(shown: AwsDict) -> list[AwsDict]:
    """The domain validation options for which ACM has published the required DNS record."""
    return [each for each in shown["DomainValidationOptions"] if "ResourceRecord" in each]


def _write(aws: Aws, now: CutoverState, options: Iterable[Mapping[str, Any]]) -> None:
    """Missing records of domains whose zones are in this account; certificates of all regions share them."""
    here = [each for each in options if each["DomainName"] in now.zones]
    for batch in records.batches(
        here, lambda each: (now.zones[each["DomainName"]], each["DomainName"]), now.domains
    ):
        zone = now.zones[batch[0]["DomainName"]]
        needed = {each["ResourceRecord"]["Name"]: each["ResourceRecord"] for each in batch}
        changes = [_upsert(record) for record in needed.values() if not _is_there(aws, zone, record)]
        if not changes:
            continue
        about = f"the validation of {', '.join(now.domains)}"
        records.send(aws, zone, {"Comment": about, "Changes": changes}, about)


def _is_there(aws: Aws, zone: str, record: Mapping[str, str]) -> bool:
    listed = records_of(aws, zone, record["Name"].rstrip("."))
    return any(leads_to(each, record["Value"]) for each in listed)


def _upsert(record: Mapping[str, str]) -> dict[str, Any]:
    made = {
        "Name": record["Name"],
        "Type": record["Type"],
        "TTL": _RECORD_TTL_SECONDS,
        "ResourceRecords": [{"Value": record["Value"]}],
    }
    return {"Action": "UPSERT", "ResourceRecordSet": made}


def required_records(now: CutoverState, options: Iterable[Mapping[str, Any]]) -> tuple[RequiredRecord, ...]:
    """The validation records to create at another DNS provider."""
    found = {
        each["ResourceRecord"]["Name"]: each["ResourceRecord"]
        for each in options
        if each["DomainName"] not in now.zones
    }
    return tuple(
        RequiredRecord(name, record["Type"], record["Value"], "validates the domain for ACM")
        for name, record in found.items()
    )


def _still_pending(options: Iterable[Mapping[str, Any]]) -> OutOfTimeError:
    needed = [each["ResourceRecord"] for each in options if each["ValidationStatus"] != "SUCCESS"]
    told = "; ".join(f"{each['Name']} {each['Type']} {each['Value']}" for each in needed)
    return OutOfTimeError(
        "The certificate is still PENDING_VALIDATION.",
        f"public DNS does not answer yet with: {told}"
        if told
        else "ACM has not published its validation records yet",
        "create the records at the domain's DNS provider, then inv cutover: it continues where this run "
        "stopped",
    )
