"""Decides which requests a load balancer forwards to a target group, from its listeners and their rules. Pure.

A listener has the shape of DescribeListeners, with ``Rules`` in that of DescribeRules. Sources: Application Load
Balancers guide, "Listener rules" (by priority, the default one last) and "Condition types for listener rules".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from fnmatch import fnmatchcase
from typing import Any

Listener = Mapping[str, Any]
Rule = Mapping[str, Any]

_CONFIGS = {"host-header": "HostHeaderConfig", "path-pattern": "PathPatternConfig"}
# In ``wants``: an earlier rule takes the same requests, or may take them; other target groups get a part of them; only
# requests with a token are forwarded.
BEFORE, MAYBE_BEFORE, SHARED, TOKEN = "priority", "regular-expression", "weight", "jwt-validation"
# The load balancer refuses visitors who have not signed in, and sends them nowhere to do so.
SIGNED_IN = "sign-in"
_METHOD = "http-request-method"
# The parts of a regular expression that a pattern can say too.
_SIMPLE = re.compile(r"\.\*|\\[^\w*?\[]|[\w/~%@:,&=-]|\.")

# What a regular expression begins with, up to the first part that is more than a letter or may be absent.
_LETTERS = re.compile(r"\^((?:(?:\\[^\w]|[\w/~%@:,&=-])(?![?*{])){0,128})")


class _Match(IntEnum):
    """Whether something matches, as far as that is known."""

    NO = 0
    MAYBE = 1
    YES = 2


@dataclass(frozen=True)
class ForwardingRule:
    """A rule that forwards to a target group.

    ``host`` is the host name that requests need, empty for any; ``paths`` are the patterns of its path condition,
    empty for any path. ``wants`` names conditions that a plain request may not meet, or contains ``BEFORE`` where
    an earlier rule takes the same requests, ``MAYBE_BEFORE`` where that is not known, ``SHARED`` where other target
    groups get requests too, and ``TOKEN`` or ``SIGNED_IN`` where the load balancer refuses requests without one.
    ``sign_in`` is the URL at which visitors sign in before it forwards them, empty where they do not.
    """

    protocol: str
    port: int
    host: str = ""
    paths: tuple[str, ...] = ()
    wants: tuple[str, ...] = ()
    sign_in: str = ""

    def path(self, requested: str) -> str:
        """``requested`` where the rule takes it, otherwise the same path below one that it takes."""
        if not self.paths:
            return requested
        below = [f"{_literal(pattern).rstrip('/')}{requested}" for pattern in self.paths]
        every = (requested, *below, *(_literal(pattern) for pattern in self.paths))
        return next((each for each in every if _fits(self.paths, each)), below[0])


def best_forwarding_rule(listeners: Sequence[Listener], group: str) -> ForwardingRule | None:
    """The best rule for a target group: without ``wants``, HTTPS before HTTP, any host and path; None without one."""
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
    """The listeners with a rule that forwards to the target group."""
    return [each for each in listeners if any(group in _groups(rule) for rule in _rules(each))]


def unguarded(listeners: Iterable[Listener], group: str) -> list[Listener]:
    """The listeners with a rule that forwards to the target group without asking visitors to sign in."""
    return [
        each
        for each in listeners
        if any(group in _groups(rule) and not _is_guarded(rule) for rule in _rules(each))
    ]


def leading(listeners: Sequence[Listener], group: str) -> list[Listener]:
    """The listeners that forward to the target group, or redirect to one that does."""
    ours = forwarding(listeners, group)
    ports = {str(each["Port"]) for each in ours}
    return [
        each for each in listeners if each in ours or any(_redirects(rule) & ports for rule in _rules(each))
    ]


def _forwarding_rules(listener: Listener, group: str) -> Iterator[ForwardingRule]:
    rules = _rules(listener)
    for number, rule in enumerate(rules):
        if group in _groups(rule):
            yield _forwarding_rule(listener, rule, rules[:number], group)


def _forwarding_rule(listener: Listener, rule: Rule, earlier: Iterable[Rule], group: str) -> ForwardingRule:
    hosts, paths = _values(rule, "host-header"), _values(rule, "path-pattern")
    host = min(hosts, key=_is_pattern, default="")
    made = ForwardingRule(
        listener["Protocol"],
        listener["Port"],
        host if not _is_pattern(host) else host.replace("*", "www").replace("?", "w"),
        tuple(paths),
        (*_unmet(rule), *_held_back(rule, group)),
        sign_in_url(rule["Actions"]),
    )
    request = made.host, made.path("/")
    before = max((_takes(each, *request) for each in earlier), default=_Match.NO)
    if before is _Match.NO:
        return made
    return replace(made, wants=(*made.wants, BEFORE if before is _Match.YES else MAYBE_BEFORE))


def _held_back(rule: Rule, group: str) -> Iterator[str]:
    """Why requests that a rule takes do not reach the target group."""
    if _groups(rule) != {group}:
        yield SHARED
    if _wants_token(rule):
        yield TOKEN
    if _denies(rule):
        yield SIGNED_IN


def _wants_token(rule: Rule) -> bool:
    """Whether a rule refuses requests without a token ("Verify JWTs using an Application Load Balancer")."""
    return any(action.get("Type") == "jwt-validation" for action in rule["Actions"])


def _is_guarded(rule: Rule) -> bool:
    return bool(sign_in_url(rule["Actions"])) or _wants_token(rule) or _denies(rule)


def _denies(rule: Rule) -> bool:
    """Whether a rule answers 401 to visitors who have not signed in (OnUnauthenticatedRequest)."""
    return any(config.get("OnUnauthenticatedRequest") == "deny" for config in map(_sign_in, rule["Actions"]))


def _sign_in(action: Mapping[str, Any]) -> Mapping[str, Any]:
    config: Mapping[str, Any] = (
        action.get("AuthenticateOidcConfig") or action.get("AuthenticateCognitoConfig") or {}
    )
    return config


def sign_in_url(actions: Iterable[Mapping[str, Any]]) -> str:
    """The URL to which a rule's actions redirect visitors who have not signed in; empty where they do not.

    For a user pool: "User pool endpoints and managed login reference" (Amazon Cognito).
    """
    for action in actions:
        config = _sign_in(action)
        if config.get("OnUnauthenticatedRequest", "authenticate") != "authenticate":
            continue
        if "AuthorizationEndpoint" in config:
            return str(config["AuthorizationEndpoint"])
        if "UserPoolDomain" in config:
            domain, region = config["UserPoolDomain"], config["UserPoolArn"].split(":")[3]
            host = domain if "." in domain else f"{domain}.auth.{region}.amazoncognito.com"
            return f"https://{host}/oauth2/authorize"
    return ""


def _rules(listener: Listener) -> list[Rule]:
    """A listener's rules in the order in which the load balancer evaluates them."""
    told = [rule for rule in listener.get("Rules", []) if not rule.get("IsDefault")]
    told.sort(key=lambda rule: int(rule["Priority"]) if rule.get("Priority", "").isdecimal() else 0)
    return [*told, {"Actions": listener.get("DefaultActions", [])}]


