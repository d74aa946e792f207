"""Custom domains of App Runner services, and the certificates that App Runner gets for them.

Their status comes in small letters, although the model has capitals: terraform-provider-aws, which waits on what AWS
sends, waits for ``creating``, ``pending_certificate_dns_validation``, ``binding_certificate``, ``active`` and
``deleting`` (internal/service/apprunner/custom_domain_association.go). The records' status has capitals.
"""

from __future__ import annotations

import re
from typing import Any

from tests.embedded.apprunner_stack import Sites
from tests.embedded.refusals import refused
from tests.embedded.zones import Zone, simple
from tests.embedded_process import eventually

NAME = "app.example.com"
WAITING = "pending_certificate_dns_validation"


def domain(sites: Sites, arn: str) -> dict[str, Any]:
    """The only custom domain of a service."""
    (found,) = sites.api.describe_custom_domains(ServiceArn=arn)["CustomDomains"]
    return dict(found)


def associated(sites: Sites, **more: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """A service with a custom domain whose validation records are known; and that domain."""
    service = sites.create()
    sites.api.associate_custom_domain(ServiceArn=service["ServiceArn"], DomainName=NAME, **more)
    eventually(lambda: domain(sites, service["ServiceArn"])["Status"] == WAITING)
    return service, domain(sites, service["ServiceArn"])


def test_validation_records_come_after_the_association(sites: Sites) -> None:
    """AssociateCustomDomain: creating; DescribeCustomDomains then has the CNAME records, PENDING_VALIDATION."""
    service = sites.create()
    made = sites.api.associate_custom_domain(ServiceArn=service["ServiceArn"], DomainName=NAME)
    assert (made["DNSTarget"], made["CustomDomain"]["Status"]) == (service["ServiceUrl"], "creating")
    assert made["CustomDomain"]["CertificateValidationRecords"] == []
    eventually(lambda: domain(sites, service["ServiceArn"])["Status"] == WAITING)
    records = domain(sites, service["ServiceArn"])["CertificateValidationRecords"]
    assert {(one["Type"], one["Status"]) for one in records} == {("CNAME", "PENDING_VALIDATION")}
    assert all(re.fullmatch(rf"_[0-9a-f]{{32}}\.(www\.)?{NAME}\.", one["Name"]) for one in records)
    assert all(one["Value"].endswith(".acm-validations.aws.") for one in records)


def test_the_www_subdomain_is_included_by_default(sites: Sites) -> None:
    """EnableWWWSubdomain: "Default: true"; it is a name of the certificate too."""
    assert len(associated(sites)[1]["CertificateValidationRecords"]) == 2


def test_a_validated_domain_leads_to_the_service(sites: Sites) -> None:
    """Once the records are in DNS the domain is binding_certificate, then active."""
    service, found = associated(sites, EnableWWWSubdomain=False)
    assert sites.get(service, headers={"Host": NAME}).status_code == 404
    (record,) = found["CertificateValidationRecords"]
    Zone(sites.process).create(simple(record["Name"], record["Value"]))
    eventually(lambda: domain(sites, service["ServiceArn"])["Status"] == "active")
    assert domain(sites, service["ServiceArn"])["CertificateValidationRecords"][0]["Status"] == "SUCCESS"
    assert sites.get(service, headers={"Host": NAME}).text == "web_app"


def test_a_service_has_up_to_five_domains(sites: Sites) -> None:
    """ "You can associate up to five custom domains with your App Runner service"."""
    arn = sites.create()["ServiceArn"]
    for number in range(5):
        sites.api.associate_custom_domain(ServiceArn=arn, DomainName=f"{number}.example.com")
    with refused("InvalidRequestException", "5 custom domains"):
        sites.api.associate_custom_domain(ServiceArn=arn, DomainName=NAME)
    with refused("InvalidRequestException", "already associated"):
        sites.api.associate_custom_domain(ServiceArn=arn, DomainName="1.example.com")


def test_a_domain_is_taken_away(sites: Sites) -> None:
    """DisassociateCustomDomain: deleting, then gone; an unknown one is ResourceNotFoundException."""
    service, _ = associated(sites)
    arn = service["ServiceArn"]
    gone = sites.api.disassociate_custom_domain(ServiceArn=arn, DomainName=NAME)
    assert gone["CustomDomain"]["Status"] == "deleting"
    eventually(lambda: not sites.api.describe_custom_domains(ServiceArn=arn)["CustomDomains"])
    with refused("ResourceNotFoundException"):
        sites.api.disassociate_custom_domain(ServiceArn=arn, DomainName=NAME)
