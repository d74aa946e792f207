"""Collects the evidence: from the snapshots, and from further reads that suit the kind of failure.

A failed read does not stop the diagnosis: ``gaps`` says what could not be read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ...account import find_target_group, find_task_definition
from ...aws import Aws
from ...definition import container_of, log_driver, log_options, secrets
from ...doctor import Check, Facts, consult
from ...doctor.check import UnknownError
from ...doctor.facts import Name
from ...errors import InterruptedRunError, LobsterError
from ...in_parallel import in_parallel
from ...masking import mask_shapes
from ...secrecy import definition_secrets, shown_log
from ...settings import Settings
from ...stack.task_definition import differences
from ...templates import covered_sources
from ..observation.aws_words import without_names
from ..observation.judge import Verdict
from ..observation.logs import first_lines, last_lines, stream_of
from ..observation.service import is_no_release
from ..observation.snapshot import Snapshot, Target, Task, revision_of
from ..observation.watch import service_of
from .causes import RECORDS, CauseRecord, Lead
from .culprit import culprit
from .evidence import Evidence
from .listening import ListeningPort, listening_ports
from .stop_reasons import ELB, EXITED, codes_of

_LINES = 20
_LONGEST_LINE = 400
# Servers log their address when they start.
_FIRST_LINES = 100
# IAM is consistent after about a minute ("Changes that I make are not always immediately visible").
_YOUNG_SECONDS = 120.0
_ROLES: tuple[Name, ...] = ("execution_role", "task_role")
_REGISTRY = re.compile(r"\d{12}\.dkr\.ecr\.[\w-]{1,40}\.amazonaws\.com(\.cn)?/")
_TROUBLE = (
    "unable",
    "fail",
    "unhealthy",
    "not healthy",
    "could not",
    "throttled",
    "misconfigured",
    "Timed out",
)


@dataclass
class _Reader:
    """Makes reads that may be refused, and records why they were."""

    gaps: list[str] = field(default_factory=list)

    def read(self, what: str, work: Callable[[], Any], otherwise: Any) -> Any:
        try:
            return work()
        except InterruptedRunError:
            raise
        except LobsterError as refused:
            self.gaps.append(f"{what} ({refused.why or refused.what})")
            return otherwise


def collect_evidence(
    aws: Aws, settings: Settings, snapshots: Sequence[Snapshot], verdict: Verdict
) -> Evidence:
    """The evidence about the last of ``snapshots``, including what only earlier ones show."""
    last, reader = snapshots[-1], _Reader()
    failed = tuple(sorted((task for task in last.ours if task.failed), key=_made, reverse=True))
    unhealthy, events = _unhealthy(snapshots), _events(last)
    ours, before, group = in_parallel(
        partial(
            reader.read, "the task definition", partial(_definition, aws, last.rollout.task_definition), {}
        ),
        partial(reader.read, "the revision before", partial(_definition, aws, last.rollout.previous), {}),
        partial(reader.read, "the target group", partial(_target_group, aws, last), {}),
    )
    heard = reader.read("the log", partial(_hear, aws, last, ours, failed), _LogFindings())
    if unread := _unread(last, ours, failed):
        reader.gaps.append(unread)
    check_names = _checks(failed, unhealthy, events)
    checks, new_roles = reader.read(
        "the setup", partial(_consult, aws, settings, last, ours, check_names), ({}, ())
    )
    return Evidence(
        verdict,
        last,
        tag=last.rollout.requested,
        waited_minutes=settings.deployment.wait_minutes,
        failed=failed,
        unhealthy=unhealthy,
        were_healthy=_were_healthy(snapshots, failed, unhealthy),
        events=tuple(mask_shapes(event) for event in events),
        log=heard.log,
        listening_ports=heard.listening_ports,
        listened_after=heard.listened_after,
        lived=heard.lived,
        definition=ours,
        target_group=group,
        changed=_changed(last, before, ours),
        checks=checks,
        new_roles=new_roles,
        uncovered_secrets=frozenset(secrets(ours, "").values())
        - covered_sources(settings, aws.account, aws.partition),
        gaps=tuple(reader.gaps),
    )


def _definition(aws: Aws, arn: str | None) -> dict[str, Any]:
    if arn is None:
        return {}
    return find_task_definition(aws, arn) or {}


def _target_group(aws: Aws, last: Snapshot) -> dict[str, Any]:
    arns = last.rollout.target_group_arns[:1]
    if not arns:
        return {}
    return find_target_group(aws, arns[0], arn=arns[0]) or {}


@dataclass(frozen=True)
class _LogFindings:
    """What the logs show; members as in Evidence."""

    log: tuple[str, ...] = ()
    listening_ports: tuple[ListeningPort, ...] = ()
    listened_after: float | None = None
    lived: float | None = None


def _hear(aws: Aws, last: Snapshot, definition: Mapping[str, Any], failed: Sequence[Task]) -> _LogFindings:
    """The last lines, masked, of the container that ended the newest failed task, and the app's startup messages."""
    task = _that_ran(last, failed)
    if task is None or not definition:
        return _LogFindings()
    app, task_id = _app(last, definition), task.arn.rpartition("/")[2]
    begin = first_lines(aws, app, task_id, _FIRST_LINES)
    end = last_lines(aws, app, task_id, _LINES)
    ended = _ended(last, definition, task)
    shown = end if ended["name"] == app["name"] else last_lines(aws, ended, task_id, _LINES)
    said = [*begin, *end]
    ports = {group.port for group in last.rollout.target_groups}
    told = [line for line in said if any(each.port in ports for each in listening_ports([line.text]))]
    return _LogFindings(
        tuple(map(_cut, shown_log([line.text for line in shown], definition_secrets(definition)))),
        listening_ports(line.text for line in said),
        _after(aws, task, min((line.at for line in told), default=None)),
        _after(aws, task, task.stopped_at.timestamp() if task.stopped_at else None),
    )


