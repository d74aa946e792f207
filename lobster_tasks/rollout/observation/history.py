"""Reads the releases of a service from the account.

ECS keeps a service's deployments and their results for 90 days ("Viewing Amazon ECS service deployments"). The source
of the oldest one was live before it. For earlier releases, and without the permission to read deployments, only the
family's revisions are left: they were registered, but not necessarily live.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from ...account import find_task_definition
from ...aws import Aws
from ...definition import container_of, named_or_first
from ...errors import AwsCallError, LobsterError
from ...in_parallel import in_parallel
from ...settings import Settings
from ...stack import NO_RELEASE
from ...stack.ecr import given_tags
from .service import active_service, is_no_release
from .snapshot import revision_of
from .watch import NO_RECORDS

SHOWN = 20
_REMEMBERED = 10
_A_CALL = 20  # ARNs per DescribeServiceDeployments or DescribeServiceRevisions
_A_PAGE = 100
_FURTHER_BACK = 10  # revisions, each of which needs a call
_OLDER = (
    "ECS keeps deployments for 90 days: for revisions that are only listed as registered, it is unknown whether they "
    "were live"
)


@dataclass(frozen=True)
class Release:
    """One deployment of a service, or a revision without a known deployment (``status`` is empty).

    ``at`` is when it began, ``seconds`` its duration in AWS's time, ``live`` whether it became live (None: unknown),
    ``gone`` whether the repository no longer has its image (None: unknown).
    """

    task_definition: str
    status: str = ""
    reason: str = ""
    at: datetime | None = None
    seconds: float | None = None
    tasks: int | None = None
    image: str | None = None
    tags: tuple[str, ...] = ()
    live: bool | None = None
    current: bool = False
    gone: bool | None = None

    @property
    def revision(self) -> str:
        """The task definition's revision number."""
        return revision_of(self.task_definition)


@dataclass(frozen=True)
class History:
    """Releases, newest first; ``note`` says what is unknown about them."""

    service: str
    releases: tuple[Release, ...]
    note: str = ""


def history(aws: Aws, settings: Settings, count: int = SHOWN) -> History:
    """The newest ``count`` releases; NotReadyError without a service."""
    service = active_service(aws, settings.cluster, settings.service)
    try:
        recorded, is_whole = _recorded(aws, settings, count)
    except AwsCallError as refused:
        if refused.code not in NO_RECORDS:
            raise
        note = f"only registered revisions are known: {refused.why}"
        registered = _revisions(aws, settings.container.name, service, count)
        return History(settings.service, tuple(registered), note)
    further = min(count - len(recorded), _FURTHER_BACK)
    if is_whole or further <= 0:
        return History(settings.service, with_current(recorded, service["taskDefinition"]))
    known = {each.task_definition for each in recorded}
    older = tuple(_revisions(aws, settings.container.name, service, further, known))
    releases = with_current((*recorded, *older), service["taskDefinition"])
    return History(settings.service, releases, _OLDER if older else "")


def with_current(releases: Sequence[Release], definition: str) -> tuple[Release, ...]:
    """Mark the current release: the newest of ``definition`` that is live or in progress. Pure."""
    ours = [each for each in releases if each.task_definition == definition]
    serving = next((each for each in ours if each.live or each.seconds is None), next(iter(ours), None))
    return tuple(replace(each, current=each is serving) for each in releases)


def live_before(releases: Sequence[Release], current: str) -> list[Release]:
    """Live releases other than ``current`` (a task definition), newest first. Pure.

    They are followed by releases of which that is unknown, limited to revisions before the current one.
    """
    others = [each for each in releases if each.task_definition != current]
    known = {each.task_definition for each in releases if each.live is not None}
    number = int(revision_of(current))
    perhaps = [each for each in others if each.task_definition not in known and int(each.revision) < number]
    found: dict[str, Release] = {}
    for each in (*(each for each in others if each.live), *perhaps):
        found.setdefault(each.task_definition, each)
    return list(found.values())


def expected_duration(aws: Aws, settings: Settings) -> float | None:
    """How many seconds a deployment will probably take; None without earlier ones, or without permission."""
    try:
        return expected_seconds(_recorded(aws, settings, _REMEMBERED)[0])
    except LobsterError:  # it is only displayed
        return None


