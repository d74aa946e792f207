"""Allows a call, or refuses it with its service's error.

"Troubleshoot access denied error messages" (IAM User Guide) has the form of the message; the code is each service's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ...moto.adapter import AwsError
from ..policy import Decision, Document
from . import request
from .call_context import CallContext, current
from .queries import Queries
from .query import AuthorizationQuery

CODES = {
    "cloudfront": "AccessDenied",
    "ec2": "UnauthorizedOperation",
    "elasticloadbalancing": "AccessDenied",
    "iam": "AccessDenied",
    "monitoring": "AccessDenied",
    "route53": "AccessDenied",
    "sts": "AccessDenied",
}


class Authorizer:
    """Authorizes each call; ``policy_of`` returns the policy of a resource by its ARN, None where it has none."""

    def __init__(self, queries: Queries, policy_of: Callable[[str], Document | None]) -> None:
        self._queries = queries
        self._policy_of = policy_of

    def refused(self, environ: dict[str, Any]) -> AwsError | None:
        """Why the current caller is not authorized for the call in this environ; None where the call is allowed."""
        call_context = current()
        if call_context is None:
            return None
        members = request.members(call_context.call, environ)
        for query in self._queries.of_call(call_context.caller.account, call_context.call, members):
            decision = call_context.ask(query, self._policy_of(query.resource))
            if not decision.allowed:
                return _denial(call_context, query, decision)
        return None


def status_of(denial: AwsError) -> int:
    """The HTTP status of a refusal: 400 for JSON services."""
    return 400 if denial.code == "AccessDeniedException" else 403


def _denial(call_context: CallContext, query: AuthorizationQuery, decision: Decision) -> AwsError:
    told = (
        f"User: {call_context.caller.arn} is not authorized to perform: {query.action} on resource: "
        f"{query.resource} {_because(query.action, decision)}"
    )
    if call_context.call.service == "ec2":
        told = f"You are not authorized to perform this operation. {told}"
    return AwsError(CODES.get(call_context.call.service, "AccessDeniedException"), told)


def _because(action: str, decision: Decision) -> str:
    if decision.by_resource:
        return "with an explicit deny in a resource-based policy"
    kind = "identity-based policy" if decision.within_boundary else "permissions boundary"
    if decision.verdict == "explicitDeny":
        return f"with an explicit deny in {'an' if kind[0] == 'i' else 'a'} {kind}"
    return f"because no {kind} allows the {action} action"
