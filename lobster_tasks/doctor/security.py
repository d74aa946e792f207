"""Checks of the security groups: visitors to the load balancer, load balancer to tasks, tasks to AWS. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..account import covers_port, peers_of
from ..forwarding import leading
from ..stack.origin_facing import SERVICE_GROUP
from .check import CheckResult, UnknownError, failed, listed, passed, warned
from .facts import Facts
from .references import network_of

Rule = Mapping[str, Any]
_ANYWHERE = ("0.0.0.0/0", "::/0")
_FIX_GROUPS = "inv create-security-groups"


def balancer_in(facts: Facts) -> CheckResult:
    """The load balancer's security groups let visitors in."""
    name = facts.settings.load_balancer.security_group
    groups = _groups(facts, _balancer_groups(facts), name)
    ports = _listener_ports(facts)
    closed = [port for port in ports if not any(_sources(_in(groups), port))]
    if closed:
        return failed(f"{_names(groups)} allows no inbound traffic on tcp {_ports(closed)}", _FIX_GROUPS)
    if facts.settings.is_fronted:
        return _from_cloudfront(facts, groups, ports)
    if (allowed := facts.settings.load_balancer.allowed_cidrs) is not None:
        return _as_listed(groups, ports, allowed)
    narrow = [port for port in ports if not set(_sources(_in(groups), port)) & set(_ANYWHERE)]
    if narrow:
        who = listed(sorted(set(_sources(_in(groups), narrow[0]))))
        keep = "list these in load_balancer.allowed_cidrs, or the next setup allows everybody"
        return warned(f"{_names(groups)} lets tcp {_ports(narrow)} in from {who} only", keep)
    return passed(f"{_names(groups)} lets tcp {_ports(ports)} in from anywhere")


def _from_cloudfront(facts: Facts, groups: list[Rule], ports: list[int]) -> CheckResult:
    """The result with a distribution: only CloudFront's own group in the VPC, or its prefix list, is allowed."""
    own = {each["GroupId"] for each in facts.known("security_groups") if each["GroupName"] == SERVICE_GROUP}
    sources = sorted({each for port in ports for each in _sources(_in(groups), port)})
    if not any(each in own or each.startswith("pl-") for each in sources):
        saw = f"{_names(groups)} lets tcp {_ports(ports)} in from {listed(sources)}, and not from CloudFront"
        return failed(saw, _FIX_GROUPS)
    more = [each for each in sources if each not in own and not each.startswith("pl-")]
    if more:
        return warned(f"{_names(groups)} lets in {listed(more)} besides CloudFront", _FIX_GROUPS)
    return passed(f"{_names(groups)} lets tcp {_ports(ports)} in from CloudFront only")


def _as_listed(groups: list[Rule], ports: list[int], allowed: Sequence[str]) -> CheckResult:
    """The result where the settings list the allowed addresses."""
    more = sorted({each for port in ports for each in _sources(_in(groups), port)} - set(allowed))
    if more:
        saw = f"{_names(groups)} lets in {listed(more)}, which load_balancer.allowed_cidrs does not list"
        return failed(saw, _FIX_GROUPS)
    less = sorted({each for port in ports for each in set(allowed) - set(_sources(_in(groups), port))})
    if less:
        return warned(f"{_names(groups)} does not let in {listed(less)} everywhere", _FIX_GROUPS)
    return passed(
        f"{_names(groups)} lets tcp {_ports(ports)} in from {listed(sorted(allowed))} only, as listed"
    )


def tasks_in(facts: Facts) -> CheckResult:
    """The tasks' security groups let the load balancer in, on the container's port."""
    port = facts.settings.container.port
    groups = _groups(facts, task_groups(facts), facts.settings.tasks_security_group)
    named = facts.settings.load_balancer.security_group
    balancer = {each["GroupId"]: each["GroupName"] for each in _groups(facts, _balancer_groups(facts), named)}
    sources = set(_sources(_in(groups), port))
    if sources & set(balancer):
        return passed(f"{_names(groups)} lets tcp {port} in from {listed(sorted(balancer.values()))}")
    if sources & set(_ANYWHERE):
        saw = f"{_names(groups)} lets tcp {port} in from anywhere, past the load balancer"
        return warned(saw, _FIX_GROUPS, "open-to-anywhere")
    if sources:
        return warned(f"{_names(groups)} lets tcp {port} in from {listed(sorted(sources))} only", _FIX_GROUPS)
    return failed(
        f"{_names(groups)} lets {_what_is_in(groups, balancer)}; the container listens on {port}", _FIX_GROUPS
    )


