"""The files of a Dockerfile's stages: applies COPY, ADD and WORKDIR to trees, without a container."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..dockerfile import Copy, Dockerfile, MakeDirectory, Stage
from ..dockerfile.globs import BadPatternError
from ..dockerfile.ignore import BadLineError, DockerIgnore
from ..errors import DockerfileError
from .archive import BadArchiveError, is_archive, unpacked
from .modes import changed
from .run import touch_files
from .tree import FILE_MODE, EscapesError, Node, Tree

# Directories of every Linux image: a file copied to one of them is placed in it.
_KNOWN_DIRECTORIES = frozenset(
    {
        *("bin", "boot", "dev", "etc", "home", "lib", "lib64", "media", "mnt", "opt", "proc", "root", "run"),
        *("sbin", "srv", "sys", "tmp", "usr", "var", "usr/bin", "usr/lib", "usr/local", "usr/local/bin"),
        *("usr/local/lib", "usr/sbin", "usr/share", "usr/src", "var/lib", "var/log", "etc/ssl"),
    }
)
_REMOTE = re.compile(r"^(https?://|git@|git://|ssh://)")


@dataclass(frozen=True)
class StageFiles:
    """The files of the final stage, and sentences about what was left out."""

    tree: Tree
    notes: tuple[str, ...]


def assemble(dockerfile: Dockerfile, context: Tree) -> StageFiles:
    """The files of the final stage.

    Raises DockerfileError, with the line, for a source that does not exist or is outside the context.
    """
    work = _ImageAssembly(dockerfile, context)
    tree = work.tree_of(dockerfile.final)
    return StageFiles(tree, (*work.notes, *_runs(dockerfile)))


@dataclass
class _ImageAssembly:
    """One build: each stage's tree is created once, on first use."""

    dockerfile: Dockerfile
    context: Tree
    trees: dict[int, Tree] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def tree_of(self, stage: Stage) -> Tree:
        if stage.index not in self.trees:
            parent = None if stage.parent is None else self.tree_of(self.dockerfile.stages[stage.parent])
            tree = parent.copy() if parent else Tree()
            for step in stage.steps:
                if isinstance(step, MakeDirectory):
                    tree.make_directory(step.path.strip("/"), step.owner)
                elif isinstance(step, Copy):
                    self._copy(step, tree)
                elif step.keyword == "RUN":
                    touch_files(step, tree)
            self.trees[stage.index] = tree
        return self.trees[stage.index]

    def _copy(self, copy: Copy, tree: Tree) -> None:
        if copy.image is not None:
            self._note(copy, f"--from={copy.image} was skipped; that image is not available")
            return
        origin = self.context if copy.stage is None else self.tree_of(self.dockerfile.stages[copy.stage])
        found = [(source, path) for source in self._local(copy) for path in self._find(copy, origin, source)]
        into = self._is_into_directory(copy, tree, len(found))
        for source, path in found:
            self._place(copy, tree, origin, path, _target(copy, source, path, into))
        for file in copy.files:
            target = posixpath.join(copy.destination, file.name) if into else copy.destination
            self._put(copy, tree, target, Node(FILE_MODE, file.text.encode()))

    def _local(self, copy: Copy) -> Iterator[str]:
        """The sources that are files; adds a note for each that would have to be downloaded."""
        for source in copy.sources:
            if copy.keyword == "ADD" and _REMOTE.match(source):
                self._note(copy, f"{source} was not fetched")
            else:
                yield source

    def _find(self, copy: Copy, origin: Tree, source: str) -> list[str]:
        try:
            found = origin.find(source)
        except EscapesError:
            raise self._error(copy, f"{source} is outside the build context") from None
        except BadPatternError as error:
            raise self._error(copy, str(error)) from None
        if found:
            return found
        if origin.may_match(source):
            self._note(copy, f"{source} matches nothing")
            return []
        if copy.stage is None:
            raise self._error(copy, f"{source} is not in the build context (or .dockerignore leaves it out)")
        if not self._may_be_made_elsewhere(copy.stage):
            raise self._error(copy, f"{source} is not in {_named(self.dockerfile.stages[copy.stage])}")
        stage = _named(self.dockerfile.stages[copy.stage])
        self._note(copy, f"{source} is missing; RUN or the base image creates it in {stage}")
        return []

    def _may_be_made_elsewhere(self, index: int) -> bool:
        lineage = self.dockerfile.lineage(self.dockerfile.stages[index])
        return lineage[0].base != "scratch" or any(stage.unexecuted for stage in lineage)

    def _is_into_directory(self, copy: Copy, tree: Tree, found: int) -> bool:
        """Whether a copied file is placed in the destination, instead of becoming it."""
        if copy.destination.endswith("/"):
            return True
        if len(copy.sources) + len(copy.files) > 1:
            raise self._error(
                copy, f"with several sources the destination must end in a slash: {copy.destination}/"
            )
        inside = copy.destination.strip("/")
        return found > 1 or tree.is_directory(inside) or inside in _KNOWN_DIRECTORIES

    def _place(self, copy: Copy, tree: Tree, origin: Tree, path: str, target: _Target) -> None:
        excluded = self._excluded(copy)
        node = origin.nodes.get(path)
        if node is None or node.is_directory:
            self._make_directory(copy, tree, target.of_directory.strip("/"))
            for inner, each in list(origin.below(path)):
                if not excluded(inner) and not excluded(posixpath.join(path, inner)):
                    self._put(copy, tree, posixpath.join(target.of_directory, inner), each)
        elif copy.unpack and isinstance(node.content, Path) and is_archive(node.content):
            self._unpack(copy, tree, node.content)
        elif not excluded(path):
            self._put(copy, tree, target.of_file, node)

    def _unpack(self, copy: Copy, tree: Tree, archive: Path) -> None:
        try:
            for inner, each in unpacked(archive):
                self._put(copy, tree, posixpath.join(copy.destination, inner), each)
        except BadArchiveError as error:
            raise self._error(copy, f"{archive.name} cannot be unpacked: {error}") from None

    def _excluded(self, copy: Copy) -> DockerIgnore:
        try:
            return DockerIgnore(copy.exclude)
        except BadLineError as error:
            raise self._error(copy, f"--exclude: {error.why}") from None

    def _make_directory(self, copy: Copy, tree: Tree, path: str) -> None:
        there = tree.nodes.get(path)
        if there and there.content is not None:
            raise self._error(copy, f"/{path} is a file; a directory cannot take its place")
        tree.make_directory(path, copy.owner or "")

    def _put(self, copy: Copy, tree: Tree, path: str, node: Node) -> None:
        try:
            mode = changed(node.mode, copy.mode, node.is_directory) if copy.mode else node.mode
        except ValueError:
            raise self._error(copy, f"--chmod={copy.mode} is neither octal nor symbolic") from None
        inside = posixpath.normpath(path).strip("/")
        if tree.is_directory(inside) and not node.is_directory:
            raise self._error(copy, f"/{inside} is a directory; a file cannot take its place")
        tree.put(inside, replace(node, mode=mode, owner=copy.owner or ""))

    def _note(self, copy: Copy, what: str) -> None:
        self.notes.append(f"Line {copy.line}, {copy.keyword}: {what}.")

    def _error(self, copy: Copy, what: str) -> DockerfileError:
        return DockerfileError(f"{self.dockerfile.name}, line {copy.line}: {copy.keyword}: {what}.")