def _after(aws: Aws, task: Task, at: float | None) -> float | None:
    """Seconds of AWS's time from a task's start to a moment; None where either is unknown."""
    if at is None or task.started_at is None:
        return None
    return max(0.0, (at - task.started_at.timestamp()) * aws.clock.speed)


def _that_ran(last: Snapshot, failed: Sequence[Task]) -> Task | None:
    return next((task for task in (*failed, *last.ours) if task.started_at or task.exited), None)


def _app(last: Snapshot, definition: Mapping[str, Any]) -> Mapping[str, Any]:
    """The container behind the load balancer."""
    return container_of(definition, *(group.container for group in last.rollout.target_groups))


def _ended(last: Snapshot, definition: Mapping[str, Any], task: Task) -> Mapping[str, Any]:
    """The container whose log is relevant: the one that ended the task, otherwise the app's."""
    found = culprit(definition, task) if EXITED in codes_of(task.why_stopped, task.stop_code) else None
    return container_of(definition, found.name) if found else _app(last, definition)


def _unread(last: Snapshot, definition: Mapping[str, Any], failed: Sequence[Task]) -> str:
    """The container whose log is relevant and is not in CloudWatch Logs; empty where it is."""
    task = _that_ran(last, failed)
    ended = _ended(last, definition, task) if task and definition else {}
    if not ended or stream_of(ended, "") is not None:
        return ""
    driver = log_driver(ended)
    return f"the log of {ended['name']} ({f'it logs with {driver}' if driver else 'it has no log driver'})"


def _cut(line: str) -> str:
    """The beginning of a line; CloudWatch Logs accepts lines of a megabyte."""
    return line if len(line) <= _LONGEST_LINE else f"{line[:_LONGEST_LINE]}…"


def _checks(failed: Iterable[Task], unhealthy: Iterable[Target], events: Iterable[str]) -> list[str]:
    """The doctor's checks that give details about failures of this kind."""
    signs = [code for task in failed for code in codes_of(task.why_stopped, task.stop_code)]
    signs += [code for event in events for code in codes_of(event)]
    signs += [target.reason for target in unhealthy]
    if ELB in signs and any("timed out" in event for event in events):
        signs.append(Lead.TIMEOUT)
    return list(
        dict.fromkeys(check for sign in signs for check in RECORDS.get(sign, CauseRecord()).looked_at)
    )


def _consult(
    aws: Aws, settings: Settings, last: Snapshot, definition: Mapping[str, Any], check_names: Sequence[str]
) -> tuple[dict[str, Check], tuple[str, ...]]:
    """The results of the checks, and the roles that are too new to be known everywhere."""
    if not check_names:
        return {}, ()
    given: dict[Name, Any] = {"task_definition": definition or None}
    if any(each.startswith(("network.", "security.")) for each in check_names):
        given["service"] = _service_as_ours(aws, last)
    checks, facts = consult(aws, as_defined(settings, definition), check_names, given)
    asked = any(each in check_names for each in ("roles.execution", "roles.task"))
    return checks, tuple(_new_roles(aws, facts)) if asked else ()


