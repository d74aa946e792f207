"""Reads YAML as written, and writes settings into ``invoke.yaml`` without changing the rest of the file.

A YAML writer that keeps comments would be a further dependency, for a single section that is generated anyway.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from .. import as_written
from ..errors import RefusedError, UsageError

_SECTION = "lobster"
# Text that is a string in YAML without quotes.
_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9_./-]{0,1000}(?::[A-Za-z0-9_./-]{1,1000}){0,100}")
_NOT_TEXT = frozenset({"true", "false", "yes", "no", "on", "off", "null", "y", "n"})


def load(text: str, name: str) -> Any:
    """The value of a YAML text, with scalars as written; UsageError with ``name`` where it is invalid."""
    try:
        return as_written.load_yaml(text)
    except as_written.UnreadableError as error:
        raise UsageError(f"{name} cannot be read.", str(error), f"correct {name}") from error


def with_section(text: str, settings: Mapping[str, Any], name: str) -> str:
    """``text``, the YAML file ``name``, with ``settings`` as its section ``lobster:`` and all other lines
    unchanged.

    The section is found by its lines, and YAML allows forms that are not recognised here. So the result
    is read again: RefusedError where it does not have the settings and the previous other sections.
    """
    made = _replaced(text, settings)
    others = as_written.load_yaml(text) or {}
    try:
        found = as_written.load_yaml(made)
    except as_written.UnreadableError as error:
        raise _irreplaceable(name, f"the file would no longer be valid YAML ({error})") from None
    if not isinstance(found, Mapping) or not _is_written(_without_section(others), _without_section(found)):
        raise _irreplaceable(name, "other sections of the file would change")
    if not _is_written(settings, found.get(_SECTION)):
        raise _irreplaceable(name, "the file would not contain the new settings")
    return made


def _irreplaceable(name: str, why: str) -> RefusedError:
    return RefusedError(
        f"The section {_SECTION} of {name} cannot be written without damage to the file.",
        f"{why}; nothing was written",
        f"write it as a line `{_SECTION}:` and its keys below, each indented, with no anchor in it that is used "
        "elsewhere, or put in what inv import-apprunner --json --dry-run shows",
    )


def _without_section(tree: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in tree.items() if key != _SECTION}


def _is_written(meant: Any, found: Any) -> bool:
    """Whether a value read from a file is the one that was to be written; Plain text is compared as YAML's value."""
    if isinstance(meant, Mapping):
        return (
            isinstance(found, Mapping)
            and meant.keys() == found.keys()
            and all(_is_written(value, found[key]) for key, value in meant.items())
        )
    if isinstance(meant, list | tuple):
        return isinstance(found, list) and len(meant) == len(found) and all(map(_is_written, meant, found))
    if isinstance(found, as_written.PlainScalar) and not isinstance(meant, str):
        return bool(found.meaning == meant)
    return type(found) is type(meant) and bool(found == meant)


def _replaced(text: str, settings: Mapping[str, Any]) -> str:
    lines = text.splitlines(keepends=True)
    first = next(
        (number for number, line in enumerate(lines) if re.match(rf"{_SECTION}\s{{0,100}}:", line)), None
    )
    section = f"{_SECTION}:\n" + "".join(f"{line}\n" for line in _lines(settings, 1))
    if first is None:
        before = text if not text or text.endswith("\n") else f"{text}\n"
        return f"{before}\n{section}" if before else section
    last = first + 1
    while last < len(lines) and _inside(lines, last):
        last += 1
    return "".join([*lines[:first], section, *lines[last:]])


def _inside(lines: list[str], number: int) -> bool:
    """Whether a line belongs to the section: it is indented, or blank or a comment before more of the section."""
    if lines[number][:1] in (" ", "\t"):
        return True
    if lines[number].strip() and not lines[number].startswith("#"):
        return False
    rest = (line for line in lines[number:] if line.strip() and not line.startswith("#"))
    return next(rest, "x")[:1] in (" ", "\t")


def _lines(tree: Mapping[str, Any], depth: int) -> Iterator[str]:
    indent = "  " * depth
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            yield f"{indent}{_text(key)}:"
            yield from _lines(value, depth + 1)
        elif isinstance(value, list | tuple):
            yield f"{indent}{_text(key)}: [{', '.join(map(_scalar, value))}]"
        else:
            yield f"{indent}{_text(key)}: {_scalar(value)}"


def _scalar(value: Any) -> str:
    """A value on one line; JSON's numbers, words and empty values are valid YAML."""
    if isinstance(value, as_written.PlainScalar):
        return str(value)
    return _text(value) if isinstance(value, str) else json.dumps(value)


def _text(value: str) -> str:
    is_plain = _PLAIN.fullmatch(value) and value.lower() not in _NOT_TEXT
    return value if is_plain else f'"{"".join(map(_escaped, value))}"'


def _escaped(character: str) -> str:
    """A character between double quotes, where YAML accepts any character by its number."""
    if character in '\\"':
        return f"\\{character}"
    return character if character.isprintable() else f"\\U{ord(character):08x}"
