"""Compares task definitions, without what AWS adds to a described one.

AWS returns defaults that were not given, reorders some lists, and adds members that RegisterTaskDefinition does not
accept (ECS API reference, "TaskDefinition", "ContainerDefinition"). A comparison that ignored this would register
a needless revision in every deployment.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from ..secrecy import shown_member

AwsDict = dict[str, Any]

# Members of a described definition that RegisterTaskDefinition does not accept, and tags, which are not part of
# DescribeTaskDefinition's ``taskDefinition`` and do not change what runs.
_NOT_COMPARED = frozenset(
    {
        "compatibilities",
        "deleteRequestedAt",
        "deregisteredAt",
        "registeredAt",
        "registeredBy",
        "requiresAttributes",
        "revision",
        "status",
        "tags",
        "taskDefinitionArn",
    }
)

_TASK_DEFAULTS: AwsDict = {"enableFaultInjection": False}
_PLATFORM_DEFAULTS: AwsDict = {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"}
_CONTAINER_DEFAULTS: AwsDict = {
    "cpu": 0,
    "essential": True,
    "stopTimeout": 30,
    "versionConsistency": "enabled",
    "disableNetworking": False,
    "interactive": False,
    "privileged": False,
    "pseudoTerminal": False,
    "readonlyRootFilesystem": False,
}
_PORT_DEFAULTS: AwsDict = {"protocol": "tcp"}
_HEALTH_CHECK_DEFAULTS: AwsDict = {"interval": 30, "timeout": 5, "retries": 3, "startPeriod": 0}
_MOUNT_DEFAULTS: AwsDict = {"readOnly": False}
# List -> the member that identifies an item; AWS does not keep the order of these lists.
_UNORDERED = {
    "containerDefinitions": "name",
    "dependsOn": "containerName",
    "environment": "name",
    "mountPoints": "containerPath",
    "portMappings": "containerPort",
    "secrets": "name",
    "systemControls": "namespace",
    "ulimits": "name",
    "volumes": "name",
}
_DIGEST = re.compile(r"(sha256:[0-9a-f]{4})[0-9a-f]{56}([0-9a-f]{4})")
# Sizes are digits (CPU units, MiB), or a number and this unit.
_SIZES = {"cpu": "vCPU", "memory": "GB"}
_NAMED_VALUES = {"environment": "environment variable", "secrets": "secret"}


def normalise(definition: Mapping[str, Any]) -> AwsDict:
    """What determines how a task runs, in one form for registered and described definitions."""
    plain = {name: value for name, value in definition.items() if name not in _NOT_COMPARED}
    plain["containerDefinitions"] = [_container(each) for each in plain.get("containerDefinitions", ())]
    plain["runtimePlatform"] = _without(_PLATFORM_DEFAULTS, plain.get("runtimePlatform") or {})
    plain["requiresCompatibilities"] = sorted(plain.get("requiresCompatibilities") or ())
    plain |= {size: _units(plain[size], unit) for size, unit in _SIZES.items() if size in plain}
    compact: AwsDict = _compact(_without(_TASK_DEFAULTS, plain))
    return compact


def differences(live: Mapping[str, Any], desired: Mapping[str, Any], unnamed: str | None = None) -> list[str]:
    """What ``desired`` changes about ``live``, a sentence each; empty when the same tasks would run.

    Each sentence names its container, except for the container ``unnamed``. Values of environment variables are left
    out, since some of them are secrets, and stars stand for what looks like one in the others.
    """
    before, after = normalise(live), normalise(desired)
    then, now = (_by_name(each.pop("containerDefinitions", ())) for each in (before, after))
    found = _members("", before, after)
    for name in sorted(then.keys() | now.keys()):
        if name not in then:
            found.append(f"adds the container {name}")
        elif name not in now:
            found.append(f"removes the container {name}")
        else:
            where = "" if name == unnamed else f"{name}: "
            found += _container_differences(where, then[name], now[name])
    return found


def _container(container: Mapping[str, Any]) -> AwsDict:
    plain = _without(_CONTAINER_DEFAULTS, container)
    plain["portMappings"] = [_port(each) for each in plain.get("portMappings") or ()]
    plain["mountPoints"] = [_without(_MOUNT_DEFAULTS, each) for each in plain.get("mountPoints") or ()]
    if plain.get("healthCheck"):
        plain["healthCheck"] = _without(_HEALTH_CHECK_DEFAULTS, plain["healthCheck"])
    return plain


def _port(mapping: Mapping[str, Any]) -> AwsDict:
    """A port mapping; with awsvpc the host's port is the container's, so it is dropped."""
    plain = _without(_PORT_DEFAULTS, mapping)
    if plain.get("hostPort") == plain.get("containerPort"):
        plain.pop("hostPort", None)
    return plain


def _without(defaults: AwsDict, members: Mapping[str, Any]) -> AwsDict:
    """``members`` without those that have AWS's default."""
    return {name: value for name, value in members.items() if name not in defaults or value != defaults[name]}


def _units(size: Any, unit: str) -> str:
    """CPU units or MiB as digits; AWS also accepts ``.5 vCPU`` and ``1 GB``."""
    text = str(size).strip()
    number, _, suffix = text.partition(" ")
    if suffix.lower() != unit.lower():
        return text
    return str(round(float(number) * 1024))


def _compact(value: Any, inside: str = "") -> Any:
    """A value without empty members, and with unordered lists sorted."""
    if isinstance(value, Mapping):
        members = {name: _compact(member, name) for name, member in value.items()}
        return {name: member for name, member in members.items() if member not in (None, [], {})}
    if isinstance(value, list | tuple):
        items = [_compact(item) for item in value]
        return sorted(items, key=_sort_key(_UNORDERED[inside])) if inside in _UNORDERED else items
    return value


def _sort_key(member: str) -> Callable[[AwsDict], tuple[str, str]]:
    return lambda item: (str(item.get(member, "")), repr(sorted(item.items())))


def _by_name(containers: Iterable[AwsDict]) -> dict[str, AwsDict]:
    return {container.get("name", ""): container for container in containers}


def _container_differences(where: str, before: AwsDict, after: AwsDict) -> list[str]:
    found = []
    for member, noun in _NAMED_VALUES.items():
        found += _named(where, noun, before.pop(member, []), after.pop(member, []))
    return _members(where, before, after) + found


def _named(where: str, noun: str, before: Iterable[AwsDict], after: Iterable[AwsDict]) -> list[str]:
    then, now = _by_name(before), _by_name(after)
    return [
        *(f"{where}adds the {noun} {name}" for name in sorted(now.keys() - then.keys())),
        *(f"{where}removes the {noun} {name}" for name in sorted(then.keys() - now.keys())),
        *(
            f"{where}changes the {noun} {name}"
            for name in sorted(then.keys() & now.keys())
            if then[name] != now[name]
        ),
    ]


def _members(where: str, before: AwsDict, after: AwsDict) -> list[str]:
    names = sorted(before.keys() | after.keys())
    return [
        f"{where}{name} {_changed(*(_shown(shown_member(name, side.get(name))) for side in (before, after)))}"
        for name in names
        if before.get(name) != after.get(name)
    ]


def _changed(before: str, after: str) -> str:
    """Both values; where what differs must not be shown, only that."""
    return f"{before} → {after}" if before != after else "differs"


def _shown(value: Any) -> str:
    """A value for people; "default" where there is none."""
    if value is None:
        return "default"
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={_shown(member)}" for name, member in value.items())
    if isinstance(value, list):
        return f"[{', '.join(_shown(item) for item in value)}]"
    return _DIGEST.sub(r"\1…\2", str(value))
