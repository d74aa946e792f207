"""A deployment from the tag to the verdict: the stages, in order.

``deploy`` starts a deployment and follows it; ``follow`` follows an existing one by its task definition. Both return
an ``Outcome``. Before the start they raise RefusedError or UsageError; Ctrl-C raises InterruptedRunError, which
says what continues in AWS.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from ...account import find_task_definition
from ...aws import Aws
from ...definition import container_of
from ...errors import InterruptedRunError, LobsterError, OutOfTimeError, RefusedError, UsageError
from ...in_parallel import in_parallel
from ...secrecy import told_secrets
from ...settings import Settings
from ...stack.task_definition import differences
from ..diagnosis.causes import Cause
from ..observation.changes import changes
from ..observation.history import expected_duration
from ..observation.judge import Verdict, judge
from ..observation.service import active_service, by_revision, is_no_release, rollout_of
from ..observation.snapshot import FINAL_STATUSES, Rollout, Service, Snapshot, revision_of, short
from ..observation.timeline import Observe, Timeline, unobserved
from ..observation.watch import Watcher, find_record, watch
from .busy import IfBusy, await_current_deployment
from .conclusion import conclude
from .fail_fast import FailFast
from .keeping import keep, keep_those_of
from .outcome import Outcome
from .preflight import preflight
from .release import PreparedRelease, decide_update, identity_of, prepare, register_revision, update
from .scaling_minimum import raise_scaling_minimum

_REVISION = re.compile(r"[A-Za-z0-9_-]{1,255}:\d{1,10}")
_DEFINITION = re.compile(
    rf"arn:aws[\w-]{{0,20}}:ecs:(?P<region>[\w-]{{1,40}}):(?P<account>\d{{12}}):task-definition/{_REVISION.pattern}"
)


def deploy(
    aws: Aws,
    settings: Settings,
    tag: str,
    *,
    force: bool = False,
    if_busy: IfBusy = "wait",
    observe: Observe = unobserved,
) -> Outcome:
    """Bring the image of ``tag`` (a tag, a digest, or a full reference) to live, or say why it is not.

    ``if_busy`` says what to do about another deployment in progress: wait, replace it, or refuse.
    """
    timeline = Timeline(aws.clock, observe, calls=aws.calls)
    with interrupted_as("Interrupted before anything was changed."):
        prepared = prepare(aws, settings, tag)
        timeline.hidden = told_secrets(prepared.definition)
        # Without a difference, the deployment in progress is the requested one.
        if differences(prepared.current, prepared.definition):
            prepared = await_current_deployment(aws, settings, prepared, if_busy, timeline)
        _, timeline.expected = in_parallel(
            partial(preflight, aws, settings, prepared, timeline), partial(expected_duration, aws, settings)
        )
    timeline.enter("update")
    with interrupted_as(
        "Interrupted in the middle of the update.", "inv status shows whether AWS has accepted it"
    ):
        keep_those_of(aws, settings, prepared.service, timeline.say)
        revision = register_revision(aws, prepared, timeline)
        rollout = begin(aws, settings, prepared, revision, force, timeline)
    return replace(run(aws, settings, rollout, timeline), image=prepared.image.uri)


def follow(aws: Aws, settings: Settings, task_definition: str, *, observe: Observe = unobserved) -> Outcome:
    """Follow the service's deployment of a registered task definition (ARN) to its verdict."""
    timeline = Timeline(aws.clock, observe, calls=aws.calls)
    task_definition = registered_arn(aws, task_definition)
    rollout, timeline.expected, definition = in_parallel(
        partial(find_rollout, aws, settings, task_definition),
        partial(expected_duration, aws, settings),
        partial(find_task_definition, aws, task_definition),
    )
    timeline.hidden = told_secrets(definition)
    image = container_of(definition or {}, settings.container.name).get("image")
    return replace(run(aws, settings, rollout, timeline), image=image)


def registered_arn(aws: Aws, given: str) -> str:
    """The ARN of a task definition in this account and region, from an ARN or ``family:revision``.

    Raises UsageError for anything else.
    """
    here = f"arn:{aws.partition}:ecs:{aws.region}:{aws.account}:task-definition/"
    example = f"inv deploy --registered {here}lobster-streamlit-task:41"
    if _REVISION.fullmatch(given):
        return f"{here}{given}"
    found = _DEFINITION.fullmatch(given)
    if found is None:
        raise UsageError(f"{given!r} is not the ARN of a task definition's revision.", next_step=example)
    if (found["region"], found["account"]) != (aws.region, aws.account):
        raise UsageError(
            f"{given} is of another account or region.", f"here it is {aws.account} in {aws.region}", example
        )
    return given


def begin(
    aws: Aws, settings: Settings, prepared: PreparedRelease, revision: str, force: bool, timeline: Timeline
) -> Rollout:
    """Update the service unless it has the revision already; returns the identity of the deployment to follow."""
    found = identity_of(settings.cluster, prepared, prepared.service, revision)
    there = found.deployment is not None
    serves = there and judge([Watcher(aws, by_revision(found)).snapshot()]).kind == "live"
    desired_count = settings.deployment.desired_count
    decision = decide_update(Service.of(prepared.service), revision, serves, force, desired_count)
    if decision.why:
        timeline.say(decision.why)
    if decision.kind == "update":
        return update(aws, settings, prepared, revision, decision)
    return by_revision(found) if decision.kind == "verify" else found