def balancer_out(facts: Facts) -> CheckResult:
    """The load balancer's security groups let it reach the tasks."""
    port = facts.settings.container.port
    groups = _groups(facts, _balancer_groups(facts), facts.settings.load_balancer.security_group)
    return _out(groups, port, f"the tasks on tcp {port}")


def tasks_out(facts: Facts) -> CheckResult:
    """The tasks' security groups let them reach AWS."""
    groups = _groups(facts, task_groups(facts), facts.settings.tasks_security_group)
    return _out(groups, 443, "ECR, CloudWatch Logs and Secrets Manager on tcp 443")


def _out(groups: list[Rule], port: int, whom: str) -> CheckResult:
    targets = set(_sources(_all_out(groups), port))
    if targets & set(_ANYWHERE):
        return passed(f"{_names(groups)} lets everything out on tcp {port}")
    if targets:
        return warned(f"{_names(groups)} lets tcp {port} out to {listed(sorted(targets))} only")
    return failed(f"{_names(groups)} allows no outbound traffic to {whom}", _FIX_GROUPS)


def _balancer_groups(facts: Facts) -> list[str] | None:
    balancer = facts.known("load_balancer")
    return list(balancer.get("SecurityGroups", [])) if balancer else None


def task_groups(facts: Facts) -> list[str] | None:
    """The ids of the tasks' security groups; None without a service."""
    service = facts.known("service")
    return list(network_of(service).get("securityGroups", [])) if service else None


def _groups(facts: Facts, ids: list[str] | None, name: str) -> list[Rule]:
    """The groups in use, or else the one with the name in the settings."""
    every = facts.known("security_groups")
    found = [each for each in every if (each["GroupId"] in ids if ids else each["GroupName"] == name)]
    if not found:
        raise UnknownError(f"there is no security group {name}")
    return found


def _listener_ports(facts: Facts) -> list[int]:
    """The ports of the listeners that forward to the stack's target group; other listeners are not checked."""
    balancer, group = facts.known("load_balancer"), facts.known("target_group")
    listeners = leading(facts.known("listeners"), group["TargetGroupArn"]) if balancer and group else []
    ports = sorted(listener["Port"] for listener in listeners)
    return ports or ([80, 443] if facts.settings.has_https_listener else [80])


def _in(groups: Iterable[Rule]) -> list[Rule]:
    return [rule for group in groups for rule in group.get("IpPermissions", [])]


def _all_out(groups: Iterable[Rule]) -> list[Rule]:
    return [rule for group in groups for rule in group.get("IpPermissionsEgress", [])]


def _sources(rules: Iterable[Rule], port: int) -> list[str]:
    """The peers of the rules that cover a TCP port: group ids, networks, prefix lists."""
    return [peer for rule in rules if covers_port(rule, port) for peer in peers_of(rule)]


def _what_is_in(groups: list[Rule], known: Mapping[str, str]) -> str:
    rules = [
        f"{rule['IpProtocol']} {_range(rule)} in from {listed([known.get(peer, peer) for peer in peers_of(rule)])}"
        for rule in _in(groups)
        if peers_of(rule)
    ]
    return listed(rules, 2) if rules else "nothing in"


def _range(rule: Rule) -> str:
    low, high = rule.get("FromPort"), rule.get("ToPort")
    return str(low) if low == high else f"{low}-{high}"


def _names(groups: list[Rule]) -> str:
    return listed([group["GroupName"] for group in groups])


def _ports(ports: list[int]) -> str:
    return ", ".join(map(str, ports))