def _service_as_ours(aws: Aws, last: Snapshot) -> dict[str, Any]:
    """The service with the network configuration of our deployment, which a rollback has reverted."""
    service = service_of(aws, last.rollout)
    if last.record is None or not last.record.revision:
        return service
    about = f"service {last.rollout.service}"
    answer = aws.call("ecs:DescribeServiceRevisions", about, serviceRevisionArns=[last.record.revision])
    networks = [
        each["networkConfiguration"] for each in answer["serviceRevisions"] if "networkConfiguration" in each
    ]
    return {**service, "networkConfiguration": networks[0]} if networks else service


def _new_roles(aws: Aws, facts: Facts) -> Iterable[str]:
    for name in _ROLES:
        try:
            role = facts.known(name)
        except UnknownError:
            continue
        age = aws.clock.age(role["CreateDate"].timestamp()) if role else _YOUNG_SECONDS
        if age < _YOUNG_SECONDS:
            yield f"the role {role['RoleName']} was created {age:.0f} s ago"


def as_defined(settings: Settings, definition: Mapping[str, Any]) -> Settings:
    """The settings with the roles, secrets, port and log group of a task definition."""
    container = container_of(definition, settings.container.name)
    if not container:
        return settings
    options = log_options(container)
    ports = [each["containerPort"] for each in container.get("portMappings", [])]
    given: dict[str, dict[str, Any]] = {
        "task": _some(
            execution_role=definition.get("executionRoleArn", "").rpartition("/")[2],
            task_role=definition.get("taskRoleArn", "").rpartition("/")[2],
        ),
        "container": {
            "name": container["name"],
            "secrets": secrets(definition, container["name"]),
            **_some(port=next(iter(ports), None)),
        },
        "logs": _some(group=options.get("awslogs-group")),
    }
    sections = {name: getattr(settings, name).model_copy(update=members) for name, members in given.items()}
    return settings.model_copy(update=sections)


def _some(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value}


def _changed(last: Snapshot, before: Mapping[str, Any], ours: Mapping[str, Any]) -> tuple[str, ...]:
    """What our revision changes about the previous one, unless that was no release."""
    if not before or not ours or is_no_release(before):
        return ()
    name = _app(last, ours).get("name", "")
    lines = [_REGISTRY.sub("", line) for line in differences(before, ours, name)]
    return tuple(
        f"revision {revision_of(last.rollout.task_definition)}: {mask_shapes(line)}" for line in lines
    )


def _made(task: Task) -> float:
    return task.created_at.timestamp() if task.created_at else 0.0


def _unhealthy(snapshots: Sequence[Snapshot]) -> tuple[Target, ...]:
    """The last unhealthy state of each of our targets; the current state lacks targets of stopped tasks."""
    seen: dict[tuple[str, str], Target] = {}
    for snapshot in snapshots:
        for task in snapshot.ours:
            for target in snapshot.targets_of(task):
                key = target.group, target.ip
                if target.state in ("unhealthy", "unused") and target.reason != "Target.NotRegistered":
                    seen.pop(key, None)
                    seen[key] = target
                elif target.state == "healthy":
                    seen.pop(key, None)
    return tuple(seen.values())


def _were_healthy(snapshots: Sequence[Snapshot], failed: Iterable[Task], unhealthy: Iterable[Target]) -> bool:
    """Whether a failed or unhealthy task was healthy in an earlier snapshot."""
    healthy = {task.arn for snapshot in snapshots for task in snapshot.healthy}
    addresses = {target.ip for target in unhealthy}
    now = snapshots[-1]
    troubled = {task.arn for task in failed} | {task.arn for task in now.ours if task.ip in addresses}
    return bool(healthy & troubled)


def _events(last: Snapshot) -> list[str]:
    """Events since our deployment was created that report problems, oldest first."""
    began = last.rollout.created_at
    return [
        event.message
        for event in reversed(last.service.events)
        if began is not None
        and event.at >= began
        and any(word in without_names(event.message) for word in _TROUBLE)
    ]
