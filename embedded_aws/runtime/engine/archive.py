"""Writes images in the form that `docker load` and `podman load` read.

Source: the Docker image specification v1.2, "Combined Image JSON + Filesystem Changeset Format". Layers may be
compressed: both engines look at the content.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Mapping, Sequence
from typing import Any, BinaryIO

Blob = tuple[int, Callable[[], BinaryIO]]
"""The size of a layer in bytes, and a function that opens it."""


def write(to: BinaryIO, reference: str, config: Mapping[str, Any], layers: Sequence[Blob]) -> None:
    """Write an image called ``reference`` to a stream."""
    body = json.dumps(config).encode()
    name = f"{hashlib.sha256(body).hexdigest()}.json"
    names = [f"{number}/layer.tar" for number in range(len(layers))]
    manifest = json.dumps([{"Config": name, "RepoTags": [reference], "Layers": names}]).encode()
    with tarfile.open(fileobj=to, mode="w|") as archive:
        for layer, (size, opened) in zip(names, layers, strict=True):
            with opened() as content:
                _add(archive, layer, size, content)
        _add(archive, name, len(body), io.BytesIO(body))
        _add(archive, "manifest.json", len(manifest), io.BytesIO(manifest))


def with_labels(config: Mapping[str, Any], labels: Mapping[str, str]) -> dict[str, Any]:
    """An image's configuration with more labels, by which it is ours and no other's."""
    inner = dict(config.get("config") or {})
    return {**config, "config": {**inner, "Labels": {**(inner.get("Labels") or {}), **labels}}}


def single_file(path: str, content: bytes) -> tuple[bytes, str]:
    """A layer (tar) with one program, and its digest."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as layer:
        entry = tarfile.TarInfo(path)
        entry.size, entry.mode = len(content), 0o755
        layer.addfile(entry, io.BytesIO(content))
    data = stream.getvalue()
    return data, f"sha256:{hashlib.sha256(data).hexdigest()}"


def _add(archive: tarfile.TarFile, name: str, size: int, content: BinaryIO) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = size
    archive.addfile(entry, content)
