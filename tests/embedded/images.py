"""Makes container images from Python values and pushes them to ECR over its API, as `docker push` would."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


@dataclass(frozen=True)
class Script:
    """A file with the executable bit."""

    text: str | bytes


@dataclass(frozen=True)
class Link:
    """A symbolic link."""

    target: str


Files = Mapping[str, str | bytes | Script | Link]


@dataclass(frozen=True)
class Pushed:
    """What a push left in ECR: references to it by tag and by digest, and its parts."""

    repository: str
    tag: str
    digest: str
    reference: str
    by_digest: str
    manifest: str


@dataclass(frozen=True)
class ImageSpec:
    """An image, as a Dockerfile's last stage says it. ``files`` maps absolute paths to contents."""

    files: Files = field(default_factory=dict)
    command: Sequence[str] | None = None
    entry_point: Sequence[str] | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    working_directory: str = "/app"
    user: str = ""
    ports: Sequence[int] = (8501,)
    architecture: str = "amd64"
    stop_signal: str | None = None
    volumes: Sequence[str] = ()

    @property
    def config(self) -> dict[str, Any]:
        """The image configuration, without its root file system."""
        inner: dict[str, Any] = {
            "Env": ["PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"]
            + [f"{name}={value}" for name, value in self.environment.items()],
            "WorkingDir": self.working_directory,
            "ExposedPorts": {f"{port}/tcp": {} for port in self.ports},
        }
        optional = {
            "Cmd": list(self.command) if self.command else None,
            "Entrypoint": list(self.entry_point) if self.entry_point else None,
            "User": self.user,
            "StopSignal": self.stop_signal,
            "Volumes": {path: {} for path in self.volumes},
        }
        inner |= {name: value for name, value in optional.items() if value}
        return {"architecture": self.architecture, "os": "linux", "config": inner}


def web_app(**environment: str) -> ImageSpec:
    """The image of tests/embedded/web_app.py; see there for what the environment does."""
    program = Path(__file__).with_name("web_app.py").read_text()
    return ImageSpec({"/app/web_app.py": program}, ["python", "web_app.py"], environment=environment)


def digest_of(data: bytes) -> str:
    """``sha256:…`` of some bytes."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def layer_of(files: Files) -> bytes:
    """A tar.gz layer; the same files give the same bytes."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for path, content in files.items():
            if isinstance(content, Link):
                link = tarfile.TarInfo(path.lstrip("/"))
                link.type, link.linkname = tarfile.SYMTYPE, content.target
                archive.addfile(link)
                continue
            data = content.text if isinstance(content, Script) else content
            data = data.encode() if isinstance(data, str) else data
            entry = tarfile.TarInfo(path.lstrip("/"))
            entry.size, entry.mode = len(data), 0o755 if isinstance(content, Script) else 0o644
            archive.addfile(entry, io.BytesIO(data))
    return gzip.compress(packed.getvalue(), compresslevel=6, mtime=0)


ZSTD_LAYER = "application/vnd.oci.image.layer.v1.tar+zstd"


def as_zstd(layer: bytes) -> bytes:
    """A tar.gz layer as tar.zst: one frame of raw blocks (RFC 8878, 3.1.1), which any decoder reads."""
    data = gzip.decompress(layer)
    blocks = [data[first : first + 65_536] for first in range(0, len(data), 65_536)]
    framed = [
        ((len(block) << 3) | (number == len(blocks) - 1)).to_bytes(3, "little") + block
        for number, block in enumerate(blocks)
    ]
    return b"\x28\xb5\x2f\xfd\xa0" + len(data).to_bytes(4, "little") + b"".join(framed)


def upload_blob(ecr: Any, repository: str, data: bytes) -> str:
    """Upload one blob unless ECR has it; returns its digest."""
    digest = digest_of(data)
    asked = ecr.batch_check_layer_availability(repositoryName=repository, layerDigests=[digest])
    if any(layer["layerAvailability"] == "AVAILABLE" for layer in asked["layers"]):
        return digest
    started = ecr.initiate_layer_upload(repositoryName=repository)
    upload, size = started["uploadId"], started["partSize"]
    for first in range(0, len(data), size):
        part = data[first : first + size]
        ecr.upload_layer_part(
            repositoryName=repository,
            uploadId=upload,
            partFirstByte=first,
            partLastByte=first + len(part) - 1,
            layerPartBlob=part,
        )
    with suppress(ecr.exceptions.LayerAlreadyExistsException):  # somebody else was faster
        ecr.complete_layer_upload(repositoryName=repository, uploadId=upload, layerDigests=[digest])
    return digest


def ensure_repository(ecr: Any, repository: str) -> str:
    """Create the repository if it is not there; returns its URI."""
    try:
        return str(ecr.create_repository(repositoryName=repository)["repository"]["repositoryUri"])
    except ecr.exceptions.RepositoryAlreadyExistsException:
        found = ecr.describe_repositories(repositoryNames=[repository])["repositories"][0]
        return str(found["repositoryUri"])


def manifest_of(config: bytes, layers: Sequence[bytes], kind: str = LAYER) -> str:
    """An OCI image manifest; ``kind`` is the media type of the layers."""
    described = [{"mediaType": kind, "size": len(data), "digest": digest_of(data)} for data in layers]
    head = {"mediaType": CONFIG, "size": len(config), "digest": digest_of(config)}
    return json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": head, "layers": described})


def push(
    ecr: Any, spec: ImageSpec, *, repository: str = "homara", tag: str = "v1", zstd: bool = False
) -> Pushed:
    """Push ``spec`` as ``repository:tag``, making the repository if need be; ``zstd`` instead of gzip."""
    uri = ensure_repository(ecr, repository)
    layer = layer_of(spec.files)
    diff_ids = [digest_of(gzip.decompress(layer))]
    config = json.dumps({**spec.config, "rootfs": {"type": "layers", "diff_ids": diff_ids}}).encode()
    layer, kind = (as_zstd(layer), ZSTD_LAYER) if zstd else (layer, LAYER)
    for data in (layer, config):
        upload_blob(ecr, repository, data)
    manifest = manifest_of(config, [layer], kind)
    with suppress(ecr.exceptions.ImageAlreadyExistsException):  # as an engine's push, which looks first
        ecr.put_image(
            repositoryName=repository, imageManifest=manifest, imageManifestMediaType=MANIFEST, imageTag=tag
        )
    digest = digest_of(manifest.encode())
    return Pushed(repository, tag, digest, f"{uri}:{tag}", f"{uri}@{digest}", manifest)
