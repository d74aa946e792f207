"""Images for tests of real engines, made of this machine's own files, and their way into ECR."""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.embedded.images import MANIFEST, ensure_repository, manifest_of, upload_blob
from tests.engines import LABEL, ContainerEngine

PYTHON = "localhost/machine-python:1"
NODE = "localhost/machine-node:1"
_UNUSED = (
    "test",
    "idlelib",
    "tkinter",
    "ensurepip",
    "lib2to3",
    "site-packages",
    "dist-packages",
    "__pycache__",
)
_SHELL = ("/bin/sh",)


def import_python(engine: ContainerEngine) -> str:
    """An image with this machine's Python, as /usr/bin/python3, and a shell; returns its reference."""
    return _import(engine, PYTHON, sys.executable, "python3", _library(Path(sysconfig.get_path("stdlib"))))


def import_node(engine: ContainerEngine) -> str:
    """An image with this machine's Node, as /usr/bin/node, and a shell; its reference. Skips a test without Node."""
    if (node := shutil.which("node")) is None:
        pytest.skip("node is not installed")
    return _import(engine, NODE, node, "node")


def _import(
    engine: ContainerEngine, reference: str, program: str, name: str, library: Iterable[Path] = ()
) -> str:
    """Import a program of this machine as ``/usr/bin/NAME``, a shell, and all the files that they need."""
    path, packed = os.path.realpath(program), io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", dereference=True) as archive:
        for each in _with_libraries([path, *_SHELL, *map(str, library)]):
            archive.add(each, each.lstrip("/"), recursive=False)
        if path != f"/usr/bin/{name}":
            called = tarfile.TarInfo(f"usr/bin/{name}")
            called.type, called.linkname = tarfile.SYMTYPE, path
            archive.addfile(called)
    env = {**os.environ, **engine.environment}
    change = ("--change", f"LABEL {LABEL}={os.getpid()}", "--change", "ENV PYTHONDONTWRITEBYTECODE=1")
    command = [engine.program, "import", *change, "-", reference]
    subprocess.run(command, input=packed.getvalue(), env=env, check=True, capture_output=True)
    return reference


def push(ecr: Any, engine: ContainerEngine, reference: str, tag: str, repository: str = "homara") -> str:
    """Push an image of the engine to ECR by its API; returns its reference there."""
    path = engine.folder / "saved.tar"
    engine.run("save", "--output", str(path), reference)
    uri = ensure_repository(ecr, repository)
    with tarfile.open(path) as archive:
        (about,) = json.load(_member(archive, "manifest.json"))
        layers = [gzip.compress(_member(archive, name).read(), 1, mtime=0) for name in about["Layers"]]
        config = _member(archive, about["Config"]).read()
    path.unlink()
    for blob in (*layers, config):
        upload_blob(ecr, repository, blob)
    ecr.put_image(
        repositoryName=repository,
        imageManifest=manifest_of(config, layers),
        imageManifestMediaType=MANIFEST,
        imageTag=tag,
    )
    return f"{uri}:{tag}"


def _member(archive: tarfile.TarFile, name: str) -> Any:
    found = archive.extractfile(name)
    assert found is not None
    return found


def _with_libraries(files: Sequence[str]) -> Iterator[str]:
    """Files and the shared libraries that they are linked with, each once."""
    linked = {line for path in files if _is_elf(path) for line in _linked(path)}
    yield from dict.fromkeys([*files, *sorted(linked)])


def _library(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name in _UNUSED or path.name.startswith(("config-", "_tkinter")):
            continue
        if path.is_dir():
            yield from _library(path)
        else:
            yield path


def _is_elf(path: str) -> bool:
    with Path(path).open("rb") as file:
        return file.read(4) == b"\x7fELF"


def _linked(path: str) -> list[str]:
    """The shared libraries that a program is linked with, and its loader."""
    told = subprocess.run(["ldd", path], capture_output=True, text=True, check=False).stdout
    return [word for line in told.splitlines() for word in line.split() if word.startswith("/")]
