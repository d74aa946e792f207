"""The content of an ECR registry (an account in a region): per repository, layers, images and tags.

Plain state without AWS's answers and errors (package ``ecr``); the bytes of layers are in files (``images.py``). The
caller holds the data plane's lock.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from .expiry import Rule, expiring

DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"


def registry_name(account: str, region: str) -> str:
    """The name of a registry, a host, with which ``repositoryUri`` begins."""
    return f"{account}.dkr.ecr.{region}.amazonaws.com"


def digest_of(data: bytes) -> str:
    """The content address ``sha256:…`` of ``data``."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


@dataclass(frozen=True)
class Manifest:
    """A manifest as sent; its digest is that of its bytes."""

    text: str
    media_type: str
    pushed_at: datetime

    @property
    def digest(self) -> str:
        """``sha256:…`` of the bytes."""
        return digest_of(self.text.encode())

    @property
    def body(self) -> Mapping[str, Any]:
        """The parsed manifest."""
        return dict(json.loads(self.text))

    @property
    def blobs(self) -> list[Mapping[str, Any]]:
        """Descriptors (digest, size, mediaType) of the configuration and the layers; empty for an index."""
        body = self.body
        return [*([body["config"]] if "config" in body else []), *body.get("layers", [])]

    @property
    def subject(self) -> str | None:
        """The digest of the image that this one refers to, such as a signature to what it signs."""
        subject = self.body.get("subject")
        return subject.get("digest") if isinstance(subject, Mapping) else None

    @property
    def artifact_type(self) -> str | None:
        """OCI's ``artifactType``: "If absent, its value is the config descriptor's media type"."""
        given = self.body.get("artifactType")
        return given if isinstance(given, str) and given else self.config_media_type

    @property
    def annotations(self) -> dict[str, str]:
        """The annotations, as far as they are text."""
        given = self.body.get("annotations")
        found = given.items() if isinstance(given, Mapping) else ()
        return {name: value for name, value in found if isinstance(value, str)}

    @property
    def platforms(self) -> list[Mapping[str, Any]]:
        """Descriptors of the images in an index (manifest list)."""
        return list(self.body.get("manifests", []))

    @property
    def is_index(self) -> bool:
        """Whether this is an index, with an image per platform."""
        return "manifests" in self.body

    @property
    def config_media_type(self) -> str | None:
        """The artifact's media type, or None for an index."""
        config = self.body.get("config")
        return config.get("mediaType") if config else None


@dataclass(frozen=True)
class Archival:
    """An image's way into the archive, and out of it; ``active_from`` is None while nobody has asked for it back."""

    archived_at: datetime
    active_from: datetime | None = None

    @property
    def status(self) -> str:
        """``imageStatus``."""
        if self.active_from is None:
            return "ARCHIVED"
        return "ACTIVE" if datetime.now(UTC) >= self.active_from else "ACTIVATING"


@dataclass
class Upload:
    """A layer that is being uploaded into the file ``path``: the sizes of its parts, in bytes."""

    path: Path
    parts: list[int] = field(default_factory=list)
    _hash: Any = field(default_factory=hashlib.sha256)

    @property
    def size(self) -> int:
        """Bytes so far."""
        return sum(self.parts)

    @property
    def digest(self) -> str:
        """``sha256:…`` of the bytes so far."""
        return f"sha256:{self._hash.hexdigest()}"

    def append(self, part: bytes) -> None:
        """Add a part; OSError where the disk is full."""
        with self.path.open("ab") as file:
            file.write(part)
        self._hash.update(part)
        self.parts.append(len(part))


