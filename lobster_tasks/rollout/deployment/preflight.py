"""Checks before any change whether everything that a release needs exists and is correct.

A problem found here in a second would otherwise show minutes later as tasks that do not start. A check without
permission does not stop the release: it is reported, and the release goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from ...account import find_target_group, has_log_group
from ...aws import Aws
from ...doctor import Check, consult
from ...doctor.check import UnknownError, refusal
from ...doctor.facts import Name
from ...errors import AwsCallError, NotReadyError, UsageError
from ...in_parallel import in_parallel
from ...settings import Settings
from ...templates import OWN_DEFINITION, covered_sources
from ..cause_code import CauseCode, accepted_codes
from ..diagnosis.causes import CODES, RECORDS
from ..diagnosis.evidence_collection import as_defined
from ..diagnosis.platforms import PLATFORMS, platforms_of
from ..observation.deployment_configuration import cannot_replace_tasks, preflight_notes
from ..observation.snapshot import TargetGroup
from ..observation.timeline import Timeline
from ..observation.way import read_path, unled
from .release import PreparedRelease, missing_images


def _found_by(of_balancer: bool) -> Mapping[str, str]:
    """The doctor's checks, each with the cause that a failure would have."""
    found = ((code, record) for code, record in RECORDS.items() if record.of_balancer is of_balancer)
    return {check: code for code, record in found for check in record.found_by}


# Checks on whether a task can start, and on whether the load balancer reaches it.
_TASKS, _BALANCED = _found_by(False), _found_by(True)
# Failures of a check that have another cause than its others.
_CLOSER = {
    ("roles.task", "not-assumable"): CauseCode.TASK_ROLE_NOT_ASSUMABLE,
    ("load-balancer.listener", "no-listener"): CauseCode.LISTENER_MISSING,
}
_WORDS = ("the", "there", "tasks", "no", "it")


@dataclass(frozen=True)
class Problem:
    """A problem, as the cause that it would lead to, and its remedy."""

    code: str
    what: str
    fix: str


@dataclass(frozen=True)
class PreflightResult:
    """The result of one check: its problem, or why it could not be made; neither where all is well."""

    name: str
    problem: Problem | None = None
    unknown: str = ""


def preflight(aws: Aws, settings: Settings, prepared: PreparedRelease, timeline: Timeline) -> None:
    """Raise NotReadyError with everything that would keep the release from becoming live."""
    results = in_parallel(
        partial(_result, "image.platform", partial(_platform, aws, prepared)),
        partial(_result, "ports", partial(_ports, prepared)),
        partial(_result, "deployment", partial(_percent, prepared)),
        partial(_result, "logs.group", partial(_log_groups, aws, settings.logs.group, prepared)),
        partial(_result, "images", partial(_other_images, aws, prepared, settings.container.name)),
        partial(_checks, aws, settings, prepared),
    )
    *own, checked = results
    made: list[PreflightResult] = [*own, *checked]
    found = [result.problem for result in made if result.problem]
    accepted = _accepted(settings.deployment.accept)
    if problems := [each for each in found if each.code not in accepted]:
        raise _not_ready(problems)
    timeline.say(_summary([result for result in made if not result.problem]))
    for problem in found:
        timeline.say(f"accepted ({problem.code}): {problem.what}")
    for each in preflight_notes(prepared.service, settings.deployment.rollback):
        timeline.say(each)


def _accepted(given: Iterable[str]) -> frozenset[str]:
    """The accepted cause codes; UsageError for unknown ones."""
    accepted = frozenset(given)
    if unknown := sorted(accepted - CODES.keys()):
        raise UsageError(
            f"--accept {unknown[0]}: unknown cause code.",
            next_step="give the code that the refusal names, as in --accept registry-denied (docs/causes.md)",
        )
    return accepted_codes(accepted)


