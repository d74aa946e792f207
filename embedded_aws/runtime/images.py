"""The images in ECR, and how tasks get them.

Blobs are files named by their digest in a temporary folder of this process. An image's layers are
unpacked once; tasks get copies of the result (see ``roots.py``).
"""

from __future__ import annotations

import json
import re
import shutil
import threading
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

from ..kernel.data_plane import DataPlane
from .registry import Manifest, Repository, Upload
from .removal import remove
from .scratch import Scratch
from .unpack import READS_ZSTD, BadLayerError, Disk, is_zstd, unpack

REFERENCE = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com/"
    r"(?P<repository>[a-z0-9][a-z0-9._/-]*)(?::(?P<tag>[\w][\w.-]{0,127}))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)

DIGEST = re.compile(r"sha256:(?P<hex>[0-9a-f]{64})")
GIB = 1024**3
DISK = 20 * GIB
"""A task's disk, for an image's compressed and unpacked layers (Fargate task ephemeral storage)."""
RESERVE = GIB
"""Disk space that is left for the machine itself."""


_EXPIRY = 24 * 3600.0
"""AWS seconds within which an image expires (User Guide, "How lifecycle policies work")."""

UNREADABLE = (
    "{kind} is read by AWS, not here: build with gzip "
    "(docker buildx build --output type=registry,compression=gzip,force-compression=true); {reader}"
)
"""Why a layer compressed with zstd is not unpacked here."""
FROM_PYTHON = "the embedded AWS reads zstd from Python 3.14, or where an engine does (--runtime container)"
RETRIED = "CannotPullContainerError: pull image manifest has been retried 7 time(s): "


class PullError(Exception):
    """An image cannot be pulled; the text is ECS's ``stoppedReason``."""

    @property
    def is_retried(self) -> bool:
        """Whether the agent retries the manifest before it gives up."""
        return RETRIED in str(self)


@dataclass(frozen=True)
class Image:
    """An unpacked image. Sizes in bytes; all tasks share ``root``, which must not be written to."""

    reference: str
    digest: str
    size_bytes: int
    platform: str
    entry_point: tuple[str, ...]
    command: tuple[str, ...]
    environment: Mapping[str, str]
    working_directory: str
    user: str
    exposed_ports: tuple[int, ...]
    volumes: tuple[str, ...]
    stop_signal: str
    root: Path


@dataclass(frozen=True)
class StoredImage:
    """An image as it was pushed: its configuration, and the files of its layers, in order, with their media types."""

    image: Image
    config: Mapping[str, Any]
    layers: tuple[Path, ...]
    kinds: tuple[str, ...] = ()


