"""Which requests a load balancer forwards to a target group, from its listeners and their rules. Pure.

A listener is as DescribeListeners has it, with ``Rules`` as DescribeRules has them. Sources: Application Load
Balancers guide, "Listener rules" (by priority, the default one last) and "Condition types for listener rules".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

Listener = Mapping[str, Any]
Rule = Mapping[str, Any]

_CONFIGS = {"host-header": "HostHeaderConfig", "path-pattern": "PathPatternConfig"}
# In ``wants``: a rule that comes before takes the same requests.
BEFORE = "priority"
_METHOD = "http-request-method"


@dataclass(frozen=True)
class ForwardingRule:
    """A rule that forwards to a target group.

    ``host`` is the name that requests have to be for, empty for any; ``paths`` are the patterns of its condition
    on the path, none for any. ``wants`` names conditions that no plain visitor's request is sure to meet, or
    ``BEFORE`` where a rule before it takes the same requests.
    """

    protocol: str
    port: int
    host: str = ""
    paths: tuple[str, ...] = ()
    wants: tuple[str, ...] = ()

    def path(self, wanted: str) -> str:
        """``wanted`` where the rule takes it, otherwise the same below the path that it takes."""
        if not self.paths:
            return wanted
        below = [f"{_literal(pattern).rstrip('/')}{wanted}" for pattern in self.paths]
        every = (wanted, *below, *(_literal(pattern) for pattern in self.paths))
        return next((each for each in every if _fits(self.paths, each)), below[0])


def best_forwarding_rule(listeners: Sequence[Listener], group: str) -> ForwardingRule | None:
    """The best way to a target group: open to all, HTTPS before HTTP, for any host and path; None without one."""
    found = [each for listener in listeners for each in _forwarding_rules(listener, group)]
    return min(
        found,
        key=lambda each: (
            bool(each.wants),
            each.protocol != "HTTPS",
            bool(each.host or each.paths),
            each.port,
        ),
        default=None,
    )


def forwarding(listeners: Iterable[Listener], group: str) -> list[Listener]:
    """The listeners of which some rule forwards to a target group."""
    return [each for each in listeners if any(group in _groups(rule) for rule in _rules(each))]


def leading(listeners: Sequence[Listener], group: str) -> list[Listener]:
    """The listeners that forward to a target group, or redirect to one that does."""
    ours = forwarding(listeners, group)
    ports = {str(each["Port"]) for each in ours}
    return [
        each for each in listeners if each in ours or any(_redirects(rule) & ports for rule in _rules(each))
    ]


def _forwarding_rules(listener: Listener, group: str) -> Iterator[ForwardingRule]:
    rules = _rules(listener)
    for number, rule in enumerate(rules):
        if group in _groups(rule):
            yield _forwarding_rule(listener, rule, rules[:number])


def _forwarding_rule(listener: Listener, rule: Rule, earlier: Iterable[Rule]) -> ForwardingRule:
    hosts, paths = _values(rule, "host-header"), _values(rule, "path-pattern")
    host = min(hosts, key=_is_pattern, default="")
    made = ForwardingRule(
        listener["Protocol"],
        listener["Port"],
        host if not _is_pattern(host) else host.replace("*", "www").replace("?", "w"),
        tuple(paths),
        tuple(_unmet(rule)),
    )
    request = made.host, made.path("/")
    if any(_takes(each, *request) for each in earlier):
        return ForwardingRule(made.protocol, made.port, made.host, made.paths, (*made.wants, BEFORE))
    return made


def _rules(listener: Listener) -> list[Rule]:
    """In the order in which the load balancer tries them."""
    told = [rule for rule in listener.get("Rules", []) if not rule.get("IsDefault")]
    told.sort(key=lambda rule: int(rule["Priority"]) if rule.get("Priority", "").isdecimal() else 0)
    return [*told, {"Actions": listener.get("DefaultActions", [])}]


def _groups(rule: Rule) -> set[str]:
    """The target groups that get requests: those with a weight of nought get none."""
    return {arn for action in rule["Actions"] for arn in _targets(action)}


def _targets(action: Mapping[str, Any]) -> Iterator[str]:
    groups = action.get("ForwardConfig", {}).get("TargetGroups", [])
    yield from (group["TargetGroupArn"] for group in groups if group.get("Weight", 1))
    if not groups and "TargetGroupArn" in action:
        yield action["TargetGroupArn"]


def _redirects(rule: Rule) -> set[str]:
    return {action.get("RedirectConfig", {}).get("Port", "") for action in rule["Actions"]}


def _values(rule: Rule, field: str) -> list[str]:
    """The patterns of a rule's condition on a field; elbv2 gives them in one of two places."""
    found = [each for each in rule.get("Conditions", []) if each["Field"] == field]
    return [
        value
        for each in found
        for value in each.get(_CONFIGS[field], {}).get("Values") or each.get("Values", [])
    ]


def _unmet(rule: Rule) -> Iterator[str]:
    for condition in rule.get("Conditions", []):
        field = condition["Field"]
        is_get = "GET" in condition.get("HttpRequestMethodConfig", {}).get("Values", [])
        if field not in _CONFIGS and not (field == _METHOD and is_get):
            yield field


def _takes(rule: Rule, host: str, path: str) -> bool:
    """Whether a rule takes a plain GET; what it wants besides host and path such a request has not."""
    hosts, paths = _values(rule, "host-header"), _values(rule, "path-pattern")
    return (
        not any(_unmet(rule))
        and (not hosts or _fits([each.lower() for each in hosts], host.lower()))
        and (not paths or _fits(paths, path))
    )


def _fits(patterns: Iterable[str], text: str) -> bool:
    """``*`` is any number of characters and ``?`` exactly one."""
    return any(fnmatchcase(text, each.replace("[", "[[]")) for each in patterns)


def _is_pattern(text: str) -> bool:
    return "*" in text or "?" in text


def _literal(pattern: str) -> str:
    """What stands before the first wildcard."""
    return re.split(r"[*?]", pattern)[0] or "/"
