"""From a tag to a deployment: image, revision, update. Nothing is changed before all checks have passed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any, Literal

from ... import templates
from ...account import find_task_definition
from ...aws import Aws
from ...definition import container_of, images
from ...doctor.registry import HeldBack, held_back, in_ecr
from ...errors import AwsCallError, NotReadyError
from ...image_reference import check_given, ecr_image, image_id, is_tag, registry_name
from ...in_parallel import in_parallel
from ...masking import mask_shapes
from ...settings import Settings
from ...stack.ecr import given_tags
from ...stack.task_definition import differences
from ..cause_code import CauseCode
from ..observation.deployment_configuration import with_rollback
from ..observation.service import active_service, is_no_release, rollout_of
from ..observation.snapshot import Rollout, Service, revision_of
from ..observation.timeline import Timeline

_NEWEST_SHOWN = 5
_MIB = 1024 * 1024


@dataclass(frozen=True)
class Image:
    """An image in the repository with all its tags; ``mib`` is its compressed size in MiB."""

    registry: str
    repository: str
    digest: str
    mib: int
    tags: tuple[str, ...] = ()

    @property
    def uri(self) -> str:
        """The full reference by digest, which always refers to the same image."""
        return f"{self.registry}/{self.repository}@{self.digest}"

    @property
    def short(self) -> str:
        """The shortened reference for people."""
        return f"{self.repository}@{self.digest[:11]}…{self.digest[-4:]}"


@dataclass(frozen=True)
class MissingImage:
    """A container's image that no task can pull; ``held`` says why where ECR has it."""

    container: str
    reference: str
    held: HeldBack | None = None


@dataclass(frozen=True)
class PreparedRelease:
    """A release before any change: the image, the service as described, and the task definition to run.

    ``requested`` is what was asked for, ``current`` is the service's current task definition.
    """

    image: Image
    service: Mapping[str, Any]
    definition: Mapping[str, Any]
    requested: str = "T"
    current: Mapping[str, Any] = field(default_factory=dict)

    @property
    def running(self) -> str:
        """The service's task definition (ARN)."""
        return str(self.service["taskDefinition"])

    @property
    def changes(self) -> tuple[str, ...]:
        """What the definition changes about the current one, a sentence each, with secrets masked."""
        found = differences(self.current, self.definition) if self.current else ()
        return tuple(mask_shapes(each.replace(f"{self.image.registry}/", "")) for each in found)


@dataclass(frozen=True)
class UpdateDecision:
    """How the service gets to a revision.

    ``verify``: it runs the revision already; ``follow``: its deployment is in progress; ``update``: UpdateService,
    with ``forceNewDeployment`` or a new ``desired_count`` where they are needed. ``why`` says what is not obvious.
    """

    kind: Literal["verify", "follow", "update"]
    why: str
    force: bool = False
    desired_count: int | None = None


def prepare(aws: Aws, settings: Settings, requested: str) -> PreparedRelease:
    """Find the image and the service; raises UsageError or NotReadyError, and changes nothing."""
    check_given(requested)
    image, service = in_parallel(
        partial(find_image, aws, settings.repository, requested),
        partial(active_service, aws, settings.cluster, settings.service),
    )
    if not service["desiredCount"] and not settings.deployment.desired_count:
        raise NotReadyError(
            f"The service {settings.service} has a desired count of 0, and deployment.desired_count is 0.",
            "a release without tasks cannot be followed",
            "set deployment.desired_count to 1 or more",
            code=CauseCode.SCALED_TO_ZERO,
        )
    definition = templates.task_definition(settings, aws.account, aws.partition, image.uri)
    current = find_task_definition(aws, service["taskDefinition"]) or {}
    return PreparedRelease(image, service, definition, requested, current)


def find_image(aws: Aws, repository: str, requested: str) -> Image:
    """The image of a tag, a digest or a full reference to a repository of this account.

    Raises UsageError for an invalid reference, NotReadyError for an image that is not in the repository, or in its
    archive.
    """
    registry = registry_name(aws.account, aws.region, aws.partition)
    identity = image_id(requested, repository, f"{registry}/{repository}")
    try:
        answer = aws.find(
            "ecr:DescribeImages",
            ("ImageNotFoundException",),
            f"repository {repository}",
            repositoryName=repository,
            imageIds=[identity],
        )
    except AwsCallError as refused:
        if refused.code != "RepositoryNotFoundException":
            raise
        raise NotReadyError(
            f"There is no repository {repository} in {aws.region}.",
            next_step="inv setup-fargate",
            code=CauseCode.IMAGE_NOT_FOUND,
        ) from refused
    if not answer or not answer["imageDetails"]:
        raise _no_such_image(aws, repository, requested)
    detail = answer["imageDetails"][0]
    if held := held_back(detail, repository, aws.region):
        raise NotReadyError(
            f"{requested} {held.what}.",
            f"ECR has it in {repository} with the imageStatus {held.status}",
            f"{held.fix}; then the same command again",
            code=CauseCode.IMAGE_NOT_FOUND,
        )
    mib = round(detail.get("imageSizeInBytes", 0) / _MIB)
    return Image(registry, repository, detail["imageDigest"], mib, tuple(detail.get("imageTags", ())))


