"""What AWS's own words mean: stop reasons and events as cause codes. Pure.

What others write among them decides nothing: the reason that somebody gives StopTask, and names that people choose.

Sources: Amazon ECS Developer Guide, "Amazon ECS stopped tasks error messages" with the page of each of its
categories, "CannotPullContainer task errors in Amazon ECS", "Amazon ECS service event messages", "Amazon ECS API
failure reasons", "Task retirement and maintenance for AWS Fargate".
"""

from __future__ import annotations

import re
from collections.abc import Sequence

BY_USER = "UserInitiated"  # "Viewing Amazon ECS stopped task errors", stopCode
# Stop reasons that say no more than that a check or the program ended the task.
ELB, EXITED = "elb", "exited"
ROLE = "role"

# The signs by which that guide tells a network from the rest (its page on ResourceInitializationError), and others.
_NETWORK = (
    r"i/o timeout|connection issue between the task|network connection between the task|[Cc]heck your (task )?network"
    r"|dial (tcp|udp)|no such host|no route to host|connection reset|connection timed out|TLS handshake timeout"
    r"|[Cc]ontext (deadline exceeded|cancell?ed)|Client\.Timeout|request canceled|RequestCanceled"
    r"|send request failed|network is unreachable"
)
# What a registry answers that is not well itself.
SERVER_ERROR = r"\b5\d\d (?:Internal Server Error|Bad Gateway|Service Unavailable|Gateway Time-?[Oo]ut)"
# In this order: what is told first counts where one text fits two.
_MEANINGS: Sequence[tuple[str, tuple[str, ...]]] = (
    (r"OutOfMemoryError|[Cc]ontainer killed due to memory usage", ("out-of-memory",)),
    (r"no space left on device|Thin Pool has", ("disk-full",)),
    (
        r"no processor for media-type|unsupported media type|mediaType .{0,1000}not supported",
        ("image-format",),
    ),
    (r"does not contain descriptor matching platform|no matching manifest for", ("image-platform",)),
    (r"toomanyrequests|Too Many Requests|pull rate limit", ("pull-rate-limit",)),
    (r"error pulling image conf", ("pull-rate-limit", "no-route-to-registry")),
    (r"logger args:.{0,1000}not authorized to perform: logs:", ("logs-denied",)),
    (r"log group does not exist|failed to initialize logging driver$", ("log-group-missing",)),
    (
        r"cannot find the Amazon CloudWatch log group",
        ("log-group-missing", "no-route-to-registry"),
    ),
    (r"EFS utils|CannotCreateVolumeError", ("volume-failed",)),
    (
        r"failed to (validate logger args|initialize logging driver): (?!.{0,1000}time(d )?out)",
        ("log-options",),
    ),
    (_NETWORK, ("no-route-to-registry",)),
    (r"env(ironment variable)? files", ("environment-file",)),
    (
        r"(AccessDenied|not authorized).{0,1000}(secretsmanager:|ssm:|kms:)|Access to KMS is not allowed",
        ("secret-not-readable",),
    ),
    (r"find the specified secret|retrieve the secret with ARN|invalid parameters:", ("secret-not-found",)),
    (
        r"(from asm|from ssm).{0,1000}(AccessDenied|not authorized)",
        ("secret-not-readable",),
    ),
    (r"(from asm|from ssm).{0,1000}(ResourceNotFound|ParameterNotFound)", ("secret-not-found",)),
    (
        r"did not contain json key|from asm.{0,1000}(invalid character|unexpected end of JSON|cannot unmarshal)",
        ("secret-key-missing",),
    ),
    (r"pull access denied", ("image-not-found", "registry-denied")),
    (
        r"(AccessDenied|not authorized).{0,1000}ecr:|ecr registry auth.{0,1000}AccessDenied|403 Forbidden"
        r"|no basic auth credentials|401 Unauthorized",
        ("registry-denied",),
    ),
    (
        r"CannotPull.{0,1000}(not found|manifest unknown|name unknown|does not exist)|RepositoryNotFound",
        ("image-not-found",),
    ),
    (r"role has the permissions to pull", ("registry-denied", "image-not-found")),
    (rf"CannotPull.{{0,1000}}{SERVER_ERROR}", ("platform-error",)),
    (r"failed to resolve ref[\s:…]{0,4}$", ("image-not-found", "no-route-to-registry")),
    # The layers come from S3, by the route that the guide names for each of these.
    (
        r"pull command failed: panic|failed to copy: http|API error.{0,1000}https?://|CannotPull",
        ("no-route-to-registry",),
    ),
    (r"exec format error", ("exec-format",)),
    (
        r"Cannot(Start|Create)Container.{0,1000}(executable file not found|no such file or directory)",
        ("command-not-found",),
    ),
    (r"failed to get container status", ("out-of-memory", "platform-error")),
    (r"Cannot(Start|Create)Container", ("cannot-start",)),
    (
        r"timed out after waiting|(ContainerRuntime|Docker)TimeoutError|Docker timeout error",
        ("start-timeout",),
    ),
    (r"[Cc]apacity is (currently )?unavailable|RESOURCE:FARGATE", ("no-capacity",)),
    (
        r"limit on the number of (vCPUs|tasks)|configuration is above your limit|(exceeded|reached) .{0,200}quota",
        ("quota",),
    ),
    (r"provisioning capacity limit|are being throttled", ("throttled",)),
    (r"InsufficientFreeAddresses|public IP assignment enabled in subnet", ("no-addresses",)),
    (
        r"network interface provisioning|EC2 error while attempting to|failed to configure ENI|setup regular eni",
        ("network-interface",),
    ),
    (
        r"no container instance met|Container Instances were found|Amazon ECS Agent to start|[Pp]lacement constraint"
        r"|unused device index|compatible with the selected compute|container-instance|\bRESOURCE:|\bATTRIBUTE\b"
        r"|\bAGENT\b|\bLOCATION\b|NO ACTIVE INSTANCES|EMPTY CAPACITY PROVIDER|Host EC2|[Cc]ontainer instance dereg",
        ("not-on-fargate",),
    ),
    (r"could not launch .{0,1000} tasks? for deployment", ("no-capacity",)),
    (r"Reason: Internal error", ("zone-without-fargate", "platform-error")),
    (r"number of protected tasks", ("tasks-protected",)),
    (r"TARGET (GROUP )?IS NOT FOUND", ("target-missing",)),
    (r"permissions policies have been misconfigured", ("service-role-denied",)),
    (r"Spot Task was interrupted|SpotInterruption", ("spot-interrupted",)),
    (r"performing maintenance on the underlying", ("maintenance",)),
    (r"unable to assume the role|trust relationship has been misconfigured", (ROLE,)),
    (r"failed container health checks", ("container-health-check",)),
    (r"failed ELB health checks|is unhealthy in \(", (ELB,)),
    (r"minimumHealthyPercent or maximumPercent", ("deployment-percent",)),
    (r"Essential container in task exited|[Dd]ependency failed|dependency graph:", (EXITED,)),
    (r"stopped by user|stopped by a user", ("stopped-by-user",)),
    (
        r"InternalError|ContainerRuntimeError|Cannot(Stop|Inspect)ContainerError|EphemeralStorage provisioning",
        ("platform-error",),
    ),
)
_COMPILED = tuple((re.compile(pattern, re.DOTALL), codes) for pattern, codes in _MEANINGS)
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
_STOP_CODES = {
    "SpotInterruption": ("spot-interrupted",),
    "TerminationNotice": ("spot-interrupted",),
    "InfrastructureHealth": ("platform-error",),
    BY_USER: ("stopped-by-user",),
    "EssentialContainerExited": (EXITED,),
}


def codes_of(text: str, stop_code: str = "") -> tuple[str, ...]:
    """The codes that a stop reason or an event fits, the likelier first; none for what is not known.

    ``stop_code`` counts before the text where AWS does not write that: StopTask takes any reason ("StopTask", reason).
    """
    if stop_code == BY_USER:
        return _STOP_CODES[BY_USER]
    said = without_names(plain(text))
    found = next((codes for pattern, codes in _COMPILED if pattern.search(said)), ())
    return found or _STOP_CODES.get(stop_code, ())


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


def telling(text: str) -> str:
    """AWS's words without what container engines write where they know no more, as in ``no such file: unknown``."""
    return _AND_NO_MORE.sub("", text[:_LONGEST])


def first(pattern: str, text: str) -> str:
    """What the first group of ``pattern`` finds in ``text``; empty where it does not, or finds a sign for nothing."""
    found = re.search(pattern, plain(text))
    return "" if found is None or re.fullmatch(_NOTHING, found[1]) else found[1]