def _groups(rule: Rule) -> set[str]:
    """The target groups that get requests from a rule; a weight of 0 gets none."""
    return {arn for action in rule["Actions"] for arn in _targets(action)}


def _targets(action: Mapping[str, Any]) -> Iterator[str]:
    groups = action.get("ForwardConfig", {}).get("TargetGroups", [])
    yield from (group["TargetGroupArn"] for group in groups if group.get("Weight", 1))
    if not groups and "TargetGroupArn" in action:
        yield action["TargetGroupArn"]


def _redirects(rule: Rule) -> set[str]:
    return {action.get("RedirectConfig", {}).get("Port", "") for action in rule["Actions"]}


def _values(rule: Rule, field: str) -> list[str]:
    """The patterns of a rule's condition on a field; elbv2 returns them in one of two members."""
    found = [each for each in rule.get("Conditions", []) if each["Field"] == field]
    return [
        value
        for each in found
        for value in each.get(_CONFIGS[field], {}).get("Values") or each.get("Values", [])
    ]


def _expressions(rule: Rule, field: str) -> list[str]:
    """The regular expressions of a rule's condition on a field (RegexValues), which has them or patterns."""
    found = [each for each in rule.get("Conditions", []) if each["Field"] == field]
    return [value for each in found for value in each.get(_CONFIGS[field], {}).get("RegexValues", [])]


def _unmet(rule: Rule) -> Iterator[str]:
    """The fields of conditions that a plain GET may not meet, of others' choice or as a regular expression."""
    for condition in rule.get("Conditions", []):
        field = condition["Field"]
        is_get = "GET" in condition.get("HttpRequestMethodConfig", {}).get("Values", [])
        if field in _CONFIGS:
            if _expressions(rule, field):
                yield field
        elif not (field == _METHOD and is_get):
            yield field


def _takes(rule: Rule, host: str, path: str) -> _Match:
    """Whether a rule takes a plain GET, which meets no conditions other than those on host and path."""
    if any(field not in _CONFIGS for field in _unmet(rule)):
        return _Match.NO
    return min(_meets(rule, "host-header", host.lower()), _meets(rule, "path-pattern", path))


def _meets(rule: Rule, field: str, text: str) -> _Match:
    """Whether a host (in lower case), or a path, meets a rule's condition on it; without one, anything does."""
    patterns, expressions = _values(rule, field), _expressions(rule, field)
    if not patterns and not expressions:
        return _Match.YES
    is_host = field == "host-header"
    if _fits([each.lower() if is_host else each for each in patterns], text):
        return _Match.YES
    return max((_matches(each, text) for each in expressions), default=_Match.NO)


def _matches(expression: str, text: str) -> _Match:
    """Whether a regular expression matches, where it consists of letters, ``.`` and ``.*``; otherwise it may match
    what begins as it does.

    So it may where that depends on whether it has to match the whole text, or in which case: AWS does not say.
    """
    body = expression.removeprefix("^").removesuffix("$")
    parts = _SIMPLE.findall(body)
    if "".join(parts) != body:
        return _Match.MAYBE if text.lower().startswith(_beginning(expression).lower()) else _Match.NO
    signs = {".*": "*", ".": "?"}
    exact = "".join(signs.get(part, part[-1:]) for part in parts)
    if _fits([exact], text):
        return _Match.YES
    start, end = "" if expression.startswith("^") else "*", "" if expression.endswith("$") else "*"
    within = [f"{start}{exact}{end}".lower()]
    return _Match.MAYBE if _fits(within, text.lower()) else _Match.NO


def _beginning(expression: str) -> str:
    """The letters with which everything begins that a regular expression matches; empty where that is not known."""
    if "|" in expression:
        return ""
    begins = _LETTERS.match(expression)
    return re.sub(r"\\(.)", r"\1", begins[1]) if begins else ""


def _fits(patterns: Iterable[str], text: str) -> bool:
    """Whether a pattern matches: ``*`` is any number of characters and ``?`` exactly one."""
    return any(fnmatchcase(text, each.replace("[", "[[]")) for each in patterns)


def _is_pattern(text: str) -> bool:
    return "*" in text or "?" in text


def _literal(pattern: str) -> str:
    """The part of the pattern before its first wildcard."""
    return re.split(r"[*?]", pattern)[0] or "/"