@dataclass
class Repository:
    """The images of one repository."""

    layers: dict[str, int] = field(default_factory=dict)  # digest -> bytes
    manifests: dict[str, Manifest] = field(default_factory=dict)  # in the order of their first push
    tags: dict[str, str] = field(default_factory=dict)  # tag -> digest
    uploads: dict[str, Upload] = field(default_factory=dict)  # by upload id
    scans: dict[str, datetime] = field(default_factory=dict)  # digest -> when it was scanned last
    pulls: dict[str, datetime] = field(default_factory=dict)  # digest -> when it was pulled last
    archive: dict[str, Archival] = field(default_factory=dict)  # digest -> what is, or was, in the archive
    rules: tuple[Rule, ...] = ()  # of the lifecycle policy

    def put(self, text: str, media_type: str, tag: str | None) -> Manifest:
        """Store a manifest with ``tag``; a known manifest keeps the time of its first push.

        One that is in the archive "will be immediately restored" (User Guide, "Restoring an image").
        """
        new = Manifest(text, media_type, datetime.now(UTC))
        manifest = self.manifests.setdefault(new.digest, new)
        if self.status_of(new.digest) != "ACTIVE":
            self.restore(new.digest, datetime.now(UTC))
        if tag is not None:
            self.tags.pop(tag, None)  # the tag becomes its image's newest
            self.tags[tag] = manifest.digest
        return manifest

    def find(self, tag: str | None, digest: str | None) -> Manifest | None:
        """The image with this tag and this digest, of which one may be None."""
        found = digest if tag is None else self.tags.get(tag)
        if digest is not None and found != digest:
            return None
        return self.manifests.get(found or "")

    def find_active(self, tag: str | None, digest: str | None) -> Manifest | None:
        """As ``find``, without images that cannot be pulled because of the archive."""
        found = self.find(tag, digest)
        return found if found and self.status_of(found.digest) == "ACTIVE" else None

    def status_of(self, digest: str) -> str:
        """An image's ``imageStatus``: ACTIVE, ARCHIVED, or ACTIVATING while it is restored."""
        there = self.archive.get(digest)
        return there.status if there else "ACTIVE"

    def restore(self, digest: str, active_from: datetime) -> None:
        """Take an image out of the archive, from which it can be pulled again."""
        self.archive[digest] = replace(self.archive[digest], active_from=active_from)

    def tags_of(self, digest: str) -> list[str]:
        """The tags of an image."""
        return [tag for tag, named in self.tags.items() if named == digest]

    def remove(self, digest: str) -> list[str]:
        """Remove an image and its tags; returns the tags."""
        tags = self.tags_of(digest)
        for tag in tags:
            del self.tags[tag]
        self.manifests.pop(digest, None)
        for times in (self.scans, self.pulls, self.archive):
            times.pop(digest, None)
        return tags

    def expire(self, speed: float = 1.0) -> list[str]:
        """Remove the images that expire under the lifecycle policy, and return them; images age ``speed`` times as
        fast.

        "If an image is referenced by a manifest list, it cannot be expired without the manifest list being deleted
        first".
        """
        now = datetime.now(UTC)
        tags = {digest: self.tags_of(digest) for digest in self.manifests}
        ages = {digest: (now - each.pushed_at) * speed for digest, each in self.manifests.items()}
        needed = {part["digest"] for each in self.manifests.values() for part in each.platforms}
        gone = sorted(expiring(tags, ages, self.rules) - needed)
        for digest in gone:
            self.remove(digest)
        return gone

    def untag(self, tag: str) -> None:
        """Remove a tag; an image without tags is deleted with its last tag (BatchDeleteImage)."""
        digest = self.tags.pop(tag)
        if not self.tags_of(digest):
            self.remove(digest)

    def scan(self, digest: str) -> None:
        """Record the scan of an image."""
        self.scans[digest] = datetime.now(UTC)

    def uses(self, layer: str) -> bool:
        """Whether an image has this layer."""
        return any(layer == blob["digest"] for manifest in self.manifests.values() for blob in manifest.blobs)

    def media_type_of(self, layer: str) -> str:
        """The media type of a layer, from an image that has it."""
        blobs = (blob for manifest in self.manifests.values() for blob in manifest.blobs)
        kinds = (str(blob["mediaType"]) for blob in blobs if blob["digest"] == layer and "mediaType" in blob)
        return next(kinds, DOCKER_LAYER)

    def size_of(self, manifest: Manifest) -> int:
        """``imageSizeInBytes``: all layers; for an index the largest of its images (ImageDetail)."""
        if not manifest.is_index:
            return sum(int(blob.get("size", 0)) for blob in manifest.body.get("layers", []))
        parts = (self.manifests.get(each["digest"]) for each in manifest.platforms)
        return max((self.size_of(part) for part in parts if part and not part.is_index), default=0)
