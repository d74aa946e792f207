"""Describes IAM policies in words: what a policy allows, and how two differ. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .layout import listed


@dataclass(frozen=True, order=True)
class Grant:
    """One action for one resource or principal, under one condition."""

    effect: str
    condition: str
    whom: str
    thing: str
    action: str


def allowed(document: str) -> list[str]:
    """The content of a policy (JSON text), in a few lines."""
    return _words(_grants(document))


def trusted(document: str) -> list[str]:
    """The principals that a trust policy (JSON text) allows."""
    return sorted({grant.whom for grant in _grants(document) if grant.effect == "Allow"})


def conditions(document: str) -> list[str]:
    """The conditions under which a trust policy (JSON text) allows users of identity providers."""
    federated = (grant for grant in _grants(document) if ":oidc-provider/" in grant.whom)
    return sorted({f"where {grant.condition}" for grant in federated if grant.condition})


def differences(now: str, then: str) -> list[str]:
    """What is added to a policy and removed from it, in lines that begin with ``+`` and ``-``."""
    before, after = _grants(now), _grants(then)
    added = [f"+ {line}" for line in _words(after - before)]
    return added + [f"- {line}" for line in _words(before - after)]


def _grants(document: str) -> set[Grant]:
    statements = json.loads(document).get("Statement", []) if document else []
    return {grant for each in _as_list(statements) for grant in _of(each)}


def _of(statement: Mapping[str, Any]) -> Iterator[Grant]:
    condition = _condition(statement.get("Condition", {}))
    for whom in _principals(statement):
        for thing in _members(statement, "Resource") or [""]:
            for action in _members(statement, "Action"):
                yield Grant(statement["Effect"], condition, whom, thing, action)


def _members(statement: Mapping[str, Any], name: str) -> list[str]:
    """The values of ``name`` (``Action`` or ``Resource``), or those of its ``Not`` form as exceptions."""
    if name in statement:
        return [str(each) for each in _as_list(statement[name])]
    return [f"all but {each}" for each in _as_list(statement.get(f"Not{name}", []))]


def _principals(statement: Mapping[str, Any]) -> list[str]:
    principal = statement.get("Principal", "")
    if isinstance(principal, Mapping):
        return [str(each) for kind in principal.values() for each in _as_list(kind)]
    return [str(principal)]


def _condition(condition: Mapping[str, Mapping[str, Any]]) -> str:
    parts = [
        f"{key} {operator} {' or '.join(map(str, _as_list(value)))}"
        for operator, keys in condition.items()
        for key, value in keys.items()
    ]
    return " and ".join(sorted(parts))


def _words(grants: Iterable[Grant]) -> list[str]:
    """Lines for grants; those that differ only in the action share a line, then those that differ only in the thing."""
    actions: dict[tuple[str, str, str, str], list[str]] = {}
    for grant in sorted(grants):
        key = (grant.effect, grant.condition, grant.whom, grant.thing)
        actions.setdefault(key, []).append(grant.action)
    things: dict[tuple[str, str, str, tuple[str, ...]], list[str]] = {}
    for (effect, condition, whom, thing), names in actions.items():
        things.setdefault((effect, condition, whom, tuple(names)), []).append(thing)
    return [_line(*key, each) for key, each in things.items()]


def _line(effect: str, condition: str, whom: str, actions: tuple[str, ...], things: list[str]) -> str:
    may = "may" if effect == "Allow" else "may not"
    parts = [f"{whom} {may}".strip(), ", ".join(actions)]
    parts += [f"on {listed(things)}"] if any(things) else []
    parts += [f"where {condition}"] if condition else []
    return " ".join(parts)


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