@dataclass(frozen=True)
class _Target:
    """The target of a source: of a directory's contents, or of a file."""

    of_directory: str
    of_file: str


def _target(copy: Copy, source: str, path: str, into: bool) -> _Target:
    destination = copy.destination
    if copy.parents:
        pivot = source.find("/./")
        dropped = posixpath.normpath(source[:pivot]).strip("/") if pivot > 0 else ""
        kept = posixpath.join(destination, path[len(dropped) :].lstrip("/"))
        return _Target(kept, kept)
    return _Target(
        destination, posixpath.join(destination, posixpath.basename(path)) if into else destination
    )


def _runs(dockerfile: Dockerfile) -> Iterator[str]:
    """Sentences about the instructions that the final stage did not execute."""
    stages = dockerfile.lineage(dockerfile.final)
    steps = [
        step for stage in stages for step in stage.unexecuted if step.keyword != "ONBUILD"
    ]  # kept for others
    for keyword in dict.fromkeys(step.keyword for step in steps):
        lines = [step.line for step in steps if step.keyword == keyword]
        yield f"{keyword} was not run ({_lines(lines)}): the packages that it installs have to be on this machine."


def _lines(lines: list[int]) -> str:
    return f"line {lines[0]}" if len(lines) == 1 else f"lines {', '.join(map(str, lines))}"


def _named(stage: Stage) -> str:
    return stage.name or f"stage {stage.index}"
