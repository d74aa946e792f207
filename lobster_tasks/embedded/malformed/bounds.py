"""Values that a model does not allow: no choice of an enum, too short or long, out of range, of another pattern.

Services say so in words of their own where they look at it; this is for values on which nobody has looked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from .required import camel

TOKENS = frozenset({"NextToken", "nextToken", "Marker", "marker", "PaginationToken", "NextMarker"})
LONGEST_MATCHED = 1000


def violations(shape: Any, members: Mapping[str, Any]) -> list[str]:
    """What is wrong, each as ``Value '…' at '…' failed to satisfy constraint: …``."""
    return list(_violations(shape, members, ""))


def _violations(shape: Any, value: Any, path: str) -> Iterator[str]:
    for constraint in _broken(shape, value, path):
        yield f"Value '{str(value)[:200]}' at '{path}' failed to satisfy constraint: {constraint}"
    match shape.type_name:
        case "structure" if not getattr(shape, "is_document_type", False):
            for name, each in value.items():
                if each is not None:
                    yield from _violations(shape.members[name], each, f"{path}.{camel(name)}".lstrip("."))
        case "list":
            for number, each in enumerate(value, 1):
                yield from _violations(shape.member, each, f"{path}.{number}.member")
        case "map":
            for key, each in value.items():
                yield from _violations(shape.value, each, f"{path}.{key}.member")


def _broken(shape: Any, value: Any, path: str) -> Iterator[str]:
    if isinstance(value, str):
        yield from _broken_text(shape, value)
        if path in {camel(name) for name in TOKENS}:
            yield "Member must be a token of an answer"
    if size := _size(shape, value):
        yield from _broken_size(shape.metadata, *size)


def _broken_text(shape: Any, value: str) -> Iterator[str]:
    choices = getattr(shape, "enum", [])
    if choices and value not in choices:
        yield f"Member must satisfy enum value set: [{', '.join(choices)}]"
    pattern = _compiled(shape.metadata.get("pattern", ""))
    if pattern and not (len(value) <= LONGEST_MATCHED and pattern.fullmatch(value)):
        yield f"Member must satisfy regular expression pattern: {pattern.pattern}"


@cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """A pattern of Java's, where Python has the same."""
    try:
        return re.compile(pattern) if pattern else None
    except re.error:
        return None


def _size(shape: Any, value: Any) -> tuple[float, str] | None:
    match shape.type_name:
        case "integer" | "long" | "float" | "double":
            return float(value), "value"
        case "list" | "map" | "string" | "blob":
            return len(value), "length"
    return None


def _broken_size(limits: Mapping[str, Any], size: float, kind: str) -> Iterator[str]:
    if size < limits.get("min", size):
        yield f"Member must have {kind} greater than or equal to {limits['min']}"
    if size > limits.get("max", size):
        yield f"Member must have {kind} less than or equal to {limits['max']}"
