"""Formats a migration as text: the settings by class, what to decide, and the cost. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.text import Text

from ..documentation import place
from ..task_names import verbatim
from .layout import plural, rows, shell
from .plans import cost

if TYPE_CHECKING:
    from ..apprunner.mapping import Class, MappedService, MappingRow
    from ..apprunner.migration import ListedService, Migration, ProjectFiles

_CLASSES: Mapping[Class, tuple[str, str]] = {
    "same": ("same", "bold"),
    "translated": ("translated", "bold"),
    "approximated": ("approximated", "bold yellow"),
    "no_equivalent": ("no equivalent", "bold red"),
}
# Uninformative prefixes of App Runner's own structure, and what is shown instead.
_PREFIXES = {
    **dict.fromkeys(
        (
            "SourceConfiguration.AuthenticationConfiguration.",
            "SourceConfiguration.ImageRepository.",
            "SourceConfiguration.CodeRepository.CodeConfiguration.CodeConfigurationValues.",
            "SourceConfiguration.CodeRepository.CodeConfiguration.",
            "SourceConfiguration.CodeRepository.",
            "SourceConfiguration.",
            "InstanceConfiguration.",
            "NetworkConfiguration.EgressConfiguration.",
            "NetworkConfiguration.IngressConfiguration.",
            "NetworkConfiguration.",
            "EncryptionConfiguration.",
            "ObservabilityConfiguration.TraceConfiguration.",
            "ObservabilityConfiguration.",
        ),
        "",
    ),
    "HealthCheckConfiguration.": "HealthCheck.",
    "RuntimeEnvironmentVariables": "variables",
    "RuntimeEnvironmentSecrets": "secrets",
    "VpcIngressConnection.IngressVpcConfiguration.": "VpcIngressConnection.",
}
_FOLDED = ("RuntimeEnvironmentVariables.", "RuntimeEnvironmentSecrets.", "Tags.")
_LONGEST = 44


def migration(found: Migration) -> RenderableType:
    """Every setting with its equivalent, then the counts, the decisions to make, and the cost."""
    described = found.description
    head = Text(f"{described.name} · App Runner · {described.status} · {described.arn}", style="bold")
    every = list(_folded(found.mapped.rows))
    alike = " · ".join(f"{_named(row)} {_short(row.old)}" for row in every if row.kind == "same")
    parts: list[RenderableType] = [head, Text(), rows(*_by_class(every))]
    parts += [
        Text("same", style="bold"),
        rows(("", alike)),
        Text(),
        Text(_counted(found.mapped), style="bold"),
    ]
    if decisions := found.mapped.undecided:
        parts += [Text(), Text(f"To decide ({len(decisions)}):"), *_decided(decisions)]
    return Group(*parts, Text(), _costs(found))


def migration_json(found: Migration) -> dict[str, Any]:
    """The object of ``import-apprunner --service S --json``."""
    return {
        "service": found.description.arn,
        "settings": verbatim(found.mapped.settings),
        "mapping": [row_json(row) for row in found.mapped.rows],
        "cost": _cost_json(found),
    }


def row_json(row: MappingRow) -> dict[str, Any]:
    """A setting and its equivalent."""
    return {
        "setting": row.setting,
        "class": row.kind,
        "from": verbatim(row.old),
        "to": verbatim(row.new),
        "note": row.note,
        "decide": row.decide or None,
        "commands": list(row.commands),
    }


def migrations(found: Sequence[ListedService]) -> RenderableType:
    """The services of a region, one per line."""
    if not found:
        return Text("There are no App Runner services in this region.")
    return rows(*(_listed(each) for each in found))


def migrations_json(found: Sequence[ListedService]) -> dict[str, Any]:
    """The object of ``import-apprunner --json``."""
    return {"services": [_listed_json(each) for each in found]}


def _listed_json(each: ListedService) -> dict[str, Any]:
    found = each.migration
    return {
        "service": each.arn,
        "name": each.name,
        "status": each.status,
        "classes": {kind: found.mapped.count(kind) for kind in _CLASSES} if found else None,
        "undecided": len(found.mapped.undecided) if found else None,
        "cost": _cost_json(found) if found else None,
        "why_not": each.why_not or None,
    }


def _cost_json(found: Migration) -> dict[str, float]:
    return {"before": found.now.total, "after": found.then.total}


def written(made: ProjectFiles) -> Text:
    """The files that were written."""
    return Text("\n".join([f"Written: {', '.join(made.texts)}.", *made.notes]))


def next_steps(found: Migration) -> Text:
    """The next steps, and AWS's own ways to give the app an address."""
    adopt = " --adopt" if found.takes_over else ""
    why = "  (it adopts the repository, which already exists)" if adopt else ""
    page = place("docs/express-and-gateway.md")
    other = f"To compare with ECS Express Mode and ECS Gateway first, read {page}."
    return Text("\n".join([f"Next:  inv plan{adopt}{why}", *([other] if page else [])]))


