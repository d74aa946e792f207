"""What the values of a record must look like. Pure.

Sources: Developer Guide, "Supported DNS record types"; API Reference, ResourceRecord ("more than one value for all
record types except CNAME and SOA"); the texts are those that Route 53 answers, but where they are marked (own words).
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
    """Whether it is the name of a domain, with or without the dot at its end."""
    labels = name.removesuffix(".").split(".")
    return len(name) <= NAME_AT_MOST and all(0 < len(label) <= LABEL_AT_MOST for label in labels)


def bad_values(record: Mapping[str, Any]) -> list[str]:
    """What is wrong with the values of a record that is no alias."""
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
    """One or more texts in quotation marks, each of 255 characters at most; a backslash takes the next one as it is."""
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
