"""The checks of an image pull: access to the registry and, for ECR, permissions and access to S3 for the layers.

Sources: Developer Guide, "CannotPullContainer task errors in Amazon ECS"; ECR User Guide, "Amazon ECR interface
VPC endpoints" (layers come from the bucket ``prod-<region>-starport-layer-bucket`` of S3).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..ec2.egress import S3, Egress
from ..runtime.images import PullError
from .agent_errors import ServiceUnreachableError
from .permissions import Permissions

ECR_IMAGE = re.compile(r"^\d{12}\.dkr\.ecr(-fips)?\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/")
DOCKER_HUB = "registry-1.docker.io"
MANIFEST = (
    "CannotPullContainerError: pull image manifest has been retried {times} time(s): failed to resolve ref "
)
LAYERS = (
    "CannotPullContainerError: ref pull has been retried {times} time(s): failed to copy: httpReadSeeker: "
)


@dataclass(frozen=True)
class ImageReference:
    """An image reference: a repository of a registry, and the tag or digest."""

    image: str
    host: str
    repository: str
    version: str

    @classmethod
    def of(cls, image: str) -> ImageReference:
        """Parse ``[host/]repository[:tag][@digest]``; without a host it refers to Docker Hub."""
        first, _, rest = image.partition("/")
        named = bool(rest) and ("." in first or ":" in first)
        host, path = (first, rest) if named else (DOCKER_HUB, image)
        path, _, digest = path.partition("@")
        repository, _, tag = path.partition(":")
        return cls(image, host, repository, digest or tag or "latest")

    @property
    def in_ecr(self) -> bool:
        """Whether the registry is a private ECR registry."""
        return bool(ECR_IMAGE.match(self.image))

    @property
    def region(self) -> str:
        """The region of an ECR registry."""
        return self.host.split(".")[3]

    @property
    def arn(self) -> str:
        """The ARN of an ECR repository."""
        return f"arn:aws:ecr:{self.region}:{self.host.split('.')[0]}:repository/{self.repository}"

    @property
    def bucket(self) -> str:
        """The S3 bucket with the region's ECR layers."""
        return f"prod-{self.region}-starport-layer-bucket"


def check_registry(source: ImageReference, egress: Egress, allowed: Permissions) -> None:
    """Check that the manifest can be fetched: ServiceUnreachableError, PullError."""
    service, region = ("ecr.dkr", source.region) if source.in_ecr else ("", "")
    if lost := egress.timeout(service, region, source.host):
        url = f"https://{source.host}/v2/{source.repository}/manifests/{source.version}"
        head = f"{MANIFEST.format(times=5)}{source.image}: failed to do request: "
        raise ServiceUnreachableError(f'{head}Head "{url}": {lost}')
    if source.in_ecr and allowed.denial("ecr:BatchGetImage", source.arn):
        raise PullError(
            f"{MANIFEST.format(times=1)}{source.image}: pulling from host {source.host} failed with status code "
            f"[manifests {source.version}]: 403 Forbidden"
        )


def check_layers(source: ImageReference, egress: Egress, allowed: Permissions) -> None:
    """Check that the layers of an image in ECR can be fetched: ServiceUnreachableError, PullError."""
    if not source.in_ecr:
        return
    host = f"{source.bucket}.s3.{source.region}.amazonaws.com"
    if lost := egress.timeout(S3, source.region, host):
        url = f"https://{host}/{source.repository}"
        raise ServiceUnreachableError(
            f'{LAYERS.format(times=5)}failed open: failed to do request: Get "{url}": {lost}'
        )
    denied = allowed.denial("ecr:GetDownloadUrlForLayer", source.arn)
    if denied or egress.forbids_layers(source.region, source.bucket):
        where = f"https://{source.host}/v2/{source.repository}/blobs" if denied else f"https://{host}"
        raise PullError(f"{LAYERS.format(times=1)}failed open: unexpected status code {where}: 403 Forbidden")
