"""Reads the settings from their sources, and reports all mistakes at once."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from ..errors import InvalidSetting, SettingsError
from ..foreign import visible
from .model import ImageSettings, Section, Settings
from .values import ENV_PREFIX, MAPS, REGION, SURROGATE, map_in

_NULLS = frozenset({"null", "Null", "NULL", "~"})  # as YAML 1.1 writes it, besides nothing at all
_CONTROL = re.compile("[\\x00-\\x1f\\x7f-\\x9f]")
# What programs get, which may contain line breaks, tabs and escape sequences.
_FOR_PROGRAMS = ("container.environment", "container.command", "images")
# Numbers of the migration plan, as defaults under ``profile: seed``.
SEED_PROFILE: dict[str, dict[str, Any]] = {
    "health_check": {"path": "/healthz", "interval": 30, "timeout": 5, "healthy_threshold": 2},
    "deployment": {"deregistration_delay": 300},
}


def load(
    section: Mapping[str, Any],
    environ: Mapping[str, str] | None = None,
    flags: Sequence[str] = (),
    profiles_region: Callable[[], tuple[str, str] | None] = lambda: None,
) -> Settings:
    """Settings from the ``lobster:`` section, the environment and ``--set key=value`` flags.

    Later sources override earlier ones. Null (``null`` or ``~``) in any of them is the default, whatever earlier ones
    say; of a map's members only a file has nulls, which are mistakes. ``profiles_region`` returns the name and the
    region of the AWS profile; it is called only where the region depends on it. Raises SettingsError with every
    problem.
    """
    environ = environ or {}
    merged = _without_nulls(section)
    problems: list[str] = []
    chosen = [*_from_environ(environ, problems), *_from_flags(flags, problems)]
    for path, value in chosen:
        _choose(merged, path, value)
    is_chosen = any(path == "region" and not _is_null(path, value) for path, value in chosen)
    problems += _settle_region(merged, environ, (lambda: None) if is_chosen else profiles_region)
    if merged.get("profile") == "seed":
        merged = merge(SEED_PROFILE, merged)
    broken: list[InvalidSetting] = []
    merged = _sound(merged, broken, _unwritable)
    try:
        settings = Settings.model_validate(merged)
    except ValidationError as invalid:
        broken += [_invalid_setting(error) for error in invalid.errors()]
        raise SettingsError(problems, broken) from None
    _sound(settings.model_dump(), broken, _flaw)  # what was JSON within a text
    if problems or broken:
        raise SettingsError(problems, broken)
    return settings


def with_images(settings: Settings, **images: object) -> Settings:
    """A copy with other values in the section ``images``, such as flags give; raises SettingsError."""
    given = {name: value for name, value in images.items() if value}
    try:
        section = ImageSettings.model_validate({**settings.images.model_dump(), **given})
    except ValidationError as invalid:
        errors = [{**error, "loc": ("images", *error["loc"])} for error in invalid.errors()]
        raise SettingsError([], [_invalid_setting(error) for error in errors]) from None
    return settings.model_copy(update={"images": section})


def _sound(
    tree: Mapping[str, Any],
    broken: list[InvalidSetting],
    flaw: Callable[[str, tuple[str, ...]], str],
    within: tuple[str, ...] = (),
) -> dict[str, Any]:
    """A copy without the settings in whose texts there is a ``flaw``; ``broken`` gets these."""
    kept = {}
    for key, value in tree.items():
        path = (*within, visible(str(key)))
        own = () if isinstance(value, Mapping) else _texts(value)
        if why := next((why for text in (str(key), *own) if (why := flaw(text, path))), ""):
            broken.append(InvalidSetting(path, why))
        else:
            kept[key] = _sound(value, broken, flaw, path) if isinstance(value, Mapping) else value
    return kept


def _texts(value: object) -> Iterator[str]:
    """A text, or those of a list, in which there may be mappings."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from _texts([*value, *value.values()])
    elif isinstance(value, list | tuple | set | frozenset):
        for each in value:
            yield from _texts(each)


