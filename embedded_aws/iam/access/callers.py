"""Identifies the caller: an IAM user, a role's session, or a caller that IAM does not know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ...moto import adapter
from ..policy import Decision, Document, Verdict, decide, parsed
from ..resource_policy import verdict_on
from ..roles import policies_of
from . import stored


@dataclass(frozen=True)
class Caller:
    """A caller that IAM knows: ``arn`` as in error messages, ``principal`` is the user's or role's ARN."""

    arn: str
    principal: str
    policies: tuple[Mapping[str, Any], ...]
    boundary: str | None = None
    session_policy: str | None = None

    @property
    def account(self) -> str:
        """The account's 12 digits."""
        return self.arn.split(":")[4]

    @property
    def user_name(self) -> str:
        """The name of a user; empty for a session of a role."""
        kind, _, path_and_name = self.principal.split(":", 5)[5].partition("/")
        return path_and_name.rpartition("/")[2] if kind == "user" else ""

    def decides(
        self, action: str, resource: str, context: Mapping[str, Any], policy: Document | None = None
    ) -> Decision:
        """The decision of the caller's policies, and of the resource's own; a session policy only restricts it."""
        decision = decide(self.policies, action, resource, context, self.boundary)
        if policy is not None:
            verdict = verdict_on((self.arn, self.principal), policy, action, resource, context)
            decision = _with_resource(decision, verdict)
        if decision.allowed and self.session_policy:
            return decide([self.session_policy], action, resource, context)
        return decision


def _with_resource(decision: Decision, verdict: Verdict) -> Decision:
    """The decision with what the resource's policy says; only a boundary limits what that allows."""
    if decision.verdict == "explicitDeny" or verdict == "implicitDeny":
        return decision
    if verdict == "allowed" and not decision.within_boundary:
        return decision
    return replace(decision, verdict=verdict, by_resource=True)


def find(account: str, access_key: str) -> Caller | None:
    """The caller with this access key; None where IAM does not know it."""
    if session := stored.find_session(account, access_key):
        role = adapter.find_role(account, session.role_arn)
        policies = tuple(policies_of(role)) if role else ()
        boundary = role.boundary if role else None
        return Caller(session.arn, session.role_arn, policies, boundary, session.policy)
    if user := stored.find_user(account, access_key):
        return Caller(user.arn, user.arn, tuple(map(parsed, user.policies)), user.boundary)
    return None
