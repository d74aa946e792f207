"""One reader for the project's text files, whichever editor wrote them."""

from __future__ import annotations

import ast
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lobster_tasks.errors import RefusedError
from lobster_tasks.images import BuildOptions
from lobster_tasks.images.build import read_context, read_dockerfile
from lobster_tasks.text_file import EncodingError, decoded, read
from tests.project import TASKS, Project
from tests.test_architecture import LIBRARY, name_of, tree_of


def test_a_byte_order_mark_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"\xef\xbb\xbfcaf\xc3\xa9\r\nb\rc\n")
    assert read(tmp_path / "x") == "café\nb\nc\n"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("any_bytes", [False, True])
def test_other_encodings_are_told(encoding: str, any_bytes: bool) -> None:
    with pytest.raises(EncodingError, match=r"^it is in UTF-(16|32).*; save it as UTF-8$"):
        decoded("lobster: 1\r\n".encode(encoding), any_bytes=any_bytes)


def test_latin_1_is_told_with_its_line() -> None:
    with pytest.raises(
        EncodingError, match=r"^line 2: the byte 0xe9 is not UTF-8 \(it may be Latin-1\); save"
    ):
        decoded("a\n# caf\u00e9\n".encode("latin-1"))


def test_where_a_builder_takes_any_bytes_they_stay() -> None:
    data = "# Donn\u00e9es\n".encode("latin-1")
    assert decoded(data, any_bytes=True).encode(errors="surrogateescape") == data


# What may exist at a file's path instead.
NO_FILES: dict[str, Callable[[Path], None]] = {
    "a pipe": os.mkfifo,
    "a folder": Path.mkdir,
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a device without end": lambda path: path.symlink_to("/dev/zero"),
    "a terminal": lambda path: path.symlink_to("/dev/tty"),
    "a file without end": lambda path: os.truncate(os.open(path, os.O_CREAT | os.O_RDWR), 1 << 40),
}


@pytest.mark.parametrize("kind", NO_FILES)
def test_what_is_no_file_is_refused_and_waited_for_by_nobody(tmp_path: Path, kind: str) -> None:
    NO_FILES[kind](tmp_path / "x")
    with pytest.raises((OSError, EncodingError)):
        read(tmp_path / "x")


@pytest.mark.parametrize("kind", NO_FILES)
@pytest.mark.parametrize("name", ["invoke.yaml", "invoke.json", "invoke.py"])
def test_settings_that_are_no_file_are_told_in_words(tmp_path: Path, name: str, kind: str) -> None:
    project = Project(tmp_path, dict(os.environ))
    project.write("tasks.py", TASKS)
    NO_FILES[kind](tmp_path / name)
    assert f"✘ {name} cannot be read." in project.inv("settings").check(2).err


@pytest.mark.parametrize("kind", NO_FILES)
def test_what_an_image_is_made_of_is_told_in_words(tmp_path: Path, kind: str) -> None:
    for name in ("Dockerfile", ".dockerignore"):
        NO_FILES[kind](tmp_path / name)
    with pytest.raises(RefusedError, match=r"/Dockerfile cannot be read\."):
        read_dockerfile(tmp_path, "Dockerfile", BuildOptions())
    with pytest.raises(RefusedError, match=r"/\.dockerignore cannot be read\."):
        read_context(tmp_path, "Dockerfile")


def test_texts_of_the_project_are_read_in_one_place() -> None:
    """Reading a file without this module could block on a pipe, or load a file of any size into memory."""
    reading = {
        name_of(file)
        for file in LIBRARY
        for node in ast.walk(tree_of(file))
        if isinstance(node, ast.Attribute) and node.attr in ("read_text", "read_bytes")
    }
    assert reading == {"lobster_tasks/cost.py"}  # prices are part of the library
