"""The mapping of one setting, and the result of a rule. Pure data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ..description import AwsDict, Description

Class = Literal["same", "translated", "approximated", "no_equivalent"]
CLASSES: tuple[Class, ...] = ("same", "translated", "approximated", "no_equivalent")


@dataclass(frozen=True)
class MappingRow:
    """One setting: its old and its new value, the class of its mapping, and what a person has to decide.

    ``commands`` are lines for a shell that do what ``decide`` says.
    """

    setting: str
    kind: Class
    old: Any
    new: Any
    note: str = ""
    decide: str = ""
    commands: tuple[str, ...] = ()


@dataclass(frozen=True)
class RuleResult:
    """The result of one rule: rows, a fragment of the settings, and files of the project by their paths."""

    rows: tuple[MappingRow, ...] = ()
    settings: AwsDict = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Rule:
    """Turns the ``members`` of a description (dotted, ``[]`` for items, ``{}`` for a map) into a result."""

    members: tuple[str, ...]
    apply: Callable[[Description], RuleResult]


def same(setting: str, value: Any, new: Any = None, note: str = "") -> MappingRow:
    """The same on both sides."""
    return MappingRow(setting, "same", value, value if new is None else new, note)


def translated(setting: str, old: Any, new: Any, note: str = "", decide: str = "") -> MappingRow:
    """The same value in another form."""
    return MappingRow(setting, "translated", old, new, note, decide)


def approximated(setting: str, old: Any, new: Any, note: str, decide: str = "", *commands: str) -> MappingRow:
    """A similar setting."""
    return MappingRow(setting, "approximated", old, new, note, decide, commands)


def unsettled(
    setting: str,
    old: Any,
    note: str,
    decide: str,
    new: Any = "to be decided",
    commands: tuple[str, ...] = (),
) -> MappingRow:
    """There is an equivalent, but its value cannot be derived from the service."""
    return approximated(setting, old, new, note, decide, *commands)


def no_equivalent(setting: str, old: Any, note: str, decide: str, new: Any = None) -> MappingRow:
    """There is no equivalent, or the setting is unknown."""
    return MappingRow(setting, "no_equivalent", old, new, note, decide)
