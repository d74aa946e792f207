"""Unpacks the layers of an image into a folder, and nowhere else.

Rules: Open Container Initiative, Image Layer Filesystem Changeset (whiteouts, replacement, links). Refusals and their
texts are those of containerd's ``archive/tar.go``, which Fargate uses for pulls.
"""

from __future__ import annotations

import lzma
import os
import shutil
import tarfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from typing import BinaryIO, Self

from .removal import remove

WHITEOUT = ".wh."
META = ".wh..wh."
OPAQUE = ".wh..wh..opq"
SNAPSHOT = "/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots/1/fs"
BLOCK = 4096
HEADERS = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)
ZSTD = b"\x28\xb5\x2f\xfd"
"""What data compressed with zstd begins with (RFC 8878, 3.1.1)."""
READS_ZSTD = "zst" in tarfile.TarFile.OPEN_METH  # from Python 3.14
LONGEST_HEADER = 1024 * 1024  # tarfile reads them into memory completely
PATH_MAX = 4096
# Errors of tarfile and decompressors for a damaged or malicious archive.
BROKEN = (
    *(tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError),
    *(ValueError, KeyError, OverflowError, RuntimeError),
)


class BadLayerError(Exception):
    """A layer that cannot be unpacked; the text says why. ``number`` counts the layers from 0."""

    number = 0


class Disk:
    """The free space of a disk in bytes; files that a later layer deletes still take space in their layer."""

    def __init__(self, size: int) -> None:
        self.left = size

    def take(self, size: int, name: str) -> None:
        """Use whole blocks, at least one. Raises BadLayerError when there is not enough space."""
        self.left -= max(1, -(-size // BLOCK)) * BLOCK
        if self.left < 0:
            raise BadLayerError(f"write {SNAPSHOT}/{name}: no space left on device")


def unpack(layers: Iterable[Callable[[], BinaryIO]], root: Path, disk: Disk) -> None:
    """Apply layers (tar, gzip, bzip2, xz, or zstd where Python reads it; each a function that opens one) in order.

    Raises BadLayerError.
    """
    root.mkdir(parents=True, exist_ok=True)
    for number, open_layer in enumerate(layers):
        try:
            _apply(open_layer, root, disk)
        except BadLayerError as error:
            error.number = number
            raise


def is_zstd(open_layer: Callable[[], BinaryIO]) -> bool:
    """Whether a layer is compressed with zstd."""
    with open_layer() as stream:
        return stream.read(len(ZSTD)) == ZSTD


def _apply(open_layer: Callable[[], BinaryIO], root: Path, disk: Disk) -> None:
    try:
        with open_layer() as stream, tarfile.open(fileobj=stream, mode="r:*", tarinfo=_Entry) as archive:
            _Layer(archive, root.resolve(), disk).apply()
    except BROKEN as error:
        raise BadLayerError(str(error) or type(error).__name__) from error


class _Entry(tarfile.TarInfo):
    """An archive entry with a plausible size."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """As tarfile's, with BadLayerError for a negative size, or one that would fill the memory."""
        entry = super().frombuf(buf, encoding, errors)
        if entry.size < 0 or (entry.type in HEADERS and entry.size > LONGEST_HEADER):
            raise BadLayerError(f"archive/tar: invalid tar header: an entry of {entry.size} bytes")
        return entry


class _Layer:
    """One layer to unpack into ``root`` (resolved)."""

    def __init__(self, archive: tarfile.TarFile, root: Path, disk: Disk) -> None:
        self._archive = archive
        self._root = root
        self._disk = disk
        self._made: set[Path] = set()

    def apply(self) -> None:
        """Apply every entry."""
        for member in self._archive:
            if member.size < 0:
                raise BadLayerError(f"archive/tar: invalid tar header: an entry of {member.size} bytes")
            parts = _parts(member.name)
            self._disk.take(member.size, "/".join(parts))
            if parts and not (parts[0].startswith(META) and parts[0] != OPAQUE):  # reserved by AUFS
                self._carry_out(member, self._folder(parts[:-1]), parts[-1])

    def _carry_out(self, member: tarfile.TarInfo, parent: Path, name: str) -> None:
        if name == OPAQUE:
            self._clear(parent)
        elif name.startswith(WHITEOUT):
            self._remove(parent / _hidden(name))
        else:
            self._make(member, parent / name)

    def _folder(self, parts: tuple[str, ...]) -> Path:
        """The real folder of ``parts``, created if needed; links on the way are followed inside the root."""
        folder = self._root.joinpath(*parts).resolve()
        if not folder.is_relative_to(self._root):
            raise BadLayerError(f"{'/'.join(parts)} leaves the image")
        if not folder.is_dir():
            made = self._root
            for part in folder.relative_to(self._root).parts:
                made /= part
                made.mkdir(exist_ok=True)
        return folder

    def _clear(self, folder: Path) -> None:
        """Hide the content that lower layers put into an opaque folder, but not this layer's."""
        kept = {folder for made in self._made for folder in (made, *made.parents)}
        left = [folder]
        while left:
            for child in left.pop().iterdir():
                if child not in kept:
                    self._remove(child)
                elif child.is_dir() and not child.is_symlink():
                    left.append(child)

    def _remove(self, path: Path) -> None:
        if path.is_dir() and not path.is_symlink():
            remove(path)
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
        """A link's text that means the same inside the root as in a container, where ``..`` ends at /."""
        kept = [] if target.startswith("/") else list(folder.relative_to(self._root).parts)
        for part in PurePosixPath(target).parts:
            if part == "..":
                kept = kept[:-1]
            elif part != "/":
                kept.append(part)
        return os.path.relpath(self._root.joinpath(*kept), folder)


def _hidden(name: str) -> str:
    """The name that a whiteout deletes in its own folder."""
    hidden = name.removeprefix(WHITEOUT)
    if hidden in ("", ".", ".."):
        raise BadLayerError(f"invalid whiteout name: {name}: invalid archive")
    return hidden


def _parts(name: str) -> tuple[str, ...]:
    parts = tuple(part for part in PurePosixPath(name).parts if part != "/")
    if len(os.fsencode(f"{SNAPSHOT}/{'/'.join(parts)}")) >= PATH_MAX:
        raise BadLayerError("file name too long")
    if ".." in parts:
        raise BadLayerError(f"{name} leaves the image")
    return parts
