"""Pushes an image to ECR: blob by blob over its API, or with a container engine."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from ..aws import Aws
from ..errors import AwsCallError, DockerfileError, RefusedError, UsageError
from ..image_reference import is_tag
from ..settings import Settings
from ..stack.ecr import LIVE_PATTERN
from .build import MANIFEST, BuiltImage, build, foreseen, read_context, read_dockerfile
from .builder import PROCESS, choose_builder
from .engines import Engine, registry_access
from .layer import Blob
from .options import BuildOptions, options_of
from .transfer import Observer, Transfer, unobserved

_INDEXES = frozenset(
    {
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
    }
)


@dataclass(frozen=True)
class PushedImage:
    """The pushed image.

    ``pushed`` is False when the tag was already on this image. ``size_bytes`` is ECR's size. ``notes``
    are sentences about what is missing in the image, or should not be in it. ``builder`` is what built it: docker,
    podman or process; None where nothing was built. ``builder_reason`` is why, empty where it was named.
    """

    reference: str
    digest: str
    size_bytes: int
    pushed: bool
    notes: tuple[str, ...] = ()
    builder: str | None = None
    builder_reason: str = ""


@dataclass(frozen=True)
class PlannedPush:
    """What ``push_image`` would do: the image's reference, the Dockerfile, the platform, the stage (``target``; empty
    for the last one) and the builder, with the reason for it, which is empty where it was named.

    ``named`` is the tag's current digest, if the tag exists.
    """

    reference: str
    dockerfile: str
    platform: str
    target: str
    builder: str
    builder_reason: str
    named: str | None


@dataclass(frozen=True)
class EcrRepository:
    """An ECR repository; ``uri`` is without a tag."""

    aws: Aws
    name: str
    uri: str

    def tagged(self, tag: str) -> dict[str, Any] | None:
        """The image with ``tag``: imageDigest and imageSizeInBytes."""
        found = self.aws.find(
            "ecr:DescribeImages",
            {"ImageNotFoundException"},
            f"{self.name}:{tag}",
            repositoryName=self.name,
            imageIds=[{"imageTag": tag}],
        )
        return found["imageDetails"][0] if found else None


def push_image(
    aws: Aws,
    settings: Settings,
    tag: str,
    folder: Path,
    builder: str | None = None,
    options: BuildOptions | None = None,
    say: Callable[[str], None] = lambda _: None,
    *,
    once: bool = False,
    observe: Observer = unobserved,
) -> PushedImage:
    """Build ``folder`` with its Dockerfile and push it as ``tag``; with ``once`` only where no image that can be pulled
    has it.

    ``say`` gets messages, including an engine's; ``observe`` gets the transfer's progress where there is no engine.
    ``builder`` is auto, docker, podman or process; None uses ``images.builder``. ``options`` None are those of the
    settings. Raises UsageError for the tag, RefusedError when the repository or a builder is missing, DockerfileError,
    LobsterError.
    """
    _check_tag(tag)
    chosen = choose_builder(aws, builder or settings.images.builder)
    repository = repository_of(aws, settings)
    if once and (there := repository.tagged(tag)) and not _is_archived(there):
        note = f"{tag} is already in the repository; nothing was built."
        return PushedImage(
            f"{repository.uri}:{tag}", there["imageDigest"], there["imageSizeInBytes"], False, (note,)
        )
    options = options or options_of(settings)
    if chosen.engine is None:
        pushed = without_engine(repository, settings.dockerfile, tag, folder, options, say, observe)
    else:
        pushed = with_engine(chosen.engine, repository, settings.dockerfile, tag, folder, options, say)
    return replace(pushed, builder_reason=chosen.reason)


def plan_push(
    aws: Aws,
    settings: Settings,
    tag: str,
    folder: Path,
    builder: str | None = None,
    options: BuildOptions | None = None,
) -> PlannedPush:
    """Check everything that ``push_image`` needs, without building; raises the same errors."""
    _check_tag(tag)
    chosen = choose_builder(aws, builder or settings.images.builder)
    repository = repository_of(aws, settings)
    options = options or options_of(settings)
    read_dockerfile(folder, settings.dockerfile, options)
    if chosen.engine:
        chosen.engine.check(folder, options)
    there = repository.tagged(tag)
    return PlannedPush(
        f"{repository.uri}:{tag}",
        settings.dockerfile,
        options.platform,
        options.target,
        chosen.name,
        chosen.reason,
        str(there["imageDigest"]) if there else None,
    )


def without_engine(
    repository: EcrRepository,
    name: str,
    tag: str,
    folder: Path,
    options: BuildOptions,
    say: Callable[[str], None],
    observe: Observer = unobserved,
) -> PushedImage:
    """Build in this process and upload the blobs that the repository lacks.

    ``name`` is the Dockerfile's, within ``folder``.
    """
    dockerfile = read_dockerfile(folder, name, options)
    context = read_context(folder, name)
    with tempfile.TemporaryDirectory(prefix="lobster-image-") as work:
        image = build(dockerfile, context, options, Path(work), observe)
        say(f"built {image.digest}, {_megabytes(image.size_bytes)}, without a container engine")
        before = repository.tagged(tag)
        pushed = _is_other(before, image.digest)
        if pushed:
            _upload(repository, tag, image, say, observe)
    notes = (*_moved(tag, before, image.digest), *image.notes, *foreseen(dockerfile, folder))
    return PushedImage(f"{repository.uri}:{tag}", image.digest, image.size_bytes, pushed, notes, PROCESS)


def with_engine(
    engine: Engine,
    repository: EcrRepository,
    name: str,
    tag: str,
    folder: Path,
    options: BuildOptions,
    say: Callable[[str], None],
) -> PushedImage:
    """Build and push with a container engine, then read back what the repository has under the tag.

    ``name`` is the Dockerfile's, within ``folder``.
    """
    if not (folder / name).is_file():
        raise RefusedError(f"There is no {folder / name}.", next_step="set `dockerfile` in invoke.yaml")
    engine.check(folder, options)
    access = registry_access(repository.aws)
    reference = f"{access.registry}/{repository.name}:{tag}"
    has_cache = any(access.registry in cache for cache in (*options.cache_from, *options.cache_to))
    if has_cache:  # which the build reads and writes
        engine.login(access.host, access.password, plain_http=access.plain_http)
    engine.build(folder, name, reference, options, say)
    before = repository.tagged(tag)
    if not has_cache:
        engine.login(access.host, access.password, plain_http=access.plain_http)
    engine.push(reference, say, plain_http=access.plain_http)
    now = repository.tagged(tag)
    if not now:
        raise RefusedError(f"{engine.name} pushed {reference}, but the repository has no such tag.")
    digest = str(now["imageDigest"])
    notes = (
        *(*_moved(tag, before, digest), *_index(now.get("imageManifestMediaType"))),
        *_foreseen(folder, name, options),
    )
    size, pushed = int(now["imageSizeInBytes"]), _is_other(before, digest)
    return PushedImage(f"{repository.uri}:{tag}", digest, size, pushed, notes, engine.name)


def _foreseen(folder: Path, name: str, options: BuildOptions) -> tuple[str, ...]:
    """Nothing where the engine has built what is not understood here."""
    try:
        return foreseen(read_dockerfile(folder, name, options), folder)
    except (DockerfileError, RefusedError):
        return ()


def _check_tag(tag: str) -> None:
    if not is_tag(tag):
        raise UsageError(
            f"{tag!r} is not an image tag.",
            "a tag has up to 128 letters, digits, underscores, periods and hyphens, and does not begin with a "
            "period or a hyphen",
            f"--tag {_nearest_tag(tag)}",
        )
    if fnmatchcase(tag, LIVE_PATTERN):
        raise UsageError(
            f"{tag!r} is a tag of images that were live.",
            f"inv deploy gives each of them a tag {LIVE_PATTERN}, by which the repository keeps the newest; another "
            "image with such a tag would take the place of one of them",
            "choose another --tag",
        )


def _nearest_tag(tag: str) -> str:
    """A valid tag from other text, such as a branch name; T if none of its characters is valid."""
    return re.sub(r"[^A-Za-z0-9_.-]", "-", tag)[:128].lstrip(".-") or "T"


def repository_of(aws: Aws, settings: Settings) -> EcrRepository:
    """The settings' repository; raises RefusedError where it does not exist."""
    name = settings.repository
    found = aws.find(
        "ecr:DescribeRepositories", {"RepositoryNotFoundException"}, name, repositoryNames=[name]
    )
    if not found:
        raise RefusedError(
            f"There is no ECR repository {name} in {settings.region}.", next_step="inv setup-fargate"
        )
    return EcrRepository(aws, name, found["repositories"][0]["repositoryUri"])


