"""AWS Certificate Manager: certificates that are issued when the domain is proven.

Quotes are from the AWS Certificate Manager API reference unless they name another source.
"""

from __future__ import annotations

from typing import Any

import pytest

from tests.embedded.balanced import Balanced
from tests.embedded.refusals import refused
from tests.embedded.test_conformance_elbv2_tls import import_certificate, listen, shown
from tests.embedded.zones import Zone, change, simple
from tests.embedded_process import EmbeddedProcess, eventually, start

APP, APEX = "app.example.com", "example.com"


@pytest.fixture
def acm(quick_process: EmbeddedProcess) -> Any:
    """A client of ACM in an empty account."""
    quick_process.reset()
    return quick_process.client("acm")


def request(acm: Any, *names: str, **more: Any) -> str:
    """Ask for a certificate that DNS validates; its ARN."""
    others = {"SubjectAlternativeNames": list(names[1:])} if names[1:] else {}
    asked = acm.request_certificate(DomainName=names[0], ValidationMethod="DNS", **others, **more)
    return str(asked["CertificateArn"])


def describe(acm: Any, arn: str) -> dict[str, Any]:
    """DescribeCertificate."""
    found: dict[str, Any] = acm.describe_certificate(CertificateArn=arn)["Certificate"]
    return found


def records(acm: Any, arn: str) -> list[dict[str, str]]:
    """The validation records, once they are there."""

    def look() -> list[dict[str, str]]:
        options = describe(acm, arn)["DomainValidationOptions"]
        return [each["ResourceRecord"] for each in options] if "ResourceRecord" in options[0] else []

    return eventually(look)


def prove(zone: Zone, acm: Any, arn: str) -> None:
    """Put the validation records into a zone."""
    found = {each["Name"]: each["Value"] for each in records(acm, arn)}
    zone.create(*(simple(name, value) for name, value in found.items()))


def issued(acm: Any, arn: str) -> dict[str, Any]:
    """The certificate once it is ISSUED."""
    eventually(lambda: describe(acm, arn)["Status"] == "ISSUED")
    return describe(acm, arn)


def test_a_request_is_pending(acm: Any) -> None:
    """Status: "enters status PENDING_VALIDATION upon being requested"; nothing of a certificate is there yet."""
    found = describe(acm, request(acm, APP, APEX))
    assert (found["Status"], found["Type"]) == ("PENDING_VALIDATION", "AMAZON_ISSUED")
    assert (found["DomainName"], found["SubjectAlternativeNames"]) == (APP, [APP, APEX])
    assert not {"IssuedAt", "NotBefore", "NotAfter", "Serial"} & set(found)


def test_the_record_takes_some_seconds() -> None:
    """RequestCertificate: "there is a delay of several seconds before you can retrieve information"."""
    with start(speed=2, boot_allowance=2) as slow:
        acm = slow.client("acm")
        arn = request(acm, APP)
        (option,) = describe(acm, arn)["DomainValidationOptions"]
        assert (option["DomainName"], option["ValidationStatus"]) == (APP, "PENDING_VALIDATION")
        assert option["ValidationMethod"] == "DNS"
        assert "ResourceRecord" not in option
        (record,) = records(acm, arn)
    assert record["Type"] == "CNAME"
    assert record["Name"].endswith(f".{APP}.")
    assert record["Value"].endswith(".acm-validations.aws.")


def test_a_domain_has_one_record(acm: Any) -> None:
    """User Guide, "DNS validation": the record of a domain is the same in each request of an account, and a wildcard
    has that of the domain below it."""
    first = records(acm, request(acm, APEX))
    assert records(acm, request(acm, APEX, f"*.{APEX}")) == first * 2


def test_it_is_issued_when_dns_has_the_record(acm: Any, quick_process: EmbeddedProcess) -> None:
    """User Guide, "DNS validation": ACM issues the certificate once it finds the CNAME record in DNS."""
    arn, zone = request(acm, APP, APEX), Zone(quick_process)
    prove(zone, acm, arn)
    found = issued(acm, arn)
    assert {each["ValidationStatus"] for each in found["DomainValidationOptions"]} == {"SUCCESS"}
    assert found["NotBefore"] <= found["IssuedAt"] < found["NotAfter"]


