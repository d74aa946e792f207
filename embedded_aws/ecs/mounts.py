"""What the containers of a task share on disk: volumes, mount points, volumesFrom. Pure.

Source: Developer Guide, "Use bind mounts with Amazon ECS".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..runtime.interface import Mount, Tmpfs
from .model import ContainerState


def mounts(container: ContainerState, all_of: Sequence[ContainerState]) -> list[Mount]:
    """The mounts of a container of a task; those of its own go before those that it has from another one."""
    by_name = {one.name: one for one in all_of}
    shared = {each["sourceContainer"] for one in all_of for each in one.definition["volumesFrom"]}
    found = _own(container)
    for each in container.definition["volumesFrom"]:
        for mount in mounts(by_name[each["sourceContainer"]], all_of):
            found.setdefault(mount.path, replace(mount, read_only=mount.read_only or _read_only(each)))
    for path in container.image_volumes if container.name in shared else ():
        # no name of AWS's has a point in it
        found.setdefault(path, Mount(f"{container.name}.{path}", path, from_image=True))
    return list(found.values())


def tmpfs(container: ContainerState) -> list[Tmpfs]:
    """The file systems in memory of a container."""
    given = container.definition.get("linuxParameters", {}).get("tmpfs", ())
    return [Tmpfs(each["containerPath"], each["size"], tuple(each.get("mountOptions", ()))) for each in given]


def _own(container: ContainerState) -> dict[str, Mount]:
    paths = ((each["containerPath"].rstrip("/"), each) for each in container.definition["mountPoints"])
    return {
        path: Mount(each["sourceVolume"], path, _read_only(each), path in container.image_volumes)
        for path, each in paths
    }


def _read_only(given: dict[str, object]) -> bool:
    return bool(given.get("readOnly"))
