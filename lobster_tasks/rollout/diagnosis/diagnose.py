"""From evidence to the cause: one, or the two that fit. Pure.

The most frequent failure is decisive: a deployment fails by repeated failures, not by a single task that somebody
or Fargate Spot stopped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ...masking import mask_shapes, with_values_masked
from ...secrecy import told_secrets
from ..cause_code import CauseCode
from ..observation.aws_words import reason_in, without_empty_causes, without_ids
from ..observation.snapshot import Task
from .causes import RECORDS, Cause, Heals
from .evidence import Evidence
from .serving import explain_health
from .starting import Case, Finding, said_by_aws
from .stop_reasons import codes_of

PERMISSIONS = frozenset(code for code in CauseCode if RECORDS[code].heals is Heals.WHEN_ALLOWED)
"""Causes that may pass while the role is new."""
LOOKED_UP = frozenset(code for code in CauseCode if RECORDS[code].heals is Heals.WHEN_THERE)
_INCIDENTS = (CauseCode.STOPPED_BY_USER, CauseCode.SPOT_INTERRUPTED)
_BY_THE_USER = "by the user"  # ServiceDeployment, statusReason: "Stop was requested by the user."
_MOST_EVENTS, _MOST_TARGETS = 5, 4
_LONGEST = 400  # of AWS's words in a sentence


@dataclass(frozen=True)
class Failure:
    """Tasks that ended in the same way, newest first."""

    codes: tuple[str, ...]
    reason: str
    tasks: tuple[Task, ...]


def diagnose(evidence: Evidence) -> tuple[Cause, ...]:
    """Why the release is not live: one cause, or the two that fit, the likelier first."""
    findings = _findings(evidence)
    if not findings:
        return (_by_verdict(evidence),)
    hidden = told_secrets(evidence.definition)
    shown = _shown(evidence)
    return tuple(
        Cause(
            each.code,
            mask_shapes(with_values_masked(each.message, hidden)),
            shown if number == 0 else (),
            each.remedy,
            evidence.changed if number == 0 else (),
            heals=_heals(each, evidence),
        )
        for number, each in enumerate(findings)
    )


def failures(tasks: Iterable[Task]) -> list[Failure]:
    """Failed tasks grouped by their reason: the most frequent first, of equally frequent ones the newest."""
    alike: dict[tuple[str, str], list[Task]] = {}
    for task in tasks:
        alike.setdefault((task.stop_code, without_ids(task.why_stopped)), []).append(task)
    found = [
        Failure(codes_of(reason, stop_code), reason, tuple(each))
        for (stop_code, reason), each in alike.items()
    ]
    return sorted(found, key=lambda each: (each.codes[:1] in [(i,) for i in _INCIDENTS], -len(each.tasks)))


def _findings(evidence: Evidence) -> list[Finding]:
    """The explanations of the decisive failure."""
    if evidence.verdict.kind == "superseded":
        return []
    for failure in failures(evidence.failed):
        case = Case("", failure.tasks[0].why_stopped, failure.tasks)
        if found := _explained(evidence, case, failure.codes):
            return found
    for event in reversed(evidence.events):
        if found := _explained(evidence, Case("", event), codes_of(event)):
            return found
    return explain_health(evidence)


def _explained(evidence: Evidence, case: Case, codes: Sequence[str]) -> list[Finding]:
    found: list[Finding] = []
    for code in codes:
        found += _explain(evidence, Case(code, without_empty_causes(case.text), case.tasks))
    named = [each.code for each in found]
    return [each for number, each in enumerate(found) if each.code not in named[:number]][:2]


def _explain(evidence: Evidence, case: Case) -> list[Finding]:
    explain = RECORDS[case.code].explain
    found = explain(evidence, case) if explain else ()
    return [found] if isinstance(found, Finding) else list(found)


def _heals(finding: Finding, evidence: Evidence) -> bool:
    if finding.heals is not None:
        return finding.heals
    record = RECORDS[finding.code]
    if finding.code in PERMISSIONS | LOOKED_UP and _is_mended(evidence):
        return True
    if record.heals is Heals.WHEN_ALLOWED:
        return bool(evidence.new_roles)
    if record.heals is Heals.UNLESS_FOUND:
        return not evidence.failed_checks(*record.found_by)
    return record.heals is Heals.MAYBE


def _is_mended(evidence: Evidence) -> bool:
    """Whether all checks pass by now, so that the next task may start."""
    statuses = {check.status for check in evidence.checks.values()}
    return statuses == {"pass"}


def _by_verdict(evidence: Evidence) -> Cause:
    """The cause by the verdict, where no task, target or event indicates one."""
    why = f"{evidence.verdict.why[:1].upper()}{evidence.verdict.why[1:]}".rstrip(".") + "."
    shown = (*_of_record(evidence), *_shown(evidence))
    if evidence.verdict.kind == "superseded":
        return Cause(CauseCode.SUPERSEDED, why, shown, "inv status")
    if evidence.last.service.status != "ACTIVE":
        return Cause(CauseCode.SERVICE_GONE, why, shown, "inv setup-fargate")
    if evidence.last.service.desired == 0:
        return Cause(CauseCode.SCALED_TO_ZERO, why, shown, f"inv scale --to 1, or {evidence.again}")
    if evidence.verdict.kind == "moving":
        waits = "".join(
            f"; task {each.short} is {each.status}" for each in evidence.last.ours if each.is_starting
        )
        told = f"Still in progress after {evidence.waited_minutes:g} minutes: {evidence.verdict.why}{waits}."
        return Cause(
            CauseCode.OUT_OF_TIME,
            told,
            shown,
            "inv status --watch; deployment.wait_minutes sets how long to wait",
        )
    if _BY_THE_USER in evidence.verdict.reason:
        return Cause(
            CauseCode.STOPPED_BY_USER, f"Somebody stopped the deployment. {why}", shown, evidence.again
        )
    return _unknown(evidence, why, shown)


def _unknown(evidence: Evidence, why: str, shown: tuple[str, ...]) -> Cause:
    """Where AWS says why, in words that are no other cause's, they are repeated."""
    if said := _in_aws_words(evidence):
        return Cause(
            CauseCode.UNKNOWN,
            f"{why} AWS says: {mask_shapes(said)}.",
            shown,
            f"fix what AWS says (inv validate-fargate-setup checks the setup), then {evidence.again}",
        )
    none = f"AWS gives no information about the cause. {why}"
    return Cause(CauseCode.UNKNOWN, none, shown, "inv validate-fargate-setup")