def _not_ready(problems: Sequence[Problem]) -> NotReadyError:
    first = problems[0]
    codes = " ".join(f"--accept {code}" for code in dict.fromkeys(each.code for each in problems))
    every = [f"{each.what} → {each.fix}" for each in problems] if len(problems) > 1 else []
    what = f"{_sentence(first.what)}."
    why = f"nothing was changed; to deploy anyway: {codes}"
    return NotReadyError(what, why, first.fix, code=first.code, problems=every)


def _sentence(text: str) -> str:
    """Capitalise a sentence, unless it begins with a name."""
    is_name = text.partition(" ")[0] not in _WORDS
    return text if is_name else f"{text[:1].upper()}{text[1:]}"


def _summary(results: Iterable[PreflightResult]) -> str:
    made = [result for result in results if not result.unknown]
    unknown: dict[str, list[str]] = {}
    for result in results:
        if result.unknown:
            unknown.setdefault(result.unknown, []).append(result.name)
    told = f"{len(made)} checks passed"
    reasons = "; ".join(f"{', '.join(names)} ({why})" for why, names in unknown.items())
    return f"{told}; not checked: {reasons}" if reasons else told


def _result(name: str, work: Callable[[], Problem | None]) -> PreflightResult:
    try:
        return PreflightResult(name, work())
    except UnknownError as unknown:
        return PreflightResult(name, unknown=str(unknown))
    except AwsCallError as refused:
        return PreflightResult(name, unknown=refusal(refused))


def _platform(aws: Aws, prepared: PreparedRelease) -> Problem | None:
    architecture = prepared.definition.get("runtimePlatform", {}).get("cpuArchitecture", "X86_64")
    platform, offered = (
        PLATFORMS[architecture],
        platforms_of(aws, prepared.image.repository, prepared.image.digest),
    )
    if any(each.startswith(platform) for each in offered):
        return None
    return Problem(
        CauseCode.IMAGE_PLATFORM,
        f"{prepared.image.short} is for {', '.join(offered) or 'no platform'}; the tasks run on {platform}",
        f"inv push-image --tag {prepared.requested} (it builds for task.architecture), or set task.architecture",
    )


def _ports(prepared: PreparedRelease) -> Problem | None:
    """The problem where the definition lacks the container or port that the service registers: ECS refuses it."""
    for group in TargetGroup.all_of(prepared.service):
        containers = prepared.definition["containerDefinitions"]
        container = next((each for each in containers if each["name"] == group.container), None)
        ports = [each["containerPort"] for each in container.get("portMappings", [])] if container else []
        if group.port not in ports:
            opened = ", ".join(map(str, ports)) or "no port"
            what = f"the service sends requests to {group.container}:{group.port}; the new revision has "
            what += f"{group.container} with {opened}" if container else f"no container {group.container}"
            return Problem(
                CauseCode.TARGET_GROUP_MISMATCH, what, "inv setup-fargate, or correct container.port"
            )
    return None


def _other_images(aws: Aws, prepared: PreparedRelease, container: str) -> Problem | None:
    """The problem where images of the other containers cannot be pulled from ECR."""
    gone = missing_images(aws, prepared.definition, container)
    if not gone:
        return None
    first = gone[0]
    what = f"{first.container} runs {first.reference}, which"
    if held := first.held:
        return Problem(CauseCode.IMAGE_NOT_FOUND, f"{what} {held.what}", held.fix)
    fix = f"push it there, or correct the image of {first.container} in {OWN_DEFINITION}"
    return Problem(CauseCode.IMAGE_NOT_FOUND, f"{what} is not in its repository", fix)


def _percent(prepared: PreparedRelease) -> Problem | None:
    """The problem where ECS cannot replace any task."""
    if not cannot_replace_tasks(prepared.service):
        return None
    given = prepared.service.get("deploymentConfiguration", {})
    percent = f"{given.get('minimumHealthyPercent')} and {given.get('maximumPercent')}"
    desired = prepared.service["desiredCount"]
    what = f"with a minimum and maximum of {percent} percent of {desired}, ECS can replace no task"
    fix = "set deployment.minimum_healthy_percent: 100 and deployment.maximum_percent: 200; inv create-fargate-service"
    return Problem(CauseCode.DEPLOYMENT_PERCENT, what, fix)


