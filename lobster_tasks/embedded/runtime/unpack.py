"""Unpacks the layers of an image into a folder, and nowhere else.

Rules: Open Container Initiative, Image Layer Filesystem Changeset (whiteouts, replacement, links).
"""

from __future__ import annotations

import os
import shutil
import tarfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from typing import BinaryIO

WHITEOUT = ".wh."
OPAQUE = ".wh..wh..opq"


class BadLayerError(Exception):
    """A layer that cannot be unpacked; the text says why."""


def unpack(layers: Iterable[Callable[[], BinaryIO]], root: Path) -> None:
    """Apply layers (tar, gzip, bzip2 or xz; each a function that opens one) in order. Raises BadLayerError."""
    root.mkdir(parents=True, exist_ok=True)
    for open_layer in layers:
        try:
            with open_layer() as stream, tarfile.open(fileobj=stream, mode="r:*") as archive:
                _Layer(archive, root.resolve()).apply()
        except (tarfile.TarError, EOFError, OSError, RuntimeError, ValueError, zlib.error) as error:
            raise BadLayerError(str(error)) from error


class _Layer:
    """One layer on its way into ``root`` (resolved)."""

    def __init__(self, archive: tarfile.TarFile, root: Path) -> None:
        self._archive = archive
        self._root = root
        self._made: set[Path] = set()

    def apply(self) -> None:
        """Carry out every entry."""
        for member in self._archive:
            parts = _parts(member.name)
            if not parts:
                continue
            parent = self._folder(parts[:-1])
            if parts[-1] == OPAQUE:
                self._clear(parent)
            elif parts[-1].startswith(WHITEOUT):
                self._remove(parent / parts[-1].removeprefix(WHITEOUT))
            else:
                self._make(member, parent / parts[-1])

    def _folder(self, parts: tuple[str, ...]) -> Path:
        """The real folder of ``parts``, made if need be; links on the way are followed inside the root."""
        folder = self._root.joinpath(*parts).resolve()
        if not folder.is_relative_to(self._root):
            raise BadLayerError(f"{'/'.join(parts)} leaves the image")
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _clear(self, folder: Path) -> None:
        """An opaque folder hides what lower layers put there, not what this one does."""
        for child in folder.iterdir():
            if not any(made.is_relative_to(child) for made in self._made):
                self._remove(child)
            elif child.is_dir() and not child.is_symlink():
                self._clear(child)

    def _remove(self, path: Path) -> None:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)

    def _make(self, member: tarfile.TarInfo, path: Path) -> None:
        if not (member.isdir() and path.is_dir() and not path.is_symlink()):
            self._remove(path)
        self._made.add(path)
        if member.isdir():
            path.mkdir(exist_ok=True)
            path.chmod(member.mode & 0o777 | 0o700)
        elif member.isreg():
            self._write(member, path)
        elif member.issym():
            path.symlink_to(self._contained(member.linkname, path.parent))
        elif member.islnk():
            self._link(member, path)

    def _write(self, member: tarfile.TarInfo, path: Path) -> None:
        content = self._archive.extractfile(member)
        if content is None:
            raise BadLayerError(f"{member.name} has no content")
        with path.open("xb") as file:
            shutil.copyfileobj(content, file)
        path.chmod(member.mode & 0o777 | 0o600)

    def _link(self, member: tarfile.TarInfo, path: Path) -> None:
        parts = _parts(member.linkname)
        source = self._folder(parts[:-1]) / parts[-1] if parts else self._root
        if not source.is_file() or source.is_symlink():
            raise BadLayerError(f"{member.name} links to {member.linkname}, which is no file of the image")
        os.link(source, path)

    def _contained(self, target: str, folder: Path) -> str:
        """A link's text that means inside the root what it means inside a container, where ``..`` ends at /."""
        kept = [] if target.startswith("/") else list(folder.relative_to(self._root).parts)
        for part in PurePosixPath(target).parts:
            if part == "..":
                kept = kept[:-1]
            elif part != "/":
                kept.append(part)
        return os.path.relpath(self._root.joinpath(*kept), folder)


def _parts(name: str) -> tuple[str, ...]:
    parts = tuple(part for part in PurePosixPath(name).parts if part != "/")
    if ".." in parts:
        raise BadLayerError(f"{name} leaves the image")
    return parts