class Images:
    """The images of every account and region."""

    def __init__(self, plane: DataPlane) -> None:
        self._plane = plane
        self._repositories: dict[tuple[str, str, str], Repository] = {}
        self._unpacking: dict[str, threading.Lock] = {}
        self._taken: dict[str, int] = {}
        self._scratch = Scratch()
        self.folder = self._scratch.path
        for part in ("blobs", "images", "containers", "uploads"):
            (self.folder / part).mkdir()

    def repository(self, account: str, region: str, name: str) -> Repository:
        """A repository's content, empty before the first push. Hold the data plane's lock while using it."""
        return self._repositories.setdefault((account, region, name), Repository())

    def forget(self, account: str, region: str, name: str) -> None:
        """Discard a deleted repository."""
        with self._plane.lock:
            gone = self._repositories.pop((account, region, name), Repository())
        _discard(gone.uploads.values())

    def begin_upload(self, account: str, region: str, repository: str) -> str:
        """Begin the upload of a blob to a repository; returns its id."""
        upload_id = str(uuid.uuid4())
        with self._plane.lock:
            uploads = self.repository(account, region, repository).uploads
            uploads[upload_id] = Upload(self.folder / "uploads" / upload_id)
        return upload_id

    def uploaded(self, account: str, region: str, repository: str, upload_id: str) -> int | None:
        """The bytes so far of an upload; None if it does not exist."""
        with self._plane.lock:
            found = self._repositories.get((account, region, repository), Repository()).uploads.get(upload_id)
        return found.size if found else None

    def cancel_upload(self, account: str, region: str, repository: str, upload_id: str) -> None:
        """End an upload without a result."""
        with self._plane.lock:
            _discard([self.repository(account, region, repository).uploads.pop(upload_id)])

    def store(self, account: str, region: str, repository: str, upload: Upload) -> None:
        """Store what was uploaded as a blob of a repository."""
        path = self._blob_path(upload.digest)
        upload.path.replace(path)
        with self._plane.lock:
            self.repository(account, region, repository).layers[upload.digest] = upload.size

    def mount(self, account: str, region: str, repository: str, source: str, digest: str) -> None:
        """Store another repository's blob in a repository too; KeyError if it does not exist."""
        with self._plane.lock:
            size = self.repository(account, region, source).layers[digest]
            self.repository(account, region, repository).layers[digest] = size

    def has(self, account: str, region: str, repository: str, digest: str) -> bool:
        """Whether a repository contains a blob."""
        with self._plane.lock:
            return digest in self.repository(account, region, repository).layers

    def blob(self, account: str, region: str, repository: str, digest: str) -> Path:
        """The file of a repository's blob; KeyError if it does not exist."""
        if not self.has(account, region, repository, digest):
            raise KeyError(digest)
        return self._blob_path(digest)

    def resolve(self, account: str, region: str, reference: str) -> str:
        """The current digest of ``<account>.dkr.ecr.<region>.amazonaws.com/<repository>[:tag][@digest]``.

        ``account`` and ``region`` are the caller's; permissions are not checked here. Raises PullError.
        """
        return self._find(reference)[1].digest

    def pull(
        self, account: str, region: str, reference: str, platform: str = "linux/amd64", disk: int = DISK
    ) -> Image:
        """Pull and unpack an image onto ``disk`` bytes; blocks. Raises PullError.

        ``platform`` selects from an index. A single image is used for any platform, and then fails to run
        (``Image.platform`` is the platform that it was built for).
        """
        repository, named = self._find(reference)
        manifest = self._choose(repository, named, platform)
        described = self._described(reference, named.digest, manifest)
        root = self._unpacked(manifest, disk)
        self._note_pull(repository, named.digest)
        return replace(described, root=root)

    def stored(self, reference: str, platform: str) -> StoredImage:
        """An image as it was pushed, for what unpacks it itself; ``platform`` as for ``pull``. Raises PullError."""
        repository, named = self._find(reference)
        manifest = self._choose(repository, named, platform)
        described = self._described(reference, named.digest, manifest)
        layers = tuple(self._blob_path(str(layer["digest"])) for layer in _layers(manifest))
        self._note_pull(repository, named.digest)
        kinds = tuple(str(layer.get("mediaType")) for layer in _layers(manifest))
        return StoredImage(described, self._config(manifest), layers, kinds)

    def _note_pull(self, repository: Repository, digest: str) -> None:
        with self._plane.lock:
            repository.pulls[digest] = datetime.now(UTC)

    def _find(self, reference: str) -> tuple[Repository, Manifest]:
        parsed = REFERENCE.fullmatch(reference)
        if parsed is not None:
            parts = parsed.groupdict()
            tag = None if parts["digest"] else parts["tag"] or "latest"
            key = (parts["account"], parts["region"], parts["repository"])
            with self._plane.lock:
                repository = self._repositories.get(key, Repository())
                if found := repository.find_active(tag, parts["digest"]):
                    return repository, found
        raise PullError(f"{RETRIED}failed to resolve ref {reference}: {reference}: not found")

    def _choose(self, repository: Repository, named: Manifest, platform: str) -> Manifest:
        if not named.is_index:
            return named
        for described in named.platforms:
            about = described.get("platform", {})
            if f"{about.get('os')}/{about.get('architecture')}" == platform:
                with self._plane.lock:
                    if found := repository.find_active(None, described["digest"]):
                        return found
        raise PullError(f"{RETRIED}image Manifest does not contain descriptor matching platform '{platform}'")

    def _described(self, reference: str, digest: str, manifest: Manifest) -> Image:
        """The image by its manifest and configuration, not yet unpacked."""
        try:
            config = self._config(manifest)
            size = sum(int(layer.get("size", 0)) for layer in _layers(manifest))
            return _image(reference, digest, size, config)
        except (AttributeError, KeyError, OSError, TypeError, ValueError) as error:
            raise _broken("failed to unmarshal config", manifest.digest, error) from error

    def _config(self, manifest: Manifest) -> Mapping[str, Any]:
        found = json.loads(self._blob_path(manifest.body["config"]["digest"]).read_bytes())
        if not isinstance(found, dict):
            raise TypeError("it is no JSON object")
        return found

    def _unpacked(self, manifest: Manifest, disk: int) -> Path:
        root = self.folder / "images" / manifest.digest.partition(":")[2]
        with self._plane.lock:
            lock = self._unpacking.setdefault(manifest.digest, threading.Lock())
        with lock:
            if self._taken.get(manifest.digest, disk + 1) > disk or not root.exists():
                self._taken[manifest.digest] = self._unpack(manifest, root, disk)
        return root

    def _unpack(self, manifest: Manifest, root: Path, disk: int) -> int:
        """Unpack an image; returns how many bytes of a disk it takes."""
        digests = [str(layer["digest"]) for layer in _layers(manifest)]
        self._check_readable(manifest)
        fresh = root.with_name(f"{root.name}.part")
        room = Disk(min(disk, shutil.disk_usage(self.folder).free - RESERVE))
        before = room.left
        try:
            room.take(sum(self._blob_path(digest).stat().st_size for digest in digests), "")
            unpack(map(self._opener, digests), fresh, room)
        except (BadLayerError, OSError) as error:
            remove(fresh)
            named = [*digests, manifest.digest][getattr(error, "number", 0)]
            raise _broken("failed to extract layer", named, f"{error}: unknown") from error
        if root.exists():
            remove(fresh)
        else:
            fresh.rename(root)
        return before - room.left

    def _check_readable(self, manifest: Manifest) -> None:
        """Raise PullError for a layer that AWS reads and this machine's Python does not."""
        for layer in _layers(manifest):
            digest = str(layer["digest"])
            try:
                unreadable = not READS_ZSTD and is_zstd(self._opener(digest))
            except OSError as error:
                raise _broken("failed to extract layer", digest, f"{error}: unknown") from error
            if unreadable:
                why = UNREADABLE.format(kind=layer.get("mediaType"), reader=FROM_PYTHON)
                raise _broken("failed to extract layer", digest, why)

    def _opener(self, digest: str) -> Callable[[], BinaryIO]:
        return lambda: self._blob_path(digest).open("rb")

    def _blob_path(self, digest: str) -> Path:
        """A blob's path; FileNotFoundError for an invalid digest."""
        if known := DIGEST.fullmatch(digest):
            return self.folder / "blobs" / known["hex"]
        raise FileNotFoundError(f"invalid checksum digest format: {digest}")

    def after(self, seconds: float) -> datetime:
        """When so many of AWS's seconds have passed."""
        return datetime.now(UTC) + timedelta(seconds=self._plane.pace.real(seconds))

    async def run(self) -> None:
        """Apply lifecycle policies once a day."""
        while True:
            await self._plane.tick(self._plane.pace.real(_EXPIRY))
            self.expire()

    def expire(self) -> dict[str, list[str]]:
        """Apply every lifecycle policy now; returns the removed images by repository."""
        speed = self._plane.pace.speed
        with self._plane.lock:
            gone = {name: each.expire(speed) for (_, _, name), each in self._repositories.items()}
        return {name: digests for name, digests in gone.items() if digests}

    def reset(self) -> None:
        """Discard every image; blobs stay until the process ends, because later pushes may use them."""
        for repository in self._repositories.values():
            _discard(repository.uploads.values())
        self._repositories.clear()

    def close(self) -> None:
        """Remove the folder."""
        self._scratch.close()


