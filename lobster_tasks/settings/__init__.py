"""Makes one frozen ``Settings`` of invoke.yaml, environment variables and flags, and reports all mistakes at once.

A value means the same in every source: sources give text as it is written, and the type of the setting converts it.
``INVOKE_LOBSTER_<SECTION>_<KEY>`` overrides the section ``lobster:`` of ``invoke.yaml``, and flags
(``--set section.key=value``) override both. Members of a map are set in the same way
(``container.environment.<NAME>``). The defaults describe the system of the migration plan, in us-east-2.
"""

from __future__ import annotations

from .loading import keys, load, merge, with_images
from .model import (
    AppRunnerSettings,
    ContainerSettings,
    DeploymentSettings,
    FrontSettings,
    GitHubSettings,
    LoadBalancerNames,
    LoadBalancerSettings,
    NetworkSettings,
    ProbeSettings,
    ScalingSettings,
    Settings,
    SignInSettings,
    TaskSettings,
    XRaySettings,
    service_name,
)
from .values import (
    ADOPTED_TAG,
    ATTACHED_TAG,
    BEFORE_TAG,
    FARGATE_MEMORY,
    MOST_TAGS,
    MOST_WAIT_MINUTES,
    REGION_TAG,
    RETENTION_DAYS,
    STACK_TAG,
    VIEWER_CERTIFICATES_IN,
)

__all__ = [
    "ADOPTED_TAG",
    "ATTACHED_TAG",
    "BEFORE_TAG",
    "FARGATE_MEMORY",
    "MOST_TAGS",
    "MOST_WAIT_MINUTES",
    "REGION_TAG",
    "RETENTION_DAYS",
    "STACK_TAG",
    "VIEWER_CERTIFICATES_IN",
    "AppRunnerSettings",
    "ContainerSettings",
    "DeploymentSettings",
    "FrontSettings",
    "GitHubSettings",
    "LoadBalancerNames",
    "LoadBalancerSettings",
    "NetworkSettings",
    "ProbeSettings",
    "ScalingSettings",
    "Settings",
    "SignInSettings",
    "TaskSettings",
    "XRaySettings",
    "keys",
    "load",
    "merge",
    "service_name",
    "with_images",
]