def _unwritable(text: str, _: tuple[str, ...]) -> str:
    """What no text can contain; NUL ends every path, word and variable (execve(2)).

    A byte that is not UTF-8, in a flag or a variable, and an escape sequence in a file make half of a surrogate pair.
    """
    if SURROGATE.search(text):
        return "contains something that is not a character: half of a surrogate pair, or a byte that is not UTF-8"
    nul = "contains the character NUL, which no path, variable or text of AWS can contain"
    return nul if "\0" in text else ""


def _flaw(text: str, path: tuple[str, ...]) -> str:
    """What a setting's text cannot contain: no name, path or pattern of AWS's has a control character."""
    is_for_a_program = ".".join(path).startswith(_FOR_PROGRAMS)
    if not is_for_a_program and (found := _CONTROL.search(text)):
        return f"contains a control character, U+{ord(found[0]):04X}; a line break and a tab are such characters too"
    return _unwritable(text, path)


def keys(model: type[BaseModel] = Settings, prefix: str = "") -> Iterator[str]:
    """Every known key in dotted form, with the members of sections and without the sections themselves."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield from keys(field.annotation, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def _from_environ(environ: Mapping[str, str], problems: list[str]) -> list[tuple[str, str]]:
    variables = {ENV_PREFIX + key.replace(".", "_").upper(): key for key in keys()}
    maps = {f"{variable}_": key for variable, key in variables.items() if key in MAPS}
    found = []
    for variable, value in environ.items():
        inside = next((start for start in maps if variable.startswith(start)), None)
        if variable in variables:
            found.append((variables[variable], value))
        elif inside:
            found.append((f"{maps[inside]}.{variable.removeprefix(inside)}", value))
        elif variable.startswith(ENV_PREFIX.rstrip("_")):
            section = variable.removeprefix(ENV_PREFIX).lower()
            problems.append(f"{variable}: {_not_a_setting(section, variable, variables)}")
    return sorted(found, key=lambda each: each[0] not in MAPS)  # a complete map before what is added to it


def _from_flags(flags: Sequence[str], problems: list[str]) -> list[tuple[str, str]]:
    found, known = [], list(keys())
    for flag in flags:
        key, equals, value = flag.partition("=")
        key = key.strip()
        if not equals:  # the argument may contain a secret, so it is not repeated
            problems.append("--set: takes key=value, as in --set task.cpu=1024")
        elif key in known or any(key.startswith(f"{each}.") for each in MAPS):
            found.append((key, value))
        else:
            problems.append(f"--set {key}: {_not_a_setting(key, key, known)}")
    return found


def _settle_region(
    merged: dict[str, Any],
    environ: Mapping[str, str],
    profiles_region: Callable[[], tuple[str, str] | None],
) -> list[str]:
    """Use the region of AWS's own tools where the settings have none, and report sources that differ.

    AWS_REGION takes precedence over a profile ("AWS SDKs and Tools Reference Guide", AWS Region). Some tools read
    AWS_REGION and others AWS_DEFAULT_REGION, so these two must agree.
    """
    variables = [(name, environ[name]) for name in ("AWS_REGION", "AWS_DEFAULT_REGION") if environ.get(name)]
    if len({region for _, region in variables}) > 1:
        said = ", ".join(f"{name} says {region}" for name, region in variables)
        return [f"region: {said}; they must agree"]
    if variables:
        name, region = variables[0]
        agree = f"they must agree: change one of them, or unset {name}"
        return _no_region(f"{name} says {region}", region, f"correct {name}, or unset it") or _differing(
            merged, f"{name} says {region}", region, agree
        )
    if found := profiles_region():
        name, region = found
        told = f"the AWS profile {name} says {region}"
        correct = f"correct it: aws configure set region us-east-2 --profile {name}"
        return _no_region(told, region, correct) or _differing(
            merged, told, region, "choose one with --set region=… or INVOKE_LOBSTER_REGION"
        )
    return []


def _no_region(told: str, region: str, what_to_do: str) -> list[str]:
    """The problem, if ``region`` does not have the form of one; ``told`` says where it comes from."""
    if re.fullmatch(REGION, region, re.ASCII):
        return []
    return [f"region: {told}, which is not a region's code, as in us-east-2; {what_to_do}"]


def _differing(merged: dict[str, Any], told: str, region: str, what_to_do: str) -> list[str]:
    """The problem, if the settings have a region other than ``region``; ``told`` says where ``region`` comes from."""
    if merged.setdefault("region", region) == region:
        return []
    return [f"region: the settings say {merged['region']}, {told}; {what_to_do}"]


def _choose(tree: dict[str, Any], path: str, text: str) -> None:
    """Set a setting as a variable or a flag has it; null takes away what there is."""
    _put(tree, path, map_in(text) if path in MAPS else text)
    if _is_null(path, text):
        section, _, key = path.rpartition(".")
        inner = tree
        for name in section.split(".") if section else ():
            inner = inner[name]
        del inner[key]


def _is_null(path: str, text: str) -> bool:
    """Whether a text is YAML's null. A member of a map is text, whatever it is."""
    return text.strip() in _NULLS and not any(path.startswith(f"{each}.") for each in MAPS)


