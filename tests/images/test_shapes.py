"""The same Dockerfile on docker, podman and the process builder: the images' configuration and files, compared.

Docker's BuildKit is the measure. Shapes that podman builds in another way say so (``Shape.podman``).
"""

from __future__ import annotations

import gzip
import json
import os
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lobster_tasks.images import BuildOptions
from lobster_tasks.images.build import build, read_context, read_dockerfile
from tests.engines import LABEL, ContainerEngine
from tests.images.shapes import SHAPES, Shape

pytestmark = pytest.mark.engine

# docker's ``ArgsEscaped`` is missing here: it is for Windows.
MEMBERS = (
    *("Env", "Entrypoint", "Cmd", "WorkingDir", "User", "ExposedPorts", "Volumes", "StopSignal", "Labels"),
    *("Healthcheck", "OnBuild", "Shell"),
)
OWN_LABELS = ("lobster-tasks.", "io.buildah.", LABEL)
# The Docker Engine from which on the shapes for recent engines are understood: BuildKit 0.13.
RECENT = 26


@dataclass(frozen=True)
class Image:
    """A configuration by member, without what is empty; and files by path: mode, owner, and text or link."""

    members: Mapping[str, Any]
    files: Mapping[str, tuple[str, str, str]]


@pytest.mark.parametrize("name", SHAPES)
def test_docker_and_the_process_builder(tmp_path: Path, buildkit: ContainerEngine, name: str) -> None:
    shape = SHAPES[name]
    if shape.recent and _version(buildkit) < RECENT:
        pytest.skip(f"docker before {RECENT} does not know {shape.recent}")
    built = built_by_engine(buildkit, shape, tmp_path)
    by_process = built_by_process(shape, tmp_path)
    assert by_process.members == built.members
    assert by_process.files == built.files


@pytest.mark.parametrize("name", SHAPES)
def test_podman_and_the_process_builder(tmp_path: Path, podman: ContainerEngine, name: str) -> None:
    shape = SHAPES[name]
    if shape.recent:
        pytest.skip(f"not every podman knows {shape.recent}")
    if "everything" in shape.podman:
        pytest.skip("podman does not build it")
    built = built_by_engine(podman, shape, tmp_path)
    by_process = built_by_process(shape, tmp_path)
    assert _without(by_process.members, shape.podman) == _without(built.members, shape.podman)
    if "files" not in shape.podman:
        assert by_process.files == built.files


def built_by_engine(engine: ContainerEngine, shape: Shape, folder: Path) -> Image:
    """Build the shape with an engine, and read the image as the engine saves it."""
    reference, saved = "localhost/shape:1", folder / "saved.tar"
    shape.write(folder / "context")
    words = ["build", "--label", f"{LABEL}={os.getpid()}", "-t", reference]
    words += ["--format", "docker"] if engine.name == "podman" else []
    words += [f"--build-arg={name}={value}" for name, value in shape.arguments.items()]
    words += ["--target", shape.target] if shape.target else []
    engine.run(*words, str(folder / "context"))
    [inspected] = json.loads(engine.run("image", "inspect", reference))
    if engine.name == "docker" and not inspected["RootFS"].get("Layers"):  # which docker does not save
        return Image(_members({"config": inspected["Config"], "author": inspected["Author"]}), {})
    engine.run("save", "-o", str(saved), reference)
    with tarfile.open(saved) as archive:
        [manifest] = json.loads(_read(archive, "manifest.json"))
        files: dict[str, tuple[str, str, str]] = {}
        for layer in manifest["Layers"]:
            with tarfile.open(fileobj=archive.extractfile(layer)) as inner:
                files |= _files(inner)
        return Image(_members(json.loads(_read(archive, manifest["Config"]))), files)


def built_by_process(shape: Shape, folder: Path) -> Image:
    """Build the shape with the process builder."""
    context, options = folder / "context", BuildOptions(arguments=shape.arguments, target=shape.target)
    shape.write(context)
    dockerfile = read_dockerfile(context, "Dockerfile", options)
    image = build(dockerfile, read_context(context, "Dockerfile"), options, folder)
    assert isinstance(image.layer.content, Path)
    with gzip.open(image.layer.content) as plain, tarfile.open(fileobj=plain) as layer:
        return Image(_members(json.loads(image.config.part(0, image.config.size))), _files(layer))


def _members(config: Mapping[str, Any]) -> dict[str, Any]:
    inner = {name: config["config"].get(name) for name in MEMBERS}
    inner["Env"] = dict(each.partition("=")[::2] for each in inner["Env"] or [])
    inner["Labels"] = {
        name: value for name, value in (inner["Labels"] or {}).items() if not name.startswith(OWN_LABELS)
    }
    inner["WorkingDir"] = inner["WorkingDir"] or "/"
    return {name: value for name, value in {**inner, "author": config.get("author")}.items() if value}


def _files(layer: tarfile.TarFile) -> dict[str, tuple[str, str, str]]:
    found = {}
    for entry in layer:
        file = layer.extractfile(entry) if entry.isfile() else None
        text = file.read().hex() if file else entry.linkname
        found[entry.name.strip("/")] = (oct(entry.mode & 0o7777), f"{entry.uid}:{entry.gid}", text)
    return {name: told for name, told in found.items() if name}


def _read(archive: tarfile.TarFile, name: str) -> bytes:
    file = archive.extractfile(name)
    assert file is not None
    return file.read()


def _without(members: Mapping[str, Any], names: frozenset[str]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if name not in names}


def _version(docker: ContainerEngine) -> int:
    return int(docker.run("version", "--format", "{{.Server.Version}}").partition(".")[0])
