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
_BYTE, _SHORT = 255, 65535
_DIGITS = 5  # of the largest number
_CAA_VALUE = re.compile(r'"(?:[^"\\]|\\.){1,4096}"')
_POINTER = re.compile(r'(\S+)\s+(\S+)(?:\s+"(?:[^"\\]|\\.)*"){3}\s+([^\s"]+)')

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


def _address(version: Callable[[str], Any], kind: str, problem: str) -> Callable[[str], str | None]:
    def look(value: str) -> str | None:
        if " " in value.strip():
            return f"{kind}RRDATANotSingleField (Value contains spaces)"
        try:
            version(value)
        except ValueError:
            return problem
        return problem if "%" in value else None  # an IPv6 address with a zone is of one machine

    return look


def _name(value: str) -> str | None:
    """The error in one domain name; "." is the root."""
    if not value.strip() or re.search(r"\s", value.strip()):
        return "DomainNameInvalid (Value is empty or contains spaces)"  # (own words)
    return name_problem(value)


def name_problem(value: str) -> str | None:
    """What is wrong with the labels or the length of a domain name; None where nothing is."""
    labels = value.removesuffix(".").split(".")
    if value != "." and not all(labels):
        return "DomainLabelEmpty (Domain label is empty)"
    if any(len(label) > LABEL_AT_MOST for label in labels):
        return "DomainLabelTooLong (Domain label is too long)"
    if len(value) > NAME_AT_MOST:
        return "DomainNameTooLong (Domain name is too long)"  # (own words)
    return None


def _number(text: str, most: int) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= _DIGITS and int(text) <= most


def _mail_server(value: str) -> str | None:
    """ "MX record type": a priority from 0 to 65535 and the domain name of a mail server."""
    fields = value.split()
    if len(fields) != 2:
        return "MXRRDATANotTwoFields (MX record doesn't have 2 fields)"
    if not _number(fields[0], _SHORT):
        return "MXRRDATAPriorityRequired (MX record has no valid priority)"  # (own words behind the code)
    return _name(fields[1])


def _service(value: str) -> str | None:
    """ "SRV record type": priority, weight, port and domain name."""
    fields = value.split()
    if len(fields) != 4:
        return "SRVRRDATANotFourFields (SRV record doesn't have 4 fields)"
    if not all(_number(field, _SHORT) for field in fields[:3]):
        return "SRVRRDATAIllegalNumber (Priority, weight and port are numbers up to 65535)"  # (own words)
    return _name(fields[3])


def _authority(value: str) -> str | None:
    """ "CAA record type": flags from 0 to 255, a tag of ASCII letters and digits, and a value in quotation marks."""
    fields = value.split(maxsplit=2)
    if len(fields) != 3:
        return "CAARRDATANotThreeFields (CAA record doesn't have 3 fields)"  # (own words)
    if not _number(fields[0], _BYTE):
        return "CAARRDATAIllegalFlags (Flags are a number up to 255)"  # (own words)
    if not (fields[1].isascii() and fields[1].isalnum()):
        return "CAARRDATAIllegalTag (Tag has other characters than letters and digits)"  # (own words)
    return None if _CAA_VALUE.fullmatch(fields[2]) else UNQUOTED


def _pointer(value: str) -> str | None:
    """ "NAPTR record type": order, preference, then flags, service and regexp in quotation marks, and replacement."""
    found = _POINTER.fullmatch(value.strip())
    if found is None:
        return "NAPTRRRDATANotSixFields (NAPTR record doesn't have 6 fields)"  # (own words)
    if not (_number(found[1], _SHORT) and _number(found[2], _SHORT)):
        return "NAPTRRRDATAIllegalNumber (Order and preference are numbers up to 65535)"  # (own words)
    return _name(found[3])


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
    "A": _address(
        ipaddress.IPv4Address, "A", "ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address)"
    ),
    "AAAA": _address(
        ipaddress.IPv6Address, "AAAA", "AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address)"
    ),
    "CAA": _authority,
    "CNAME": _name,
    "MX": _mail_server,
    "NAPTR": _pointer,
    "NS": _name,
    "PTR": _name,
    "SPF": _texts,
    "SRV": _service,
    "TXT": _texts,
}
