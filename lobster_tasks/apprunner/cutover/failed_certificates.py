"""What mends a certificate that ACM does not issue, by the reason that it gives. Pure.

Sources: AWS Certificate Manager User Guide, "Troubleshoot certificate requests" ("You cannot resubmit a failed
certificate request"), "Troubleshoot Certification Authority Authorization (CAA) problems"; RFC 8659. The reasons are
those of the model (FailureReason).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...errors import LobsterError

_SUPPORT = (
    "open a support case (https://console.aws.amazon.com/support/home#/case/create) that names the domains"
)
_PRIVATE = (
    "this certificate was requested of a private certificate authority; inv cutover requests a public one"
)
_BY_EMAIL = "this certificate was requested with validation by e-mail; inv cutover requests one with validation by DNS"
_CORRECT = "correct domains in invoke.yaml"


def _authorize(domains: Sequence[str]) -> str:
    """The CAA records that let Amazon issue, for each name."""
    looks = ", ".join(f"dig CAA {each.removeprefix('*.')}" for each in domains)
    tags = [f'0 {"issuewild" if each.startswith("*.") else "issue"} "amazon.com"' for each in domains]
    return (
        f"let Amazon issue: of each name, the nearest one upwards that has CAA records counts, and behind a CNAME its "
        f"target's ({looks}). Add there {' and '.join(dict.fromkeys(tags))} (amazontrust.com, awstrust.com or "
        "amazonaws.com do too), or delete its CAA records"
    )


_REASONS: Mapping[str, str] = {
    "ADDITIONAL_VERIFICATION_REQUIRED": (
        f"ACM needs to know more, as for the names of well-known sites: {_SUPPORT}, and wait for the answer"
    ),
    "DOMAIN_NOT_ALLOWED": (
        "a domain is reported as unsafe: look for it at https://www.virustotal.com, mend the site, and have those who "
        f"report it correct their lists; if nobody reports it, {_SUPPORT}"
    ),
    "INVALID_PUBLIC_DOMAIN": (
        f"a domain is not a public one, under a top-level domain that exists: {_CORRECT}; for a private name, set "
        "load_balancer.certificate to an imported certificate"
    ),
    "NO_AVAILABLE_CONTACTS": _BY_EMAIL,
    "DOMAIN_VALIDATION_DENIED": _BY_EMAIL,
    "SLR_NOT_FOUND": "aws iam create-service-linked-role --aws-service-name acm.amazonaws.com",
    "OTHER": f"most often a domain is misspelt: {_CORRECT}; if all are right, {_SUPPORT}",
}
_STATUSES: Mapping[str, str] = {
    "VALIDATION_TIMED_OUT": (
        "ACM found no validation records in 72 hours: the next inv cutover prints them, or writes them into the hosted "
        "zone; they must be in public DNS while it waits"
    ),
}


def failed(arn: str, shown: Mapping[str, Any]) -> LobsterError:
    """The error of a certificate (ARN) that is not ISSUED nor pending; ``shown`` is DescribeCertificate's."""
    status, reason = shown["Status"], shown.get("FailureReason", "")
    again = f"aws acm delete-certificate --region {arn.split(':')[3]} --certificate-arn {arn}   then   inv cutover"
    mends = _mends(status, reason, _domains(shown))
    return LobsterError(
        f"The certificate for {shown['DomainName']} is {status}.",
        reason or "ACM could not validate the domain",
        f"{mends}. Then {again}" if mends else again,
    )


def _mends(status: str, reason: str, domains: Sequence[str]) -> str:
    if reason == "CAA_ERROR":
        return _authorize(domains)
    if reason.startswith("PCA_"):
        return _PRIVATE
    return _REASONS.get(reason) or _STATUSES.get(status, "")


def _domains(shown: Mapping[str, Any]) -> tuple[str, ...]:
    """The names that failed, or all of them where ACM does not tell."""
    options = shown.get("DomainValidationOptions", ())
    failing = [each["DomainName"] for each in options if each.get("ValidationStatus") == "FAILED"]
    return tuple(failing or [each["DomainName"] for each in options] or [shown["DomainName"]])
