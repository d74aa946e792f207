"""The volumes of tasks whose containers are processes: folders, to which links in the containers' roots lead.

Any process can write to them, also where they are mounted read-only, and owner and mode are those of the user who runs
the embedded AWS. A tmpfs is an empty folder of the container's own.
"""

from __future__ import annotations

import itertools
import os
import shutil
import threading
from pathlib import Path
from urllib.parse import quote

from .interface import CannotStart, ContainerSpec, Mount
from .removal import remove
from .roots import MACHINES_OWN, Root


class TaskVolumes:
    """The volumes of each task, by the task's address."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._tasks: dict[str, Path] = {}
        self._given_up: list[Path] = []

    def mount(self, spec: ContainerSpec, root: Root) -> None:
        """Put a container's volumes into its root; those that are new are made. Raises CannotStart."""
        try:
            for each in sorted(spec.mounts, key=lambda mount: mount.path):  # one may be inside another one
                self._mount(spec, each, root)
            for tmpfs in spec.tmpfs:
                place = _reached(root, tmpfs.path, spec.image.root)
                _free(place)
                place.mkdir()
        except OSError as error:
            raise CannotStart(f"error mounting a volume: {error.strerror}", 126) from error

    def _mount(self, spec: ContainerSpec, mount: Mount, root: Root) -> None:
        place = _reached(root, mount.path, spec.image.root)
        with self._lock:
            task = self._tasks.setdefault(spec.address, self._folder / str(next(self._numbers)))
            volume = task / quote(mount.volume, safe="")
            if not volume.exists():
                if mount.from_image and place.is_dir() and not _leads_out(place, spec.image.root):
                    shutil.copytree(place, volume, symlinks=True)
                volume.mkdir(parents=True, exist_ok=True)
        _free(place)
        place.symlink_to(volume)

    def give_up(self, address: str) -> None:
        """Of a task that has ended."""
        with self._lock:
            self._given_up += filter(None, [self._tasks.pop(address, None)])

    def given_up(self) -> list[Path]:
        """The folders of ended tasks, once."""
        with self._lock:
            found, self._given_up = self._given_up, []
        return found

    def clear(self) -> None:
        """Remove all."""
        with self._lock:
            self._tasks, self._given_up = {}, []
        remove(self._folder)


def _free(place: Path) -> None:
    """Remove what the image has at a place of a root."""
    if place.is_symlink() or place.is_file():
        place.unlink()
    else:
        remove(place)


def _reached(root: Root, inside: str, image_root: Path) -> Path:
    """The place of a path of a root, whose parents exist and are the root's own. Raises CannotStart.

    A root shares large folders of its image by links; those on the way become real ones, with links inside.
    """
    first, *names = [part for part in inside.split("/") if part]
    if first in MACHINES_OWN:
        raise CannotStart(f"a process cannot have a volume at {inside}: /{first} is the machine's")
    place = root.path / first
    for name in names:
        if _leads_out(place, image_root):
            raise CannotStart(f"a process cannot have a volume at {inside}: a link leads there")
        if place.is_symlink():
            _unshare(place)
        place.mkdir(exist_ok=True)
        place /= name
    return place


def _leads_out(place: Path, image_root: Path) -> bool:
    """Whether a place of a root is a link that is not one to its image."""
    return place.is_symlink() and not Path(os.readlink(place)).is_relative_to(image_root)


def _unshare(link: Path) -> None:
    shared = list(link.iterdir())
    target = Path(os.readlink(link))
    link.unlink()
    link.mkdir()
    for entry in shared:
        (link / entry.name).symlink_to(target / entry.name)
