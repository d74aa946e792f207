"""How large the instances are, what they may do, how many there are, and when they count as healthy."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from ...settings import FARGATE_MEMORY
from ..description import AwsDict, Description, RoleFacts
from ..service_probe import STREAMLIT_HEALTH
from .names import role_base
from .rows import MappingRow, Rule, RuleResult, approximated, same, translated, unsettled

POLICY_FILE = "task-definitions/task-role-policy.json.j2"
_UNITS = re.compile(r"([\d.]{1,10}) (?:vCPU|GB)")
_POLICY_VERSION = "2012-10-17"
_CPU_TARGET = 60


def size(description: Description) -> RuleResult:
    """Cpu and Memory: every pair of App Runner's is one of Fargate's."""
    instance = description.service.get("InstanceConfiguration", {})
    given = str(instance.get("Cpu", "1 vCPU")), str(instance.get("Memory", "2 GB"))
    cpu, memory = fitting(*map(units, given))
    settings = {"task": {"cpu": cpu, "memory": memory, "architecture": "X86_64"}}
    rows = (
        _size("Cpu", given[0], cpu, "CPU units"),
        _size("Memory", given[1], memory, "MiB"),
        same("(architecture)", "x86_64", "X86_64", "App Runner has no other; ARM64 costs a fifth less"),
    )
    return RuleResult(rows, settings)


def units(given: str) -> int:
    """CPU units or MiB: ``1024`` as well as ``1 vCPU`` and ``1 GB``."""
    found = _UNITS.fullmatch(given)
    return round(float(found[1]) * 1024) if found else int(given)


def fitting(cpu: int, memory: int) -> tuple[int, int]:
    """The smallest size of Fargate's that has at least as much."""
    fits = (
        (each, size)
        for each in FARGATE_MEMORY
        if each >= cpu
        for size in FARGATE_MEMORY[each]
        if size >= memory
    )
    return next(fits, (16384, 122880))


def _size(name: str, given: str, new: int, unit: str) -> MappingRow:
    setting = f"InstanceConfiguration.{name}"
    if units(given) == new:
        return same(setting, given, f"{new} {unit}")
    return approximated(setting, given, f"{new} {unit}", "the next size that Fargate supports")


def instance_role(description: Description) -> RuleResult:
    """InstanceRoleArn: a new role with the same permissions that ECS tasks may assume."""
    setting, role = "InstanceConfiguration.InstanceRoleArn", description.instance_role
    new = f"task role {role_base(description)}-task"
    if role is None:
        return RuleResult((translated(setting, "none", new, "it has no permissions"),))
    if not role.found:
        decide = "add the permissions that the app needs to task.policies, or to " + POLICY_FILE
        return RuleResult((unsettled(setting, role.arn, "the role does not exist", decide, new),))
    note = f"a new role for ecs-tasks.amazonaws.com with the same permissions; {role.name} is not touched"
    return RuleResult((translated(setting, role.arn, new, note), *_permissions(role)), *_permitted(role))


def _permissions(role: RoleFacts) -> list[MappingRow]:
    rows = [same("instance role: policy", arn, "task.policies") for arn in role.managed]
    rows += [
        translated(f"instance role: inline policy {name}", name, POLICY_FILE) for name in sorted(role.inline)
    ]
    if role.boundary:
        rows.append(same("instance role: PermissionsBoundary", role.boundary, "task.permissions_boundary"))
    for name, document in role.inline.items():
        if document.get("Version") != _POLICY_VERSION and "${" in json.dumps(document):
            rows.append(_old_version(name, document))
    return rows


def _old_version(name: str, document: AwsDict) -> MappingRow:
    return approximated(
        f"instance role: inline policy {name} (Version)",
        document.get("Version", "2008-10-17"),
        _POLICY_VERSION,
        "policy variables (${…}) are plain text in the old version, and count in the new one",
        f"read {POLICY_FILE} again",
    )


def _permitted(role: RoleFacts) -> tuple[AwsDict, Mapping[str, str]]:
    task: dict[str, Any] = {}
    if role.managed:
        task["policies"] = list(role.managed)
    if role.boundary:
        task["permissions_boundary"] = role.boundary
    files = {POLICY_FILE: merged(role.inline)} if role.inline else {}
    return {"task": task}, files


def merged(inline: Mapping[str, AwsDict]) -> str:
    """Inline policies as one, as a template: a role of ours has one of ours.

    A template that stands for this text alone: in it an opening brace of Jinja's can only be part of a string.
    """
    statements: list[dict[str, Any]] = []
    for _, document in sorted(inline.items()):
        found = document.get("Statement", [])
        statements += [dict(each) for each in (found if isinstance(found, list) else [found])]
    seen: set[str] = set()
    for statement in statements:
        sid = statement.get("Sid")
        if sid is not None and sid in seen:
            del statement["Sid"]  # one policy takes each but once
        seen.add(sid or "")
    text = json.dumps({"Version": _POLICY_VERSION, "Statement": statements}, indent=2)
    return re.sub(r"\{(?=[{%#])", r"\\u007b", text) + "\n"


