"""Checks the constraints of a model: required members, enumerations, lengths and patterns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from . import numbers
from .patterns import matches
from .walk import ShapedValue, is_plain, walk

LONGEST_SHOWN = 200


def missing(shape: Any, members: Mapping[str, Any]) -> list[str]:
    """The paths of missing required members."""
    return [found.path for found in walk(shape, members) if found.value is None]


def violations(shape: Any, members: Mapping[str, Any]) -> list[str]:
    """The violations, each as ``Value '…' at '…' failed to satisfy constraint: …``."""
    return [
        f"Value {_shown(found)} at '{found.path}' failed to satisfy constraint: {constraint}"
        for found in walk(shape, members)
        for constraint in _broken(found.shape, found.value)
    ]


def reserved(shape: Any, members: Mapping[str, Any]) -> list[str]:
    """Tag keys reserved for AWS; the message of most services is undocumented."""
    return [
        f"Value '{key}' at '{found.path}' failed to satisfy constraint: Member must not begin with aws:"
        for found in walk(shape, members)
        for key in _tag_keys(found)
        if key.lower().startswith("aws:")
    ]


def without_key(shape: Any, members: Mapping[str, Any]) -> list[str]:
    """The paths of tags without a key, which models allow and services refuse."""
    return [
        f"{found.path}.{number}.member.key"
        for found in walk(shape, members)
        if _is_tags(found) and found.shape.type_name == "list"
        for number, each in enumerate(found.value, 1)
        if isinstance(each, Mapping) and not (each.get("Key") or each.get("key"))
    ]


def _is_tags(found: ShapedValue) -> bool:
    return found.value is not None and found.path.rpartition(".")[2].lower() in ("tags", "addtags")


def _tag_keys(found: ShapedValue) -> Iterable[str]:
    if not _is_tags(found):
        return ()
    if found.shape.type_name == "map":
        return [*found.value]
    listed = found.value if found.shape.type_name == "list" else []
    return [str(each.get("Key") or each.get("key") or "") for each in listed if isinstance(each, Mapping)]


def _shown(found: ShapedValue) -> str:
    if found.value is None:
        return "null"
    if _is_secret(found.shape):
        return "'**redacted**'"
    match found.shape.type_name:
        case "list" if is_plain(found.shape.member):
            text = f"[{', '.join(map(str, found.value))}]"
        case "map" if is_plain(found.shape.value):
            text = f"{{{', '.join(f'{key}={each}' for key, each in found.value.items())}}}"
        case _:
            text = str(found.value)
    return f"'{text[:LONGEST_SHOWN]}'"


def _is_secret(shape: Any) -> bool:
    parts = {"list": ("member",), "map": ("key", "value")}.get(shape.type_name, ())
    return bool(shape.metadata.get("sensitive")) or any(_is_secret(getattr(shape, part)) for part in parts)


def _broken(shape: Any, value: Any) -> Iterator[str]:
    if value is None:
        yield "Member must not be null"
        return
    if isinstance(value, str):
        yield from _broken_text(shape, value)
    if size := _size(shape, value):
        yield from _broken_size(shape.metadata, *size)
    match shape.type_name:
        case "list":
            yield from _broken_inside("Member", shape.member, value)
        case "map":
            yield from _broken_inside("Map keys", shape.key, value)
            yield from _broken_inside("Map value", shape.value, value.values())


def _broken_inside(what: str, shape: Any, values: Iterable[Any]) -> Iterator[str]:
    """For plain values of a list or map: if one is wrong, AWS's message names all constraints of each."""
    if is_plain(shape) and any(each is not None and any(_broken(shape, each)) for each in values):
        yield f"{what} must satisfy constraint: [{', '.join(_constraints(shape))}]"


def _constraints(shape: Any) -> Iterator[str]:
    rules = shape.metadata
    kind = "value" if shape.type_name in numbers.NAMES else "length"
    if "max" in rules:
        yield f"Member must have {kind} less than or equal to {rules['max']}"
    if "min" in rules:
        yield f"Member must have {kind} greater than or equal to {rules['min']}"
    if rules.get("enum"):
        yield f"Member must satisfy enum value set: [{', '.join(rules['enum'])}]"
    if rules.get("pattern"):
        yield f"Member must satisfy regular expression pattern: {rules['pattern']}"


def _broken_text(shape: Any, value: str) -> Iterator[str]:
    choices = getattr(shape, "enum", [])
    if choices and value not in choices:
        yield f"Member must satisfy enum value set: [{', '.join(choices)}]"
    pattern = shape.metadata.get("pattern")
    if pattern and not matches(pattern, value):
        yield f"Member must satisfy regular expression pattern: {pattern}"


def _size(shape: Any, value: Any) -> tuple[float, str] | None:
    match shape.type_name:
        case kind if kind in numbers.NAMES:
            return float(value), "value"
        case "list" | "map" | "string" | "blob":
            return len(value), "length"
    return None


def _broken_size(limits: Mapping[str, Any], size: float, kind: str) -> Iterator[str]:
    if size < limits.get("min", size):
        yield f"Member must have {kind} greater than or equal to {limits['min']}"
    if size > limits.get("max", size):
        yield f"Member must have {kind} less than or equal to {limits['max']}"
