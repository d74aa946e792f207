"""Validates the values of a record. Pure.

Sources: Developer Guide, "Supported DNS record types"; API Reference, ResourceRecord ("more than one value for all
record types except CNAME and SOA"); the texts are Route 53's, except where they are marked (own words).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Any

LABEL_AT_MOST = 63
STRING_AT_MOST = 255
_STRINGS = re.compile(r'\s*"((?:[^"\\]|\\.)*)"(?=\s|"|$)')

NAME_AT_MOST = 255

UNQUOTED = "InvalidCharacterString (Value should be enclosed in quotation marks)"
TOO_LONG = "CharacterStringTooLong (Value is too long)"


def is_domain(name: str) -> bool:
    """Whether it is a domain name, with or without the trailing dot."""
    labels = name.removesuffix(".").split(".")
    return len(name) <= NAME_AT_MOST and all(0 < len(label) <= LABEL_AT_MOST for label in labels)


def bad_values(record: Mapping[str, Any]) -> list[str]:
    """The errors in the values of a record that is not an alias."""
    kind, values = record["Type"], [each["Value"] for each in record["ResourceRecords"]]
    if kind == "CNAME" and len(values) > 1:
        return [
            f"A record of type CNAME has one value, and {record['Name']} has {len(values)}"
        ]  # (own words)
    look = _RULES.get(kind, _anything)
    return [
        f"Invalid Resource Record: 'FATAL problem: {problem} encountered with '{value}''"
        for value in values
        if (problem := look(value))
    ]


def _anything(_value: str) -> str | None:
    return None


def _address(version: Callable[[str], Any], problem: str) -> Callable[[str], str | None]:
    def look(value: str) -> str | None:
        try:
            version(value)
        except ValueError:
            return problem
        return None

    return look


def _name(value: str) -> str | None:
    labels = value.removesuffix(".").split(".")
    if not all(labels):
        return "DomainLabelEmpty (Domain label is empty)"
    if any(len(label) > LABEL_AT_MOST for label in labels):
        return "DomainLabelTooLong (Domain label is too long)"
    return None


def _texts(value: str) -> str | None:
    """The error in quoted strings of at most 255 characters each; a backslash escapes the next character."""
    at, length = 0, len(value.rstrip())
    while at < length:
        found = _STRINGS.match(value, at)
        if found is None:
            return UNQUOTED
        if len(re.sub(r"\\(.)", r"\1", found[1])) > STRING_AT_MOST:
            return TOO_LONG
        at = found.end()
    return None if value.strip() else UNQUOTED


_RULES: dict[str, Callable[[str], str | None]] = {
    "A": _address(ipaddress.IPv4Address, "ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)"),
    "AAAA": _address(
        ipaddress.IPv6Address, "AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address)"
    ),
    "CNAME": _name,
    "NS": _name,
    "PTR": _name,
    "SPF": _texts,
    "TXT": _texts,
}
