"""How a custom domain becomes active: its certificate is validated by records in DNS, then bound.

The records are looked for in the hosted zones of the account; what another provider serves is never seen here.
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
"""Calls something so many AWS seconds later."""


def ask(domain: Domain) -> None:
    """Say which records prove who owns the domain."""
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
    """Go on with the domains whose validation records the account's zones serve by now."""
    for body in [one.body for one in service.domains.values() if one.body["Status"] == WAITING]:
        zones = store(account)
        records = body["CertificateValidationRecords"]
        for record in records:
            if zones.served_since(record["Name"], "CNAME", record["Value"]) is not None:
                record["Status"] = "SUCCESS"
        if all(record["Status"] == "SUCCESS" for record in records):
            body["Status"] = "binding_certificate"
            later(BINDING_SECONDS, partial(body.update, Status="active"))
