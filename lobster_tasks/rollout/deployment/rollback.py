"""Rolls back to an earlier live release: deploys its revision, followed like any deployment."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from ...account import find_task_definition
from ...aws import Aws
from ...definition import container_of
from ...errors import AwsCallError, NotReadyError, UsageError
from ...secrecy import told_secrets
from ...settings import Settings
from ..cause_code import CauseCode
from ..observation.history import History, Release, history, live_before
from ..observation.service import active_service, is_no_release
from ..observation.snapshot import revision_of
from ..observation.timeline import Observe, Timeline, unobserved
from .busy import IfBusy, await_current_deployment
from .keeping import keep_those_of
from .outcome import Outcome
from .pipeline import begin, interrupted_as, run
from .preflight import preflight
from .preview import Preview
from .release import MissingImage, PreparedRelease, find_image, missing_images

_LOOKED_AT = 100


def rollback(
    aws: Aws,
    settings: Settings,
    to: int | None = None,
    *,
    if_busy: IfBusy = "supersede",
    observe: Observe = unobserved,
) -> Outcome:
    """Deploy revision ``to``, by default that of the last live release before the current one that can still run.

    Raises NotReadyError where there is none, or where something that it needs does not exist.
    """
    timeline = Timeline(aws.clock, observe, calls=aws.calls)
    with interrupted_as("Interrupted before anything was changed."):
        arn, prepared = _goal(aws, settings, to, timeline)
        timeline.hidden = told_secrets(prepared.definition)
        if arn != prepared.running:
            prepared = await_current_deployment(aws, settings, prepared, if_busy, timeline)
        preflight(aws, settings, prepared, timeline)
    timeline.enter("update")
    with interrupted_as(
        "Interrupted in the middle of the update.", "inv status shows whether AWS has accepted it"
    ):
        keep_those_of(aws, settings, prepared.service, timeline.say)
        rollout = begin(aws, settings, prepared, arn, False, timeline)
    return replace(run(aws, settings, rollout, timeline), image=prepared.image.uri)


def preview_rollback(
    aws: Aws, settings: Settings, to: int | None = None, *, observe: Observe = unobserved
) -> Preview:
    """Everything that ``rollback`` checks before it changes anything; raises NotReadyError likewise."""
    timeline = Timeline(aws.clock, observe)
    _, prepared = _goal(aws, settings, to, timeline)
    preflight(aws, settings, prepared, timeline)
    return Preview(prepared.image.uri, prepared.running, prepared.changes)


def _goal(aws: Aws, settings: Settings, to: int | None, timeline: Timeline) -> tuple[str, PreparedRelease]:
    """The revision to roll back to (ARN), and the prepared release."""
    service = active_service(aws, settings.cluster, settings.service)
    prepared = (
        _last(aws, settings, service, timeline) if to is None else _of_revision(aws, settings, service, to)
    )
    arn = str(prepared.definition["taskDefinitionArn"])
    timeline.say(f"revision {revision_of(prepared.running)} → revision {revision_of(arn)}")
    return arn, prepared


def _last(aws: Aws, settings: Settings, service: Mapping[str, Any], timeline: Timeline) -> PreparedRelease:
    """The newest release that was live and can still run; reports those that cannot."""
    gone: list[NotReadyError] = []
    known = history(aws, settings, _LOOKED_AT)
    for release, found in _before(aws, settings, service, known):
        if isinstance(found, NotReadyError):
            gone.append(found)
            was = "was live and" if release.live else "was registered and"
            timeline.say(f"revision {release.revision} {was} cannot run any more: {found.what}")
            continue
        if not release.live:
            timeline.say(f"whether revision {release.revision} was ever live is not known: {known.note}")
            timeline.say("to choose another one: inv rollback --to N; inv history lists them")
        return found
    if not gone:
        raise NotReadyError(
            "There is no release to go back to.",
            f"no other revision of {settings.service} was live, as far as is known",
            "inv history lists the releases; inv deploy --tag T deploys a new one",
            code=CauseCode.NO_RELEASE_BEFORE,
        )
    if len(gone) == 1:
        raise gone[0]
    raise NotReadyError(
        f"None of the {len(gone)} previous releases can still run.",
        "their images or revisions were deleted",
        "inv push-image --tag T, then inv deploy --tag T",
        code=gone[0].code,
        problems=[each.what for each in gone],
    )


def _of_revision(aws: Aws, settings: Settings, service: Mapping[str, Any], number: int) -> PreparedRelease:
    """Revision ``number``; where it cannot run any more, the error names one that can."""
    try:
        return _prepared(aws, settings, service, _registered(aws, _named(service, number)))
    except NotReadyError as refused:
        instead = _runnable(aws, settings, service)
        if instead is None:
            raise
        raise NotReadyError(
            refused.what, refused.why, f"inv rollback --to {instead}", code=refused.code
        ) from refused


def _runnable(aws: Aws, settings: Settings, service: Mapping[str, Any]) -> str | None:
    """The number of the newest revision that was live and can still run."""
    each = _before(aws, settings, service, history(aws, settings, _LOOKED_AT))
    runnable = (found for _, found in each if isinstance(found, PreparedRelease))
    return next((str(prepared.definition["revision"]) for prepared in runnable), None)


def _before(
    aws: Aws, settings: Settings, service: Mapping[str, Any], known: History
) -> Iterator[tuple[Release, PreparedRelease | NotReadyError]]:
    """Earlier releases that were, or may have been, live: each prepared, or with the error why it cannot run."""
    for each in live_before(known.releases, service["taskDefinition"]):
        found: PreparedRelease | NotReadyError
        try:
            found = _prepared(aws, settings, service, _registered(aws, each.task_definition))
        except NotReadyError as refused:
            found = refused
        yield each, found


def _named(service: Mapping[str, Any], number: int) -> str:
    """Revision ``number`` of the service's family."""
    return f"{service['taskDefinition'].rpartition(':')[0]}:{number}"