def _upload(
    repository: EcrRepository, tag: str, image: BuiltImage, say: Callable[[str], None], observe: Observer
) -> None:
    blobs = (image.layer, image.config)
    asked = repository.aws.call(
        "ecr:BatchCheckLayerAvailability",
        repository.name,
        repositoryName=repository.name,
        layerDigests=[blob.digest for blob in blobs],
    )
    there = {layer["layerDigest"] for layer in asked["layers"] if layer["layerAvailability"] == "AVAILABLE"}
    for blob in blobs:
        if blob.digest not in there:
            _upload_blob(repository, blob, observe)
            say(f"uploaded {blob.digest}, {_megabytes(blob.size)}")
    _put(repository, tag, image)


def _upload_blob(repository: EcrRepository, blob: Blob, observe: Observer) -> None:
    call, name = repository.aws.call, repository.name
    started = call("ecr:InitiateLayerUpload", name, repositoryName=name)
    upload, part_size = started["uploadId"], started["partSize"]
    for first in range(0, blob.size, part_size):
        part = blob.part(first, part_size)
        call(
            "ecr:UploadLayerPart",
            name,
            repositoryName=name,
            uploadId=upload,
            partFirstByte=first,
            partLastByte=first + len(part) - 1,
            layerPartBlob=part,
        )
        observe(Transfer("uploading", blob.digest[:19], first + len(part), blob.size))
    repository.aws.find(
        "ecr:CompleteLayerUpload",
        {"LayerAlreadyExistsException"},  # another process was faster
        name,
        repositoryName=name,
        uploadId=upload,
        layerDigests=[blob.digest],
    )


