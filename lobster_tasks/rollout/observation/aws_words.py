"""AWS's own words as they are read: stop reasons and events without what others write in them. Pure."""

from __future__ import annotations

import re

BY_USER = "UserInitiated"  # "Viewing Amazon ECS stopped task errors", stopCode
# What a registry answers that is not well itself.
SERVER_ERROR = r"\b5\d\d (?:Internal Server Error|Bad Gateway|Service Unavailable|Gateway Time-?[Oo]ut)"
# AWS cuts a stop reason at 1,024 characters or so; an event is no longer.
_LONGEST = 4096
# The gRPC status that containerd ends its errors with, and how Go and JSON write what is not there.
_NOTHING = r"unknown|<unknown>|<nil>|nil|<none>|null|\"\"|''"
_AND_NO_MORE = re.compile(rf"(?:(?::|=| caused:) ?(?:{_NOTHING})){{1,9}}(?=[.,;]?(?:\s|$))")
# Where AWS's sentences have names in them, with what of each is AWS's own.
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
    """AWS's words as they are compared: it writes ``You've`` here and ``You’ve`` there, and may say very much."""
    return text[:_LONGEST].translate(_APOSTROPHES)


def without_names(text: str) -> str:
    """AWS's words without the names that people choose for services, images, secrets, roles and programs."""
    for pattern, kept in _NAMED:
        text = pattern.sub(kept, text)
    return text


def without_ids(text: str) -> str:
    """A reason without what differs from one task to the next, so that equal failures are equal texts."""
    return re.sub(r"\b[0-9a-f]{32}\b|\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "…", text)


def without_empty_causes(text: str) -> str:
    """AWS's words without what container engines write where they know no more, as in ``no such file: unknown``."""
    return _AND_NO_MORE.sub("", text[:_LONGEST])


def first_match(pattern: str, text: str) -> str:
    """What the first group of ``pattern`` finds in ``text``; empty where it does not, or finds a sign for nothing."""
    found = re.search(pattern, plain(text))
    return "" if found is None or re.fullmatch(_NOTHING, found[1]) else found[1]
