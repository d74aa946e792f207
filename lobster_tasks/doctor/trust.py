"""Whether ECS tasks can assume a role, by its trust policy. Pure.

Conditions against the confused deputy hold when they match what ECS sends: ``aws:SourceAccount`` is the account,
``aws:SourceArn`` is under ``arn:aws:ecs:<region>:<account>:`` ("Naming one cluster isn't supported").
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

TASKS = "ecs-tasks.amazonaws.com"
_EXACT = frozenset({"StringEquals", "StringEqualsIgnoreCase", "ArnEquals", "ArnLike", "StringLike"})
_WILD = frozenset({"StringLike", "ArnLike", "ArnEquals"})


def objection(document: Mapping[str, Any], account: str, partition: str, region: str) -> str | None:
    """Why ECS tasks cannot assume the role; None when they can."""
    statements = [each for each in _list(document.get("Statement")) if _is_about_assuming(each)]
    about_tasks = [each for each in statements if _names_tasks(each)]
    if any(each.get("Effect") == "Deny" for each in about_tasks):
        return f"it denies {TASKS}"
    if not about_tasks:
        trusted = sorted({name for each in statements for name in _principals(each)})
        return f"it trusts {', '.join(trusted) or 'nobody'}, not {TASKS}"
    context = {
        "aws:sourceaccount": account,
        "aws:sourcearn": f"arn:{partition}:ecs:{region}:{account}:*",
    }
    objections = [next(_unmet(each.get("Condition", {}), context), None) for each in about_tasks]
    return None if None in objections else objections[0]


def _unmet(condition: Mapping[str, Any], context: Mapping[str, str]) -> Iterator[str]:
    """What in a condition does not hold; what is not understood does not hold either."""
    for operator, tests in condition.items():
        for key, wanted in tests.items():
            value = context.get(key.lower())
            plain = operator.removesuffix("IfExists")
            if value is None or plain not in _EXACT:
                yield f"its condition {operator} on {key} is not one that ECS is known to meet"
            elif not any(_matches(plain, str(each), value) for each in _list(wanted)):
                yield f"its condition wants {key} {', '.join(map(str, _list(wanted)))}, ECS sends {value}"


def _matches(operator: str, wanted: str, value: str) -> bool:
    if operator not in _WILD:
        return wanted == value
    pattern = re.escape(wanted).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(pattern, value) is not None


def _is_about_assuming(statement: Mapping[str, Any]) -> bool:
    return any(action in ("sts:AssumeRole", "sts:*", "*") for action in _list(statement.get("Action")))


def _names_tasks(statement: Mapping[str, Any]) -> bool:
    return TASKS in _principals(statement)


def _principals(statement: Mapping[str, Any]) -> list[str]:
    principal = statement.get("Principal", {})
    if isinstance(principal, str):
        return [principal]
    return [str(name) for names in principal.values() for name in _list(names)]


def _list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
