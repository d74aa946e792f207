"""The migration of a service: its mapping, its cost before and after, and the project files to write.

Only ``lift_secrets``, which creates secrets in Secrets Manager, and ``write_files`` change something.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .. import text_file
from ..as_written import PlainScalar
from ..aws import Aws
from ..cost import Cost, app_runner_cost, monthly_cost
from ..errors import AwsCallError, LobsterError, NotOursError, RefusedError, UsageError
from ..settings import STACK_TAG, Settings, load, merge
from ..stack.resource import tag_list, tags_of
from ..templates import FOLDER, ROLE_POLICIES
from . import services, yaml_text
from .description import Description
from .discover import discover
from .mapping import MappedService, map_service, suspects
from .mapping.images import is_automatic, is_taken_over
from .mapping.instances import POLICY_FILE, units

# Assumed where CloudWatch has no data: ten hours on each working day.
ASSUMED_HOURS = 220.0
_SETTINGS = ("invoke.yaml", "invoke.yml")
_OTHER_SETTINGS = ("invoke.json", "invoke.py")


@dataclass(frozen=True)
class Migration:
    """A service, its mapping, and what both cost per month."""

    description: Description
    mapped: MappedService
    now: Cost
    then: Cost

    @property
    def suspects(self) -> tuple[str, ...]:
        """Variables that look like secrets and are not moved yet."""
        return suspects(self.description)

    @property
    def takes_over(self) -> bool:
        """Whether the stack uses an existing repository."""
        image = self.description.image
        return image is not None and image.images is not None and is_taken_over(self.description)


@dataclass(frozen=True)
class ListedService:
    """A service in the region, with its migration, or why that is unknown."""

    name: str
    arn: str
    status: str
    migration: Migration | None = None
    why_not: str = ""


@dataclass(frozen=True)
class ProjectFiles:
    """The files to write: complete texts by path; ``replaced`` names settings of the project that are overwritten."""

    texts: Mapping[str, str]
    replaced: tuple[str, ...]
    notes: tuple[str, ...] = ()


def list_services(aws: Aws, folder: Path) -> tuple[ListedService, ...]:
    """Every service of the region."""
    return tuple(_listed(aws, each, folder) for each in services.listed(aws))


def _listed(aws: Aws, summary: Mapping[str, Any], folder: Path) -> ListedService:
    named = summary["ServiceName"], summary["ServiceArn"], summary["Status"]
    try:
        return ListedService(*named, plan_migration(aws, summary["ServiceArn"], folder))
    except LobsterError as error:
        return ListedService(*named, why_not=f"{error.what} {error.why}".strip())


def plan_migration(aws: Aws, given: str, folder: Path) -> Migration:
    """The migration of the service ``given``, a name or an ARN. Raises UsageError and RefusedError."""
    return migration_of(discover(aws, given, folder))


def migration_of(description: Description) -> Migration:
    """The migration of a service that has been read already. Pure."""
    mapped = map_service(description)
    return Migration(description, mapped, _now(description), _then(load(mapped.settings)))


def _now(description: Description) -> Cost:
    """What App Runner costs, by its measured active hours, as far as they are known."""
    instance = description.service.get("InstanceConfiguration", {})
    paused = description.status == "PAUSED"
    measured = description.active_hours
    hours = 0.0 if paused else ASSUMED_HOURS if measured is None else measured
    cost = app_runner_cost(
        units(str(instance.get("Cpu", "1 vCPU"))) / 1024,
        units(str(instance.get("Memory", "2 GB"))) / 1024,
        hours,
        0 if paused else int(description.scaling.get("MinSize", 1)),
        automatic=is_automatic(description),
        region=description.region,
    )
    source = "the last two weeks" if measured is not None else "an assumption: CloudWatch has no figure"
    note = "A paused service costs no compute." if paused else f"Active hours: {source}."
    return replace(cost, notes=(note, *cost.notes))


def _then(settings: Settings) -> Cost:
    """What the stack costs with the minimum number of tasks, and a note on the maximum."""
    cost, most = monthly_cost(settings), settings.scaling.max
    if most is None:
        return cost
    note = (
        f"Auto scaling runs up to {most} tasks, which would be {monthly_cost(settings, most).total:.2f} USD."
    )
    return replace(cost, notes=(*cost.notes, note))


def lift_secrets(aws: Aws, migration: Migration, say: Callable[[str], None]) -> Migration:
    """Move variables that look like secrets to Secrets Manager; returns the migration with them as secrets.

    An existing secret of the same stack is used as it is. Raises NotOursError for a secret of others.
    """
    description = migration.description
    values = description.configuration.get("RuntimeEnvironmentVariables", {})
    lifted = {name: _lifted(aws, description, name, values[name], say) for name in migration.suspects}
    return migration_of(replace(description, lifted=lifted))


def secret_name(service: str, variable: str) -> str:
    """The name of a variable's secret."""
    return f"{service}/{re.sub(r'[^A-Za-z0-9_+=.@-]', '-', variable)}"


