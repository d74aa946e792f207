"""Validates policies and trust policies, and their sizes, as IAM does before it stores them.

Limits: "IAM and AWS STS quotas" in the IAM User Guide; white space does not count.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..moto.adapter import AwsError, IAMPolicyDocumentValidator, IAMTrustPolicyDocumentValidator
from .conditions import as_list
from .policy import statements

INLINE_TOTAL = {"user": 2_048, "role": 10_240, "group": 5_120}
"""Characters of all inline policies of one user, role or group together."""
ATTACHED = 10
MANAGED = 6_144
TRUST = 2_048
SERVICE = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com(\.cn)?")
SID = re.compile("[0-9A-Za-z]*")
WRONG_SID = (
    "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression "
    "[0-9A-Za-z]*"
)
ACCOUNT = re.compile(r"(arn:aws:iam::)?\d{12}(:root)?")


def size(document: str) -> int:
    """The number of characters that count for a quota."""
    return len("".join(document.split()))


def check_policy(document: str) -> None:
    """Raise MalformedPolicyDocument unless this is a permissions policy."""
    for statement in _checked_statements(_parsed(document)):
        if "Principal" in statement or "NotPrincipal" in statement:
            raise AwsError("MalformedPolicyDocument", "Policy document should not specify a principal.")
    IAMPolicyDocumentValidator(document).validate()


def check_managed(document: str) -> None:
    """Raise MalformedPolicyDocument or LimitExceeded unless this can be a managed policy."""
    check_policy(document)
    if size(document) > MANAGED:
        raise AwsError("LimitExceeded", f"Cannot exceed quota for PolicySize: {MANAGED}")


def check_inline(kind: str, name: str, others: Mapping[str, str], policy: str, document: str) -> None:
    """As ``check_managed``, for an inline policy of a user, role or group with ``others``, by name."""
    check_policy(document)
    most = INLINE_TOTAL[kind]
    if sum(map(size, ({**others, policy: document}).values())) > most:
        raise AwsError("LimitExceeded", f"Maximum policy size of {most} bytes exceeded for {kind} {name}")


def check_attached(kind: str, attached: Mapping[str, Any]) -> None:
    """Raise LimitExceeded when a user, role or group has the maximum number of managed policies."""
    if len(attached) >= ATTACHED:
        raise AwsError("LimitExceeded", f"Cannot exceed quota for PoliciesPer{kind.title()}: {ATTACHED}")


def check_trust(document: str, known: set[str]) -> None:
    """Raise MalformedPolicyDocument unless this is a trust policy; ``known`` contains the ARNs of roles and users."""
    parsed = _parsed(document)
    if size(document) > TRUST:
        raise AwsError("LimitExceeded", f"Cannot exceed quota for ACLSizePerRole: {TRUST}")
    for statement in _checked_statements(parsed):
        _check_statement(statement, known)
    IAMTrustPolicyDocumentValidator(document).validate()


def _checked_statements(parsed: dict[str, Any]) -> list[dict[str, Any]]:
    """The statements of a policy, whose Sids have letters and digits only."""
    found = [each for each in statements(parsed) if isinstance(each, dict)]
    if not all(SID.fullmatch(each["Sid"]) for each in found if isinstance(each.get("Sid"), str)):
        raise AwsError("MalformedPolicyDocument", WRONG_SID)
    return found


def _parsed(document: str) -> dict[str, Any]:
    try:
        parsed = json.loads(document)
    except ValueError as error:
        raise AwsError("MalformedPolicyDocument", "This policy contains invalid Json") from error
    if not isinstance(parsed, dict) or "Statement" not in parsed:
        raise AwsError("MalformedPolicyDocument", "Syntax errors in policy.")
    return parsed


def _check_statement(statement: dict[str, Any], known: set[str]) -> None:
    if "Resource" in statement or "NotResource" in statement:
        raise AwsError("MalformedPolicyDocument", "Has prohibited field Resource")
    if "Principal" not in statement and "NotPrincipal" not in statement:
        raise AwsError("MalformedPolicyDocument", "Missing required field Principal")
    if not all(action.startswith("sts:") for action in as_list(statement.get("Action", []))):
        message = "AssumeRole policy may only specify STS AssumeRole actions."
        raise AwsError("MalformedPolicyDocument", message)
    for kind, principal in _principals(statement.get("Principal", {})):
        if not _is_principal(kind, principal, known):
            message = f'Invalid principal in policy: "{kind.upper()}":"{principal}"'
            raise AwsError("MalformedPolicyDocument", message)


def _principals(element: Any) -> Iterator[tuple[str, str]]:
    if isinstance(element, dict):
        for kind, named in element.items():
            for principal in as_list(named):
                yield kind, principal


def _is_principal(kind: str, principal: str, known: set[str]) -> bool:
    match kind:
        case "Service":
            return SERVICE.fullmatch(principal) is not None
        case "AWS":
            elsewhere = principal.startswith("arn:aws:iam::") and principal.split(":")[4] not in _accounts(
                known
            )
            assumed = principal.startswith("arn:aws:sts::")
            account = ACCOUNT.fullmatch(principal) is not None
            return principal == "*" or principal in known or account or assumed or elsewhere
        case "Federated" | "CanonicalUser":
            return True
    return False


def _accounts(known: set[str]) -> set[str]:
    return {arn.split(":")[4] for arn in known}