def _put(tree: dict[str, Any], path: str, value: Any) -> None:
    """Set the value at a dotted path; in a map the rest of the path is one name, dots included."""
    within = next((each for each in MAPS if path.startswith(f"{each}.")), path.rpartition(".")[0])
    for section in within.split(".") if within else ():
        inner = tree[section] = _mapping(tree.get(section))
        tree = inner
    tree[path.removeprefix(f"{within}.")] = value


def _mapping(value: object) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}


def _without_nulls(tree: Mapping[str, Any], within: str = "") -> dict[str, Any]:
    """A copy without keys whose value is null, except in a map, where null is a mistake."""
    kept = {}
    for key, value in tree.items():
        path = f"{within}{key}"
        if isinstance(value, Mapping) and path not in MAPS:
            kept[key] = _without_nulls(value, f"{path}.")
        elif value is not None:
            kept[key] = value
    return kept


def merge(low: Mapping[str, Any], high: Mapping[str, Any]) -> dict[str, Any]:
    """Both trees as one; ``high`` overrides ``low``."""
    merged = dict(low)
    for key, value in high.items():
        both = isinstance(value, Mapping) and isinstance(low.get(key), Mapping)
        merged[key] = merge(low[key], value) if both else value
    return merged


def _invalid_setting(error: Any) -> InvalidSetting:
    path = tuple(str(part) for part in error["loc"])
    name = ".".join(path)
    if error["type"] in ("extra_forbidden", "model_type"):  # the second: a value where a section belongs
        return InvalidSetting(path, _not_a_setting(name, name, list(keys())))
    return InvalidSetting(path, re.sub(r"^(Value error, |Input |String )", "", str(error["msg"])))


def _not_a_setting(key: str, given: str, known: Iterable[str]) -> str:
    """Why ``given`` cannot be set: ``key`` is a section, or there is no such key among ``known``."""
    if first := next((each for each in keys() if each.startswith(f"{key}.")), None):
        return f"is a section, not a setting; set what is in it, for example {first}"
    return f"there is no such setting{_nearest(given, known)}"


def _nearest(wrong: str, known: Iterable[str]) -> str:
    """The key that was probably meant: one with the same last part, a similar name, or a similar section."""
    keys_known = list(known)
    leaf = wrong.rpartition(".")[2]
    same = [key for key in keys_known if key.rpartition(".")[2] == leaf]
    sections = [key.rpartition(".")[0] for key in keys_known if "." in key]
    near = difflib.get_close_matches(wrong, same, n=1, cutoff=0)
    near = near or difflib.get_close_matches(wrong, [*keys_known, *sections], n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""
