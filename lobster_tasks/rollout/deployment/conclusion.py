"""Concludes a rollout: probes the app, finds the cause, and cleans up after a failure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from ...aws import Aws
from ...doctor import consult
from ...errors import AwsCallError, OutOfTimeError
from ...probe import (
    Answer,
    Probe,
    lacks_distribution,
    probe,
    visitors_address,
)
from ...settings import Settings
from ..cause_code import CauseCode, accepted_codes
from ..diagnosis.causes import Cause
from ..diagnosis.diagnose import diagnose
from ..diagnosis.evidence import Evidence
from ..diagnosis.evidence_collection import collect_evidence
from ..diagnosis.findings import findings
from ..diagnosis.fronting import (
    failing_hop,
    finding_of,
    has_reached,
    hiding_pages,
    misled_names,
    missing_hop,
    not_reachable,
)
from ..observation.judge import Verdict
from ..observation.snapshot import Snapshot, revision_of
from ..observation.timeline import Timeline
from ..observation.watch import Watcher, service_of
from ..observation.way import Trouble, VisitorsPath, hops, read_path, with_certificates
from .fail_fast import stop_deployment
from .outcome import End, Outcome

# Events, stopped tasks and log lines can be read only a little later.
_LOOKS_AGAIN = 3
_BETWEEN_LOOKS = 2.0


def conclude(
    aws: Aws,
    settings: Settings,
    snapshots: Sequence[Snapshot],
    verdict: Verdict,
    timeline: Timeline,
    known: tuple[Cause, ...] = (),
) -> Outcome:
    """Probe the app as visitors reach it, find the cause where it is not live, and return the outcome.

    ``known`` are causes for which the deployment was stopped; their evidence may be gone by now.
    """
    if not snapshots:
        raise OutOfTimeError(
            f"{verdict.why[0].upper()}{verdict.why[1:]} in {settings.deployment.wait_minutes:g} minutes.",
            "AWS did not answer any request",
            "inv status",
        )
    last = snapshots[-1]
    timeline.enter("ask")
    path = read_path(aws, settings, last.rollout.target_group_arns)
    asks = verdict.kind in ("live", "rolled_back")
    answered, unasked = _probed(aws, path, timeline) if asks else (None, ())
    end, why, causes = _judged(aws, settings, snapshots, verdict, path, answered)
    if known and end not in ("live", "superseded") and _are_better(known, causes, last):
        causes = known
    remarks = (
        *_left_behind(aws, settings, last, end, verdict, path, answered, timeline),
        *unasked,
        *(_misled(aws, path, has_reached(answered, unasked)) if end == "live" else ()),
        *(hiding_pages(path.endpoint) if end == "live" else ()),
        *findings(last),
    )
    return Outcome(
        verdict=end,
        why=why,
        cause=next(iter(causes), None),
        also=causes[1:],
        findings=remarks,
        url=visitors_address(path.endpoint, settings),
        task_definition=last.rollout.task_definition,
        previous_task_definition=last.rollout.previous,
        seconds=timeline.seconds,
        timeline=tuple(timeline.moments),
        probe=answered,
    )


def _misled(aws: Aws, path: VisitorsPath, reached: bool | None) -> tuple[Cause, ...]:
    """The domains whose visitors do not come in."""
    return misled_names(with_certificates(aws, path, reached))


def _are_better(known: tuple[Cause, ...], causes: tuple[Cause, ...], last: Snapshot) -> bool:
    """Whether the causes of before tell more than those found now.

    Once ECS has completed the deployment, those found now include failures that did not decide.
    """
    return last.is_complete or not causes or causes[0].code != known[0].code


def _probed(aws: Aws, path: VisitorsPath, timeline: Timeline) -> tuple[Probe | None, tuple[Cause, ...]]:
    """Probe the app as visitors reach it. None where there is no address, or where it cannot be reached from here,
    which is a finding. Where a hop is missing, that is the answer: visitors have nothing to ask; one that was accepted
    is a finding."""
    endpoint, settings = path.endpoint, path.settings
    if missing := _without_address(path):
        timeline.say(missing[0].message)
        if not {each.code for each in missing} & accepted_codes(settings.deployment.accept):
            return Probe("", Answer(False, missing[0].message, reached=False)), ()
        return None, tuple(map(finding_of, missing))
    if endpoint is None:
        return None, ()
    if endpoint.wants:
        timeline.say(f"the app was not probed: {endpoint.wants}")
        return None, ()
    answered = probe(aws.clock, endpoint, settings.probe.path, settings.probe.websocket)
    for answer in answered.answers:
        timeline.say(answer.said)
    if endpoint.explains(answered.page) or endpoint.blocks(answered.page):
        unreached = not_reachable(endpoint, settings)
        timeline.say(unreached.message)
        return None, (unreached,)
    return answered, ()


def _without_address(path: VisitorsPath) -> list[Trouble]:
    """The hops that are missing where visitors have no address to ask for that; none where they have one."""
    if path.endpoint is not None and not lacks_distribution(path.endpoint, path.settings):
        return []
    return [each.trouble for each in hops(path) if each.trouble]


def _judged(
    aws: Aws,
    settings: Settings,
    snapshots: Sequence[Snapshot],
    verdict: Verdict,
    path: VisitorsPath,
    answered: Probe | None,
) -> tuple[End, str, tuple[Cause, ...]]:
    """The outcome's verdict, its reason, and the causes; "live" and "rolled_back" require that the app answers."""
    if verdict.kind == "live":
        if answered is None or answered.ok:
            return "live", verdict.why, ()
        if ended := _ended_since(aws, settings, snapshots, verdict):
            return "failed", "its tasks failed after ECS had called the deployment successful", ended
        cause = (
            missing_hop(path, answered)
            or _dropped(aws, settings, snapshots[-1], answered)
            or failing_hop(path, answered)
            or _probe_failed(answered)
        )
        return "failed", verdict.why, (cause,)
    causes = _explained(aws, settings, snapshots, verdict)
    if verdict.kind == "moving":
        return "out_of_time", verdict.why, causes
    if verdict.kind == "rolled_back":
        end: End = "rolled_back" if answered is None or answered.ok else "failed"
        return end, _rolled_back_words(snapshots, answered), causes
    return verdict.kind, verdict.why, causes


