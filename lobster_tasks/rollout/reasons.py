"""What AWS's own words mean: stop reasons and events as cause codes. Pure.

Sources: Amazon ECS Developer Guide, "Resolve Amazon ECS stopped task errors", "CannotPullContainer task errors",
"Amazon ECS ResourceInitializationError", "Viewing Amazon ECS service event messages".
"""

from __future__ import annotations

import re
from collections.abc import Sequence

# Stop reasons that say no more than that a check or the program ended the task.
ELB, EXITED = "elb", "exited"
ROLE = "role"

_NETWORK = (
    r"i/o timeout|connection issue between the task|dial tcp|no such host|no route to host|connection reset"
    r"|context deadline exceeded|Client\.Timeout|request canceled|send request failed|network is unreachable"
)
# In this order: what is told first counts where one text fits two.
_MEANINGS: Sequence[tuple[str, tuple[str, ...]]] = (
    (r"OutOfMemoryError|Container killed due to memory usage", ("out-of-memory",)),
    (r"does not contain descriptor matching platform|no matching manifest for", ("image-platform",)),
    (r"toomanyrequests|pull rate limit", ("pull-rate-limit",)),
    (r"logger args:.*not authorized to perform: logs:", ("logs-denied",)),
    (r"log group does not exist", ("log-group-missing",)),
    (
        r"cannot find the Amazon CloudWatch log group",
        ("log-group-missing", "no-route-to-registry"),
    ),
    (r"failed to validate logger args: (?!.*timeout)", ("log-options",)),
    (_NETWORK, ("no-route-to-registry",)),
    (
        r"(AccessDenied|not authorized).*(secretsmanager:|ssm:|kms:)|Access to KMS is not allowed",
        ("secret-not-readable",),
    ),
    (r"find the specified secret|invalid parameters:", ("secret-not-found",)),
    (
        r"(from asm|from ssm).*(AccessDenied|not authorized)",
        ("secret-not-readable",),
    ),
    (r"(from asm|from ssm).*(ResourceNotFound|ParameterNotFound)", ("secret-not-found",)),
    (
        r"did not contain json key|from asm.*(invalid character|unexpected end of JSON|cannot unmarshal)",
        ("secret-key-missing",),
    ),
    (r"pull access denied", ("image-not-found", "registry-denied")),
    (
        r"(AccessDenied|not authorized).*ecr:|ecr registry auth.*AccessDenied|403 Forbidden|no basic auth credentials",
        ("registry-denied",),
    ),
    (
        r"CannotPull.*(not found|manifest unknown|name unknown|does not exist)|RepositoryNotFound",
        ("image-not-found",),
    ),
    (r"exec format error", ("exec-format",)),
    (
        r"Cannot(Start|Create)Container.*(executable file not found|no such file or directory)",
        ("command-not-found",),
    ),
    (r"Cannot(Start|Create)Container", ("cannot-start",)),
    (r"Capacity is unavailable|RESOURCE:FARGATE|capacity is currently unavailable", ("no-capacity",)),
    (r"limit on the number of (vCPUs|tasks)|quota", ("quota",)),
    (r"network interface provisioning|Create Network Interface|InsufficientFreeAddresses", ("no-addresses",)),
    (r"Spot Task was interrupted", ("spot-interrupted",)),
    (r"unable to assume the role", (ROLE,)),
    (r"failed container health checks", ("container-health-check",)),
    (r"failed ELB health checks", (ELB,)),
    (r"minimumHealthyPercent or maximumPercent", ("deployment-percent",)),
    (r"Essential container in task exited", (EXITED,)),
    (r"stopped by user|stopped by a user", ("stopped-by-user",)),
)
_COMPILED = tuple((re.compile(pattern, re.DOTALL), codes) for pattern, codes in _MEANINGS)
_STOP_CODES = {
    "SpotInterruption": ("spot-interrupted",),
    "TerminationNotice": ("spot-interrupted",),
    "UserInitiated": ("stopped-by-user",),
    "EssentialContainerExited": (EXITED,),
}


def codes_of(text: str, stop_code: str = "") -> tuple[str, ...]:
    """The codes that a stop reason or an event fits, the likelier first; none for what is not known."""
    found = next((codes for pattern, codes in _COMPILED if pattern.search(text)), ())
    return found or _STOP_CODES.get(stop_code, ())


def without_ids(text: str) -> str:
    """A reason without what differs from one task to the next, so that equal failures are equal texts."""
    return re.sub(r"\b[0-9a-f]{32}\b|\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "…", text)


def first(pattern: str, text: str) -> str:
    """What the first group of ``pattern`` finds in ``text``; empty where it does not."""
    found = re.search(pattern, text)
    return found[1] if found else ""