def _by_class(every: Sequence[MappingRow]) -> Iterator[tuple[str | Text, ...]]:
    """The changes; those that need attention come first."""
    for kind in ("no_equivalent", "approximated", "translated"):
        of_kind = [row for row in every if row.kind == kind]
        if of_kind:
            word, style = _CLASSES[of_kind[0].kind]
            yield (Text(word, style=style),)
            yield from ((f"  {_named(row)}", _becomes(row)) for row in of_kind)


def _becomes(row: MappingRow) -> str:
    old, new = _short(row.old), _short(row.new)
    becomes = old if row.new is None or old == new else f"{old} → {new}"
    return " · ".join(filter(None, (becomes, row.note)))


def _named(row: MappingRow) -> str:
    """The setting's name, without the sections that only contain it."""
    name = row.setting
    for prefix, short in _PREFIXES.items():
        name = f"{short}{name.removeprefix(prefix)}" if name.startswith(prefix) else name
    return name


def _short(value: Any) -> str:
    """A value in one line; of an ARN, only the part that identifies it."""
    if isinstance(value, list | tuple):
        return ", ".join(map(_short, value))
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if text.startswith("arn:"):
        text = text.split(":", 5)[-1]
    return f"{text[: _LONGEST - 1]}…" if len(text) > _LONGEST and " " not in text else text


def _folded(every: Sequence[MappingRow]) -> Iterator[MappingRow]:
    """The rows, with one row for all members of a map that have the same class and need no decision."""
    done: set[tuple[str, str]] = set()
    for row in every:
        prefix = next((each for each in _FOLDED if row.setting.startswith(each) and not row.decide), "")
        if not prefix:
            yield row
            continue
        alike = [each for each in every if each.setting.startswith(prefix) and _like(each, row)]
        if (prefix, row.kind) not in done:
            names = ", ".join(each.setting.removeprefix(prefix) for each in alike)
            yield replace(row, setting=prefix.removesuffix("."), old=names) if len(alike) > 1 else row
        done.add((prefix, row.kind))


def _like(row: MappingRow, other: MappingRow) -> bool:
    return row.kind == other.kind and not row.decide


def _counted(mapped: MappedService) -> str:
    told = (f"{mapped.count(kind)} {word}" for kind, (word, _) in _CLASSES.items() if mapped.count(kind))
    return f"{plural(len(mapped.rows), 'setting')}: {', '.join(told)}."


def _decided(decisions: Sequence[MappingRow]) -> Iterator[RenderableType]:
    """The decisions to make, then the commands to paste."""
    yield rows(*((f"  {_named(row)}", row.decide) for row in decisions))
    for commands in dict.fromkeys(row.commands for row in decisions if row.commands):
        about = ", ".join(_named(row) for row in decisions if row.commands == commands)
        yield Text()
        yield rows(("", f"# {about}"))
        yield from (shell(f"  {line}") for line in commands)


def _costs(found: Migration) -> RenderableType:
    notes = [Text(f"  {note}", style="dim") for note in found.now.notes]
    difference = found.then.total - found.now.total
    said = "Fargate costs more" if difference > 0 else "Fargate is cheaper"
    what_for = ": for WebSockets, no limit of 120 s, and a network of your own" if difference > 0 else ""
    end = Text(f"{said} by {abs(difference):.2f} USD a month{what_for}.")
    return Group(cost(found.now, found.then), *notes, end)


def _listed(each: ListedService) -> tuple[str | Text, ...]:
    found = each.migration
    if found is None:
        return each.name, each.status, f"not checked: {each.why_not}"
    counted = _counted(found.mapped)
    decide = f"{len(found.mapped.undecided)} to decide"
    dearer = f"{found.now.total:.2f} → {found.then.total:.2f} USD a month"
    return each.name, each.status, f"{counted.rstrip('.')} · {decide} · {dearer}"
