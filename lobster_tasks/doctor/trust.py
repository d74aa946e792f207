"""Derives from a trust policy whether ECS tasks can assume the role. Pure.

Conditions against the confused deputy problem must match what ECS sends: ``aws:SourceAccount`` is the account,
``aws:SourceArn`` is under ``arn:aws:ecs:<region>:<account>:`` ("Naming one cluster isn't supported").
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

from .check import UnknownError
from .references import as_list

TASKS = "ecs-tasks.amazonaws.com"
_EXACT = frozenset({"StringEquals", "StringEqualsIgnoreCase", "ArnEquals", "ArnLike", "StringLike"})
_WILD = frozenset({"StringLike", "ArnLike", "ArnEquals"})


def objection(document: Mapping[str, Any], account: str, partition: str, region: str) -> str | None:
    """Why ECS tasks cannot assume the role; None if they can. Raises UnknownError if that is not certain."""
    statements = [each for each in as_list(document.get("Statement")) if _is_about_assuming(each)]
    about_tasks = [each for each in statements if _names_tasks(each)]
    context = {
        "aws:sourceaccount": account,
        "aws:sourcearn": f"arn:{partition}:ecs:{region}:{account}:*",
    }
    denying = [_unmet(each, context) for each in about_tasks if each.get("Effect") == "Deny"]
    if any(not unmet for unmet in denying):
        return f"it denies {TASKS}"
    allowing = [_unmet(each, context) for each in about_tasks if each.get("Effect") != "Deny"]
    if any(not unmet for unmet in allowing):
        _be_sure(denying)
        return None
    if not allowing:
        _be_sure(
            [
                [(None, "its NotPrincipal names whom it does not trust, instead of whom it trusts")]
                for each in statements
                if "NotPrincipal" in each
            ]
        )
        trusted = sorted({name for each in statements for name in _principals(each)})
        return f"it trusts {', '.join(trusted) or 'nobody'}, not {TASKS}"
    _be_sure(allowing)
    return next(text for unmet in allowing for sure, text in unmet if sure)


_Unmet = list[tuple[bool | None, str]]


def _be_sure(statements: list[_Unmet]) -> None:
    """Raise UnknownError for a statement that may apply, because no condition in it is known to fail."""
    for unmet in statements:
        if not any(sure for sure, _ in unmet):
            raise UnknownError(unmet[0][1])


def _unmet(statement: Mapping[str, Any], context: Mapping[str, str]) -> _Unmet:
    """The parts of a statement's condition that may fail, each with whether that is certain."""
    found: _Unmet = []
    for operator, tests in statement.get("Condition", {}).items():
        for key, expected in tests.items():
            value = context.get(key.lower())
            plain = operator.removesuffix("IfExists")
            if value is None or plain not in _EXACT:
                found.append(
                    (None, f"its condition {operator} on {key} is not one that ECS is known to meet")
                )
            elif not any(_matches(plain, str(each), value) for each in as_list(expected)):
                wishes = ", ".join(map(str, as_list(expected)))
                found.append((True, f"its condition requires {key} {wishes}, ECS sends {value}"))
    return found


def _matches(operator: str, expected: str, value: str) -> bool:
    if operator not in _WILD:
        return expected == value
    return fnmatchcase(value, expected.replace("[", "[[]"))  # whose time does not grow with many asterisks


def _is_about_assuming(statement: Mapping[str, Any]) -> bool:
    """Whether a statement applies to sts:AssumeRole, by name, by pattern, or by a NotAction without it."""
    named = "NotAction" in statement
    actions = as_list(statement.get("NotAction" if named else "Action"))
    return named != any(fnmatchcase("sts:assumerole", str(action).lower()) for action in actions)


def _names_tasks(statement: Mapping[str, Any]) -> bool:
    return not {TASKS, "*"}.isdisjoint(_principals(statement))


def _principals(statement: Mapping[str, Any]) -> list[str]:
    principal = statement.get("Principal", {})
    if isinstance(principal, str):
        return [principal]
    return [str(name) for names in principal.values() for name in as_list(names)]