def _discard(uploads: Iterable[Upload]) -> None:
    for upload in uploads:
        upload.path.unlink(missing_ok=True)


def _layers(manifest: Manifest) -> list[Mapping[str, Any]]:
    return list(manifest.body.get("layers", []))


def _image(reference: str, digest: str, size: int, config: Mapping[str, Any]) -> Image:
    inner = config.get("config") or {}
    return Image(
        reference=reference,
        digest=digest,
        size_bytes=size,
        platform=f"{config.get('os', 'linux')}/{config.get('architecture', 'amd64')}",
        entry_point=tuple(inner.get("Entrypoint") or ()),
        command=tuple(inner.get("Cmd") or ()),
        environment=dict(pair.partition("=")[::2] for pair in inner.get("Env") or ()),
        working_directory=inner.get("WorkingDir") or "/",
        user=inner.get("User") or "",
        exposed_ports=tuple(int(port.partition("/")[0]) for port in inner.get("ExposedPorts") or ()),
        volumes=tuple(path.rstrip("/") for path in inner.get("Volumes") or ()),
        stop_signal=inner.get("StopSignal") or "SIGTERM",
        root=Path(),
    )


def _broken(what: str, digest: str, error: Exception | str) -> PullError:
    return PullError(
        f"CannotPullContainerError: ref pull has been retried 1 time(s): {what} {digest}: {error}"
    )
