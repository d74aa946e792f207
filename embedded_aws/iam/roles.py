"""IAM roles for services: whom they trust, what they allow, and whether they can be assumed yet."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from ..kernel import young
from ..kernel.data_plane import DataPlane
from ..moto import adapter
from ..moto.adapter import StoredRole
from .conditions import Context, as_list, resource_account
from .policy import Decision, Document, Values, decide, matches, parsed, statements


def role_policies(account: str, role_arn: str) -> list[Mapping[str, Any]]:
    """Every permissions policy of a role, inline and attached; empty where the role does not exist."""
    role = adapter.find_role(account, role_arn)
    return [] if role is None else policies_of(role)


def role_allows(
    account: str, role_arn: str, action: str, resource: str = "*", context: Values | None = None
) -> Decision:
    """The decision of a role's policies and permissions boundary; implicitDeny where the role does not exist."""
    role = adapter.find_role(account, role_arn)
    if role is None:
        return Decision("implicitDeny")
    known = {"aws:ResourceAccount": resource_account(resource, account), **(context or {})}
    return decide(policies_of(role), action, resource, known, role.boundary)


def trusts(
    trust: StoredRole | Document,
    principal: str,
    context: Values | None = None,
    *,
    kind: str = "Service",
    action: str = "sts:AssumeRole",
) -> bool:
    """Whether a role (or a trust policy) allows ``principal`` to assume it.

    ``kind`` is Service (``ecs-tasks.amazonaws.com``), AWS (an account's or a role's ARN) or Federated (an
    identity provider's ARN). ``context`` contains condition keys, such as ``aws:SourceAccount``.
    """
    known = Context(context)
    document = parsed(trust.trust if isinstance(trust, StoredRole) else trust)
    hits = [
        statement["Effect"]
        for statement in statements(document)
        if _names(statement, kind, principal) and matches(statement, action, "*", known)
    ]
    return "Allow" in hits and "Deny" not in hits


def names(role: StoredRole, principal: str) -> bool:
    """Whether the trust policy names this user, role or session itself, not only its account."""
    allowing = [each for each in statements(parsed(role.trust)) if each.get("Effect") == "Allow"]
    named = [each.get("Principal") for each in allowing]
    return any(principal in as_list(each.get("AWS", [])) for each in named if isinstance(each, Mapping))


def assumable(plane: DataPlane, role_arn: str, now: datetime | None = None) -> bool:
    """Whether a role is old enough for a service to assume it (``role_propagation_seconds``, a young account)."""
    role = adapter.find_role(role_arn.split(":")[4], role_arn)
    if role is None:
        return False
    if not young.lets_assume(plane, role_arn):
        return False
    wait = timedelta(seconds=plane.pace.real(plane.faults.role_propagation))
    return (now or datetime.now(UTC)) - role.created >= wait


def policies_of(role: StoredRole) -> list[Mapping[str, Any]]:
    """Every permissions policy of a role, inline and attached."""
    return [parsed(document) for document in (*role.inline.values(), *role.attached.values())]


def _names(statement: Mapping[str, Any], kind: str, principal: str) -> bool:
    if "NotPrincipal" in statement:
        return not _is_named(statement["NotPrincipal"], kind, principal)
    return _is_named(statement.get("Principal", {}), kind, principal)


def _is_named(element: Any, kind: str, principal: str) -> bool:
    if element == "*":
        return True
    if not isinstance(element, Mapping):
        return False
    return any(_is_principal(kind, named, principal) for named in as_list(element.get(kind, [])))


def _is_principal(kind: str, named: str, principal: str) -> bool:
    if named in ("*", principal):
        return True
    if kind != "AWS" or not principal.startswith("arn:"):
        return False
    account = principal.split(":")[4]  # an account, or its root, includes all of its principals
    return named in (account, f"arn:aws:iam::{account}:root")
