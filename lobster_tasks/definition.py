"""Reads a task definition, of which the app's container is only one. Pure.

``definition`` has the shape of DescribeTaskDefinition's answer or RegisterTaskDefinition's input.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Container = Mapping[str, Any]


def containers(definition: Mapping[str, Any]) -> list[Container]:
    """All containers, in the definition's order."""
    return list(definition.get("containerDefinitions") or ())


def container_of(definition: Mapping[str, Any], *names: str) -> Container:
    """The container with one of the names, or else the first one; empty where the definition has none."""
    return named_or_first(containers(definition), *names)


def named_or_first(described: Sequence[Container], *names: str, key: str = "name") -> Container:
    """Of containers that AWS describes, the one whose ``key`` is one of the names, or else the first one."""
    return next((each for each in described if each.get(key) in names), next(iter(described), {}))


def secrets(definition: Mapping[str, Any], main: str) -> dict[str, str]:
    """What the execution role reads for any container: its purpose → the ARN or the parameter's name.

    Besides environment variables these are options of a log driver and credentials of a private registry.
    """
    every = [(each["name"], *told) for each in containers(definition) for told in _secrets(each)]
    return {f"{name}{'' if owner == main else f' of {owner}'}": source for owner, name, source in every}


def _secrets(container: Container) -> Iterator[tuple[str, str]]:
    options = (container.get("logConfiguration") or {}).get("secretOptions") or ()
    for each in (*(container.get("secrets") or ()), *options):
        yield each["name"], each["valueFrom"]
    if parameter := (container.get("repositoryCredentials") or {}).get("credentialsParameter"):
        yield "the registry's credentials", parameter


def images(definition: Mapping[str, Any]) -> dict[str, str]:
    """Container → its image's reference."""
    return {each["name"]: str(each.get("image", "")) for each in containers(definition)}


def log_driver(container: Container) -> str:
    """The name of the container's log driver; empty without one."""
    return str((container.get("logConfiguration") or {}).get("logDriver", ""))


def log_options(container: Container) -> Mapping[str, str]:
    """The options of the container's log driver."""
    return dict((container.get("logConfiguration") or {}).get("options") or {})


def log_groups(definition: Mapping[str, Any]) -> dict[str, Mapping[str, str]]:
    """Container → log options, for containers with the awslogs driver."""
    found = {each["name"]: log_options(each) for each in containers(definition)}
    return {name: options for name, options in found.items() if options.get("awslogs-group")}
