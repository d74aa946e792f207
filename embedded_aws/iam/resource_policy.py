"""Decides what a resource's own policy says of a principal of the resource's account.

"Policy evaluation logic" (IAM User Guide), "Identity-based policies and resource-based policies" within an account: an
explicit deny in either wins, an allow in either is enough. A statement that names the account lets the account's own
policies decide; one that names the principal, or everybody, allows by itself.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from .conditions import Context, as_list
from .policy import Document, Values, Verdict, matches, parsed, statements


def verdict_on(
    principals: Collection[str], policy: Document, action: str, resource: str, context: Values
) -> Verdict:
    """What a resource's policy says of a caller with these ARNs: its user's or role's, and its session's."""
    known = Context(context)
    hits = [each for each in statements(parsed(policy)) if matches(each, action, resource, known)]
    accounts = {part for arn in principals for part in _account(arn)}
    if any(each.get("Effect") == "Deny" and _names(each, {*principals, *accounts}) for each in hits):
        return "explicitDeny"
    if any(each.get("Effect") == "Allow" and _names(each, principals) for each in hits):
        return "allowed"
    return "implicitDeny"


def _account(arn: str) -> tuple[str, str]:
    """How a policy names the account of an ARN."""
    account = arn.split(":")[4]
    return account, f"arn:aws:iam::{account}:root"


def _names(statement: Mapping[str, Any], principals: Collection[str]) -> bool:
    element = statement.get("NotPrincipal", statement.get("Principal", {}))
    named = ["*"] if element == "*" else as_list(element.get("AWS", []))
    found = "*" in named or any(principal in named for principal in principals)
    return found != ("NotPrincipal" in statement)
