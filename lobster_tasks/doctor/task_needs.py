"""What the start of a task needs of the network: every container's image, secrets, environment files and logs. Pure.

Sources: Amazon ECS Developer Guide, "Amazon ECS interface VPC endpoints"; Amazon ECR User Guide, "Amazon ECR interface
VPC endpoints" (the layers are in S3; "VPC endpoints currently don't support cross-Region requests").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..definition import containers, images, log_driver, log_groups
from ..definition import secrets as secrets_of
from ..image_reference import ecr_image, registry_of
from ..settings import Settings
from .references import is_secret, region_of

_COLLECTOR = "aws-otel-collector"  # in task-definitions/ecs-task-definition.json.j2
_EVERY_TASK = ("ecr.api", "ecr.dkr", "logs", "s3")


@dataclass(frozen=True)
class TaskNeeds:
    """``endpoints`` are services of the region, such as ``ecr.api``; ``outside`` in words what no endpoint leads to."""

    endpoints: tuple[str, ...]
    outside: tuple[str, ...] = ()


def task_needs(settings: Settings, definition: Mapping[str, Any] | None) -> TaskNeeds:
    """The needs of the app as the settings describe it, and of all containers of its definition."""
    region, described = settings.region, definition or {}
    named = {**secrets_of(described, settings.container.name), **settings.container.secrets}
    here = [source for source in named.values() if region_of(source) in ("", region)]
    outside = (
        *_registries(settings, described),
        *(
            f"{'Secrets Manager' if is_secret(source) else 'Systems Manager'} in {region_of(source)} ({name})"
            for name, source in named.items()
            if source not in here
        ),
        *_far_logs(described, region),
    )
    return TaskNeeds(needed_endpoints(here), tuple(dict.fromkeys(outside)))


def needed_endpoints(sources: Iterable[str]) -> tuple[str, ...]:
    """The services that a task calls to pull from ECR, to log, and to read secrets from ``sources``."""
    kinds = {"secretsmanager" if is_secret(source) else "ssm" for source in sources}
    return (*_EVERY_TASK, *sorted(kinds))


def _registries(settings: Settings, definition: Mapping[str, Any]) -> Iterator[str]:
    """The registries that have no endpoint here; a copy of the image in ECR of this region is reachable."""
    found = images(definition)
    if settings.xray.enabled:
        found = {**found, _COLLECTOR: settings.xray.image}
    for name, reference in found.items():
        image, whose = ecr_image(reference), "xray.image" if reference == settings.xray.image else name
        if image is None:
            yield f"{registry_of(reference)}, the registry of {whose}"
        elif image.region != settings.region:
            yield f"ECR in {image.region}, the registry of {whose}"


def _far_logs(definition: Mapping[str, Any], region: str) -> Iterator[str]:
    drivers = {each["name"]: log_driver(each) for each in containers(definition)}
    for name, options in log_groups(definition).items():
        there = options.get("awslogs-region", region)
        if there != region and drivers[name] == "awslogs":
            yield f"CloudWatch Logs in {there} ({name})"
