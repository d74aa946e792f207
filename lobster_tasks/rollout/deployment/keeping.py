"""Keeps images that were live: a tag puts them under a rule of the lifecycle policy that other pushes do not
affect.

The tag is unique to the image and never moves, so a repository with immutable tags accepts it too. An image gets it
only when its release is live, so that failed releases do not displace images that are in use.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...account import find_service, find_task_definition
from ...aws import Aws
from ...definition import images
from ...errors import AwsCallError, NotReadyError, UsageError
from ...settings import Settings
from ...stack.ecr import live_tag
from ..observation.service import is_no_release
from .release import find_image

Say = Callable[[str], None]


def keep_serving(aws: Aws, settings: Settings, say: Say) -> None:
    """Keep the images of the current tasks, whoever deployed them; reports why where that fails."""
    if not settings.images.keep:
        return
    try:
        service = find_service(aws, settings.cluster, settings.service, settings.service)
    except AwsCallError as refused:
        say(f"cannot check whether the running image may expire: {refused.why}")
        return
    if service:
        keep_those_of(aws, settings, service, say)


def keep_those_of(aws: Aws, settings: Settings, service: Mapping[str, Any], say: Say) -> None:
    """Keep the images of a described service's task definitions whose tasks serve."""
    for definition in _serving(service):
        keep(aws, settings, definition, say)


def keep(aws: Aws, settings: Settings, task_definition: str, say: Say) -> None:
    """Keep a task definition's (ARN) images from the repository.

    A failure does not affect the running tasks; it is reported.
    """
    if not settings.images.keep:
        return
    try:
        definition = find_task_definition(aws, task_definition) or {}
        references = () if is_no_release(definition) else images(definition).values()
        for reference in sorted(set(references)):
            _keep(aws, settings.repository, reference)
    except AwsCallError as refused:
        say(f"the image could not be protected from the repository's lifecycle policy: {refused.why}")


def _serving(service: Mapping[str, Any]) -> list[str]:
    """Task definitions with running tasks whose deployment is completed, or was before another one began."""
    found = [
        each["taskDefinition"]
        for each in service.get("deployments", ())
        if each.get("runningCount")
        and (each.get("rolloutState") == "COMPLETED" or each["status"] == "ACTIVE")
    ]
    return list(dict.fromkeys(found))


def _keep(aws: Aws, repository: str, reference: str) -> None:
    try:
        image = find_image(aws, repository, reference)
    except (NotReadyError, UsageError):
        return  # the image is elsewhere, or deleted: no rule of this repository applies to it
    tag = live_tag(image.digest)
    if tag in image.tags:
        return
    where = {"repositoryName": repository}
    got = aws.call("ecr:BatchGetImage", image.short, **where, imageIds=[{"imageDigest": image.digest}])
    for each in got["images"]:
        aws.find(
            "ecr:PutImage",
            {"ImageAlreadyExistsException"},  # another process was faster
            f"{repository}:{tag}",
            **where,
            imageManifest=each["imageManifest"],
            imageManifestMediaType=each["imageManifestMediaType"],
            imageTag=tag,
            imageDigest=image.digest,
        )