def _lifted(aws: Aws, description: Description, variable: str, value: str, say: Callable[[str], None]) -> str:
    name = secret_name(description.name, variable)
    tags = {**description.tags, STACK_TAG: description.name}
    operation = "secretsmanager:CreateSecret"
    try:
        made = aws.call(operation, f"secret {name}", Name=name, SecretString=value, Tags=tag_list(tags))
    except AwsCallError as refused:
        if refused.code != "ResourceExistsException":
            raise
        return _found(aws, description, name, say)
    say(f"{variable} is the secret {name} now")
    return str(made["ARN"])


def _found(aws: Aws, description: Description, name: str, say: Callable[[str], None]) -> str:
    found = aws.call("secretsmanager:DescribeSecret", f"secret {name}", SecretId=name)
    if tags_of(found.get("Tags", [])).get(STACK_TAG) != description.name:
        raise NotOursError(
            f"The secret {name} already exists.",
            f"it does not carry the tag {STACK_TAG}={description.name}, so its value may belong to somebody else",
            f"name it in container.secrets yourself, or delete it: aws secretsmanager delete-secret --secret-id {name}",
        )
    say(f"the secret {name} already exists and does not change")
    return str(found["ARN"])


def draft_files(migration: Migration, folder: Path) -> ProjectFiles:
    """The files to write. Raises RefusedError where the settings are not in YAML, or cannot be written to it."""
    path = _settings_file(folder)
    before = _read(folder / path) if (folder / path).is_file() else ""
    given = (yaml_text.load(before, path) or {}).get("lobster") or {}
    merged = _in_order(_one_source(merge(given, migration.mapped.settings)))
    load(merged)  # existing and new settings must be valid together
    replaced = [f"{path}: {key}" for key in _overwritten(given, migration.mapped.settings)]
    replaced += [name for name, text in migration.mapped.files.items() if _differs(folder / name, text)]
    texts = {path: yaml_text.with_section(before, merged, path), **migration.mapped.files}
    return ProjectFiles(texts, tuple(replaced), tuple(_notes(migration, folder)))


def _notes(migration: Migration, folder: Path) -> Iterator[str]:
    """A note where the project's own policies replace the packaged ones, which use the written file."""
    own = folder / FOLDER / ROLE_POLICIES
    name = POLICY_FILE.rpartition("/")[2]
    if POLICY_FILE in migration.mapped.files and own.is_file() and name not in _read(own):
        yield f'{FOLDER}/{ROLE_POLICIES} is your own; it has to contain "task": {{% include "{name}" %}}'


def write_files(written: ProjectFiles, folder: Path) -> None:
    """Write the files, each with its current line ends."""
    for name, text in written.texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline=text_file.line_end(path))


def _settings_file(folder: Path) -> str:
    """The file of settings that Invoke reads: the first that exists."""
    there = [name for name in (*_SETTINGS, *_OTHER_SETTINGS) if (folder / name).is_file()]
    if there and there[0] in _OTHER_SETTINGS:
        raise RefusedError(
            f"The settings are in {there[0]}, which inv import-apprunner does not write.",
            "inv import-apprunner writes YAML only",
            "add what inv import-apprunner --json --dry-run shows, or move them to invoke.yaml",
        )
    return there[0] if there else _SETTINGS[0]


def _differs(path: Path, text: str) -> bool:
    return path.is_file() and _read(path) != text


def _read(path: Path) -> str:
    try:
        return text_file.read(path)
    except (OSError, text_file.EncodingError) as error:
        raise UsageError(f"{path} cannot be read.", str(error), f"correct {path.name}") from error


def _overwritten(given: Mapping[str, Any], new: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Existing settings with another value, in dotted form."""
    found: list[str] = []
    for key in new.keys() & given.keys():
        if isinstance(new[key], Mapping) and isinstance(given[key], Mapping):
            found += _overwritten(given[key], new[key], f"{prefix}{key}.")
        elif given[key] is not None and new[key] not in (given[key], _meant(given[key])):
            found.append(f"{prefix}{key}")
    return sorted(found)


def _meant(value: Any) -> Any:
    """The value of a setting in a file, by its type."""
    return value.meaning if isinstance(value, PlainScalar) else value


def _in_order(settings: dict[str, Any]) -> dict[str, Any]:
    """The sections in the order of invoke.yaml; unknown ones come last, and are refused by name."""
    known = [name for name in Settings.model_fields if name in settings]
    return {name: settings[name] for name in [*known, *(name for name in settings if name not in known)]}


def _one_source(settings: dict[str, Any]) -> dict[str, Any]:
    """Remove a variable from the environment that has become a secret."""
    container = settings.get("container", {})
    plain, hidden = container.get("environment") or {}, container.get("secrets") or {}
    kept = {name: value for name, value in plain.items() if name not in hidden}
    return {**settings, "container": {**container, "environment": kept}} if kept != plain else settings
