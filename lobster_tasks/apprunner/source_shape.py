"""Names what in an ``apprunner.yaml`` has another shape than App Runner's format, so that nothing is lost in silence.
Pure.

Source: App Runner Developer Guide, "App Runner configuration file reference".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..as_written import given_twice

_COMMANDS = (
    "build.commands.pre-build",
    "build.commands.build",
    "build.commands.post-build",
    "run.pre-run",
)
# Lists of items with a name, and the member of an item that has the value.
_NAMED = {"build.env": "value", "run.env": "value", "run.secrets": "value-from"}
_SECTIONS = ("build", "build.commands", "run", "run.network")
_TEXTS = ("version", "runtime", "run.runtime-version", "run.command", "run.network.port", "run.network.env")
MEMBERS = (*_TEXTS, *_COMMANDS, *_NAMED)
"""The format's members, in dotted form."""


def misshapen(found: object) -> list[str]:
    """A sentence for each part of the file with another shape, which begins with the part's dotted name.

    ``found`` is the file's content, with scalars as written. No value is repeated: it may be a secret.
    """
    if found is None:
        return []
    if not isinstance(found, Mapping):
        return [f"the file is {_kind(found)} where the format expects sections"]
    return [*_wrong(found)]


def _wrong(found: Mapping[str, Any]) -> Iterator[str]:
    for name in _SECTIONS:
        if (value := _at(found, name)) is not None and not isinstance(value, Mapping):
            yield f"{name} is {_kind(value)} where the format expects a section"
    for name in _TEXTS:
        if (value := _at(found, name)) is not None and not isinstance(value, str):
            yield f"{name} is {_kind(value)} where the format expects a text"
    for name in _COMMANDS:
        yield from _wrong_commands(name, _at(found, name))
    for name, member in _NAMED.items():
        yield from _wrong_items(name, member, _at(found, name))


def _at(found: object, name: str) -> Any:
    """The part at a dotted name; None where there is none."""
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _wrong_commands(name: str, value: object) -> Iterator[str]:
    """A single text is taken for a list of one."""
    if value is not None and not isinstance(value, list | str):
        yield f"{name} is {_kind(value)} where the format expects a list of commands"
    for number, each in enumerate(value if isinstance(value, list) else (), 1):
        if not isinstance(each, str):
            yield f"{name}, item {number}, is {_kind(each)} where the format expects a command"


def _wrong_items(name: str, member: str, value: object) -> Iterator[str]:
    if value is not None and not isinstance(value, list):
        yield f"{name} is {_kind(value)} where the format expects a list of items with name and {member}"
    items = value if isinstance(value, list) else []
    for number, each in enumerate(items, 1):
        if not isinstance(each, Mapping) or not isinstance(each.get("name"), str):
            yield f"{name}, item {number}, has no name"
        elif (given := each.get(member)) is None:
            yield f"{name}, {each['name']}, has no {member}"
        elif not isinstance(given, str):
            yield f"{name}, {each['name']}, has {_kind(given)} as its {member} where the format expects a text"
    names = [each.get("name") for each in items if isinstance(each, Mapping)]
    for twice in given_twice([each for each in names if isinstance(each, str)]):
        yield f"{name}, {twice}, occurs more than once; the last one is used"


def _kind(value: object) -> str:
    if value is None:
        return "empty"
    kinds = ((str, "a text"), (Mapping, "a mapping"), (list, "a list"))
    return next((kind for each, kind in kinds if isinstance(value, each)), "no text")
