"""Evaluates a web ACL of AWS WAF for a request. Pure.

IP set rules are supported, and AND, OR and NOT of them; other statements (managed rule groups, rates,
patterns, countries) match nothing here. Source: WAFV2 API Reference, "WebACL", "Statement", "IPSetForwardedIPConfig".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any

FORBIDDEN = 403

AwsDict = Mapping[str, Any]
Addresses = Mapping[str, Iterable[str]]


@dataclass(frozen=True)
class InspectedRequest:
    """The inspected parts of a request: its source address (None where AWS WAF does not get it), and its headers,
    with names in lower case."""

    source: str | None
    headers: Mapping[str, str]


@dataclass(frozen=True)
class WebAclRule:
    """One rule: its priority, statement and action."""

    priority: int
    statement: AwsDict
    action: AwsDict


@dataclass(frozen=True)
class Firewall:
    """A web ACL with the addresses of its IP sets, by ARN; rules are evaluated by priority."""

    default: AwsDict
    rules: tuple[WebAclRule, ...]
    ip_sets: Addresses

    def blocks(self, request: InspectedRequest) -> bool:
        """Whether the request is blocked: by the first matching rule that allows or blocks, else by the default
        action."""
        for rule in sorted(self.rules, key=lambda each: each.priority):
            ends = "Allow" in rule.action or "Block" in rule.action  # Count continues
            if ends and self._matches(rule.statement, request):
                return "Block" in rule.action
        return "Block" in self.default

    def _matches(self, statement: AwsDict, request: InspectedRequest) -> bool:
        match statement:
            case {"IPSetReferenceStatement": reference}:
                return self._is_in(reference, request)
            case {"NotStatement": {"Statement": inner}}:
                return _is_followed(inner) and not self._matches(inner, request)
            case {"AndStatement": {"Statements": inner}}:
                return all(self._matches(each, request) for each in inner)
            case {"OrStatement": {"Statements": inner}}:
                return any(self._matches(each, request) for each in inner)
        return False

    def _is_in(self, reference: AwsDict, request: InspectedRequest) -> bool:
        """Whether the source, or an address in a header, is in the set; for a header without a valid one, the
        fallback."""
        addresses, forwarded = self.ip_sets.get(reference["ARN"], ()), reference.get("IPSetForwardedIPConfig")
        if not forwarded:
            return request.source is not None and _among(request.source, addresses)
        header = request.headers.get(forwarded["HeaderName"].lower())
        if header is None:
            return False  # "If the specified header isn't present …, AWS WAF doesn't apply the rule"
        told = [each.strip() for each in header.split(",")]
        chosen = {"FIRST": told[:1], "LAST": told[-1:]}.get(forwarded["Position"], told)
        valid = [each for each in chosen if _is_address(each)]
        if not valid:
            return bool(forwarded["FallbackBehavior"] == "MATCH")
        return any(_among(each, addresses) for each in valid)


def _is_followed(statement: AwsDict) -> bool:
    """Whether a statement is supported here: NOT of an unsupported one matches nothing."""
    kinds = {"IPSetReferenceStatement", "NotStatement", "AndStatement", "OrStatement"}
    return bool(kinds & statement.keys())


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _among(address: str, ranges: Iterable[str]) -> bool:
    return any(ip_address(address) in ip_network(each, strict=False) for each in ranges)
