"""The releases that a service has had, from the account alone.

ECS keeps the deployments of a service (ListServiceDeployments: of the last 90 days) with how each ended. Where they
may not be read, the family's revisions are what is left: they tell what was registered, and not what was live.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from ..aws import Aws
from ..definition import container_of
from ..errors import AwsCallError, LobsterError
from ..settings import Settings
from ..stack import NO_RELEASE
from ..stack.ecr import given_tags
from ..together import together
from .release import active_service, described, is_no_release
from .snapshot import revision_of
from .watch import NO_RECORDS

SHOWN = 20
_REMEMBERED = 10
_A_CALL = 20  # DescribeServiceDeployments, DescribeServiceRevisions
_A_PAGE = 100


@dataclass(frozen=True)
class Release:
    """One deployment of a service, or a revision of which no more is known (``status`` empty, ``live`` None).

    ``at`` is when it began, ``seconds`` how long it took (of AWS's), ``live`` whether it came to serve, ``gone``
    whether the repository has its image no more (None: not known).
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
        """The number of the task definition's revision."""
        return revision_of(self.task_definition)

    def as_json(self) -> dict[str, Any]:
        """For ``inv history --json``."""
        return {
            "revision": int(self.revision),
            "task_definition": self.task_definition,
            "status": self.status or None,
            "reason": self.reason or None,
            "at": self.at.isoformat() if self.at else None,
            "seconds": None if self.seconds is None else round(self.seconds, 1),
            "tasks": self.tasks,
            "image": self.image,
            "tags": list(self.tags),
            "live": self.live,
            "current": self.current,
            "image_gone": self.gone,
        }


@dataclass(frozen=True)
class History:
    """Releases, newest first; ``note`` says what is not known of them."""

    service: str
    releases: tuple[Release, ...]
    note: str = ""

    def as_json(self) -> dict[str, Any]:
        """For ``inv history --json``."""
        shown = [each.as_json() for each in self.releases]
        return {"service": self.service, "releases": shown, "note": self.note or None}


def history(aws: Aws, settings: Settings, count: int = SHOWN) -> History:
    """The newest ``count`` releases; NotReadyError where there is no service."""
    service = active_service(aws, settings)
    try:
        found = _deployments(aws, settings, count)
    except AwsCallError as refused:
        if refused.code not in NO_RECORDS:
            raise
        note = f"only what was registered is known: {refused.why}"
        return History(settings.service, tuple(_revisions(aws, settings, service, count)), note)
    kept, speed = _kept(aws, settings), aws.clock.speed
    releases = [_release(settings, each, revision, kept, speed) for each, revision in found]
    return History(settings.service, with_current(releases, service["taskDefinition"]))


def with_current(releases: Sequence[Release], definition: str) -> tuple[Release, ...]:
    """The release marked that serves: the newest of ``definition`` that is live or on its way. Pure."""
    ours = [each for each in releases if each.task_definition == definition]
    serving = next((each for each in ours if each.live or each.seconds is None), next(iter(ours), None))
    return tuple(replace(each, current=each is serving) for each in releases)


def live_before(releases: Sequence[Release], current: str) -> list[str]:
    """The task definitions of the releases that were live, but not the ``current`` one, the newest first. Pure.

    Of revisions only the order is known: then they are those before the current.
    """
    others = [each for each in releases if each.task_definition != current]
    if any(each.live is not None for each in releases):
        found = [each.task_definition for each in others if each.live]
    else:
        number = int(revision_of(current))
        found = [each.task_definition for each in others if int(each.revision) < number]
    return list(dict.fromkeys(found))


def expectation(aws: Aws, settings: Settings) -> float | None:
    """How many seconds a deployment is likely to take; None where the last ones may not be read, or are none."""
    try:
        return expected_seconds(history(aws, settings, _REMEMBERED).releases)
    except LobsterError:  # it is for show, and nothing depends on it
        return None


def expected_seconds(releases: Iterable[Release]) -> float | None:
    """How long a deployment is likely to take: the median of those that succeeded. Pure."""
    took = sorted(each.seconds for each in releases if each.live and each.seconds)
    return took[len(took) // 2] if took else None


def _deployments(
    aws: Aws, settings: Settings, count: int
) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Described service deployments, newest first, each with its described service revision."""
    arns = [each["serviceDeploymentArn"] for each in _listed(aws, settings, count)]
    answers = together(
        *(
            partial(
                aws.call,
                "ecs:DescribeServiceDeployments",
                f"service {settings.service}",
                serviceDeploymentArns=arns[first : first + _A_CALL],
            )
            for first in range(0, len(arns), _A_CALL)
        )
    )
    found = {
        each["serviceDeploymentArn"]: each for answer in answers for each in answer["serviceDeployments"]
    }
    deployments = [found[arn] for arn in arns if arn in found]
    revisions = _service_revisions(
        aws, settings, [each["targetServiceRevision"]["arn"] for each in deployments]
    )
    pairs = [(each, revisions.get(each["targetServiceRevision"]["arn"])) for each in deployments]
    return [(each, revision) for each, revision in pairs if revision is not None]


def _listed(aws: Aws, settings: Settings, count: int) -> list[dict[str, Any]]:
    """botocore has no paginator for ListServiceDeployments."""
    found: list[dict[str, Any]] = []
    more: dict[str, Any] = {}
    while len(found) < count:
        answer = aws.call(
            "ecs:ListServiceDeployments",
            f"service {settings.service}",
            cluster=settings.cluster,
            service=settings.service,
            maxResults=min(count - len(found), _A_PAGE),
            **more,
        )
        found += answer["serviceDeployments"]
        if not answer.get("nextToken"):
            break
        more = {"nextToken": answer["nextToken"]}
    return found


def _service_revisions(aws: Aws, settings: Settings, arns: list[str]) -> dict[str, dict[str, Any]]:
    unique = list(dict.fromkeys(arns))
    answers = together(
        *(
            partial(
                aws.call,
                "ecs:DescribeServiceRevisions",
                f"service {settings.service}",
                serviceRevisionArns=unique[first : first + _A_CALL],
            )
            for first in range(0, len(unique), _A_CALL)
        )
    )
    return {each["serviceRevisionArn"]: each for answer in answers for each in answer["serviceRevisions"]}


def _release(
    settings: Settings,
    deployment: Mapping[str, Any],
    revision: Mapping[str, Any],
    kept: Mapping[str, tuple[str, ...]] | None,
    speed: float,
) -> Release:
    tasks = deployment["targetServiceRevision"].get("requestedTaskCount", 0)
    began, ended = deployment.get("startedAt") or deployment["createdAt"], deployment.get("finishedAt")
    image, digest = _image(settings, revision)
    definition = revision["taskDefinition"]
    is_release = not str(image).endswith(f":{NO_RELEASE}")
    return Release(
        definition,
        deployment["status"],
        deployment.get("statusReason") or "",
        deployment["createdAt"],
        (ended - began).total_seconds() * speed if ended else None,
        tasks,
        image,
        (kept or {}).get(digest, ()),
        live=deployment["status"] == "SUCCESSFUL" and tasks > 0 and is_release,
        gone=digest not in kept if kept is not None and _is_of(settings, image) and digest else None,
    )


def _image(settings: Settings, revision: Mapping[str, Any]) -> tuple[str | None, str]:
    """The app's image in a service revision, and its digest, empty where ECS does not say it."""
    every = revision.get("containerImages") or [{}]
    found = next((each for each in every if each.get("containerName") == settings.container.name), every[0])
    image = found.get("image")
    return image, found.get("imageDigest") or str(image).partition("@")[2]


def _is_of(settings: Settings, image: str | None) -> bool:
    """Whether an image is one of the repository."""
    return str(image).partition("@")[0].partition("/")[2].partition(":")[0] == settings.repository


def _kept(aws: Aws, settings: Settings) -> dict[str, tuple[str, ...]] | None:
    """Digest → tags of the repository's images; None where ECR does not show them."""
    try:
        images = aws.pages(
            "ecr:DescribeImages", "imageDetails", settings.repository, repositoryName=settings.repository
        )
    except AwsCallError:
        return None
    return {each["imageDigest"]: given_tags(each) for each in images}


def _revisions(aws: Aws, settings: Settings, service: Mapping[str, Any], count: int) -> Iterable[Release]:
    """The family's newest revisions, as far as no more is known."""
    family = service["taskDefinition"].rpartition("/")[2].rpartition(":")[0]
    arns = aws.call("ecs:ListTaskDefinitions", family, familyPrefix=family, sort="DESC", maxResults=count)
    found = together(*(partial(described, aws, arn) for arn in arns["taskDefinitionArns"]))
    for each in found:
        if each and not is_no_release(each):
            image = container_of(each, settings.container.name)["image"]
            arn = each["taskDefinitionArn"]
            yield Release(
                arn, at=each.get("registeredAt"), image=image, current=arn == service["taskDefinition"]
            )