def _ended_since(
    aws: Aws, settings: Settings, snapshots: Sequence[Snapshot], verdict: Verdict
) -> tuple[Cause, ...]:
    """The causes, where the healthy tasks have ended by the time at which the app is probed; none where one serves."""
    now = Watcher(aws, snapshots[-1].rollout).snapshot()
    if now.healthy or not any(task.failed for task in now.ours):
        return ()
    return _explained(aws, settings, [*snapshots, now], verdict)


def _explained(
    aws: Aws, settings: Settings, snapshots: Sequence[Snapshot], verdict: Verdict
) -> tuple[Cause, ...]:
    """The causes; without any evidence yet, read again once or twice."""
    seen: list[Snapshot] = []

    def look() -> Evidence:
        seen.extend([Watcher(aws, seen[-1].rollout).snapshot()] if seen else snapshots)
        return collect_evidence(aws, settings, seen, verdict)

    for evidence in islice(aws.clock.repeat(look, lambda _: _BETWEEN_LOOKS), 1 + _LOOKS_AGAIN):
        causes = diagnose(evidence)
        if not _is_thin(causes[0], evidence):
            break
    return causes


def _is_thin(cause: Cause, evidence: Evidence) -> bool:
    return cause.code == CauseCode.UNKNOWN or (cause.code == CauseCode.EXITS and not evidence.log)


def _dropped(aws: Aws, settings: Settings, last: Snapshot, answered: Probe) -> Cause | None:
    """The cause where VPC Block Public Access drops the requests: then nothing answers, and nothing refuses."""
    if answered.page.reached and not answered.page.unanswered_by_origin:
        return None
    name, service = "network.public-access", service_of(aws, last.rollout)
    checks, _ = consult(aws, settings, [name], {"service": service})
    check = checks[name]
    if check.status != "fail":
        return None
    return Cause(
        CauseCode.PUBLIC_ACCESS_BLOCKED,
        f"{check.saw}.",
        (f"{name}: {check.saw}",),
        check.fix or "",
        heals=False,
    )


def _probe_failed(answered: Probe) -> Cause:
    wrong = [answer.said for answer in answered.answers if not answer.ok]
    return Cause(
        CauseCode.PROBE_FAILED,
        f"ECS calls the deployment successful, but {'; '.join(wrong)}.",
        tuple(wrong),
        "correct probe.path and probe.websocket, or fix the app; then inv deploy",
    )


def _rolled_back_words(snapshots: Sequence[Snapshot], answered: Probe | None) -> str:
    """What happened to our revision, and which one serves now."""
    last = snapshots[-1]
    was_healthy = any(snapshot.healthy for snapshot in snapshots)
    ours = f"revision {revision_of(last.rollout.task_definition)} {'did not stay' if was_healthy else 'never became'}"
    primary = last.service.primary
    before = revision_of(primary.task_definition) if primary else "before"
    if answered is None:
        return f"{ours} healthy; revision {before} serves"
    verb = "serves" if answered.ok else "does not serve"
    return f"{ours} healthy; revision {before} {verb} ({', '.join(each.said for each in answered.answers)})"


def _left_behind(
    aws: Aws,
    settings: Settings,
    last: Snapshot,
    end: End,
    verdict: Verdict,
    path: VisitorsPath,
    answered: Probe | None,
    timeline: Timeline,
) -> tuple[Cause, ...]:
    """Clean up after a failed release: the previous release stays, or the service is scaled to 0."""
    if end != "failed" or verdict.kind == "live":
        return ()
    if last.rollout.is_first:
        return (_abandon(aws, settings, last, timeline),) if settings.deployment.rollback else ()
    is_back = verdict.kind == "rolled_back"
    if is_back or (last.record is not None and last.record.status == "ROLLBACK_FAILED"):
        if answered and (missing := missing_hop(path, answered)):
            return (missing,)
        shown = [answer.said for answer in answered.answers] if answered else [verdict.why]
        message = "The previous release does not serve either."
        return (
            Cause(CauseCode.ROLLBACK_FAILED, message, tuple(shown), "inv history, then inv rollback --to N"),
        )
    return ()


def _abandon(aws: Aws, settings: Settings, last: Snapshot, timeline: Timeline) -> Cause:
    """Scale a service that never had a release to 0, so that ECS does not retry for ever."""
    message = "There is no release to roll back to; the service's desired count is 0 again."
    try:
        stop_deployment(aws, last)
        where = {"cluster": last.rollout.cluster, "service": last.rollout.service}
        aws.call("ecs:UpdateService", f"service {last.rollout.service}", **where, desiredCount=0)
        timeline.say("no release to roll back to: desired count → 0")
    except AwsCallError as refused:
        message = f"There is no release to roll back to, and ECS keeps retrying: {refused.what} {refused.why}"
    again = f"inv deploy --tag {last.rollout.requested}"
    return Cause(CauseCode.NO_RELEASE_BEFORE, message, (), again)
