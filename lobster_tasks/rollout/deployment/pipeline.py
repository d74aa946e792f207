"""A deployment from the tag to the verdict: the stages, in order.

``deploy`` makes a deployment and follows it; ``follow`` follows one that somebody else has made, by its task
definition. Both end in an ``Outcome``. What cannot begin raises RefusedError or UsageError; Ctrl-C raises
InterruptedRunError, which says what continues in AWS.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from ...aws import Aws
from ...errors import InterruptedRunError, LobsterError, OutOfTimeError, RefusedError, UsageError
from ...in_parallel import in_parallel
from ...settings import Settings
from ...stack.task_definition import differences
from ..diagnosis.causes import Cause
from ..observation.changes import changes
from ..observation.history import expectation
from ..observation.judge import Verdict, judge
from ..observation.service import active_service, described, image_of, is_no_release, rollout_of, standing
from ..observation.snapshot import FINAL_STATUSES, Rollout, Service, Snapshot, revision_of, short
from ..observation.timeline import Journal, Observe, unobserved
from ..observation.watch import Watcher, find_record, watch
from .bounds import settle_bounds
from .busy import IfBusy, make_way
from .conclusion import conclude
from .fail_fast import Brake
from .keeping import keep, keep_those_of
from .outcome import Outcome
from .preflight import preflight
from .release import Ground, decide, identity_of, prepare, settle_revision, update

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
    """Bring the image behind ``tag`` (a tag, a digest, or a full reference) to live, or say why it is not.

    ``if_busy`` says what to do while another deployment is under way: wait, take its place, or refuse.
    """
    journal = Journal(aws.clock, observe, calls=aws.calls)
    with interrupted_as("Interrupted before anything was changed."):
        ground = prepare(aws, settings, tag)
        if differences(ground.current, ground.definition):  # otherwise what is under way is what is wanted
            ground = make_way(aws, settings, ground, if_busy, journal)
        _, journal.expected = in_parallel(
            partial(preflight, aws, settings, ground, journal), partial(expectation, aws, settings)
        )
    journal.enter("update")
    with interrupted_as(
        "Interrupted in the middle of the update.", "inv status shows whether AWS has taken it"
    ):
        keep_those_of(aws, settings, ground.service, journal.say)
        revision = settle_revision(aws, ground, journal)
        rollout = begin(aws, settings, ground, revision, force, journal)
    return replace(run(aws, settings, rollout, journal), image=ground.image.uri)


def follow(aws: Aws, settings: Settings, task_definition: str, *, observe: Observe = unobserved) -> Outcome:
    """Follow the service's deployment of a registered task definition (ARN) to its verdict."""
    journal = Journal(aws.clock, observe, calls=aws.calls)
    task_definition = registered_arn(aws, task_definition)
    rollout, journal.expected = in_parallel(
        partial(find_rollout, aws, settings, task_definition), partial(expectation, aws, settings)
    )
    return replace(run(aws, settings, rollout, journal), image=image_of(aws, settings, task_definition))


def registered_arn(aws: Aws, given: str) -> str:
    """The ARN of a task definition of this account and region, from itself or from ``family:revision``.

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
    aws: Aws, settings: Settings, ground: Ground, revision: str, force: bool, journal: Journal
) -> Rollout:
    """Set the service in motion unless it is there already; the identity of what is to be followed."""
    found = identity_of(settings, ground, ground.service, revision)
    there = found.deployment is not None
    serves = there and judge([Watcher(aws, standing(found)).look()]).kind == "live"
    wanted = settings.deployment.desired_count
    move = decide(Service.of(ground.service), revision, serves, force, wanted)
    if move.why:
        journal.say(move.why)
    if move.kind == "update":
        return update(aws, settings, ground, revision, move)
    return standing(found) if move.kind == "verify" else found


def find_rollout(aws: Aws, settings: Settings, task_definition: str) -> Rollout:
    """The identity of the service's deployment of a revision; RefusedError when it has never had one."""
    rollout = rollout_of(settings, active_service(aws, settings), task_definition)
    if rollout.previous is not None:
        before = described(aws, rollout.previous) or {}
        rollout = replace(rollout, first=is_no_release(before))
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


def run(aws: Aws, settings: Settings, rollout: Rollout, journal: Journal) -> Outcome:
    """Follow a rollout to its end."""
    seen: list[Snapshot] = []
    called, began = journal.called, journal.seconds
    with in_sight(rollout, seen):
        verdict, known = watch_to_verdict(aws, settings, rollout, journal, seen)
        if verdict.kind == "live":
            settle_bounds(aws, settings, journal)
            keep(aws, settings, rollout.task_definition, journal.say)
        minutes, calls = (journal.seconds - began) / 60, journal.called - called
        outcome = conclude(aws, settings, seen, verdict, journal, known)
    return replace(outcome, calls=journal.called, calls_per_minute=calls / max(minutes, 1))


def watch_to_verdict(
    aws: Aws, settings: Settings, rollout: Rollout, journal: Journal, seen: list[Snapshot]
) -> tuple[Verdict, tuple[Cause, ...]]:
    """Look until there is a verdict, or until the time is up (then it is still ``moving``); ``seen`` gets the looks.

    With it the causes for which the deployment was stopped on the way.
    """
    verdict = Verdict("moving", "AWS answered no request about it")
    brake = Brake(aws, settings, journal)
    drain = settings.deployment.deregistration_delay
    for snapshot in watch(aws, rollout, settings.deployment.wait_minutes * 60, drain):
        said = changes(seen[-1] if seen else None, snapshot)
        seen.append(snapshot)
        journal.saw(snapshot, said)
        verdict = judge(seen)
        if verdict.final:
            break
        brake.consider(seen, verdict)
    return verdict, brake.causes


@contextmanager
def interrupted_as(what: str, next_step: str = "run the same command again") -> Iterator[None]:
    """Ctrl-C says how things are at this point."""
    try:
        yield
    except (KeyboardInterrupt, InterruptedRunError):
        raise InterruptedRunError(what, next_step=next_step) from None


@contextmanager
def in_sight(rollout: Rollout, seen: Sequence[Snapshot] = ()) -> Iterator[None]:
    """Whatever ends the following early says what continues in AWS, how to see it again, and how to undo it."""
    follow = f"inv deploy --registered {rollout.task_definition}"
    try:
        yield
    except (KeyboardInterrupt, InterruptedRunError):
        undo = "inv scale --to 0" if rollout.first else "inv rollback"
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