def find_rollout(aws: Aws, settings: Settings, task_definition: str) -> Rollout:
    """The identity of the service's deployment of a revision; RefusedError where it never had one."""
    service = active_service(aws, settings.cluster, settings.service)
    rollout = rollout_of(settings.cluster, service, task_definition)
    if rollout.previous is not None:
        before = find_task_definition(aws, rollout.previous) or {}
        rollout = replace(rollout, is_first=is_no_release(before))
    if rollout.deployment is not None:
        return rollout
    record = find_record(aws, rollout)
    if record is None:
        raise RefusedError(
            f"The service {settings.service} has no deployment of {short(task_definition)}.",
            "only a deployment of the service can be followed",
            f"inv deploy --tag T, or update the service to {short(task_definition)} first",
        )
    return replace(rollout, created_at=record["createdAt"])


def run(aws: Aws, settings: Settings, rollout: Rollout, timeline: Timeline) -> Outcome:
    """Follow a rollout to its outcome."""
    seen: list[Snapshot] = []
    called, began = timeline.called, timeline.seconds
    with resumable(rollout, seen):
        verdict, known = watch_to_verdict(aws, settings, rollout, timeline, seen)
        if verdict.kind == "live":
            raise_scaling_minimum(aws, settings, timeline)
            keep(aws, settings, rollout.task_definition, timeline.say)
        minutes, calls = (timeline.seconds - began) / 60, timeline.called - called
        outcome = conclude(aws, settings, seen, verdict, timeline, known)
    return replace(outcome, calls=timeline.called, calls_per_minute=calls / max(minutes, 1))


def watch_to_verdict(
    aws: Aws, settings: Settings, rollout: Rollout, timeline: Timeline, seen: list[Snapshot]
) -> tuple[Verdict, tuple[Cause, ...]]:
    """Watch until there is a verdict, or until the time is up (it is then ``moving``); ``seen`` collects the
    snapshots.

    Also returns the causes for which the deployment was stopped, or would have been before ECS completed it.
    """
    verdict = Verdict("moving", "AWS did not answer any request about it")
    fail_fast = FailFast(aws, settings, timeline)
    drain = settings.deployment.deregistration_delay
    for snapshot in watch(aws, rollout, settings.deployment.wait_minutes * 60, drain):
        said = changes(seen[-1] if seen else None, snapshot)
        seen.append(snapshot)
        timeline.saw(snapshot, said)
        verdict = judge(seen)
        if verdict.final:
            break
        fail_fast.consider(seen, verdict)
        if fail_fast.too_late:
            verdict = Verdict("failed", _fails_later(rollout))
            break
    return verdict, fail_fast.causes


def _fails_later(rollout: Rollout) -> str:
    told = "ECS calls the deployment successful, but its tasks keep failing"
    return told if rollout.is_first else f"{told}; inv rollback goes back to the previous release"


@contextmanager
def interrupted_as(what: str, next_step: str = "run the same command again") -> Iterator[None]:
    """Raise InterruptedRunError with this text on Ctrl-C."""
    try:
        yield
    except (KeyboardInterrupt, InterruptedRunError):
        raise InterruptedRunError(what, next_step=next_step) from None


@contextmanager
def resumable(rollout: Rollout, seen: Sequence[Snapshot] = ()) -> Iterator[None]:
    """When following ends early, say what continues in AWS, how to follow it again, and how to undo it."""
    follow = f"inv deploy --registered {rollout.task_definition}"
    try:
        yield
    except (KeyboardInterrupt, InterruptedRunError):
        undo = "inv scale --to 0" if rollout.is_first else "inv rollback"
        next_step = f"follow it: {follow}; undo it: {undo}"
        raise InterruptedRunError(f"Interrupted: {_going_on(rollout, seen)}.", next_step=next_step) from None
    except OutOfTimeError:
        raise
    except LobsterError as error:
        raise OutOfTimeError(
            f"Connection lost: {_going_on(rollout, seen)}.",
            f"{error.what} {error.why}".strip(),
            f"inv status, or {follow}",
        ) from error


def _going_on(rollout: Rollout, seen: Sequence[Snapshot]) -> str:
    ours = revision_of(rollout.task_definition)
    status = seen[-1].record.status if seen and seen[-1].record else ""
    if status in FINAL_STATUSES:
        what = {"SUCCESSFUL": "is done", "STOPPED": "was stopped"}.get(status, "was rolled back")
        return f"the deployment of revision {ours} to {rollout.service} {what}; the app was not probed yet"
    if status.startswith("ROLLBACK"):
        return f"the rollback from revision {ours} of {rollout.service} continues in AWS"
    return f"the deployment of revision {ours} to {rollout.service} continues in AWS"