def missing_images(aws: Aws, definition: Mapping[str, Any], container: str) -> list[MissingImage]:
    """The images of containers other than the app's that no task can pull from ECR.

    ``container`` is the name of the app's. Raises AwsCallError where none is missing and one could not be checked.
    """
    app = container_of(definition, container).get("name")
    missing: list[MissingImage] = []
    unknown = []
    for name, reference in images(definition).items():
        image = ecr_image(reference)
        if name == app or image is None:
            continue
        try:
            found = in_ecr(aws, image)
            held = held_back(found, image.repository, image.region) if found else None
            if found is None or held:
                missing.append(MissingImage(name, reference, held))
        except AwsCallError as refused:
            unknown.append(refused)
    if unknown and not missing:
        raise unknown[0]
    return missing


def register_revision(aws: Aws, prepared: PreparedRelease, timeline: Timeline) -> str:
    """The revision to run (ARN): the service's current one, the family's newest, or a new one, whichever fits
    first."""
    newest = find_task_definition(aws, prepared.definition["family"])
    for known in (prepared.current, newest):
        if known and known["status"] == "ACTIVE" and not differences(known, prepared.definition):
            timeline.say(f"revision {known['revision']} needs no change")
            return str(known["taskDefinitionArn"])
    answer = aws.call("ecs:RegisterTaskDefinition", prepared.definition["family"], **prepared.definition)
    arn = str(answer["taskDefinition"]["taskDefinitionArn"])
    timeline.say(f"revision {revision_of(arn)} registered (was {revision_of(prepared.running)})")
    for change in prepared.changes:
        timeline.say(change)
    return arn


def decide_update(
    service: Service, revision: str, serves: bool, force: bool, desired_count: int
) -> UpdateDecision:
    """How the service gets to ``revision``; ``serves``: it runs it, completed and healthy. Pure."""
    primary = service.primary
    there = primary is not None and primary.task_definition == revision
    scale = None if service.desired else desired_count
    if not there:
        return UpdateDecision("update", f"desired count 0 → {scale}" if scale else "", desired_count=scale)
    if scale is not None:  # a change of the count alone starts no deployment, so there would be no verdict
        return UpdateDecision("update", f"desired count 0 → {scale}", force=True, desired_count=scale)
    if force:
        return UpdateDecision("update", "a new deployment of the same revision was requested", force=True)
    if primary is not None and primary.rollout == "IN_PROGRESS":
        return UpdateDecision("follow", "this revision is being deployed already")
    if serves:
        return UpdateDecision("verify", "the service runs this revision already")
    return UpdateDecision(
        "update", "the service runs this revision, but with other service settings", force=True
    )


def update(
    aws: Aws, settings: Settings, prepared: PreparedRelease, revision: str, decision: UpdateDecision
) -> Rollout:
    """UpdateService; returns the identity of the new deployment.

    ``deployment.rollback`` is left to the service's own circuit breaker, which works without this program.
    """
    parameters: dict[str, Any] = {"taskDefinition": revision}
    if settings.deployment.rollback and (configuration := with_rollback(prepared.service)):
        parameters["deploymentConfiguration"] = configuration
    if decision.desired_count is not None:
        parameters["desiredCount"] = decision.desired_count
    if decision.force:
        parameters["forceNewDeployment"] = True

    where = {"cluster": settings.cluster, "service": settings.service}
    service = aws.call("ecs:UpdateService", f"service {settings.service}", **where, **parameters)["service"]
    earlier = prepared.service.get("currentServiceDeployment")
    return replace(identity_of(settings.cluster, prepared, service, revision), earlier=earlier)


def identity_of(
    cluster: str, prepared: PreparedRelease, service: Mapping[str, Any], revision: str
) -> Rollout:
    """The identity of the deployment of ``revision``, with what is known of the release."""
    return replace(
        rollout_of(cluster, service, revision),
        previous=prepared.running,
        image_mib=prepared.image.mib,
        requested=prepared.requested,
        is_first=is_no_release(prepared.current),
    )


def _no_such_image(aws: Aws, repository: str, requested: str) -> NotReadyError:
    images = aws.pages("ecr:DescribeImages", "imageDetails", repositoryName=repository)
    push = f"inv push-image --tag {requested if is_tag(requested) else 'T'}"
    if not images:
        return NotReadyError(
            f"The repository {repository} is empty.", next_step=push, code=CauseCode.IMAGE_NOT_FOUND
        )
    newest = sorted(images, key=lambda image: image["imagePushedAt"], reverse=True)
    tagged = [image for image in newest if given_tags(image)][:_NEWEST_SHOWN]
    shown = [f"{', '.join(given_tags(image))} ({_age(aws, image['imagePushedAt'])})" for image in tagged]
    return NotReadyError(
        f"{requested} is not in the repository {repository}.",
        f"the newest tags: {'; '.join(shown)}" if shown else "none of its images has a tag",
        f"deploy one of these tags, or {push}",
        code=CauseCode.IMAGE_NOT_FOUND,
    )


def _age(aws: Aws, pushed_at: datetime) -> str:
    seconds = max(0.0, aws.clock.age(pushed_at.timestamp()))
    for length, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= length:
            return f"{int(seconds // length)} {unit} ago"
    return f"{int(seconds)} s ago"