def health(description: Description) -> RuleResult:
    """HealthCheckConfiguration, in the ranges of an Application Load Balancer."""
    given = description.service.get("HealthCheckConfiguration", {})
    protocol = given.get("Protocol", "TCP")
    path, row = _path(description, protocol, given.get("Path", "/"))
    interval, timeout = given.get("Interval", 5), given.get("Timeout", 2)
    new_timeout = max(timeout, 2)
    new_interval = max(interval, 5, new_timeout + 1)
    healthy, unhealthy = given.get("HealthyThreshold", 1), given.get("UnhealthyThreshold", 5)
    settings = {
        "path": path,
        "interval": new_interval,
        "timeout": new_timeout,
        "healthy_threshold": _clamped(healthy),
        "unhealthy_threshold": _clamped(unhealthy),
    }
    rows = (
        row,
        _number(
            "Interval", interval, new_interval, "a load balancer accepts 5 to 300 s, more than the timeout"
        ),
        _number("Timeout", timeout, new_timeout, "a load balancer accepts 2 to 120 s"),
        _number("HealthyThreshold", healthy, _clamped(healthy), "a load balancer accepts 2 to 10"),
        _number("UnhealthyThreshold", unhealthy, _clamped(unhealthy), "a load balancer accepts 2 to 10"),
    )
    return RuleResult((*rows, *_path_given(given, protocol)), {"health_check": settings})


def _clamped(threshold: int) -> int:
    return min(max(threshold, 2), 10)


def _number(name: str, old: int, new: int, note: str) -> MappingRow:
    setting = f"HealthCheckConfiguration.{name}"
    return same(setting, old) if old == new else approximated(setting, old, new, note)


def _path_given(given: AwsDict, protocol: str) -> list[MappingRow]:
    """The path counts for HTTP only."""
    setting = "HealthCheckConfiguration.Path"
    if protocol == "HTTP":
        path = given.get("Path", "/")
        new = _as_path(path)
        return [
            same(setting, path)
            if path == new
            else translated(setting, path, new, "in the form that a load balancer accepts")
        ]
    return [translated(setting, given["Path"], "none", "a TCP check has none")] if "Path" in given else []


def _path(description: Description, protocol: str, path: str) -> tuple[str, MappingRow]:
    setting = "HealthCheckConfiguration.Protocol"
    if protocol == "HTTP":
        return _as_path(path), same(setting, protocol)
    note, answers = "an Application Load Balancer has no TCP check", description.answers
    if answers and answers.streamlit:
        note += "; this path is Streamlit's own, and the service answers ok there"
        return STREAMLIT_HEALTH, approximated(setting, protocol, f"HTTP GET {STREAMLIT_HEALTH}", note)
    decide = "set health_check.path to one that answers 200 only while the app works"
    if answers and answers.root == 200:
        return "/", approximated(setting, protocol, "HTTP GET /", f"{note}; / answers 200 now", decide)
    note += f"; / answers {answers.root}" if answers else "; the service could not be probed"
    return "/", approximated(setting, protocol, "HTTP GET /", note, decide)


def _as_path(given: str) -> str:
    """With a slash in front, and with what has no place in a path by its number."""
    from urllib.parse import quote

    path = quote(given if given.startswith("/") else f"/{given}", safe="/?&=%+:@!$'()*,;~-._")
    return path[:1024]


def scaling(description: Description) -> RuleResult:
    """MinSize, MaxSize and MaxConcurrency: a target for the average CPU keeps the count between the two."""
    found = description.scaling
    if not found:
        why = description.unknown.get("AutoScalingConfiguration", "")
        decide = "set deployment.desired_count, or scaling.min and scaling.max"
        row = unsettled("AutoScalingConfiguration", "not known", f"it could not be read: {why}", decide, 1)
        return RuleResult((row,))
    least, most = found.get("MinSize", 1), found.get("MaxSize", 25)
    count = {"deployment": {"desired_count": least}}
    minimum = translated(
        "MinSize",
        least,
        f"desired count {least}",
        "every task is billed in full; App Runner's idle instances are not",
    )
    if least >= most:
        rows = (minimum, same("MaxSize", most, "no scaling"), _concurrency(found, "none is needed"))
        return RuleResult(rows, count)
    settings = {"min": least, "max": most, "average_cpu": _CPU_TARGET}
    by = f"scaling.average_cpu: {_CPU_TARGET}"
    return RuleResult(
        (minimum, same("MaxSize", most, f"at most {most} tasks"), _concurrency(found, by)),
        {**count, "scaling": settings},
    )


def _concurrency(found: AwsDict, by: str) -> MappingRow:
    return approximated(
        "MaxConcurrency",
        found.get("MaxConcurrency", 100),
        by,
        "a target group has no metric for concurrent requests; a WebSocket is one request for hours",
        "for an app with short requests only, set scaling.requests_per_target",
    )


def what_answers(description: Description) -> RuleResult:
    """What the app is, as far as it answered: Streamlit has a WebSocket and keeps its sessions in one process."""
    is_streamlit = description.answers is not None and description.answers.streamlit
    settings: AwsDict = {"load_balancer": {"stickiness": is_streamlit, "idle_timeout": 300}}
    new = "WebSocket upgrades work, closed after 300 s without traffic"
    rows = [
        translated(
            "(request timeout)", "120 s in all", "300 s without traffic", "load_balancer.idle_timeout"
        ),
        translated("(WebSockets)", "refused", new, "a reason for moving" if is_streamlit else ""),
    ]
    if not is_streamlit:
        settings = {**settings, "probe": {"websocket": False}}
    return RuleResult(tuple(rows), settings)


_SCALING = "AutoScalingConfiguration."
RULES = (
    Rule(("Service.InstanceConfiguration.Cpu", "Service.InstanceConfiguration.Memory"), size),
    Rule(("Service.InstanceConfiguration.InstanceRoleArn",), instance_role),
    Rule(
        tuple(
            f"Service.HealthCheckConfiguration.{name}"
            for name in ("Protocol", "Path", "Interval", "Timeout", "HealthyThreshold", "UnhealthyThreshold")
        ),
        health,
    ),
    Rule((f"{_SCALING}MinSize", f"{_SCALING}MaxSize", f"{_SCALING}MaxConcurrency"), scaling),
    Rule((), what_answers),
)
