"""The commands of a RUN that only change files from COPY: ``chmod`` and ``mkdir``.

Setting a start script's executable bit in RUN is common; without it the program could not start. Other
commands of a RUN need the base image.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator

from ..dockerfile import UnexecutedInstruction
from .modes import changed
from .tree import Tree, with_mode

_SEPARATORS = re.compile(r"&&|;|\n")
_SHELL_SYNTAX = re.compile(r"[$`*?|<>~{}()]")


def touch_files(step: UnexecutedInstruction, tree: Tree) -> None:
    """Apply the chmod and mkdir commands of a RUN to the existing files."""
    for command, *words in _commands(step.text):
        options = [word for word in words if word.startswith("-") and not re.fullmatch("-[rwxX]{1,8}", word)]
        names = [word for word in words if word not in options]
        if command == "mkdir":
            for name in names:
                tree.make_directory(_inside(step, name))
        elif command == "chmod" and names:
            for name in names[1:]:
                _change_mode(tree, _inside(step, name), names[0], "-R" in options)


def _commands(text: str) -> Iterator[list[str]]:
    for part in _SEPARATORS.split(text):
        if _SHELL_SYNTAX.search(part):
            continue
        try:
            words = shlex.split(part)
        except ValueError:
            continue
        if len(words) > 1:
            yield words


def _inside(step: UnexecutedInstruction, name: str) -> str:
    return posixpath.normpath(posixpath.join(step.working_directory, name)).strip("/")


def _change_mode(tree: Tree, path: str, mode: str, below: bool) -> None:
    inner = [posixpath.join(path, each) for each, _ in tree.below(path)] if below else []
    for each in (path, *inner):
        node = tree.nodes.get(each)
        if node and node.target is None:
            try:
                tree.nodes[each] = with_mode(node, changed(node.mode, mode, node.is_directory))
            except ValueError:
                return  # the shell of the real build will report it