def _log_groups(aws: Aws, own_group: str, prepared: PreparedRelease) -> Problem | None:
    """The problem where a log group does not exist: the task would not start."""
    for container in prepared.definition["containerDefinitions"]:
        options = (container.get("logConfiguration") or {}).get("options") or {}
        name, region = options.get("awslogs-group"), options.get("awslogs-region", aws.region)
        if name is None or options.get("awslogs-create-group") == "true":
            continue
        if not has_log_group(aws, name, region):
            what = f"there is no log group {name} in {region}"
            if region != aws.region:
                fix = f"set awslogs-region of {container['name']} to {aws.region} in {OWN_DEFINITION}"
                return Problem(CauseCode.LOG_GROUP_REGION, what, fix)
            own = name == own_group  # setup creates no other
            fix = "inv setup-fargate" if own else _create_log_group(name, region, container["name"])
            return Problem(CauseCode.LOG_GROUP_MISSING, what, fix)
    return None


def _create_log_group(name: str, region: str, container: str) -> str:
    create = f"aws logs create-log-group --log-group-name {name} --region {region}"
    return f"{create}, or correct awslogs-group of {container} in {OWN_DEFINITION}"


def _checks(aws: Aws, settings: Settings, prepared: PreparedRelease) -> list[PreflightResult]:
    """The doctor's checks of the task definition and of the service's load balancer."""
    groups = TargetGroup.all_of(prepared.service)
    codes = {**_TASKS, **(_BALANCED if groups else {})}
    given: dict[Name, Any] = {
        "service": prepared.service,
        "task_definition": prepared.definition,
        "covered": covered_sources(settings, aws.account, aws.partition),
    }
    if groups:
        given |= _balancing(aws, groups[0])
    made, _ = consult(aws, as_defined(settings, prepared.definition), codes, given)
    results = [_result_of(check, codes[name]) for name, check in made.items()]
    if not given.get("target_group"):
        return results
    forwarded = partial(_forwarded, aws, settings, given["target_group"])
    return [*results, _result("load-balancer.target-group", forwarded)]


def _forwarded(aws: Aws, settings: Settings, target_group: Mapping[str, Any]) -> Problem | None:
    """The problem where no load balancer forwards requests to the target group."""
    if target_group["LoadBalancerArns"]:
        return None
    try:
        path = read_path(aws, settings, [target_group["TargetGroupArn"]])
    except AwsCallError:
        return _unused(target_group)
    if path.unread:
        return _unused(target_group)
    trouble = unled(path)
    return Problem(trouble.code, trouble.message.rstrip("."), trouble.remedy)


def _unused(target_group: Mapping[str, Any]) -> Problem:
    """What the target group alone shows, where its load balancer cannot be read."""
    what = f"no load balancer forwards requests to {target_group['TargetGroupName']}"
    return Problem(CauseCode.TARGET_NOT_IN_USE, what, "inv setup-application-load-balancer")


def _result_of(check: Check, code: str) -> PreflightResult:
    if check.status == "skip":
        return PreflightResult(check.id, unknown=check.saw)
    if check.status != "fail":
        return PreflightResult(check.id)
    code = _CLOSER.get((check.id, check.code), code)
    return PreflightResult(check.id, Problem(code, check.saw, check.fix or "inv validate-fargate-setup"))


def _balancing(aws: Aws, group: TargetGroup) -> dict[Name, Any]:
    """The service's target group and its load balancer, whatever their names."""
    try:
        target_group = find_target_group(aws, group.arn, arn=group.arn)
        arns = target_group["LoadBalancerArns"] if target_group else []
        if not arns:
            return {"target_group": target_group}
        described = aws.call("elbv2:DescribeLoadBalancers", arns[0], LoadBalancerArns=arns[:1])
    except AwsCallError:  # the checks report it themselves
        return {}
    return {"target_group": target_group, "load_balancer": described["LoadBalancers"][0]}
