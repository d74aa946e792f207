"""Changes the desired count, and follows it until the tasks run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from ...account import find_task_definition
from ...aws import Aws
from ...errors import AwsCallError, NotReadyError
from ...secrecy import told_secrets
from ...settings import Settings
from ...stack.scaling import identity
from ..cause_code import CauseCode
from ..diagnosis.causes import Cause
from ..diagnosis.diagnose import diagnose, failures
from ..diagnosis.evidence_collection import collect_evidence
from ..observation.changes import changes
from ..observation.judge import Verdict
from ..observation.service import active_service, by_revision, is_no_release, rollout_of
from ..observation.snapshot import Rollout, Snapshot
from ..observation.timeline import Moment, Observe, Timeline, unobserved
from ..observation.watch import watch
from .pipeline import resumable

_ENOUGH = 2


@dataclass(frozen=True)
class ScaleChange:
    """The change of the desired count; ``warning`` names who else controls it, or says why that is not known."""

    before: int
    desired: int
    warning: str = ""

    @property
    def says(self) -> tuple[str, ...]:
        """The change in sentences."""
        same = self.before == self.desired
        what = (
            f"desired count {'is' if same else f'{self.before} →'} {self.desired}{' already' if same else ''}"
        )
        return (what, self.warning) if self.warning else (what,)


@dataclass(frozen=True)
class Scaled:
    """The result; ``reached`` says whether exactly the desired tasks run and are healthy."""

    service: str
    before: int
    desired: int
    running: int
    healthy: int
    reached: bool
    moving: bool
    cause: Cause | None = None
    seconds: float = 0.0
    timeline: tuple[Moment, ...] = ()

    @property
    def exit_code(self) -> int:
        """The exit code of the command."""
        return 0 if self.reached else 4 if self.moving else 1


def scale(aws: Aws, settings: Settings, to: int, *, observe: Observe = unobserved) -> Scaled:
    """Run ``to`` tasks; NotReadyError where there is no release to run."""
    timeline = Timeline(aws.clock, observe)
    began = datetime.fromtimestamp(aws.clock.ago(0), tz=UTC)
    service, definition = _ready(aws, settings.cluster, settings.service, to)
    timeline.hidden = told_secrets(definition)
    change = _change(aws, settings.cluster, service, to)
    for said in change.says:
        timeline.say(said)
    if change.before != to:
        where = {"cluster": settings.cluster, "service": settings.service}
        aws.call("ecs:UpdateService", f"service {settings.service}", **where, desiredCount=to)
    current = rollout_of(settings.cluster, service, service["taskDefinition"])
    rollout = replace(by_revision(current), created_at=began)
    with resumable(rollout):
        return _follow(aws, settings, rollout, change, timeline)


def before_scaling(aws: Aws, settings: Settings, to: int) -> ScaleChange:
    """What ``scale`` would do; raises NotReadyError likewise."""
    service, _ = _ready(aws, settings.cluster, settings.service, to)
    return _change(aws, settings.cluster, service, to)


def _change(aws: Aws, cluster: str, service: Mapping[str, Any], to: int) -> ScaleChange:
    warning = _auto_scaling(aws, identity(cluster, service["serviceName"])["ResourceId"], to)
    return ScaleChange(int(service["desiredCount"]), to, warning)


def _ready(aws: Aws, cluster: str, name: str, to: int) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The service, if it has a release, and its task definition (empty where that is gone)."""
    service = active_service(aws, cluster, name)
    definition = find_task_definition(aws, service["taskDefinition"]) or {}
    if to and is_no_release(definition):
        raise NotReadyError(
            f"{name} has no release yet.",
            "there is no image for its tasks",
            "inv push-image --tag T, then inv deploy --tag T",
            code=CauseCode.NO_RELEASE_BEFORE,
        )
    return service, definition


def _auto_scaling(aws: Aws, resource: str, to: int) -> str:
    """Who else controls the desired count of a service (``resource``: its id in Application Auto Scaling), or why that
    is not known; empty for nobody."""
    try:
        answer = aws.call(
            "application-autoscaling:DescribeScalableTargets",
            resource,
            ServiceNamespace="ecs",
            ResourceIds=[resource],
        )
    except AwsCallError as refused:
        return f"not checked whether auto scaling will change the count again: {refused.why}"
    for target in answer["ScalableTargets"]:
        low, high = target["MinCapacity"], target["MaxCapacity"]
        if not low <= to <= high:
            return f"auto scaling keeps the count between {low} and {high} and will change it again"
    return ""


def _follow(
    aws: Aws, settings: Settings, rollout: Rollout, change: ScaleChange, timeline: Timeline
) -> Scaled:
    seen, cause = _watched(aws, settings, rollout, change.desired, timeline)
    last = seen[-1] if seen else None
    reached = last is not None and has_reached(last, change.desired)
    moving = not reached and (cause is None or cause.heals)
    if moving and cause is None and last:
        cause = _why(aws, settings, seen, Verdict("moving", f"not at {change.desired} tasks yet"))
    return Scaled(
        rollout.service,
        change.before,
        change.desired,
        running=len(last.running) if last else 0,
        healthy=len(last.healthy) if last else 0,
        reached=reached,
        moving=moving,
        cause=None if reached else cause,
        seconds=timeline.seconds,
        timeline=tuple(timeline.moments),
    )


def _watched(
    aws: Aws, settings: Settings, rollout: Rollout, to: int, timeline: Timeline
) -> tuple[list[Snapshot], Cause | None]:
    """The snapshots until ``to`` tasks run, or tasks fail for a cause that does not heal, with the last cause seen."""
    seen: list[Snapshot] = []
    cause = None
    for snapshot in watch(aws, rollout, settings.deployment.wait_minutes * 60):
        timeline.saw(snapshot, changes(seen[-1] if seen else None, snapshot))
        seen.append(snapshot)
        if has_reached(snapshot, to):
            break
        if _fails(snapshot):
            cause = _why(aws, settings, seen, Verdict("failed", "tasks stop again"))
            if not cause.heals:
                break
    return seen, cause


def has_reached(last: Snapshot, to: int) -> bool:
    """Whether exactly ``to`` tasks run, all as healthy targets. Pure."""
    alive = [task for task in last.tasks if not task.ended]
    return last.service.desired == to == len(alive) == len(last.healthy)


def _fails(last: Snapshot) -> bool:
    """Whether our tasks have repeatedly failed in the same way since the start. Pure."""
    began = last.rollout.created_at
    failed = [
        task for task in last.ours if task.failed and began and task.created_at and task.created_at >= began
    ]
    return any(len(each.tasks) >= _ENOUGH for each in failures(failed))


def _why(aws: Aws, settings: Settings, seen: Sequence[Snapshot], verdict: Verdict) -> Cause:
    return diagnose(collect_evidence(aws, settings, seen, verdict))[0]