@pytest.mark.parametrize(
    ("at", "values", "name", "issues"),
    [
        (APEX, ['0 issue "letsencrypt.org"'], APP, False),
        (APP, ['0 issue "letsencrypt.org"'], APP, False),
        (APEX, ['0 issue ";"'], APP, False),
        (APEX, ['0 issue "letsencrypt.org"', '0 issue "amazon.com"'], APP, True),
        (APEX, ['0 issue "amazonaws.com"'], APP, True),
        (APEX, ['0 iodef "mailto:a@example.com"'], APP, True),
        (APEX, ['0 issue "amazon.com"', '0 issuewild ";"'], f"*.{APEX}", False),
        (APEX, ['0 issue "amazon.com"', '0 issuewild ";"'], APP, True),
    ],
)
def test_a_caa_record_that_does_not_name_amazon_fails_the_request(
    acm: Any, quick_process: EmbeddedProcess, at: str, values: list[str], name: str, issues: bool
) -> None:
    """User Guide, "Troubleshoot Certification Authority Authorization (CAA) problems": "one or more domain names have
    failed validation due to a CAA error"; the value "must contain one of" amazon.com, amazontrust.com, awstrust.com,
    amazonaws.com. RFC 8659, 3 and 4: the nearest name with CAA records counts, issuewild for wildcards.
    DescribeCertificate: FailureReason "exists only when the certificate status is FAILED", of it CAA_ERROR."""
    zone = Zone(quick_process)
    zone.settle(
        {"Name": at, "Type": "CAA", "TTL": 300, "ResourceRecords": [{"Value": each} for each in values]}
    )
    arn = request(acm, name)
    prove(zone, acm, arn)
    eventually(lambda: describe(acm, arn)["Status"] != "PENDING_VALIDATION")
    found = describe(acm, arn)
    assert (found["Status"], found.get("FailureReason")) == (
        ("ISSUED", None) if issues else ("FAILED", "CAA_ERROR")
    )


def test_every_name_has_to_be_proven(acm: Any, quick_process: EmbeddedProcess) -> None:
    """RequestCertificate: "each domain name that you specify must be validated"."""
    arn, zone = request(acm, APP, "elsewhere.org"), Zone(quick_process)
    first, _ = records(acm, arn)
    zone.create(simple(first["Name"], first["Value"]))

    def statuses() -> list[str]:
        return [each["ValidationStatus"] for each in describe(acm, arn)["DomainValidationOptions"]]

    assert eventually(lambda: statuses() == ["SUCCESS", "PENDING_VALIDATION"])
    assert describe(acm, arn)["Status"] == "PENDING_VALIDATION"


def test_a_record_of_other_content_proves_nothing(acm: Any, quick_process: EmbeddedProcess) -> None:
    """User Guide, "Troubleshoot DNS validation": the value has to be the one that ACM gave."""
    arn, zone, other = request(acm, APP), Zone(quick_process), request(acm, APEX)
    (record,) = records(acm, arn)
    zone.create(simple(record["Name"], "wrong.acm-validations.aws."))
    prove(zone, acm, other)
    issued(acm, other)
    assert describe(acm, arn)["Status"] == "PENDING_VALIDATION"


def test_a_private_zone_proves_nothing(acm: Any, quick_process: EmbeddedProcess) -> None:
    """User Guide, "DNS validation": the record has to be in the public DNS."""
    vpc = quick_process.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
    place = {"VPC": {"VPCRegion": "us-east-2", "VPCId": vpc}, "HostedZoneConfig": {"PrivateZone": True}}
    arn, private = request(acm, APP), Zone(quick_process, **place)
    prove(private, acm, arn)
    other, public = request(acm, "public.org"), Zone(quick_process, "public.org")
    prove(public, acm, other)
    issued(acm, other)
    assert describe(acm, arn)["Status"] == "PENDING_VALIDATION"


def test_validation_times_out() -> None:
    """Status: ACM makes "repeated attempts to validate a certificate for 72 hours and then times out"."""
    with start(speed=1_000_000, boot_allowance=2) as racing:
        acm = racing.client("acm")
        arn = request(acm, APP)
        eventually(lambda: describe(acm, arn)["Status"] == "VALIDATION_TIMED_OUT")
        assert describe(acm, arn)["DomainValidationOptions"][0]["ValidationStatus"] == "FAILED"