def _put(repository: EcrRepository, tag: str, image: BuiltImage) -> None:
    try:
        repository.aws.find(
            "ecr:PutImage",
            {"ImageAlreadyExistsException"},  # the same digest and tag
            f"{repository.name}:{tag}",
            repositoryName=repository.name,
            imageManifest=image.manifest.decode(),
            imageManifestMediaType=MANIFEST,
            imageTag=tag,
            imageDigest=image.digest,
        )
    except AwsCallError as refused:
        if refused.code != "ImageTagAlreadyExistsException":
            raise
        raise RefusedError(
            f"The tag {tag} names another image, and the repository's tags are immutable.",
            refused.why,
            "choose an unused tag, such as the commit",
        ) from refused


def _is_other(before: Mapping[str, Any] | None, digest: str) -> bool:
    """Whether a push brings an image that could not be pulled by this tag before."""
    return before is None or before["imageDigest"] != digest or _is_archived(before)


def _is_archived(image: Mapping[str, Any]) -> bool:
    """Whether an image is in ECR's archive, from which a push of it takes it ("Restoring an image")."""
    return bool(image.get("imageStatus", "ACTIVE") != "ACTIVE")


def _index(media_type: str | None) -> tuple[str, ...]:
    """What an index means: its digest is deployed, and its size is that of the largest image in it."""
    if media_type not in _INDEXES:
        return ()
    return (
        "The tag names an index of several manifests: images of other platforms, or attestations, which count in the "
        "repository too.",
    )


def _moved(tag: str, before: Mapping[str, Any] | None, digest: str) -> tuple[str, ...]:
    if before is None:
        return ()
    if before["imageDigest"] == digest:
        return (f"{tag} already named this image; nothing was uploaded.",)
    return (f"{tag} named {before['imageDigest']} before.",)


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB"
