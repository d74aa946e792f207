"""The members that a request must have, by its model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any


def missing(shape: Any, members: Mapping[str, Any]) -> list[str]:
    """The paths of what is required and not there, as AWS writes them: ``tags.1.member.key``."""
    return list(_missing(shape, members, ""))


def _missing(shape: Any, value: Any, path: str) -> Iterator[str]:
    match shape.type_name:
        case "structure" if not getattr(shape, "is_document_type", False):
            yield from _of_structure(shape, value, path)
        case "list":
            for number, each in enumerate(value, 1):
                yield from _of_element(shape.member, each, f"{path}.{number}.member")
        case "map":
            for key, each in value.items():
                yield from _of_element(shape.value, each, f"{path}.{key}.member")


def _of_structure(shape: Any, value: Mapping[str, Any], path: str) -> Iterator[str]:
    for name in shape.required_members:
        if value.get(name) is None:
            yield f"{path}.{camel(name)}".lstrip(".")
    for name, each in value.items():
        if each is not None:
            yield from _missing(shape.members[name], each, f"{path}.{camel(name)}".lstrip("."))


def _of_element(shape: Any, value: Any, path: str) -> Iterator[str]:
    if value is None:
        yield path
    else:
        yield from _missing(shape, value, path)


def camel(name: str) -> str:
    """As AWS writes members in these texts: with a small letter first, but for abbreviations."""
    return name if name[:2].isupper() else name[:1].lower() + name[1:]
