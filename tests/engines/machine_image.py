"""Images for tests of real engines, made of this machine's own files, and their way into ECR."""

from __future__ import annotations

import gzip
import io
import json
import os
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.embedded.images import MANIFEST, ensure_repository, manifest_of, upload_blob
from tests.engines import LABEL, ContainerEngine

PYTHON = "localhost/machine-python:1"
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
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", dereference=True) as archive:
        for path in _python():
            archive.add(path, path.lstrip("/"), recursive=False)
        called = tarfile.TarInfo("usr/bin/python3")
        called.type, called.linkname = tarfile.SYMTYPE, os.path.realpath(sys.executable)
        archive.addfile(called)
    env = {**os.environ, **engine.environment}
    change = ("--change", f"LABEL {LABEL}={os.getpid()}", "--change", "ENV PYTHONDONTWRITEBYTECODE=1")
    command = [engine.program, "import", *change, "-", PYTHON]
    subprocess.run(command, input=packed.getvalue(), env=env, check=True, capture_output=True)
    return PYTHON


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


def _python() -> Iterator[str]:
    """The files of this machine's Python, each once."""
    program = os.path.realpath(sys.executable)
    library = sysconfig.get_path("stdlib")
    found = [program, *_SHELL, *map(str, _library(Path(library)))]
    linked = {
        line
        for path in [program, *_SHELL, *(one for one in found if one.endswith(".so"))]
        for line in _linked(path)
    }
    yield from dict.fromkeys([*found, *sorted(linked)])


def _library(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name in _UNUSED or path.name.startswith(("config-", "_tkinter")):
            continue
        if path.is_dir():
            yield from _library(path)
        else:
            yield path


def _linked(path: str) -> list[str]:
    """The shared libraries that a program is linked with, and its loader."""
    told = subprocess.run(["ldd", path], capture_output=True, text=True, check=False).stdout
    return [word for line in told.splitlines() for word in line.split() if word.startswith("/")]
