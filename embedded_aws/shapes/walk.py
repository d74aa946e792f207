"""Walks through a request by its model: every value with its shape, and its path in AWS's form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ShapedValue:
    """A value in a request; ``value`` is None where the model requires one and it is missing.

    ``path`` is as in ``tags.1.member.key``.
    """

    shape: Any
    value: Any
    path: str


def walk(shape: Any, members: Mapping[str, Any]) -> Iterator[ShapedValue]:
    """Every value at any depth, in the model's order; ``members`` are by the model's names.

    Plain values in a list or map are reported with their list or map, as AWS does.
    """
    return _inside(shape, members, "")


def _at(shape: Any, value: Any, path: str) -> Iterator[ShapedValue]:
    yield ShapedValue(shape, value, path)
    if value is not None:
        yield from _inside(shape, value, path)


def _inside(shape: Any, value: Any, path: str) -> Iterator[ShapedValue]:
    match shape.type_name:
        case "structure" if not getattr(shape, "is_document_type", False):
            for name, member in shape.members.items():
                each = value.get(name)
                if each is not None or name in shape.required_members:
                    yield from _at(member, each, f"{path}.{camel(name)}".lstrip("."))
        case "list":
            for number, each in enumerate(value, 1):
                if each is None or not is_plain(shape.member):
                    yield from _at(shape.member, each, f"{path}.{number}.member")
        case "map":
            for key, each in value.items():
                if each is None or not is_plain(shape.value):
                    yield from _at(shape.value, each, f"{path}.{key}.member")


def is_plain(shape: Any) -> bool:
    """Whether a value contains no others."""
    return shape.type_name not in ("structure", "list", "map")


def camel(name: str) -> str:
    """A member's name in AWS's messages: the first letter in lower case, except in abbreviations."""
    return name if name[:2].isupper() else name[:1].lower() + name[1:]
