"""A container's root folder: a copy of the image's, so that each task writes to its own.

There is no ``chroot``: programs see the machine's file system. So paths that exist in the container's root
are translated where they are visible: in the command, in the environment, and in shell scripts of the image.
A path inside any other program is not translated; relative paths work, because the working directory is the image's.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .programs import stand_in

SYSTEM = frozenset({"bin", "boot", "lib", "lib32", "lib64", "libx32", "sbin", "usr"})
BULKY = frozenset({"node_modules", "site-packages"})  # thousands of files that programs only read
MACHINES_OWN = frozenset({"dev", "proc", "sys"})
PATH_WORD = re.compile(r"(?<![\w./~$}\-])/[\w.@+%,\-]+(?:/[\w.@+%,\-]+)*/?")
SHEBANG = re.compile(r"#![ \t]*(?P<path>/\S+)(?:[ \t]+(?:-S[ \t]+)?(?P<word>\S+))?[^\r\n]*\n")
SHELLS = frozenset({"sh", "bash", "dash", "ash"})
SCRIPT_LIMIT = 256 * 1024  # bytes


@dataclass(frozen=True)
class Root:
    """A container's root. ``path`` is used by this container only."""

    path: Path

    def host_path(self, inside: str) -> Path:
        """The path on this machine of an absolute path in the image."""
        return self.path / inside.lstrip("/")

    def translated(self, text: str) -> str:
        """``text`` with every absolute path replaced that exists in the root, or whose folder does."""
        return PATH_WORD.sub(lambda found: self._word(found.group()), text)

    def translated_list(self, text: str) -> str:
        """``text`` with the entries of a ``:`` list (or the only one) replaced that are paths of the root."""
        entries = text.split(":")
        return ":".join(self._word(each) if PATH_WORD.fullmatch(each) else each for each in entries)

    def _word(self, word: str) -> str:
        top = word.split("/")[1]
        plain = word.rstrip(".,")
        if top in MACHINES_OWN:
            return word
        here = self.host_path(plain)
        if os.path.lexists(here) and not _is_system_binary(top, here):
            return f"{here}{word[len(plain.rstrip('/')) :]}"
        if instead := stand_in(plain):
            return f"{instead}{word[len(plain) :]}"
        makes_new = top not in SYSTEM and here.parent != self.path and here.parent.is_dir()
        return f"{self.path}{word}" if makes_new else word


def is_machine_code(path: Path) -> bool:
    """Whether a file is an ELF or Mach-O program or library."""
    try:
        with path.open("rb") as file:
            return file.read(4) in (b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
    except OSError:
        return False


def make_root(image_root: Path, path: Path, working_directory: str) -> Root:
    """Create a container's root at ``path``.

    An image with an operating system is large: its system folders are shared (links), except for those with
    the working directory. Folders of installed packages are shared, too. Everything else is copied.
    """
    shared = SYSTEM if (image_root / "usr/bin/env").exists() else frozenset[str]()
    keep_apart = [part for part in working_directory.split("/") if part]
    path.mkdir(parents=True)
    for entry in image_root.iterdir():
        _take(entry, path / entry.name, entry.name in shared, keep_apart)
    for folder in ("tmp", "root", working_directory.strip("/")):
        (path / folder).mkdir(parents=True, exist_ok=True)
    root = Root(path.resolve())
    _for_each_script(root.path, lambda script: _translate_script(root, script))
    return root


def _take(source: Path, target: Path, share: bool, keep_apart: list[str]) -> None:
    """Copy ``source``, or link to it; shared folders with the working directory become real ones."""
    left = [(source, target, share, keep_apart)]
    while left:
        source, target, share, keep_apart = left.pop()
        leads_there = bool(keep_apart) and source.name == keep_apart[0]
        if source.is_symlink():
            target.symlink_to(os.readlink(source))
        elif not source.is_dir():
            shutil.copy2(source, target)
        elif source.name in BULKY or (share and not leads_there):
            target.symlink_to(source)
        else:
            target.mkdir()
            target.chmod(source.stat().st_mode)
            inside = keep_apart[1:] if leads_there else []
            left += [
                (entry, target / entry.name, share and bool(inside), inside) for entry in source.iterdir()
            ]


def _for_each_script(folder: Path, work: Callable[[Path], None]) -> None:
    left = [folder]
    while left:
        for path in left.pop().iterdir():
            if path.is_symlink():
                continue
            if path.is_dir():
                left.append(path)
            elif os.access(path, os.X_OK) or path.suffix == ".sh":
                work(path)


def _translate_script(root: Root, path: Path) -> None:
    """Make a script runnable here: translates its interpreter's line, and a shell script's paths."""
    if path.stat().st_size > SCRIPT_LIMIT:
        return
    text = path.read_bytes().decode(errors="surrogateescape")
    head = SHEBANG.match(text)
    if head is None:
        return
    interpreter = head["word"] if head["path"].endswith("/env") and head["word"] else head["path"]
    first, body = head.group(), text[head.end() :]
    if here := stand_in(head["path"]):
        first = first.replace(head["path"], here, 1)
    if Path(interpreter).name in SHELLS:
        body = root.translated(body)
    path.write_bytes((first + body).encode(errors="surrogateescape"))


def _is_system_binary(top: str, path: Path) -> bool:
    return top in SYSTEM and path.is_file() and is_machine_code(path)