def expected_seconds(releases: Iterable[Release]) -> float | None:
    """The probable duration of a deployment: the median of successful ones. Pure."""
    took = sorted(each.seconds for each in releases if each.live and each.seconds)
    return took[len(took) // 2] if took else None


@dataclass(frozen=True)
class _AppImages:
    """The images of the app's ``container``, and those in its ``repository``.

    ``kept`` has the tags of each digest in the repository; None where ECR does not return them.
    """

    container: str
    repository: str
    kept: Mapping[str, tuple[str, ...]] | None

    def find(self, revision: Mapping[str, Any]) -> tuple[str | None, str]:
        """The app's image in a service revision, and its digest, which is empty where ECS does not return it."""
        every = revision.get("containerImages") or ()
        found = named_or_first(every, self.container, key="containerName")
        image = found.get("image")
        return image, found.get("imageDigest") or str(image).partition("@")[2]

    def tags(self, digest: str) -> tuple[str, ...]:
        """The tags of a digest in the repository."""
        return (self.kept or {}).get(digest, ())

    def gone(self, image: str | None, digest: str) -> bool | None:
        """Whether the repository no longer has an image; None where that is unknown."""
        ours = str(image).partition("@")[0].partition("/")[2].partition(":")[0] == self.repository
        return digest not in self.kept if self.kept is not None and ours and digest else None


def _recorded(aws: Aws, settings: Settings, count: int) -> tuple[tuple[Release, ...], bool]:
    """ECS's records of the newest ``count`` releases, and whether these are all, or as many as requested.

    A single source of the oldest record was live before it.
    """
    deployments = _deployments(aws, settings.cluster, settings.service, count)
    oldest = deployments[-1] if 0 < len(deployments) < count else None
    sources = [each["arn"] for each in oldest.get("sourceServiceRevisions", ())] if oldest else []
    targets = [each["targetServiceRevision"]["arn"] for each in deployments]
    revisions = _service_revisions(aws, settings.service, [*targets, *sources])
    images = _AppImages(settings.container.name, settings.repository, _kept(aws, settings.repository))
    found = [
        _release(images, each, revisions[arn], aws.clock.speed)
        for each, arn in zip(deployments, targets, strict=True)
        if arn in revisions
    ]
    found += [_source(images, revisions[arn], len(sources) == 1) for arn in sources if arn in revisions]
    return tuple(found), len(deployments) >= count or (oldest is not None and not sources)


def _deployments(aws: Aws, cluster: str, service: str, count: int) -> list[Mapping[str, Any]]:
    """Service deployments as described, newest first."""
    arns = [each["serviceDeploymentArn"] for each in _listed(aws, cluster, service, count)]
    described = _described(
        aws, service, "ecs:DescribeServiceDeployments", "serviceDeploymentArns", "serviceDeployments", arns
    )
    found = {each["serviceDeploymentArn"]: each for each in described}
    return [found[arn] for arn in arns if arn in found]


def _listed(aws: Aws, cluster: str, service: str, count: int) -> list[dict[str, Any]]:
    """ListServiceDeployments, for which botocore has no paginator."""
    found: list[dict[str, Any]] = []
    more: dict[str, Any] = {}
    while len(found) < count:
        answer = aws.call(
            "ecs:ListServiceDeployments",
            f"service {service}",
            cluster=cluster,
            service=service,
            maxResults=min(count - len(found), _A_PAGE),
            **more,
        )
        found += answer["serviceDeployments"]
        if not answer.get("nextToken"):
            break
        more = {"nextToken": answer["nextToken"]}
    return found


def _service_revisions(aws: Aws, service: str, arns: list[str]) -> dict[str, dict[str, Any]]:
    unique = list(dict.fromkeys(arns))
    described = _described(
        aws, service, "ecs:DescribeServiceRevisions", "serviceRevisionArns", "serviceRevisions", unique
    )
    return {each["serviceRevisionArn"]: each for each in described}


def _described(
    aws: Aws, service: str, operation: str, argument: str, member: str, arns: list[str]
) -> list[dict[str, Any]]:
    """The ``member`` of ``operation``'s answers for all ARNs, in as few calls as possible."""
    answers = in_parallel(
        *(
            partial(aws.call, operation, f"service {service}", **{argument: arns[first : first + _A_CALL]})
            for first in range(0, len(arns), _A_CALL)
        )
    )
    return [each for answer in answers for each in answer[member]]


def _release(
    images: _AppImages, deployment: Mapping[str, Any], revision: Mapping[str, Any], speed: float
) -> Release:
    tasks = deployment["targetServiceRevision"].get("requestedTaskCount", 0)
    began, ended = deployment.get("startedAt") or deployment["createdAt"], deployment.get("finishedAt")
    known = _source(images, revision, deployment["status"] == "SUCCESSFUL" and tasks > 0)
    return replace(
        known,
        status=deployment["status"],
        reason=deployment.get("statusReason") or "",
        at=deployment["createdAt"],
        seconds=(ended - began).total_seconds() * speed if ended else None,
        tasks=tasks,
        live=bool(known.live),
    )


def _source(images: _AppImages, revision: Mapping[str, Any], was_live: bool) -> Release:
    """A release from a service revision, without information about its deployment."""
    image, digest = images.find(revision)
    is_release = not str(image).endswith(f":{NO_RELEASE}")
    return Release(
        revision["taskDefinition"],
        at=revision.get("createdAt"),
        image=image,
        tags=images.tags(digest),
        live=(was_live or None) if is_release else False,
        gone=images.gone(image, digest),
    )


def _kept(aws: Aws, repository: str) -> dict[str, tuple[str, ...]] | None:
    """Digest → tags of the repository's images; None where ECR does not return them."""
    try:
        images = aws.pages("ecr:DescribeImages", "imageDetails", repository, repositoryName=repository)
    except AwsCallError:
        return None
    return {each["imageDigest"]: given_tags(each) for each in images}


def _revisions(
    aws: Aws, container: str, service: Mapping[str, Any], count: int, besides: Collection[str] = ()
) -> Iterable[Release]:
    """The family's newest ACTIVE revisions, without those in ``besides``."""
    family = service["taskDefinition"].rpartition("/")[2].rpartition(":")[0]
    listed = aws.call("ecs:ListTaskDefinitions", family, familyPrefix=family, sort="DESC", maxResults=_A_PAGE)
    arns = [each for each in listed["taskDefinitionArns"] if each not in besides][:count]
    found = in_parallel(*(partial(find_task_definition, aws, arn) for arn in arns))
    for each in found:
        if each and not is_no_release(each):
            image = container_of(each, container)["image"]
            arn = each["taskDefinitionArn"]
            yield Release(
                arn, at=each.get("registeredAt"), image=image, current=arn == service["taskDefinition"]
            )
