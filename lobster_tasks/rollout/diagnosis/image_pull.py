"""Checks in ECR the images of a task that does not get past pulling them.

The agent retries a missing manifest for minutes before it reports it; ECR answers at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...account import find_task_definition
from ...aws import Aws
from ...doctor.check import UnknownError
from ...doctor.registry import HeldBack, held_back, in_ecr
from ...errors import AwsCallError
from ...image_reference import ecr_image
from ...templates import OWN_DEFINITION
from ..cause_code import CauseCode
from ..observation.snapshot import Snapshot, Task
from .causes import Cause
from .platforms import PLATFORMS, platforms_of

_LONG_SECONDS = 60.0
_PUSH = "inv push-image --tag T, then inv deploy --tag T"
_ON_THE_WAY = ("PROVISIONING", "PENDING")


def slow_to_start(aws: Aws, last: Snapshot) -> tuple[Task, ...]:
    """Our tasks that take unusually long to start."""
    return tuple(
        task for task in last.ours if task.status in _ON_THE_WAY and waited(aws, task) > _LONG_SECONDS
    )


def waited(aws: Aws, task: Task) -> float:
    """Seconds since a task was created."""
    return aws.clock.age(task.created_at.timestamp()) if task.created_at else 0.0


def wrong_image(aws: Aws, task: Task) -> Cause | None:
    """The cause where an image that the task waits for is missing or unsuitable; None where all fit or cannot be
    read."""
    try:
        definition = find_task_definition(aws, task.task_definition)
        return next(_wrong_images(aws, definition, task), None) if definition else None
    except (AwsCallError, UnknownError):
        return None


def _wrong_images(aws: Aws, definition: Mapping[str, Any], task: Task) -> Iterator[Cause]:
    platform = PLATFORMS[definition.get("runtimePlatform", {}).get("cpuArchitecture", "X86_64")]
    for container in definition["containerDefinitions"]:
        image = ecr_image(container["image"])
        if image is None:
            continue
        named = container["image"].rpartition("/")[2]
        shown = f"task {task.short} is {task.status} for {waited(aws, task):.0f} s; it pulls {named}"
        is_here = (image.registry, image.region) == (aws.account, aws.region)
        try:
            described = in_ecr(aws, image)
        except AwsCallError:
            continue
        if described is None:
            yield _missing(named, shown, _PUSH if is_here else _push_there(container["name"]))
        elif held := held_back(described, image.repository, image.region):
            yield _held(named, shown, held)
        elif is_here:
            offered = platforms_of(aws, image.repository, described["imageDigest"])
            if len(offered) > 1 and not any(variant.startswith(platform) for variant in offered):
                yield _of_other_platforms(platform, offered, shown)


def _push_there(container: str) -> str:
    return f"push it there, or correct the image of {container} in {OWN_DEFINITION}"


def _missing(named: str, shown: str, remedy: str) -> Cause:
    return Cause(
        CauseCode.IMAGE_NOT_FOUND,
        f"The repository does not have {named}.",
        (shown, "ECR has no such image"),
        remedy,
        heals=False,
    )


def _held(named: str, shown: str, held: HeldBack) -> Cause:
    return Cause(
        CauseCode.IMAGE_NOT_FOUND,
        f"{named} {held.what}.",
        (shown, f"ECR has it with the imageStatus {held.status}"),
        f"{held.fix}; then inv deploy --tag T",
        heals=False,
    )


def _of_other_platforms(platform: str, offered: Sequence[str], shown: str) -> Cause:
    return Cause(
        CauseCode.IMAGE_PLATFORM,
        f"The image has no variant for {platform}, the task's platform.",
        (shown, f"ECR has it for {', '.join(offered)}"),
        "inv push-image --tag T (it builds for task.architecture), then inv deploy --tag T",
        heals=False,
    )
