"""Validates the volumes of a task definition, and what its containers mount.

Sources are in ``tests/embedded/test_conformance_ecs_volumes.py``. Texts that are not AWS's own are marked (own words).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from .answers import client_error

NAME = re.compile(r"^[A-Za-z0-9_-]{1,255}$")
NOT_ON_FARGATE = ("dockerVolumeConfiguration", "fsxWindowsFileServerVolumeConfiguration")
LINUX_NOT_ON_FARGATE = ("devices", "sharedMemorySize", "maxSwap", "swappiness")
ADDED_ON_FARGATE = ("SYS_PTRACE",)


def check_sources(containers: Sequence[Mapping[str, Any]]) -> None:
    """Raise ClientException for volumes from a container that is not in the task."""
    names = {one["name"] for one in containers}
    for one in containers:
        for each in one["volumesFrom"]:
            if each.get("sourceContainer") not in names:
                unknown = each.get("sourceContainer")
                raise client_error(f"Invalid 'volumesFrom' setting. Unknown container: '{unknown}'.")


def check_volumes(body: Mapping[str, Any]) -> None:
    """Raise ClientException for invalid names of volumes, and for mount points without a volume or a path."""
    names = [one.get("name") or "" for one in body["volumes"]]
    if not all(map(NAME.match, names)):
        raise client_error("Volume.name contains invalid characters.")  # (own words)
    if len(set(names)) != len(names):
        raise client_error("Volume.name contains duplicate values.")  # (own words)
    for container in body["containerDefinitions"]:
        _check_mount_points(container, names)


def _check_mount_points(container: Mapping[str, Any], volumes: Sequence[str]) -> None:
    for each in container["mountPoints"]:
        if each.get("sourceVolume") not in volumes:
            raise client_error(f"Unknown volume '{each.get('sourceVolume')}'.")
    paths = [each.get("containerPath") or "" for each in (*container["mountPoints"], *_tmpfs(container))]
    for path in paths:
        if not path.strip("/") or not path.startswith("/") or ".." in path.split("/"):
            raise client_error(
                f"Invalid 'containerPath' setting for container '{container['name']}'."
            )  # (own words)
    plain = [path.rstrip("/") for path in paths]
    if len(set(plain)) != len(plain):
        raise client_error(f"Duplicate mount point on container '{container['name']}'.")  # (own words)


def check_fargate(body: Mapping[str, Any]) -> None:
    """Raise ClientException for what only container instances have."""
    for volume in body["volumes"]:
        if (volume.get("host") or {}).get("sourcePath"):
            raise client_error("Fargate compatible task definitions do not support sourcePath")
        for name in NOT_ON_FARGATE:
            if volume.get(name):
                raise client_error(
                    f"Fargate compatible task definitions do not support {name}"
                )  # (own words)
    for container in body["containerDefinitions"]:
        _check_linux(container)


def _check_linux(container: Mapping[str, Any]) -> None:
    given = container.get("linuxParameters") or {}
    for name in LINUX_NOT_ON_FARGATE:
        if given.get(name):
            raise client_error(f"Fargate compatible task definitions do not support {name}")  # (own words)
    for name in (given.get("capabilities") or {}).get("add") or ():
        if name not in ADDED_ON_FARGATE:
            raise client_error(
                f"Fargate compatible task definitions do not support added capability {name}"
            )  # (own words)


def _tmpfs(container: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    return (container.get("linuxParameters") or {}).get("tmpfs") or ()
