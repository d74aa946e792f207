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
# What EC2 answers stands behind what ECS attempted, and is a code (Amazon EC2 API Reference, "Error codes").
EC2_ANSWERS = r"EC2 error while attempting to .{0,400}?: (?:\w{1,40}\.)?"
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
# The forms in which an event of a service gives a reason, in the order in which they count.
_REASONS = (
    re.compile(r"\bReason: (.{1,2000})", re.DOTALL),
    re.compile(r"\((?:error|reason) (.{1,2000})", re.DOTALL),
    re.compile(r"\bbecause (.{1,2000})", re.DOTALL),
    re.compile(r"\bdeployment failed: (?!tasks? failed to start)(.{1,2000})", re.DOTALL),
)
_MORE = "For more information, see"  # the sentence that many of them end with
_EVENT = re.compile(r"\(?service\b")
# What stands around an error of a container runtime, and says nothing of it.
_WRAPPING = re.compile(
    r"^(?:(?:\w{1,100}(?:Error|Exception)|Error response from daemon|API error \(\d{3}\)|OCI runtime create failed"
    r"|failed to create (?:new container runtime task|shim(?: task)?)|unable to create new container|runc create failed"
    r"|unable to start container process|(?:container|process)_linux\.go:\d{1,5}|starting container process caused"
    r"|container init caused|error during container init|mount callback failed on \S{1,300}):\s{0,3}){1,12}"
)
_RETRIED = re.compile(r"\b[\w ]{1,40} has been retried \d{1,3} time\(s\): ")
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


def reason_in(event: str) -> str:
    """The reason that an event of a service gives, whatever it says; empty where it gives none."""
    if not _EVENT.match(event):
        return ""
    told = plain(event).partition(_MORE)[0].strip().rstrip(".")
    for form in _REASONS:
        if found := form.search(told):
            is_in_brackets = found[0].startswith("(")
            return (found[1].removesuffix(")") if is_in_brackets else found[1]).rstrip(".")
    return ""


def without_wrapping(text: str) -> str:
    """The text of an error without classes of errors and steps of runtimes at its start, and without retries."""
    return _RETRIED.sub("", _WRAPPING.sub("", text))


def first_match(pattern: str, text: str) -> str:
    """The first group of ``pattern`` in ``text``; empty without a match, or for a placeholder."""
    found = re.search(pattern, plain(text))
    return "" if found is None or re.fullmatch(_NOTHING, found[1]) else found[1]
