"""Decides what IAM policies allow, following "Policy evaluation logic" in the IAM User Guide.

Documents are AWS's own JSON, as text or parsed. A denying statement overrides all others; without one, some
statement must allow; with a permissions boundary, the boundary must allow as well.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from .conditions import Context, UnresolvedVariableError, as_list, glob, holds, literal

Document = str | Mapping[str, Any]
Values = Mapping[str, str | Sequence[str]]
Verdict = Literal["allowed", "explicitDeny", "implicitDeny"]


@dataclass(frozen=True)
class Decision:
    """A decision in the terms of SimulatePrincipalPolicy, and its reasons.

    ``matched`` contains (document, statement) indexes of the deciding statements; ``missing`` the context
    keys that policies use and the request lacks; ``within_boundary`` is false when there is a
    permissions boundary that does not allow it; ``by_resource`` is true when the resource's own policy decided.
    """

    verdict: Verdict
    matched: tuple[tuple[int, int], ...] = ()
    missing: tuple[str, ...] = ()
    within_boundary: bool = True
    by_resource: bool = False

    @property
    def allowed(self) -> bool:
        """Whether the request is allowed."""
        return self.verdict == "allowed"


def decide(
    policies: Iterable[Document],
    action: str,
    resource: str = "*",
    context: Values | None = None,
    boundary: Document | None = None,
) -> Decision:
    """Decide one action (``ecs:CreateService``) on one resource (an ARN, or ``*``)."""
    known = Context(context)
    decision = _decide([parsed(document) for document in policies], action, resource, known)
    if boundary is None:
        return replace(decision, missing=tuple(sorted(known.missing)))
    limit = _decide([parsed(boundary)], action, resource, known)
    if limit.verdict == "explicitDeny":
        decision = Decision("explicitDeny")
    elif decision.allowed and not limit.allowed:
        decision = Decision("implicitDeny")
    return replace(decision, missing=tuple(sorted(known.missing)), within_boundary=limit.allowed)


def parsed(document: Document) -> Mapping[str, Any]:
    """A policy document, parsed if it is text; ValueError when it is not JSON."""
    found: Mapping[str, Any] = json.loads(document) if isinstance(document, str) else document
    return found


def statements(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The statements of a document, which may have one or a list."""
    found = document.get("Statement", [])
    return found if isinstance(found, list) else [found]


def _decide(documents: list[Mapping[str, Any]], action: str, resource: str, context: Context) -> Decision:
    hits = list(_matching(documents, action, resource, context))
    denying = tuple(place for place, statement in hits if statement.get("Effect") == "Deny")
    if denying:
        return Decision("explicitDeny", denying)
    allowing = tuple(place for place, statement in hits if statement.get("Effect") == "Allow")
    return Decision("allowed", allowing) if allowing else Decision("implicitDeny")


def _matching(
    documents: list[Mapping[str, Any]], action: str, resource: str, context: Context
) -> Iterator[tuple[tuple[int, int], Mapping[str, Any]]]:
    for at, document in enumerate(documents):
        for which, statement in enumerate(statements(document)):
            if matches(statement, action, resource, context):
                yield (at, which), statement


def matches(statement: Mapping[str, Any], action: str, resource: str, context: Context) -> bool:
    """Whether a statement matches a request's action, resource and conditions (its principal is not checked)."""
    if not _listed(statement, "Action", lambda pattern: glob(pattern, action, ignore_case=True)):
        return False
    try:
        if not _listed(statement, "Resource", lambda pattern: _is_resource(pattern, resource, context)):
            return False
        return holds(statement.get("Condition"), context)
    except UnresolvedVariableError:
        return False


def _listed(statement: Mapping[str, Any], element: str, test: Any) -> bool:
    if f"Not{element}" in statement:
        return not any(test(pattern) for pattern in as_list(statement[f"Not{element}"]))
    if element not in statement:  # trust policies have no resource
        return element == "Resource"
    return any(test(pattern) for pattern in as_list(statement[element]))


def _is_resource(pattern: str, resource: str, context: Context) -> bool:
    return glob(context.fill(pattern, literal), resource)