def _registered(aws: Aws, arn: str) -> Mapping[str, Any]:
    found = find_task_definition(aws, arn)
    shown = "inv history shows the releases"
    if found is None or is_no_release(found):
        raise NotReadyError(
            f"There is no release of revision {revision_of(arn)}.",
            "",
            shown,
            code=CauseCode.NO_RELEASE_BEFORE,
        )
    if found["status"] != "ACTIVE":
        raise NotReadyError(
            f"Revision {revision_of(arn)} is {found['status']}: it was deregistered.",
            "ECS starts no tasks of it",
            "inv deploy --tag T with the tag of its image",
            code=CauseCode.NO_RELEASE_BEFORE,
        )
    return found


def _prepared(
    aws: Aws, settings: Settings, service: Mapping[str, Any], definition: Mapping[str, Any]
) -> PreparedRelease:
    reference = str(container_of(definition, settings.container.name)["image"])
    try:
        image = find_image(aws, settings.repository, reference)
    except UsageError as elsewhere:
        raise NotReadyError(
            f"Revision {definition['revision']} runs {reference}.",
            f"it is not an image of the repository {settings.repository}, so it cannot be checked",
            "set repository to its repository",
            code=CauseCode.IMAGE_NOT_FOUND,
        ) from elsewhere
    for other in _missing_images(aws, definition, settings.container.name):
        named = f"the container {other.container} with {other.reference}"
        what = other.held.what if other.held else "no longer exists"
        raise NotReadyError(
            f"Revision {definition['revision']} has {named}, which {what}.",
            "its task cannot start without that image",
            other.held.fix if other.held else "inv history, then inv rollback --to N",
            code=CauseCode.IMAGE_NOT_FOUND,
        )
    current = find_task_definition(aws, service["taskDefinition"]) or {}
    return PreparedRelease(image, service, definition, image.digest, current)


def _missing_images(aws: Aws, definition: Mapping[str, Any], container: str) -> list[MissingImage]:
    """The missing images; without the permission to check, none."""
    try:
        return missing_images(aws, definition, container)
    except AwsCallError:
        return []
