"""What an App Runner service becomes on Fargate behind a load balancer: settings, files, and a row for each setting.

Each module holds rules; a rule names the members that it maps and turns them into rows of four classes, *same*,
*translated*, *approximated* and *no equivalent*. What somebody has to decide is said in the row. Nothing is
invented: what cannot be known from the description is left to App Runner's or this program's defaults, and told.
Pure: a description goes in, and nothing is looked at beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...errors import InvalidSetting, SettingsError
from ...settings import load, merge
from ..description import AwsDict, Description
from . import companion, container, images, instances, names, network
from .container import suspects
from .members import FACTS, unknown_members
from .rows import CLASSES, Class, MappingRow, Rule, unsettled

__all__ = ["CLASSES", "FACTS", "RULES", "Class", "MappedService", "MappingRow", "map_service", "suspects"]

# In the order of the report.
RULES: tuple[Rule, ...] = (
    *(*names.RULES, *images.RULES, *container.RULES),
    *(*instances.RULES, *network.RULES, *companion.RULES),
)


@dataclass(frozen=True)
class MappedService:
    """What came of a service: its ARN, a row for each setting, the settings, and files by their paths."""

    service: str
    rows: tuple[MappingRow, ...]
    settings: AwsDict
    files: Mapping[str, str]

    def count(self, kind: Class) -> int:
        """How many settings are of this class."""
        return sum(row.kind == kind for row in self.rows)

    @property
    def undecided(self) -> tuple[MappingRow, ...]:
        """What somebody has to decide."""
        return tuple(row for row in self.rows if row.decide)


def known_members() -> frozenset[str]:
    """Every member that some rule maps."""
    return frozenset(member for rule in RULES for member in rule.members)


def map_service(description: Description) -> MappedService:
    """The mapping of a service; its settings are such as ``settings.load`` takes."""
    parts = [rule.apply(description) for rule in RULES]
    parts.append(unknown_members(description, known_members()))
    settings: dict[str, Any] = {}
    for part in parts:
        settings = merge(settings, part.settings)
    settings, refused = _accepted(_compact(settings))
    rows = tuple(row for part in parts for row in part.rows) + refused
    return MappedService(
        description.arn, rows, settings, {path: text for part in parts for path, text in part.files.items()}
    )


def _compact(tree: AwsDict) -> dict[str, Any]:
    """Without sections and lists that are empty, which are as good as not given."""
    inner = {key: _compact(value) if isinstance(value, Mapping) else value for key, value in tree.items()}
    return {key: value for key, value in inner.items() if value not in ({}, [])}


def _accepted(settings: dict[str, Any]) -> tuple[dict[str, Any], tuple[MappingRow, ...]]:
    """The settings without what is refused in them, and a row for each refusal: a value that no rule foresaw."""
    rows: list[MappingRow] = []
    while invalid := _invalid_settings(settings):
        rows += [
            unsettled(each.key, "set", each.why, f"set {each.key} yourself", "left out") for each in invalid
        ]
        for path in [_innermost(settings, each.path) for each in invalid]:
            settings = _without(settings, path)
    return _compact(settings), tuple(rows)


def _invalid_settings(settings: AwsDict) -> tuple[InvalidSetting, ...]:
    try:
        load(settings)
    except SettingsError as refused:
        return refused.invalid
    return ()


def _innermost(tree: AwsDict, path: Sequence[str]) -> tuple[str, ...]:
    """As much of ``path`` as there is in the settings; a list has no inner part."""
    first, *rest = path
    inner = tree[first]
    deeper = rest and isinstance(inner, Mapping) and rest[0] in inner
    return (first, *_innermost(inner, rest)) if deeper else (first,)


def _without(tree: AwsDict, path: Sequence[str]) -> dict[str, Any]:
    """Without the setting at ``path``, which may be gone already."""
    first, *rest = path
    if rest and first in tree:
        return {**tree, first: _without(tree[first], rest)}
    return {key: value for key, value in tree.items() if key != first}
