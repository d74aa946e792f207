"""The Service Authorization Reference: resource types and condition keys of each action."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

VARIABLE = re.compile(r"\$\{(\w+)\}")
ANYWHERE = ("Partition", "Region", "Account")


@dataclass(frozen=True)
class ResourceType:
    """A type of resource: its name and its ARN with ``${Variables}``."""

    name: str
    template: str

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables that identify one resource of the type."""
        return tuple(name for name in VARIABLE.findall(self.template) if name not in ANYWHERE)

    def parse(self, arn: str) -> dict[str, str] | None:
        """The variables in an ARN of this type; None for another ARN."""
        return _matching(self.template, arn)

    def fill(self, values: Mapping[str, str]) -> str:
        """The ARN with these values; ``*`` where there is none."""
        return VARIABLE.sub(lambda match: values.get(match[1], "*"), self.template)


@dataclass(frozen=True)
class ActionReference:
    """The resource types and condition keys of one action."""

    name: str
    required: tuple[ResourceType, ...]
    optional: tuple[ResourceType, ...]
    keys: tuple[str, ...]

    def knows(self, key: str) -> bool:
        """Whether the action has this condition key (``aws:RequestTag/team`` is one of ``aws:RequestTag/``)."""
        return any(key == known or (known.endswith("/") and key.startswith(known)) for known in self.keys)


def find(service: str, action: str) -> ActionReference:
    """An action; an unknown one has neither resources nor condition keys."""
    found = _table().get(service, {"resources": {}, "actions": {}})
    about: Mapping[str, list[str]] = found["actions"].get(
        action, {"required": [], "optional": [], "keys": []}
    )
    types = {name: ResourceType(name, arn) for name, arn in found["resources"].items()}
    return ActionReference(
        f"{service}:{action}",
        tuple(types[name] for name in about["required"]),
        tuple(types[name] for name in about["optional"]),
        tuple(about["keys"]),
    )


@cache
def _table() -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(Path(__file__).with_name("reference.json").read_text())
    return found


def _matching(template: str, arn: str) -> dict[str, str] | None:
    found = _pattern(template).fullmatch(arn)
    return found.groupdict() if found else None


@cache
def _pattern(template: str) -> re.Pattern[str]:
    """The pattern of an ARN: its last variable may contain slashes and colons (a role's path), others end at a
    separator."""
    parts = VARIABLE.split(template)
    pieces = [re.escape(parts[0])]
    for at in range(1, len(parts), 2):
        last = at == len(parts) - 2
        pieces += [f"(?P<{parts[at]}>{'.+' if last else '[^:/]*'})", re.escape(parts[at + 1])]
    return re.compile("".join(pieces))
