"""Writes a layer: a tree as a tar.gz with the same bytes whenever the sources are the same."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from ..dockerfile.spaces import is_number
from ..errors import RefusedError
from .transfer import Observer, Transfer, unobserved
from .tree import Node, Tree

_MIB = 1024 * 1024


@dataclass(frozen=True)
class Blob:
    """Bytes that a registry stores under their digest: a file, or a small text."""

    digest: str
    size: int
    content: Path | bytes

    def part(self, first: int, length: int) -> bytes:
        """``length`` bytes from ``first`` on."""
        if isinstance(self.content, bytes):
            return self.content[first : first + length]
        with self.content.open("rb") as file:
            file.seek(first)
            return file.read(length)


def blob_of(data: bytes) -> Blob:
    """Some bytes as a blob."""
    return Blob(f"sha256:{hashlib.sha256(data).hexdigest()}", len(data), data)


def write_layer(tree: Tree, path: Path, observe: Observer = unobserved) -> tuple[Blob, str]:
    """Write the tree as a tar.gz; returns it and the digest of the tar. Sorted and without times, so it is
    reproducible."""
    watched = _Watched(sum(map(_size, tree.nodes.values())), observe)
    with path.open("wb") as file:
        compressed = _Hashing(file)
        with gzip.GzipFile(filename="", mode="wb", fileobj=compressed, compresslevel=6, mtime=0) as packed:
            plain = _Hashing(packed, watched)
            with tarfile.open(fileobj=plain, mode="w|", format=tarfile.PAX_FORMAT) as archive:  # type: ignore[call-overload]
                for name in sorted(tree.nodes):
                    watched.name = name
                    _add(archive, name, tree.nodes[name])
    return Blob(compressed.digest, compressed.size, path), plain.digest


def _size(node: Node) -> int:
    """The size of a file; 0 for one that was deleted meanwhile, which the copy then reports."""
    try:
        return node.size
    except OSError:
        return 0


@dataclass
class _Watched:
    """Reports every MiB of a layer of ``total`` bytes, with the current folder, such as /app/data."""

    total: int
    observe: Observer
    name: str = ""
    _told: int = 0

    def __call__(self, size: int) -> None:
        if size // _MIB > self._told:
            self._told = size // _MIB
            top = "/".join(self.name.split("/")[:2])
            self.observe(Transfer("copying", f"/{top}", min(size, self.total), self.total))


class _Hashing:
    """Forwards bytes and hashes them; ``tell`` gets their number."""

    def __init__(
        self, file: IO[bytes] | gzip.GzipFile, tell: Callable[[int], None] = lambda size: None
    ) -> None:
        self._file, self._tell = file, tell
        self._hash = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> int:
        self._hash.update(data)
        self.size += len(data)
        self._tell(self.size)
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()

    @property
    def digest(self) -> str:
        return f"sha256:{self._hash.hexdigest()}"


def _add(archive: tarfile.TarFile, name: str, node: Node) -> None:
    entry = tarfile.TarInfo(name)
    entry.mode = node.mode
    _set_owner(entry, node.owner)
    if node.target is not None:
        entry.type, entry.linkname = tarfile.SYMTYPE, node.target
        archive.addfile(entry)
    elif node.is_directory:
        entry.type = tarfile.DIRTYPE
        archive.addfile(entry)
    elif isinstance(node.content, Path):
        _add_file(archive, entry, node.content)
    else:
        entry.size = len(node.content or b"")
        archive.addfile(entry, io.BytesIO(node.content or b""))


def _add_file(archive: tarfile.TarFile, entry: tarfile.TarInfo, path: Path) -> None:
    try:
        with path.open("rb") as file:
            entry.size = path.stat().st_size
            archive.addfile(entry, file)
    except OSError as error:
        raise RefusedError(f"{path} cannot be read.", error.strerror or str(error)) from error


def _set_owner(entry: tarfile.TarInfo, owner: str) -> None:
    """Set the owner, numbers as numbers; a user without a group gets the group of the same number, as in BuildKit."""
    user, _, group = owner.partition(":")
    group = group or (user if is_number(user) else "")
    entry.uid = int(user) if is_number(user) else 0
    entry.gid = int(group) if is_number(group) else 0
    entry.uname = "" if is_number(user) else user
    entry.gname = "" if is_number(group) else group
