"""Fails fast: stops and rolls back a deployment at the second equal failure, if waiting does not help.

An image that is missing in its registry is enough at once, because the agent retries for minutes before it reports
it.

ECS's circuit breaker needs three failures for a service with one task, and a hundred for one with two hundred. Where
a service has no circuit breaker that rolls back, as in a deployment by others, this module counts failures instead.
Failures that may pass (a new role, capacity) are waited for and reported.

Tasks may also fail once ECS has completed the deployment. Then nothing is left to stop, and only waiting ends; what
failed before, perhaps long ago, does not count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ...aws import Aws
from ...errors import AwsCallError
from ...settings import Settings
from ..cause_code import CauseCode
from ..diagnosis.causes import CODES, RECORDS, Cause
from ..diagnosis.diagnose import LOOKED_UP, PERMISSIONS, diagnose, failures
from ..diagnosis.evidence_collection import collect_evidence
from ..diagnosis.image_pull import slow_to_start, wrong_image
from ..diagnosis.stop_reasons import ROLE, codes_of
from ..observation.judge import Verdict
from ..observation.snapshot import Snapshot
from ..observation.timeline import Timeline

_ENOUGH = 2
_ENOUGH_OF: Mapping[tuple[str, ...], int] = {(CauseCode.IMAGE_NOT_FOUND,): 1}
_HOPELESS = "retrying does not help, so the deployment is stopped and rolled back"
_TOO_LATE = "ECS has completed the deployment, so nothing rolls it back"
_LEAST, _MOST = 3, 200
_LACKS = frozenset(code for code in CauseCode if RECORDS[code].is_lack)
_STOPPABLE = ("PENDING", "IN_PROGRESS")
_OVER = ("ConflictException", "ServiceDeploymentNotFoundException")


@dataclass(frozen=True)
class RepeatedFailure:
    """Why tasks failed, and how many of them."""

    reason: str
    count: int


class FailFast:
    """Checks each snapshot of one rollout; ``causes`` are the reasons for stopping it, empty where it was not stopped.

    ``too_late`` is true where they showed only when ECS had completed the deployment.
    """

    def __init__(self, aws: Aws, settings: Settings, timeline: Timeline) -> None:
        self.causes: tuple[Cause, ...] = ()
        self.too_late = False
        self._aws = aws
        self._settings = settings
        self._timeline = timeline
        self._considered: set[RepeatedFailure | str] = set()
        self._told: set[str] = set()
        self._asked_ecr = False
        self._first_complete: Snapshot | None = None

    def consider(self, snapshots: Sequence[Snapshot], verdict: Verdict) -> None:
        """Stop the deployment where a failure repeats that waiting does not remedy."""
        last = snapshots[-1]
        self._tell_of_waiting(last)
        self._look_at_what_is_pulled(last)
        if self._first_complete is None and last.is_complete:
            self._first_complete = last
        counted = counted_since(self._first_complete, last)
        failure = repeated_failure(counted)
        if failure is None or self.causes or not (_is_going(last) or last.is_complete):
            return
        may_end = self._settings.deployment.rollback or last.is_complete
        is_ours_to_end = may_end and has_failed_enough(counted)
        if self._considered & {failure, failure.reason} and not is_ours_to_end:
            return
        if last.healthy:  # some tasks are healthy, so the release may still succeed
            return
        seen = (*snapshots[:-1], counted)
        causes = diagnose(collect_evidence(self._aws, self._settings, seen, verdict))
        may_heal = any(cause.heals for cause in causes)
        # Another failure can show more than this one: the account may have changed, or a log may tell the reason.
        may_change = may_heal or causes[0].code in PERMISSIONS | LOOKED_UP
        self._considered.add(failure if may_change else failure.reason)
        if may_heal and not is_ours_to_end:
            self._say(causes[0], "retrying may help, and ECS retries", failure.count)
        elif last.is_complete:
            self._give_up(causes, failure.count)
        elif not self._settings.deployment.rollback:
            until = (
                "until its circuit breaker stops the deployment"
                if last.service.breaks
                else "and nothing stops the deployment"
            )
            self._say(causes[0], f"deployment.rollback is false, so ECS continues {until}", failure.count)
        else:
            self._stop(last, causes, failure.count)

    def _tell_of_waiting(self, last: Snapshot) -> None:
        """Report missing Fargate capacity, which may become available."""
        for code in sorted(missing_capacity(last) - self._told):
            self._told.add(code)
            self._timeline.say(f"{code}: {CODES[code]} Retrying may help, and ECS retries")

    def _look_at_what_is_pulled(self, last: Snapshot) -> None:
        """Check a long-starting task's images in ECR directly, instead of waiting for ECS to report them."""
        waiting = slow_to_start(self._aws, last)
        if not waiting or self._asked_ecr or self.causes or not _is_going(last):
            return
        self._asked_ecr = True
        if (cause := wrong_image(self._aws, waiting[0])) is None:
            return
        self._told.add(cause.code)
        if self._settings.deployment.rollback:
            self._timeline.say(f"{cause.code}: {cause.message} {_HOPELESS.capitalize()}")
            self._end(last, (cause,))
        else:
            self._timeline.say(
                f"{cause.code}: {cause.message} deployment.rollback is false, so ECS continues"
            )

    def _say(self, cause: Cause, what: str, count: int) -> None:
        if cause.code not in self._told:
            self._told.add(cause.code)
            again = "The error occurred again" if count > 1 else "The agent retried it several times"
            self._timeline.say(f"{cause.code}: {cause.message} {again}; {what}")

    def _stop(self, last: Snapshot, causes: tuple[Cause, ...], count: int) -> None:
        if any(cause.heals for cause in causes):
            self._timeline.say("no circuit breaker ends the deployment, so it is stopped and rolled back")
        else:
            self._say(causes[0], _HOPELESS, count)
        self._end(last, causes)

    def _give_up(self, causes: tuple[Cause, ...], count: int) -> None:
        if causes[0].code in self._told:
            self._timeline.say(_TOO_LATE)
        else:
            self._say(causes[0], _TOO_LATE, count)
        self.causes, self.too_late = causes, True

    def _end(self, last: Snapshot, causes: tuple[Cause, ...]) -> None:
        self.causes = causes
        try:
            stop_deployment(self._aws, last)
        except AwsCallError as refused:
            self._timeline.say(f"the deployment could not be stopped, so ECS continues it: {refused.why}")


