"""Saves the description of an App Runner service before its deletion, without values that look like secrets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .. import text_file
from ..aws import Aws
from ..errors import UsageError
from ..foreign import parsed_object
from ..masking import mask_shapes
from ..secrecy import hides_secret, looks_secret
from .discover import discover

# Members with variables, and members with one or more commands; no other members have these names.
_VARIABLES = ("RuntimeEnvironmentVariables", "BuildEnvironment")
_COMMANDS = ("StartCommand", "BuildCommand", "BuildCommands", "PreRun")
HIDDEN = "(looks like a secret; not kept)"


def path_of(folder: Path, name: str) -> Path:
    """The path of a service's saved description."""
    return folder / f"apprunner-{name}.json"


def save(aws: Aws, arn: str, folder: Path) -> Path:
    """Read everything about a service and save it; returns the file."""
    found = discover(aws, arn, folder)
    kept = {"saved_at": datetime.fromtimestamp(aws.clock.ago(0), UTC).isoformat(), **asdict(found)}
    kept |= _ways_in(kept, _described(folder, found.name))
    path = path_of(folder, found.name)
    whole = path.with_name(f"{path.name}.part")  # an interrupted write must not leave an incomplete file
    whole.write_text(json.dumps(without_secrets(kept), indent=2, default=_plain) + "\n", encoding="utf-8")
    whole.replace(path)
    return path


def load(folder: Path, name: str) -> Mapping[str, Any] | None:
    """The service as saved, in the shape of DescribeService; None where it was not saved."""
    service: Mapping[str, Any] | None = _described(folder, name).get("service")
    return service


def _described(folder: Path, name: str) -> Mapping[str, Any]:
    """The complete description; empty where there is none."""
    path = path_of(folder, name)
    if not path.exists():
        return {}
    try:
        return parsed_object(text_file.read(path))
    except (OSError, ValueError) as error:
        next_step = f"correct {path.name}, or move it away"
        raise UsageError(f"{path} cannot be read.", str(error), next_step) from error


def _ways_in(now: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """The ingress connections, including those that an interrupted clean-up of the same service has deleted. Pure."""
    if before.get("service", {}).get("ServiceArn") != now["service"]["ServiceArn"]:
        return {}
    there = {each["VpcIngressConnectionArn"] for each in now["ingress"]}
    gone = [each for each in before["ingress"] if each["VpcIngressConnectionArn"] not in there]
    return {
        "ingress": [*gone, *now["ingress"]],
        "ingress_vpc": now["ingress_vpc"] or before["ingress_vpc"],
    }


def without_secrets(tree: Any) -> Any:
    """The same with a note instead of every value that looks like a secret. Pure."""
    if isinstance(tree, Mapping):
        return {key: _member(key, value) for key, value in tree.items()}
    if isinstance(tree, list | tuple):
        return [without_secrets(each) for each in tree]
    return mask_shapes(tree) if isinstance(tree, str) else tree


def _member(name: str, value: Any) -> Any:
    if name in _VARIABLES:
        return _variables(value)
    if name in _COMMANDS:
        return [_command(each) for each in value] if isinstance(value, list | tuple) else _command(value)
    return without_secrets(value)


def _command(given: str) -> str:
    return HIDDEN if hides_secret(given) else given


def _variables(given: Mapping[str, str]) -> dict[str, str]:
    return {name: HIDDEN if looks_secret(name, value) else value for name, value in given.items()}


def _plain(value: Any) -> Any:
    return sorted(value) if isinstance(value, set | frozenset) else str(value)
