"""Evaluates the ``Condition`` block of IAM policies ("IAM JSON policy elements: Condition operators").

A request's context maps keys (case-insensitive) to one or more values. Modifiers of an operator are the prefixes
``ForAnyValue:`` and ``ForAllValues:`` and the suffix ``IfExists``.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from ipaddress import ip_address, ip_network
from typing import Any

from ..kernel.wildcards import QUESTION_MARK, STAR, wildcard

Test = Callable[[str, str], bool]
"""Whether a policy's value (first) matches the request's (second)."""

VARIABLE = re.compile(r"\$\{\s*([^,}]+?)\s*(?:,\s*'([^']*)'\s*)?\}")
LITERALS = {"*": "*", "?": "?", "$": "$"}


def resource_account(resource: str, caller: str) -> str:
    """``aws:ResourceAccount``: the account that owns a resource (ARN), the caller's where the ARN has none."""
    owner = resource.split(":")[4] if resource.count(":") > 4 else ""
    return owner if owner.isdigit() else caller


class UnresolvedVariableError(Exception):
    """A policy variable without a value in the request: its statement does not match."""


class Context:
    """The condition keys of a request, in any case, and which missing ones were used."""

    def __init__(self, values: Mapping[str, str | Sequence[str]] | None = None) -> None:
        self._values = {
            key.lower(): [value] if isinstance(value, str) else [str(one) for one in value]
            for key, value in (values or {}).items()
        }
        self.missing: set[str] = set()

    def get(self, key: str) -> list[str] | None:
        """The values of ``key``, or None, which is recorded."""
        found = self._values.get(key.lower())
        if found is None:
            self.missing.add(key)
        return found

    def fill(self, text: str, escape: Callable[[str], str] = str) -> str:
        """``text`` with its ``${variables}`` replaced, each passed through ``escape``."""

        def one(match: re.Match[str]) -> str:
            name, default = match.group(1), match.group(2)
            if name in LITERALS:
                return escape(LITERALS[name])
            values = self.get(name)
            if values is not None and len(values) == 1:
                return escape(values[0])
            if default is None:
                raise UnresolvedVariableError(name)
            return escape(default)

        return VARIABLE.sub(one, text)


def literal(text: str) -> str:
    """``text`` with its wildcards escaped for ``glob``."""
    return text.replace("*", STAR).replace("?", QUESTION_MARK)


def glob(pattern: str, value: str, ignore_case: bool = False) -> bool:
    """Whether ``pattern`` matches ``value``, with the wildcards ``*`` and ``?``."""
    return wildcard(pattern, ignore_case).fullmatch(value) is not None


def arn_like(pattern: str, value: str) -> bool:
    """Like ``glob``, but separately for each of an ARN's six parts."""
    expected, actual = pattern.split(":", 5), value.split(":", 5)
    return len(expected) == len(actual) == 6 and all(map(glob, expected, actual))


def _moment(text: str) -> datetime:
    if re.fullmatch(r"\d+", text):
        return datetime.fromtimestamp(int(text), UTC)
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _compared(kind: Callable[[str], Any]) -> dict[str, Test]:
    return {
        "Equals": lambda expected, actual: bool(kind(actual) == kind(expected)),
        "LessThan": lambda expected, actual: bool(kind(actual) < kind(expected)),
        "LessThanEquals": lambda expected, actual: bool(kind(actual) <= kind(expected)),
        "GreaterThan": lambda expected, actual: bool(kind(actual) > kind(expected)),
        "GreaterThanEquals": lambda expected, actual: bool(kind(actual) >= kind(expected)),
    }


TESTS: dict[str, Test] = {
    "StringEquals": lambda expected, actual: expected == actual,
    "StringEqualsIgnoreCase": lambda expected, actual: expected.lower() == actual.lower(),
    "StringLike": glob,
    "Bool": lambda expected, actual: expected.lower() == actual.lower(),
    "BinaryEquals": lambda expected, actual: b64decode(expected) == b64decode(actual),
    "ArnEquals": arn_like,
    "ArnLike": arn_like,
    "IpAddress": lambda expected, actual: ip_address(actual) in ip_network(expected, strict=False),
    **{f"Numeric{name}": test for name, test in _compared(Decimal).items()},
    **{f"Date{name}": test for name, test in _compared(_moment).items()},
}
NEGATED = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NotIpAddress": "IpAddress",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
}
OPERATORS = {*TESTS, *NEGATED, "Null"}


def holds(block: Mapping[str, Mapping[str, Any]] | None, context: Context) -> bool:
    """Whether every condition of a ``Condition`` block holds; ValueError for an unknown operator."""
    return all(
        _holds(operator, key, as_list(expected), context)
        for operator, keys in (block or {}).items()
        for key, expected in keys.items()
    )


def as_list(value: Any) -> list[str]:
    """A JSON value or list as a list of texts; ``true`` and ``false`` as in JSON."""
    values = value if isinstance(value, list) else [value]
    return [str(one).lower() if isinstance(one, bool) else str(one) for one in values]


def _holds(operator: str, key: str, expected: list[str], context: Context) -> bool:
    quantifier, _, name = operator.rpartition(":")
    base = name.removesuffix("IfExists")
    if base not in OPERATORS or quantifier not in ("", "ForAnyValue", "ForAllValues"):
        raise ValueError(f"IAM has no condition operator {operator}")
    actual = context.get(key)
    if base == "Null":
        return any((value == "true") == (not actual) for value in expected)
    if name != base and actual is None:
        return True
    hits = _hits(NEGATED.get(base, base), expected, actual or [], context)
    return _combined(quantifier, base in NEGATED, list(hits))


def _hits(base: str, expected: list[str], actual: Sequence[str], context: Context) -> Iterator[bool]:
    """For each value of the request, whether any value of the policy matches it."""
    wild = base in ("StringLike", "ArnEquals", "ArnLike")
    filled = [context.fill(value, literal if wild else str) for value in expected]
    for value in actual:
        yield any(_accepts(TESTS[base], one, value) for one in filled)


def _accepts(test: Test, expected: str, actual: str) -> bool:
    try:
        return test(expected, actual)
    except (ValueError, ArithmeticError):  # not a number, date or address: no match
        return False


def _combined(quantifier: str, negated: bool, hits: list[bool]) -> bool:
    passed = [not hit for hit in hits] if negated else hits
    if quantifier == "ForAllValues":
        return all(passed)
    if quantifier == "ForAnyValue" or not negated:
        return any(passed)
    return all(passed)
