"""The closed list of cause codes; their records are in diagnosis/causes.py.

Other programs rely on the codes: a code never changes its meaning.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class CauseCode(StrEnum):
    """Every cause, in the order of docs/causes.md."""

    IMAGE_NOT_FOUND = "image-not-found"
    IMAGE_PLATFORM = "image-platform"
    IMAGE_FORMAT = "image-format"
    CANNOT_PULL = "cannot-pull"
    NO_ROUTE_TO_REGISTRY = "no-route-to-registry"
    PUBLIC_ACCESS_BLOCKED = "public-access-blocked"
    REGISTRY_DENIED = "registry-denied"
    REGISTRY_CREDENTIALS = "registry-credentials"
    PULL_RATE_LIMIT = "pull-rate-limit"
    SECRET_NOT_FOUND = "secret-not-found"
    SECRET_NOT_READABLE = "secret-not-readable"
    SECRET_KEY_MISSING = "secret-key-missing"
    LOG_GROUP_MISSING = "log-group-missing"
    LOG_GROUP_REGION = "log-group-region"
    LOG_OPTIONS = "log-options"
    LOGS_DENIED = "logs-denied"
    EXECUTION_ROLE_NOT_ASSUMABLE = "execution-role-not-assumable"
    TASK_ROLE_MISSING = "task-role-missing"
    TASK_ROLE_NOT_ASSUMABLE = "task-role-not-assumable"
    PASS_ROLE_DENIED = "pass-role-denied"
    SERVICE_ROLE_DENIED = "service-role-denied"
    ENVIRONMENT_FILE = "environment-file"
    VOLUME_FAILED = "volume-failed"
    EXITS = "exits"
    OUT_OF_MEMORY = "out-of-memory"
    DISK_FULL = "disk-full"
    START_TIMEOUT = "start-timeout"
    COMMAND_NOT_FOUND = "command-not-found"
    EXEC_FORMAT = "exec-format"
    CANNOT_START = "cannot-start"
    SLOW_START = "slow-start"
    WRONG_PORT = "wrong-port"
    BOUND_TO_LOOPBACK = "bound-to-loopback"
    HEALTH_PATH_STATUS = "health-path-status"
    HEALTH_CHECK_TIMEOUT = "health-check-timeout"
    SECURITY_GROUP_BLOCKS = "security-group-blocks"
    TARGET_NOT_IN_USE = "target-not-in-use"
    TARGET_GROUP_MISMATCH = "target-group-mismatch"
    TARGET_MISSING = "target-missing"
    UNHEALTHY_LATER = "unhealthy-later"
    CONTAINER_HEALTH_CHECK = "container-health-check"
    NO_CAPACITY = "no-capacity"
    QUOTA = "quota"
    ACCOUNT_BLOCKED = "account-blocked"
    NO_ADDRESSES = "no-addresses"
    NETWORK_INTERFACE = "network-interface"
    ZONE_WITHOUT_FARGATE = "zone-without-fargate"
    THROTTLED = "throttled"
    PLATFORM_ERROR = "platform-error"
    MAINTENANCE = "maintenance"
    NOT_ON_FARGATE = "not-on-fargate"
    TASKS_PROTECTED = "tasks-protected"
    SPOT_INTERRUPTED = "spot-interrupted"
    DEPLOYMENT_PERCENT = "deployment-percent"
    IGNORES_SIGTERM = "ignores-sigterm"
    STOPPED_BY_USER = "stopped-by-user"
    SUPERSEDED = "superseded"
    SERVICE_BUSY = "service-busy"
    SERVICE_GONE = "service-gone"
    SCALED_TO_ZERO = "scaled-to-zero"
    NO_RELEASE_BEFORE = "no-release-before"
    ROLLBACK_FAILED = "rollback-failed"
    NAME_WITHOUT_RECORD = "name-without-record"
    NAME_ELSEWHERE = "name-elsewhere"
    ALIAS_MISSING = "alias-missing"
    CERTIFICATE_INVALID = "certificate-invalid"
    DISTRIBUTION_MISSING = "distribution-missing"
    DISTRIBUTION_DISABLED = "distribution-disabled"
    DISTRIBUTION_IN_PROGRESS = "distribution-in-progress"
    VPC_ORIGIN_MISSING = "vpc-origin-missing"
    VPC_ORIGIN_FAILED = "vpc-origin-failed"
    LOAD_BALANCER_MISSING = "load-balancer-missing"
    LISTENER_MISSING = "listener-missing"
    ORIGIN_UNREACHABLE = "origin-unreachable"
    ORIGIN_PROTOCOL = "origin-protocol"
    CLOUDFRONT_REFUSES = "cloudfront-refuses"
    ERROR_PAGE = "error-page"
    HOST_NOT_FORWARDED = "host-not-forwarded"
    COUNTRY_BLOCKED = "country-blocked"
    PROBE_FAILED = "probe-failed"
    NOT_REACHABLE_FROM_HERE = "not-reachable-from-here"
    REFUSED = "refused"
    OUT_OF_TIME = "out-of-time"
    UNKNOWN = "unknown"


def page_of(code: str) -> str:
    """The code's page in the documentation."""
    return f"docs/causes/{code}.md"


def accepted_codes(given: Iterable[str]) -> frozenset[str]:
    """The codes that are accepted with these: who accepts a target not in use accepts the reasons that have their own.

    What has no load balancer, or no listener before it, is not in use either.
    """
    codes = frozenset(given)
    if CauseCode.TARGET_NOT_IN_USE in codes:
        return codes | {CauseCode.LOAD_BALANCER_MISSING, CauseCode.LISTENER_MISSING}
    return codes
