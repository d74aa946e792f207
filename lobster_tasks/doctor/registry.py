"""Reads an image from ECR, in the region and account of its reference, and says why nobody can pull it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..aws import Aws
from ..image_reference import EcrImage

_ABSENT = ("ImageNotFoundException", "RepositoryNotFoundException")


@dataclass(frozen=True)
class HeldBack:
    """Why no task can pull an image that ECR has: its ``status``, that in words, and how to ``fix`` it."""

    status: str
    what: str
    fix: str


def held_back(image: Mapping[str, Any], repository: str, region: str) -> HeldBack | None:
    """Why no task can pull ``image`` (ECR's imageDetail) from ``repository``; None where one can.

    Amazon ECR User Guide, "Archiving an image" and "Restoring an image": "Archived images cannot be pulled", and
    restoring one takes up to 20 minutes.
    """
    status, digest = image.get("imageStatus", "ACTIVE"), image["imageDigest"]
    if status == "ARCHIVED":
        fix = f"aws ecr update-image-storage-class --repository-name {repository} "
        fix += f"--image-id imageDigest={digest} --target-storage-class STANDARD --region {region}"
        return HeldBack(status, "is archived, and cannot be pulled", fix)
    if status == "ACTIVATING":
        fix = f"wait until aws ecr describe-images --repository-name {repository} "
        fix += (
            f"--image-ids imageDigest={digest} --region {region} shows ACTIVE, which takes up to 20 minutes"
        )
        return HeldBack(status, "is being restored from the archive, and cannot be pulled yet", fix)
    return None


def in_ecr(aws: Aws, image: EcrImage) -> Mapping[str, Any] | None:
    """ECR's imageDetail; None if there is no such image. Raises AwsCallError if access is denied."""
    owner = {} if image.registry == aws.account else {"registryId": image.registry}
    found = aws.in_region(image.region).find(
        "ecr:DescribeImages",
        _ABSENT,
        f"{image.repository} in {image.region}",
        repositoryName=image.repository,
        imageIds=[image.id],
        **owner,
    )
    details = found["imageDetails"] if found else []
    return details[0] if details else None
