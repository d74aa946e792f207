"""What is to be done about a certificate that ACM does not issue."""

from __future__ import annotations

import pytest
from botocore.session import get_session

from lobster_tasks.apprunner.cutover.failed_certificates import failed

ARN = "arn:aws:acm:us-east-1:123456789012:certificate/x"
AGAIN = f"aws acm delete-certificate --region us-east-1 --certificate-arn {ARN}   then   inv cutover"
REASONS = get_session().get_service_model("acm").shape_for("FailureReason").enum
MENDS = {
    "CAA_ERROR": '0 issue "amazon.com"',
    "DOMAIN_NOT_ALLOWED": "https://www.virustotal.com",
    "ADDITIONAL_VERIFICATION_REQUIRED": "open a support case",
    "INVALID_PUBLIC_DOMAIN": "correct domains in invoke.yaml",
    "NO_AVAILABLE_CONTACTS": "validation by DNS",
    "DOMAIN_VALIDATION_DENIED": "validation by DNS",
    "SLR_NOT_FOUND": "aws iam create-service-linked-role --aws-service-name acm.amazonaws.com",
    "OTHER": "misspelt",
}


def next_step(reason: str, *domains: str) -> str:
    """The next step for a request that failed for this reason."""
    options = [{"DomainName": each, "ValidationStatus": "FAILED"} for each in domains]
    shown = {
        "DomainName": domains[0],
        "Status": "FAILED",
        "FailureReason": reason,
        "DomainValidationOptions": options,
    }
    told = failed(ARN, shown)
    assert told.why == reason
    return told.next_step


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_of_the_model_has_what_mends_it(reason: str) -> None:
    """ "You cannot resubmit a failed certificate request": "after resolving the problem, submit a new request"."""
    told = next_step(reason, "app.example.com")
    mends = "private certificate authority" if reason.startswith("PCA_") else MENDS[reason]
    assert mends in told.removesuffix(AGAIN)
    assert told.endswith(f". Then {AGAIN}")


def test_the_caa_records_are_named_by_domain() -> None:
    """RFC 8659, 4.3: a wildcard takes issuewild; ACM takes four names of issuers."""
    told = next_step("CAA_ERROR", "app.example.com", "*.example.org")
    assert "dig CAA app.example.com, dig CAA example.org" in told
    assert '0 issue "amazon.com" and 0 issuewild "amazon.com"' in told
    assert "amazontrust.com, awstrust.com or amazonaws.com" in told


@pytest.mark.parametrize(("status", "says"), [("VALIDATION_TIMED_OUT", "72 hours"), ("REVOKED", AGAIN)])
def test_a_certificate_that_ended_otherwise(status: str, says: str) -> None:
    told = failed(ARN, {"DomainName": "app.example.com", "Status": status})
    assert says in told.next_step
    assert told.next_step.endswith(AGAIN)
