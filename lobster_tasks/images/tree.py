"""Files by path: the build context, and the content of each stage."""

from __future__ import annotations

import os
import posixpath
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from .. import text_file
from ..dockerfile.ignore import DockerIgnore, compiled, has_wildcard
from ..errors import RefusedError

FILE_MODE, PROGRAM_MODE, DIRECTORY_MODE = 0o644, 0o755, 0o755
_MOST_LINKS = 40  # as Linux (ELOOP)


class EscapesError(ValueError):
    """A path, or a link on its way, leads out of the tree."""


@dataclass(frozen=True)
class Node:
    """A file (``content`` is the location of its bytes), a link (``target``), or, with neither, a directory.

    ``owner`` is "user:group", in names or numbers; empty for root.
    """

    mode: int
    content: Path | bytes | None = None
    target: str | None = None
    owner: str = ""

    @property
    def is_directory(self) -> bool:
        """Whether it is neither a file nor a link."""
        return self.content is None and self.target is None

    @property
    def size(self) -> int:
        """The size of a file in bytes."""
        if isinstance(self.content, Path):
            return self.content.stat().st_size
        return len(self.content or b"")

    def data(self) -> bytes:
        """The bytes of a file, empty for anything else. Raises OSError, and EncodingError for a file over 1 MiB."""
        return text_file.contents(self.content) if isinstance(self.content, Path) else self.content or b""


@dataclass
class Tree:
    """Nodes by path, without a leading slash."""

    nodes: dict[str, Node] = field(default_factory=dict)

    def copy(self) -> Tree:
        """Another tree with the same nodes."""
        return Tree(dict(self.nodes))

    def put(self, path: str, node: Node) -> None:
        """Add a node, and the directories above it, with its owner; a directory keeps its content."""
        self._make_parents(path, node.owner)
        there = self.nodes.get(path)
        if not (there and there.is_directory and node.is_directory):
            self._remove(path, there)
        self.nodes[path] = node

    def make_directory(self, path: str, owner: str = "") -> None:
        """Create a directory and those above it, where they do not exist."""
        if path and path not in self.nodes:
            self.put(path, Node(DIRECTORY_MODE, owner=owner))

    def is_directory(self, path: str) -> bool:
        """Whether the path is a directory; the root always is."""
        node = self.nodes.get(path)
        return not path or (node is not None and node.is_directory)

    def find(self, source: str) -> list[str]:
        """The paths of a COPY source, with links followed; empty where there are none.

        Raises EscapesError where it leads out of the tree.
        """
        path = _inside(source.lstrip("/"))
        if not has_wildcard(path):
            found = self.follow(path)
            return [found] if not found or found in self.nodes else []
        pattern = compiled(path)
        return sorted(self.follow(each) for each in self.nodes if pattern.fullmatch(each))

    def may_match(self, source: str) -> bool:
        """Whether it has a wildcard, and the directory before the first one is here: a builder takes no match then."""
        parts = _inside(source.lstrip("/")).split("/")
        first = next((index for index, part in enumerate(parts) if has_wildcard(part)), None)
        return first is not None and self.is_directory(self.follow("/".join(parts[:first])))

    def follow(self, path: str) -> str:
        """The path that ``path`` refers to after following links."""
        for _ in range(_MOST_LINKS):
            link = next((prefix for prefix in _prefixes(path) if self._target(prefix)), None)
            if link is None:
                return path
            rest = path[len(link) :].lstrip("/")
            path = _inside(posixpath.join(_pointed_to(link, self._target(link) or ""), rest))
        raise EscapesError(path)

    def below(self, path: str) -> Iterator[tuple[str, Node]]:
        """All nodes below a directory, by paths relative to it."""
        prefix = f"{path}/" if path else ""
        for each, node in self.nodes.items():
            if each.startswith(prefix):
                yield each[len(prefix) :], node

    def _target(self, path: str) -> str | None:
        node = self.nodes.get(path)
        return node.target if node else None

    def _make_parents(self, path: str, owner: str) -> None:
        for parent in _prefixes(posixpath.dirname(path)):
            if parent and not self.is_directory(parent):
                self._remove(parent, self.nodes.get(parent))
                self.nodes[parent] = Node(DIRECTORY_MODE, owner=owner)

    def _remove(self, path: str, there: Node | None) -> None:
        if there and there.is_directory:
            for inner in [each for each in self.nodes if each.startswith(f"{path}/")]:
                del self.nodes[inner]


def read_folder(folder: Path, ignore: DockerIgnore) -> Tree:
    """The folder as a tree; no file is opened, and no directory that is excluded completely.

    Modes keep only the executable bit, as in git, so that the same sources give the same image everywhere.
    """
    tree = Tree()

    left = [(folder, "")]  # without recursion: a path may be deeper than Python's limit
    while left:
        directory, prefix = left.pop()
        for entry in sorted(_entries(directory), key=lambda entry: entry.name):
            path = f"{prefix}{entry.name}"
            skipped = ignore(path)
            node = None if skipped else _node(entry)
            if node:
                tree.put(path, node)
            if entry.is_dir(follow_symlinks=False) and (not skipped or ignore.reaches_below(path)):
                left.append((Path(entry.path), f"{path}/"))
    return tree


def with_mode(node: Node, mode: int) -> Node:
    """The node with other permissions."""
    return replace(node, mode=mode)


def _entries(directory: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(directory) as entries:
            return list(entries)
    except OSError as error:
        raise RefusedError(f"{directory} cannot be read.", error.strerror or str(error)) from error


def _node(entry: os.DirEntry[str]) -> Node | None:
    """The entry as a node; None for what an image cannot contain, such as a socket."""
    if entry.is_symlink():
        return Node(0o777, target=os.readlink(entry.path))
    if entry.is_dir():
        return Node(DIRECTORY_MODE)
    mode = entry.stat().st_mode
    if not stat.S_ISREG(mode):
        return None
    return Node(PROGRAM_MODE if mode & stat.S_IXUSR else FILE_MODE, Path(entry.path))


def _prefixes(path: str) -> Iterator[str]:
    parts = path.split("/")
    return ("/".join(parts[:end]) for end in range(1, len(parts) + 1))


def _pointed_to(link: str, target: str) -> str:
    """The target of a link; an absolute target begins at the root of the tree."""
    if target.startswith("/"):
        return _inside(posixpath.normpath(target).lstrip("/"))
    return _inside(posixpath.join(posixpath.dirname(link), target))


def _inside(path: str) -> str:
    path = posixpath.normpath(path) if path else ""
    if path == ".." or path.startswith("../"):
        raise EscapesError(path)
    return "" if path == "." else path
