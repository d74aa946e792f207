"""Reads an image from ECR, in the region and account of its reference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..aws import Aws
from ..image_reference import EcrImage

_ABSENT = ("ImageNotFoundException", "RepositoryNotFoundException")


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
