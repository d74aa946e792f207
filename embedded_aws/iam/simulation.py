"""SimulatePrincipalPolicy and SimulateCustomPolicy, with the evaluator of this package."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..moto.adapter import AwsError, policy_text
from .access import reference
from .policy import Decision, decide

ACTION = re.compile(r"[a-zA-Z0-9-]+:[a-zA-Z0-9*?]+")
PAGE = 100
RESTRICTIVE = ("explicitDeny", "implicitDeny", "allowed")
"""Decisions, the most restrictive first."""


@dataclass(frozen=True)
class SourcePolicy:
    """One simulated policy: its id, type and text."""

    id: str
    kind: str
    text: str


@dataclass(frozen=True)
class Simulation:
    """A simulation: every action on every resource."""

    sources: Sequence[SourcePolicy]
    actions: Sequence[str]
    resources: Sequence[str] = ("*",)
    context: Mapping[str, list[str]] = field(default_factory=dict)
    boundary: str | None = None

    def page(self, marker: str | None, limit: int | None) -> dict[str, Any]:
        """The results from ``marker`` on, at most ``limit``."""
        results = list(self._results())
        first = int(marker or 0)
        last = first + (limit or PAGE)
        more = {"IsTruncated": last < len(results)}
        return {
            "EvaluationResults": results[first:last],
            **more,
            **({"Marker": str(last)} if more["IsTruncated"] else {}),
        }

    def _results(self) -> Iterator[dict[str, Any]]:
        """One result for each action, "regardless of how many resource ARNs are provided" (EvaluationResult)."""
        documents = [source.text for source in self.sources]
        for action in self.actions:
            decisions = [
                (resource, decide(documents, action, resource, self.context, self.boundary))
                for resource in self.resources
            ]
            yield self._result(action, decisions)

    def _result(self, action: str, decisions: Sequence[tuple[str, Decision]]) -> dict[str, Any]:
        verdict = min((decision.verdict for _, decision in decisions), key=RESTRICTIVE.index)
        decided = [decision for _, decision in decisions if decision.verdict == verdict]
        made = {
            "EvalActionName": action,
            "EvalResourceName": _template(action),
            "EvalDecision": verdict,
            **self._told(
                sorted({place for each in decided for place in each.matched}),
                sorted({key for _, each in decisions for key in each.missing}),
                all(each.within_boundary for _, each in decisions),
            ),
        }
        specific = [self._specific(resource, each) for resource, each in decisions if resource != "*"]
        return made | ({"ResourceSpecificResults": specific, "EvalDecisionDetails": {}} if specific else {})

    def _specific(self, resource: str, decision: Decision) -> dict[str, Any]:
        told = self._told(decision.matched, decision.missing, decision.within_boundary)
        return {"EvalResourceName": resource, "EvalResourceDecision": decision.verdict, **told}

    def _told(
        self, matched: Iterable[tuple[int, int]], missing: Iterable[str], within_boundary: bool
    ) -> dict[str, Any]:
        told: dict[str, Any] = {
            "MatchedStatements": [self._matched(*place) for place in matched],
            "MissingContextValues": list(missing),
        }
        if self.boundary is not None:
            told["PermissionsBoundaryDecisionDetail"] = {"AllowedByPermissionsBoundary": within_boundary}
        return told

    def _matched(self, document: int, statement: int) -> dict[str, Any]:
        source = self.sources[document]
        start, end = statement_spans(source.text)[statement]
        return {
            "SourcePolicyId": source.id,
            "SourcePolicyType": source.kind,
            "StartPosition": _position(source.text, start),
            "EndPosition": _position(source.text, end),
        }


def _template(action: str) -> str:
    """The ARN template of an action's resource type, ``*`` where it has none."""
    service, _, operation = action.partition(":")
    found = reference.find(service, operation)
    return next((each.template for each in (*found.required, *found.optional)), "*")


def sources_of(store: Any, arn: str) -> tuple[list[SourcePolicy], str | None]:
    """The policies of a role, user or group, and the text of its boundary; NoSuchEntity, InvalidInput."""
    kind, entity = _entity(store, arn)
    boundary = store.managed_policies.get(getattr(entity, "permissions_boundary_arn", None))
    owners = [(kind, entity)]
    if kind == "user":
        owners += [("group", group) for group in store.get_groups_for_user(entity.name)]
    found = [source for owner in owners for source in _policies(*owner)]
    return found, policy_text(boundary) if boundary else None


def given_sources(texts: Iterable[str], name: str = "PolicyInputList") -> list[SourcePolicy]:
    """The policies in the request."""
    return [SourcePolicy(f"{name}.{number}", "IAM Policy", text) for number, text in enumerate(texts, 1)]


def checked_actions(actions: Sequence[str]) -> Sequence[str]:
    """Raise InvalidInput unless each is ``service:Action``."""
    for action in actions:
        if not ACTION.fullmatch(action):
            raise AwsError("InvalidInput", f"Invalid Action Name: {action}")
    return actions


def context_of(entries: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """ContextEntries in the evaluator's form."""
    return {entry["ContextKeyName"]: list(entry.get("ContextKeyValues", [])) for entry in entries}


def statement_spans(text: str) -> list[tuple[int, int]]:
    """The start and end of each statement in a policy's text."""
    decoder = json.JSONDecoder()
    at = re.compile(r'"Statement"\s*:\s*').search(text)
    if at is None:
        return []
    spans, start = [], at.end()
    single = not text.startswith("[", start)
    start += 0 if single else 1
    while (found := re.compile(r"[\s,]*(\{)").match(text, start)) is not None:
        _, end = decoder.raw_decode(text, found.start(1))
        spans.append((found.start(1), end))
        start = end
        if single:
            break
    return spans


def _position(text: str, at: int) -> dict[str, int]:
    before = text[:at]
    return {"Line": before.count("\n") + 1, "Column": at - (before.rfind("\n") + 1) + 1}


def _policies(kind: str, entity: Any) -> Iterator[SourcePolicy]:
    for name, text in entity.policies.items():
        yield SourcePolicy(f"{kind}_{entity.name}_{name}", "IAM Policy", text)
    for policy in entity.managed_policies.values():
        yield SourcePolicy(policy.name, "IAM Policy", policy_text(policy))


def _entity(store: Any, arn: str) -> tuple[str, Any]:
    kinds = {"role": store.roles, "user": store.users, "group": store.groups}
    kind = arn.split(":", 5)[-1].split("/")[0]
    if not arn.startswith("arn:") or kind not in kinds:
        message = f"Invalid Entity Arn: {arn} does not clearly define entity type and name."
        raise AwsError("InvalidInput", message)
    for entity in list(kinds[kind].values()):
        if entity.arn == arn:
            return kind, entity
    raise AwsError("NoSuchEntity", f"The {kind} with name {arn.split('/')[-1]} cannot be found.")
