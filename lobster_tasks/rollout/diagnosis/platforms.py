"""Reads the platforms of an image in ECR."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...aws import Aws
from ...doctor.check import UnknownError
from ...foreign import parsed_object
from ...http_client import get

_MEDIA_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_WITHIN_SECONDS = 10.0
PLATFORMS = {"X86_64": "linux/amd64", "ARM64": "linux/arm64"}


def platforms_of(aws: Aws, repository: str, digest: str) -> tuple[str, ...]:
    """The image's platforms, such as ``linux/amd64``: from an index's entries, or from a single image's
    configuration.

    Raises UnknownError where they cannot be read, AwsCallError where AWS refuses the call.
    """
    manifest = _manifest(aws, repository, digest)
    if "manifests" in manifest:
        described = [each.get("platform", {}) for each in manifest["manifests"]]
        return tuple(_platform(each) for each in described if each.get("os") not in (None, "unknown"))
    if "config" in manifest:
        return (_platform(_config(aws, repository, manifest["config"]["digest"])),)
    raise UnknownError("the image's manifest does not name a platform")


def _manifest(aws: Aws, repository: str, digest: str) -> Mapping[str, Any]:
    answer = aws.call(
        "ecr:BatchGetImage",
        f"repository {repository}",
        repositoryName=repository,
        imageIds=[{"imageDigest": digest}],
        acceptedMediaTypes=list(_MEDIA_TYPES),
    )
    if not answer["images"]:
        raise UnknownError("ECR does not show the image's manifest")
    return parsed_object(answer["images"][0]["imageManifest"])


def _config(aws: Aws, repository: str, digest: str) -> Mapping[str, Any]:
    answer = aws.call(
        "ecr:GetDownloadUrlForLayer",
        f"repository {repository}",
        repositoryName=repository,
        layerDigest=digest,
    )
    read = get(answer["downloadUrl"], _WITHIN_SECONDS, follow=True)
    try:
        if read.error:
            raise read.error
        return parsed_object(read.body)
    except (OSError, ValueError) as error:
        raise UnknownError(f"the image's configuration could not be read ({error})") from error


def _platform(described: Mapping[str, Any]) -> str:
    return f"{described.get('os', 'linux')}/{described.get('architecture', 'amd64')}"
