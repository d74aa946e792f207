"""Custom domains: associate, describe, disassociate.

Source: Developer Guide, "Managing custom domain names for an App Runner service". App Runner sends the status of a
domain in lower case, unlike its model.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..moto.adapter import AwsError
from . import companions, services, validation
from .answers import invalid, page, wrong_state
from .component import AppRunnerComponent
from .model import AppRunnerState, Domain, Service

MOST = 5
CERTIFICATE_SECONDS = 10.0
"""AWS seconds until the validation records are known."""

LEAVING_SECONDS = 10.0

Request = Mapping[str, Any]


def associate(app_runner: AppRunnerComponent, state: AppRunnerState, request: Request) -> dict[str, Any]:
    """AssociateCustomDomain: DescribeCustomDomains returns the validation records later."""
    service, name = _changeable(state, request["ServiceArn"]), request["DomainName"].rstrip(".").lower()
    if name in service.domains:
        raise invalid(f"Custom domain {name} is already associated with the service.")
    if len(service.domains) >= MOST:
        raise invalid(f"A service can have up to {MOST} custom domains.")
    body = {
        "DomainName": name,
        "EnableWWWSubdomain": request.get("EnableWWWSubdomain", True),
        "CertificateValidationRecords": [],
        "Status": "creating",
    }
    domain = service.domains[name] = Domain(body)
    answer = _about(state, service, CustomDomain=dict(body))
    app_runner.later(CERTIFICATE_SECONDS, lambda: validation.ask(domain))
    return answer


def describe(state: AppRunnerState, request: Request) -> dict[str, Any]:
    """DescribeCustomDomains."""
    service = services.living(state, request["ServiceArn"])
    shown, more = page([domain.body for domain in service.domains.values()], request, MOST)
    return {**_about(state, service, CustomDomains=shown), **more}


def disassociate(app_runner: AppRunnerComponent, state: AppRunnerState, request: Request) -> dict[str, Any]:
    """DisassociateCustomDomain."""
    service, name = _changeable(state, request["ServiceArn"]), request["DomainName"].rstrip(".").lower()
    if name not in service.domains:
        raise AwsError(
            "ResourceNotFoundException", f"Custom domain {name} is not associated with the service."
        )
    domain = service.domains[name]
    domain.body["Status"] = "deleting"
    app_runner.later(LEAVING_SECONDS, lambda: service.domains.pop(name, None))
    return _about(state, service, CustomDomain=domain.body)


def _changeable(state: AppRunnerState, arn: str) -> Service:
    service = services.living(state, arn)
    if service.status != "RUNNING":
        raise wrong_state(f"Custom domains cannot be changed in the current state: {service.status}.")
    return service


def _about(state: AppRunnerState, service: Service, **more: Any) -> dict[str, Any]:
    private = [
        {"VpcIngressConnectionArn": one.arn, "DomainName": one.body["DomainName"]}
        | {"VpcId": one.body["IngressVpcConfiguration"]["VpcId"]}
        for one in companions.named(state, companions.INGRESS)
        if one.body["ServiceArn"] == service.arn
    ]
    return {"DNSTarget": service.url, "ServiceArn": service.arn, "VpcDNSTargets": private, **more}
