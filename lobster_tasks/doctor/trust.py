"""Derives from a trust policy whether ECS tasks can assume the role. Pure.

Conditions against the confused deputy problem must match what ECS sends: ``aws:SourceAccount`` is the account,
``aws:SourceArn`` is under ``arn:aws:ecs:<region>:<account>:`` ("Naming one cluster isn't supported").

Source of the operators: IAM User Guide, "IAM JSON policy elements: Condition operators" (``StringEquals`` is "exact
matching", so ``*`` is a character to it; the ARN operators check "each of the six colon-delimited components"
separately; with several values of a negated operator none may match) and "AWS JSON policy elements: NotPrincipal"
("deny access to all principals except").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from .check import UnknownError
from .references import as_list

TASKS = "ecs-tasks.amazonaws.com"
_ARN_PARTS = 6
_NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
}


def objection(document: Mapping[str, Any], account: str, partition: str, region: str) -> str | None:
    """Why ECS tasks cannot assume the role; None if they can. Raises UnknownError if that is not certain."""
    statements = [each for each in as_list(document.get("Statement")) if _is_about_assuming(each)]
    about_tasks = [each for each in statements if _is_about_tasks(each)]
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
    for operator, tests in (statement.get("Condition") or {}).items():
        for key, expected in tests.items():
            value = context.get(key.lower())
            is_met = None if value is None else _is_met(operator, as_list(expected), value)
            if is_met is None:
                found.append(
                    (None, f"its condition {operator} on {key} is not one that ECS is known to meet")
                )
            elif not is_met:
                wishes = ", ".join(map(str, as_list(expected)))
                found.append((True, f"its condition requires {key} {wishes} ({operator}), ECS sends {value}"))
    return found


def _is_met(operator: str, expected: list[Any], value: str) -> bool | None:
    """Whether a value that is sent meets a condition; None is not known.

    One value of the request is all that a quantifier, ForAnyValue or ForAllValues, finds.
    """
    plain = operator.removeprefix("ForAnyValue:").removeprefix("ForAllValues:").removesuffix("IfExists")
    if plain == "Null":
        return all(str(each).lower() == "false" for each in expected)
    test = _TESTS.get(_NEGATED.get(plain, plain))
    if test is None:
        return None
    told = [test(str(each), value) if "${" not in str(each) else None for each in expected]
    if True not in told and None in told:
        return None
    return (True in told) != (plain in _NEGATED)


def _like(expected: str, value: str) -> bool | None:
    """The pattern of a text; the end of an ARN that is sent is known only to be nothing that names a cluster.

    ``fnmatchcase`` takes no more time for many asterisks.
    """
    if fnmatchcase(value, _pattern(expected)):
        return True
    prefix, is_arn, end = expected.rpartition(":")
    is_open = is_arn and value.endswith(":*") and not end.startswith("cluster")
    return None if is_open and "*" in end and fnmatchcase(value[:-2], _pattern(prefix)) else False


def _arn_like(expected: str, value: str) -> bool | None:
    parts, sent = expected.split(":", _ARN_PARTS - 1), value.split(":", _ARN_PARTS - 1)
    if len(parts) < _ARN_PARTS or len(sent) < _ARN_PARTS:
        return None  # not an ARN, which the documentation says nothing about
    told = [_like(*each) for each in zip(parts[:-1], sent[:-1], strict=True)]
    return _like(f":{parts[-1]}", f":{sent[-1]}") if all(told) else False


def _pattern(text: str) -> str:
    return text.replace("[", "[[]")


_TESTS: Mapping[str, Callable[[str, str], bool | None]] = {
    "StringEquals": lambda expected, value: expected == value and "*" not in value,
    "StringEqualsIgnoreCase": lambda expected, value: expected.lower() == value.lower() and "*" not in value,
    "StringLike": _like,
    "ArnEquals": _arn_like,
    "ArnLike": _arn_like,
}


def _is_about_assuming(statement: Mapping[str, Any]) -> bool:
    """Whether a statement applies to sts:AssumeRole, by name, by pattern, or by a NotAction without it."""
    named = "NotAction" in statement
    actions = as_list(statement.get("NotAction" if named else "Action"))
    return named != any(fnmatchcase("sts:assumerole", str(action).lower()) for action in actions)


def _is_about_tasks(statement: Mapping[str, Any]) -> bool:
    """Whether a statement is about ECS tasks, by name, or as a denial for everybody who is not named."""
    if "NotPrincipal" in statement:
        return statement.get("Effect") == "Deny" and _is_without_tasks(statement["NotPrincipal"])
    return not _is_without_tasks(statement.get("Principal"))


def _is_without_tasks(element: Any) -> bool:
    return {TASKS, "*"}.isdisjoint(_named(element))


def _principals(statement: Mapping[str, Any]) -> list[str]:
    return _named(statement.get("Principal"))


def _named(element: Any) -> list[str]:
    """The principals that an element names, of all kinds."""
    if not isinstance(element, Mapping):
        return [str(each) for each in as_list(element)]
    return [str(name) for names in element.values() for name in as_list(names)]