def test_one_token_one_certificate(acm: Any) -> None:
    """IdempotencyToken: the same within one hour, and "ACM recognizes that you are requesting only one certificate"."""
    arns = {request(acm, APP, IdempotencyToken=token) for token in ("one", "one", "two")}
    assert len(arns) == 2


def test_names_are_domains(acm: Any) -> None:
    """DomainNameString, pattern."""
    with refused("ValidationException", "Value 'nonsense' at 'domainName' failed to satisfy constraint"):
        request(acm, "nonsense")


def test_a_listing_has_the_names(acm: Any) -> None:
    """CertificateSummary: SubjectAlternativeNameSummaries; CertificateStatuses filters."""
    arn = request(acm, APP, APEX)
    (found,) = acm.list_certificates(CertificateStatuses=["PENDING_VALIDATION"])["CertificateSummaryList"]
    assert (found["CertificateArn"], found["SubjectAlternativeNameSummaries"]) == (arn, [APP, APEX])
    assert (found["InUse"], found["KeyAlgorithm"]) == (False, "RSA_2048")
    assert acm.list_certificates(CertificateStatuses=["ISSUED"])["CertificateSummaryList"] == []


def test_a_listing_is_paged(acm: Any) -> None:
    """ListCertificates: MaxItems and NextToken."""
    arns = {request(acm, name) for name in (APP, APEX, "other.org")}
    pages = acm.get_paginator("list_certificates").paginate(PaginationConfig={"PageSize": 2})
    sizes = [[each["CertificateArn"] for each in page["CertificateSummaryList"]] for page in pages]
    assert ([len(page) for page in sizes], {arn for page in sizes for arn in page}) == ([2, 1], arns)


def test_other_keys_are_listed_when_asked_for(balanced: Balanced) -> None:
    """Filters.keyTypes: "Default filtering returns only RSA_1024 and RSA_2048 certificates"."""
    arn, _ = import_certificate(balanced, APP)
    acm = balanced.aws.client("acm")
    assert acm.list_certificates()["CertificateSummaryList"] == []
    keys = {"keyTypes": ["EC_prime256v1", "RSA_2048"]}
    (found,) = acm.list_certificates(Includes=keys)["CertificateSummaryList"]
    assert found["CertificateArn"] == arn


def test_a_listener_shows_what_was_issued(balanced: Balanced) -> None:
    """ELB user guide, "SSL certificates": a certificate of ACM on an HTTPS listener; InUseBy tells of it."""
    acm, zone = balanced.aws.client("acm"), Zone(balanced.aws)
    arn = request(acm, APP)
    prove(zone, acm, arn)
    issued(acm, arn)
    listen(balanced, arn)
    pem = acm.get_certificate(CertificateArn=arn)["Certificate"]
    eventually(lambda: (shown(balanced, APP) or b"").split() == pem.encode().split())
    assert describe(acm, arn)["InUseBy"] == [balanced.arn]


def test_one_in_use_is_not_deleted(balanced: Balanced) -> None:
    """DeleteCertificate: "You cannot delete an ACM certificate that is being used by another … service." """
    arn, _ = import_certificate(balanced, APP)
    acm, listener = balanced.aws.client("acm"), listen(balanced, arn)
    with refused("ResourceInUseException", f"Certificate {arn} in account 123456789012 is in use."):
        acm.delete_certificate(CertificateArn=arn)
    balanced.elb.delete_listener(ListenerArn=listener)
    acm.delete_certificate(CertificateArn=arn)
    with refused("ResourceNotFoundException"):
        describe(acm, arn)


def test_an_issued_certificate_outlives_its_record(acm: Any, quick_process: EmbeddedProcess) -> None:
    """User Guide, "DNS validation": the record is needed again for the renewal, not for what is issued."""
    arn, zone = request(acm, APP), Zone(quick_process)
    prove(zone, acm, arn)
    issued(acm, arn)
    zone.await_sync(zone.change(*(change("DELETE", each) for each in zone.records())))
    assert describe(acm, arn)["Status"] == "ISSUED"