def stop_deployment(aws: Aws, last: Snapshot) -> None:
    """StopServiceDeployment with ROLLBACK; a deployment that has ended is left alone."""
    if last.record is not None and last.record.status in _STOPPABLE:
        aws.find(
            "ecs:StopServiceDeployment",
            _OVER,
            f"service {last.rollout.service}",
            serviceDeploymentArn=last.record.arn,
            stopType="ROLLBACK",
        )


def counted_since(complete: Snapshot | None, last: Snapshot) -> Snapshot:
    """``last`` without the failures that ``complete`` shows, the first snapshot of a completed deployment. Pure.

    Everything counts where there is none.
    """
    if complete is None:
        return last
    past = {task.arn for task in complete.ours if task.failed}
    told = {event.id for event in complete.service.events}
    failed = complete.deployment.failed if complete.deployment else 0
    deployments = tuple(
        replace(each, failed=max(0, each.failed - failed)) if each == last.deployment else each
        for each in last.service.deployments
    )
    events = tuple(event for event in last.service.events if event.id not in told)
    failures = complete.record.failures if complete.record else 0
    record = replace(last.record, failures=max(0, last.record.failures - failures)) if last.record else None
    service = replace(last.service, deployments=deployments, events=events)
    tasks = tuple(task for task in last.tasks if task.arn not in past)
    return replace(last, service=service, record=record, tasks=tasks)


def has_failed_enough(last: Snapshot) -> bool:
    """Whether enough tasks failed for a circuit breaker, and none acts. Pure.

    None acts where the service has none that rolls back, and once ECS has completed the deployment.

    DeploymentCircuitBreaker: half of the desired count, but at least 3 and at most 200.
    """
    limit = min(_MOST, max(_LEAST, -(-last.service.desired // 2)))
    failed = sum(task.failed for task in last.ours)
    breaker_acts = last.service.rolls_back and not last.is_complete
    return not breaker_acts and max(failed, last.deployment.failed if last.deployment else 0) >= limit


def missing_capacity(last: Snapshot) -> set[str]:
    """Codes of the Fargate shortages that ECS's events report. Pure."""
    return {code for text in _events(last) for code in codes_of(text) if code in _LACKS}


def repeated_failure(last: Snapshot) -> RepeatedFailure | None:
    """A failure that occurred often enough to act on it; None without one. Pure."""
    found = [
        each
        for each in failures(task for task in last.ours if task.failed)
        if len(each.tasks) >= _ENOUGH_OF.get(tuple(each.codes), _ENOUGH)
    ]
    if found:
        return RepeatedFailure(found[0].reason, len(found[0].tasks))
    refused = [text for text in _events(last) if ROLE in codes_of(text)]
    count = max(last.record.failures if last.record else 0, last.deployment.failed if last.deployment else 0)
    return RepeatedFailure(refused[0], count) if refused and count >= _ENOUGH else None


def _events(last: Snapshot) -> list[str]:
    """The events since our deployment was created, newest first."""
    began = last.rollout.created_at
    return [event.message for event in last.service.events if began and event.at >= began]


def _is_going(last: Snapshot) -> bool:
    return last.record is not None and last.record.status in _STOPPABLE
