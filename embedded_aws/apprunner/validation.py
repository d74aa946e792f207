"""Validates custom domains: finds the certificate's validation records in DNS, then activates the domain.

Only the account's hosted zones are searched; records at other DNS providers are not visible here.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import partial
from typing import Any

from ..route53.store import store
from .model import AwsDict, Domain, Service

BINDING_SECONDS = 30.0
WAITING = "pending_certificate_dns_validation"

Later = Callable[[float, Callable[[], Any]], None]
"""Calls a function after some AWS seconds."""


def ask(domain: Domain) -> None:
    """Set the validation records of a domain."""
    name = domain.body["DomainName"]
    names = [name, f"www.{name}"] if domain.body["EnableWWWSubdomain"] else [name]
    domain.body |= {"CertificateValidationRecords": [_record(one) for one in names], "Status": WAITING}


def _record(name: str) -> AwsDict:
    return {
        "Name": f"_{secrets.token_hex(16)}.{name.removeprefix('*.')}.",
        "Type": "CNAME",
        "Value": f"_{secrets.token_hex(16)}.{secrets.token_hex(5)}.acm-validations.aws.",
        "Status": "PENDING_VALIDATION",
    }


def go_on(later: Later, account: str, service: Service) -> None:
    """Continue with domains whose validation records are in the account's zones."""
    for body in [one.body for one in service.domains.values() if one.body["Status"] == WAITING]:
        zones = store(account)
        records = body["CertificateValidationRecords"]
        for record in records:
            if zones.served_since(record["Name"], "CNAME", record["Value"]) is not None:
                record["Status"] = "SUCCESS"
        if all(record["Status"] == "SUCCESS" for record in records):
            body["Status"] = "binding_certificate"
            later(BINDING_SECONDS, partial(body.update, Status="active"))
