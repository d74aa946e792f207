"""Reads the archives that ADD unpacks: tar, plain or compressed with gzip, bzip2 or xz."""

from __future__ import annotations

import lzma
import posixpath
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from .tree import Node

# Errors of tarfile and decompressors for a damaged or malicious archive.
_BROKEN = (
    *(tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError),
    *(ValueError, KeyError, OverflowError, RuntimeError),
)
_PATH_MAX = 4096  # as Linux, with the null byte at the end


class BadArchiveError(ValueError):
    """An archive that cannot be unpacked; the text says why."""


def is_archive(path: Path) -> bool:
    """Whether a file begins like an archive; a builder copies any other file unchanged."""
    try:
        return tarfile.is_tarfile(path)
    except _BROKEN:
        return False


def unpacked(path: Path) -> Iterator[tuple[str, Node]]:
    """The entries of an archive, without paths that lead out of it. Raises BadArchiveError."""
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                yield from _node(archive, member)
    except BadArchiveError:
        raise
    except _BROKEN as error:
        raise BadArchiveError(f"it is damaged ({_told(error)})") from error


def _node(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Iterator[tuple[str, Node]]:
    path = posixpath.normpath(member.name).lstrip("/")
    if member.size < 0:  # the next member would lie before this one, endlessly
        raise BadArchiveError(f"{path} has a size below 0")
    if len(path.encode(errors="surrogateescape")) >= _PATH_MAX:
        raise BadArchiveError(f"the name {path[:40]}… is longer than Linux allows ({_PATH_MAX} bytes)")
    if path == ".." or path.startswith("../"):
        return
    if member.isdir():
        yield path, Node(member.mode)
    elif member.issym():
        yield path, Node(member.mode, target=member.linkname)
    elif content := _content(archive, member):
        yield path, content


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo) -> Node | None:
    """A file, or the target of a hard link; None for what an image cannot contain, such as a device."""
    try:
        file = archive.extractfile(member)
    except KeyError:
        raise BadArchiveError(
            f"{member.name} is a link to {member.linkname}, which is not in the archive"
        ) from None
    return None if file is None else Node(member.mode, file.read())


def _told(error: BaseException) -> str:
    return str(error) or type(error).__name__
