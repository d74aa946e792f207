"""AWS's stop reasons and events, without the parts that others write in them. Pure."""

from __future__ import annotations

import re

BY_USER = "UserInitiated"  # "Viewing Amazon ECS stopped task errors", stopCode
# Answers of a registry that has a problem itself.
SERVER_ERROR = r"\b5\d\d (?:Internal Server Error|Bad Gateway|Service Unavailable|Gateway Time-?[Oo]ut)"
# EC2's answers about a subnet, or a security ``group``, that was deleted.
NETWORK_MISSING = (
    r"[Tt]he subnet ID \S{1,200} does not exist|InvalidSubnetID\.NotFound"
    r"|(?P<group>[Tt]he security group \S{1,200} does not exist|Invalid(?:Group|SecurityGroupID)\.NotFound)"
)
# AWS cuts a stop reason at about 1,024 characters; an event is no longer.
_LONGEST = 4096
# The gRPC status at the end of containerd's errors, and missing values in Go and JSON.
_NOTHING = r"unknown|<unknown>|<nil>|nil|<none>|null|\"\"|''"
_AND_NO_MORE = re.compile(rf"(?:(?::|=| caused:) ?(?:{_NOTHING})){{1,9}}(?=[.,;]?(?:\s|$))")
# Parts of AWS's sentences that contain names, with the text that AWS itself writes.
_NAMES = (
    (
        r"\((service|cluster|target-group|elb|task set|taskSet|task|deployment|instance) [^()]{1,500}\)",
        r"(\1 …)",
    ),
    (r"\b(service|cluster|task set) \([^()]{1,500}\)", r"\1 (…)"),
    (r"\b(arn:[\w-]{1,20}:[\w-]{1,40}:[\w-]{0,40}:\d{0,12}:)[^\s,;\"')\]]{1,1000}", r"\1…"),
    (r"\b((?:[\w-]{1,63}\.){1,8}[\w-]{1,63}(?::\d{1,5})?/)[^\s,;\"'()]{1,500}", r"\1…"),
    (
        r"((?:manifest|access denied) for|resolve ref|contain json key|invalid parameters:) [^\s,;]{1,500}",
        r"\1 …",
    ),
    (r"([\"'])(?!https?:)[^\s\"']{1,500}\1", r"\1…\1"),
    (r"(?<![\w.…/:])/[\w.@/+~=-]{1,500}", "/…"),
)
_NAMED = tuple((re.compile(pattern), kept) for pattern, kept in _NAMES)
_APOSTROPHES = str.maketrans("‘’", "''")


def plain(text: str) -> str:
    """AWS's text for comparisons: AWS mixes ``You've`` and ``You’ve``, and some texts are very long."""
    return text[:_LONGEST].translate(_APOSTROPHES)


def without_names(text: str) -> str:
    """AWS's text without names of services, images, secrets, roles and programs."""
    for pattern, kept in _NAMED:
        text = pattern.sub(kept, text)
    return text


def without_ids(text: str) -> str:
    """A reason without ids that differ from task to task, so that equal failures have equal texts."""
    return re.sub(r"\b[0-9a-f]{32}\b|\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "…", text)


def without_empty_causes(text: str) -> str:
    """AWS's text without placeholders of container engines, as in ``no such file: unknown``."""
    return _AND_NO_MORE.sub("", text[:_LONGEST])


def first_match(pattern: str, text: str) -> str:
    """The first group of ``pattern`` in ``text``; empty without a match, or for a placeholder."""
    found = re.search(pattern, plain(text))
    return "" if found is None or re.fullmatch(_NOTHING, found[1]) else found[1]
