"""A deployment from the tag to the verdict: the stages, in order.

``deploy`` makes a deployment and follows it; ``follow`` follows one that somebody else has made, by its task
definition. Both end in an ``Outcome``. What cannot begin raises RefusedError or UsageError; Ctrl-C raises
InterruptedRunError, which says what goes on in AWS.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from ..aws import Aws
from ..errors import InterruptedRunError, LobsterError, OutOfTimeError, RefusedError
from ..probe import find_door, probe
from ..settings import Settings
from .changes import changes
from .diagnose import diagnose
from .findings import findings
from .inquiry import gather
from .judge import Verdict, judge
from .outcome import Cause, End, Journal, Observe, Outcome, Probe, unobserved
from .release import (
    Ground,
    active_service,
    decide,
    image_of,
    prepare,
    rollout_of,
    settle_revision,
    standing,
    update,
)
from .snapshot import Rollout, Service, Snapshot, revision_of, short
from .watch import Watcher, find_record, watch


def deploy(
    aws: Aws, settings: Settings, tag: str, *, force: bool = False, observe: Observe = unobserved
) -> Outcome:
    """Bring the image behind ``tag`` (a tag, a digest, or a full reference) to live, or say why it is not."""
    journal = Journal(aws.clock, observe)
    ground = prepare(aws, settings, tag)
    revision = settle_revision(aws, ground, journal)
    rollout = begin(aws, settings, ground, revision, force, journal)
    with in_sight(rollout):
        snapshots, verdict = watch_to_verdict(aws, settings, rollout, journal)
        outcome = conclude(aws, settings, snapshots, verdict, journal)
    return replace(outcome, image=ground.image.uri)


def follow(aws: Aws, settings: Settings, task_definition: str, *, observe: Observe = unobserved) -> Outcome:
    """Follow the service's deployment of a registered task definition (ARN) to its verdict."""
    journal = Journal(aws.clock, observe)
    rollout = find_rollout(aws, settings, task_definition)
    with in_sight(rollout):
        snapshots, verdict = watch_to_verdict(aws, settings, rollout, journal)
        outcome = conclude(aws, settings, snapshots, verdict, journal)
    return replace(outcome, image=image_of(aws, settings, task_definition))


def begin(
    aws: Aws, settings: Settings, ground: Ground, revision: str, force: bool, journal: Journal
) -> Rollout:
    """Set the service in motion unless it is there already; the identity of what is to be followed."""
    found = rollout_of(settings, ground.service, revision, ground)
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
    if rollout.deployment is not None:
        return rollout
    record = find_record(aws, rollout)
    if record is None:
        raise RefusedError(
            f"The service {settings.service} has no deployment of {short(task_definition)}.",
            "only what was deployed can be followed",
            f"inv deploy --tag T, or update the service to {short(task_definition)} first",
        )
    return replace(rollout, created_at=record["createdAt"])


def watch_to_verdict(
    aws: Aws, settings: Settings, rollout: Rollout, journal: Journal
) -> tuple[Sequence[Snapshot], Verdict]:
    """Look until there is a verdict, or until the time is up (then the verdict is still ``moving``)."""
    snapshots: list[Snapshot] = []
    verdict = Verdict("moving", "nothing could be seen of it")
    for snapshot in watch(aws, rollout, settings.deployment.wait_minutes * 60):
        journal.saw(snapshot, changes(snapshots[-1] if snapshots else None, snapshot))
        snapshots.append(snapshot)
        verdict = judge(snapshots)
        if verdict.final:
            break
    return snapshots, verdict


def conclude(
    aws: Aws, settings: Settings, snapshots: Sequence[Snapshot], verdict: Verdict, journal: Journal
) -> Outcome:
    """Ask through the load balancer, find the cause where it is not live, and put it all together."""
    if not snapshots:
        raise OutOfTimeError(
            f"{verdict.why[0].upper()}{verdict.why[1:]} in {settings.deployment.wait_minutes:g} minutes.",
            "AWS answered none of the looks",
            "inv status",
        )
    last = snapshots[-1]
    answered = ask(aws, settings, last, journal) if verdict.kind in ("live", "rolled_back") else None
    end, wrong = _end(verdict, answered)
    causes: tuple[Cause, ...] = (wrong,) if wrong else ()
    if not causes and end != "live":
        causes = diagnose(gather(aws, settings, snapshots, verdict))
    return Outcome(
        verdict=end,
        why=verdict.why,
        cause=next(iter(causes), None),
        also=causes[1:],
        findings=findings(last),
        url=answered.url if answered else _url(aws, last.rollout),
        task_definition=last.rollout.task_definition,
        previous_task_definition=last.rollout.previous,
        seconds=journal.seconds,
        timeline=tuple(journal.moments),
        probe=answered,
    )


def ask(aws: Aws, settings: Settings, last: Snapshot, journal: Journal) -> Probe | None:
    """Probe the service through its load balancer; None where it has none."""
    door = find_door(aws, last.rollout.target_group_arns)
    if door is None:
        return None
    answered = probe(aws.clock, door, settings.probe.path, settings.probe.websocket)
    for answer in answered.answers:
        journal.say(answer.said)
    if door.internal and not answered.page.reached:
        journal.say("the load balancer is internal and cannot be reached from here")
        return None
    return replace(answered, new_release=bool(last.running) and last.only_ours_are_healthy)


@contextmanager
def in_sight(rollout: Rollout) -> Iterator[None]:
    """Whatever ends the following early says that the deployment goes on, and how to see it again."""
    revision = f"the deployment of revision {revision_of(rollout.task_definition)} to {rollout.service}"
    next_step = f"inv status, or inv deploy --registered {rollout.task_definition}"
    try:
        yield
    except (KeyboardInterrupt, InterruptedRunError):
        raise InterruptedRunError(f"Interrupted: {revision} goes on in AWS.", next_step=next_step) from None
    except OutOfTimeError:
        raise
    except LobsterError as error:
        raise OutOfTimeError(
            f"Lost sight of {revision}, which goes on in AWS.", f"{error.what} {error.why}".strip(), next_step
        ) from error


def _end(verdict: Verdict, answered: Probe | None) -> tuple[End, Cause | None]:
    """The verdict as the outcome has it: live is only what answers, too."""
    if verdict.kind == "moving":
        return "out_of_time", None
    if verdict.kind != "live" or answered is None or answered.ok:
        return verdict.kind, None
    wrong = [answer.said for answer in answered.answers if not answer.ok]
    cause = Cause(
        "probe-failed",
        "ECS calls the deployment successful, but the app does not answer as it should.",
        tuple(wrong),
        "inv logs, and check probe.path and probe.websocket in the settings",
    )
    return "failed", cause


def _url(aws: Aws, rollout: Rollout) -> str | None:
    door = find_door(aws, rollout.target_group_arns)
    return door.url if door else None