def _in_aws_words(evidence: Evidence) -> str:
    """Why tasks ended or were not started: words that have no code, or else the decisive stop reason; may be empty."""
    stops = [failure.tasks[0].stopped_reason for failure in failures(evidence.failed)]
    reasons = [reason_in(event) for event in reversed(evidence.events)]
    told = next((each for each in (*stops, *reasons) if each and not codes_of(each)), "")
    return said_by_aws(without_empty_causes(told or "".join(stops[:1])), _LONGEST)


def _of_record(evidence: Evidence) -> tuple[str, ...]:
    record = evidence.last.record
    if record is None:
        return ()
    return (f"service deployment {record.status}" + (f": {record.reason}" if record.reason else ""),)


def _shown(evidence: Evidence) -> tuple[str, ...]:
    """The evidence: stop reasons, targets, events, results of checks, log lines, and what could not be read."""
    lines = [line for failure in failures(evidence.failed) for line in _stops(failure)]
    lines += [f"target {each.ip}:{each.port} {each.why}" for each in evidence.unhealthy[-_MOST_TARGETS:]]
    told = [event for event in evidence.events if not any(_repeats(event, each) for each in evidence.failed)]
    lines += [f"event: {event}" for event in dict.fromkeys(told[-_MOST_EVENTS:])]
    lines += [f"{check.id}: {check.saw}" for check in evidence.checks.values() if check.status == "fail"]
    lines += evidence.new_roles
    hidden = told_secrets(evidence.definition)
    lines = [mask_shapes(with_values_masked(line, hidden)) for line in lines]
    lines += [f"log: {line}" for line in evidence.log]
    return (*lines, *(f"not read: {gap}" for gap in evidence.gaps))


def _stops(failure: Failure) -> list[str]:
    count, newest = len(failure.tasks), failure.tasks[0]
    named = ", ".join(part for part in (newest.stop_code, "same reason" if count > 1 else "") if part)
    what = f"{count} tasks" if count > 1 else f"task {newest.short}"
    return [f"{what} stopped{f', {named}' if named else ''}: {newest.why_stopped}"]


def _repeats(event: str, task: Task) -> bool:
    """Whether an event repeats a task's stop reason."""
    return bool(task.stopped_reason) and task.stopped_reason[:120] in event
