"""Which policy denies a call of AWS, and who lifts that. Pure.

A denial names the type of policy, and in the same organization its ARN: "with an explicit deny in a <type>", "because
no <type> allows the <action> action" (IAM, "Troubleshoot access denied error messages"; AWS Security Blog, "Enhanced
access denied error messages with policy ARNs"). An explicit deny overrides every allow ("Policy evaluation logic").
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

ACCESS_DENIED = ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation")
"""How services refuse what an identity has no permission for: EC2 with the last, the others with one of the others."""

# The action whose permission is missing: the call's own, or another service's, such as the creation of a
# service-linked role.
_NEEDED = re.compile(r"not authorized to perform: ([a-z0-9-]{1,64}:[A-Za-z]{1,128})")
_KINDS = (
    "identity-based policy",
    "permissions boundary",
    "resource control policy",
    "resource-based policy",
    "role trust policy",
    "service control policy",
    "session policy",
    "VPC endpoint policy",
)
_KIND = "|".join(map(re.escape, _KINDS))
_EXPLICIT = re.compile(
    rf"with an explicit deny in (?:an?|the) ({_KIND})(?:: (arn:[\w:/.+=,@*-]{{1,400}}[\w*]))?", re.IGNORECASE
)
_IMPLICIT = re.compile(rf"because no ({_KIND}) allows", re.IGNORECASE)
# Denials of EC2 that name no policy have the reason in code.
_ENCODED = re.compile(r"Encoded authorization failure message: [\w-]{20}")
_ENDPOINT = "the VPC endpoint that this network sends the call through"


@dataclass(frozen=True)
class _Holder:
    """Who can change a policy of one type: ``where`` it is, and ``who`` does it."""

    where: str
    who: str


_ORGANIZATION = "the administrator of the organization (AWS Organizations, management account)"
_ACCOUNT = "an administrator of this account"
_HOLDERS: Mapping[str, _Holder] = {
    "identity-based policy": _Holder(
        "a policy of the identity that runs this, or of one of its groups", _ACCOUNT
    ),
    "permissions boundary": _Holder("the permissions boundary of the identity that runs this", _ACCOUNT),
    "resource control policy": _Holder("a resource control policy of the organization", _ORGANIZATION),
    "resource-based policy": _Holder("the policy of that resource", "the owner of the resource"),
    "role trust policy": _Holder("the trust policy of that role", "an administrator of the role's account"),
    "service control policy": _Holder("a service control policy of the organization", _ORGANIZATION),
    "session policy": _Holder(
        "the session policy, which was given when the role was assumed (in IAM Identity Center: the permission set)",
        "whoever starts the session",
    ),
    "VPC endpoint policy": _Holder(f"the policy of {_ENDPOINT}", "the owner of that VPC"),
}
_DECODE = "aws sts decode-authorization-message --encoded-message TEXT_OF_THE_MESSAGE"
_SPELLED = {kind.casefold(): kind for kind in _KINDS}


def next_step(operation: str, message: str) -> str:
    """Who can lift a denial, and how; ``operation`` is the call, which AWS may deny for another action."""
    needed = _NEEDED.search(message)
    action = needed.group(1) if needed else operation
    if explicit := _EXPLICIT.search(message):
        holder = _HOLDERS[_SPELLED[explicit.group(1).casefold()]]
        named = f" ({explicit.group(2)})" if explicit.group(2) else ""
        return (
            f"ask {holder.who} to change the statement that denies {action}: it is in {holder.where}{named}, and no "
            "allow overrides a deny; then run the same command again"
        )
    implicit = _IMPLICIT.search(message)
    kind = _SPELLED[implicit.group(1).casefold()] if implicit else "identity-based policy"
    if kind != "identity-based policy":
        holder = _HOLDERS[kind]
        return (
            f"ask {holder.who} to allow {action} in {holder.where}: a policy of the identity alone does not suffice; "
            "then run the same command again"
        )
    decode = f" (what denies it: {_DECODE})" if _ENCODED.search(message) else ""
    return f"allow {action} for the identity that runs this{decode}, then run the same command again"
