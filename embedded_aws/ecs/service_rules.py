"""Validates the input of CreateService and UpdateService, and fills in defaults.

Source: Amazon ECS API Reference, CreateService, UpdateService, DeploymentConfiguration. Texts marked (own
words) are used where AWS's are not known.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from . import clusters
from .answers import invalid
from .model import Cluster, TaskDefinition

NAME = re.compile(r"^[A-Za-z0-9_-]{1,255}$")
PLATFORMS = ("LATEST", "1.4.0", "1.3.0")
UNSUPPORTED = (
    "serviceRegistries",
    "serviceConnectConfiguration",
    "volumeConfigurations",
    "vpcLatticeConfigurations",
    "gatewayConnectors",
    "monitoring",
    "placementConstraints",
    "placementStrategy",
)
NO_ALARMS: dict[str, Any] = {"alarmNames": [], "rollback": False, "enable": False}
MAX_GRACE = 2147483647
MOST_TASKS = 5000
"""Tasks per service (Amazon ECS service quotas, "Tasks per service")."""


def check_name(name: str) -> None:
    """Check a service's name."""
    if not NAME.match(name or ""):
        raise invalid("Name contains invalid characters.")


def check_supported(request: Mapping[str, Any]) -> None:
    """Refuse unsupported members by name, instead of ignoring them."""
    for member in UNSUPPORTED:
        if request.get(member):
            raise invalid(f"The embedded AWS does not support '{member}'.")
    if request.get("schedulingStrategy") not in (None, "REPLICA"):
        raise invalid("The embedded AWS supports only the scheduling strategy REPLICA.")
    if (request.get("deploymentController") or {}).get("type", "ECS") != "ECS":
        raise invalid("The embedded AWS supports only the deployment controller ECS.")
    if any(item.get("advancedConfiguration") for item in request.get("loadBalancers") or ()):
        raise invalid("The embedded AWS does not support 'advancedConfiguration' of load balancers.")


def check_exec(enabled: bool, definition: TaskDefinition, verb: str) -> None:
    """Refuse ECS Exec for tasks without a task role; ``verb`` is what becomes of the service: created, updated."""
    if enabled and not definition.body.get("taskRoleArn"):
        raise invalid(
            f"The service couldn't be {verb} because a valid taskRoleArn is not being used. Specify a valid task role "
            "in your task definition and try again."
        )


def desired_count(given: int | None, default: int) -> int:
    """The desired count, if it is valid."""
    if given is not None and given < 0:
        raise invalid("desiredCount can not be negative.")  # (own words)
    if given is not None and given > MOST_TASKS:
        raise invalid("Desired count exceeds limit.")
    return default if given is None else given


def grace(request: Mapping[str, Any], balanced: bool, default: int) -> int:
    """healthCheckGracePeriodSeconds, in AWS seconds."""
    given = request.get("healthCheckGracePeriodSeconds")
    if given is None:
        return default
    if not balanced:
        raise invalid("Health check grace period is only valid for services configured to use load balancers")
    if not 0 <= given <= MAX_GRACE:
        raise invalid(f"healthCheckGracePeriodSeconds must be between 0 and {MAX_GRACE}.")  # (own words)
    return int(given)


def launch(
    request: Mapping[str, Any], cluster: Cluster, definition: TaskDefinition
) -> tuple[str | None, tuple[dict[str, Any], ...]]:
    """Launch type and capacity provider strategy, of which one may be given; Fargate only."""
    launch_type = request.get("launchType")
    given = request.get("capacityProviderStrategy") or ()
    if launch_type and given:
        raise invalid(
            "Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again."
        )
    if not launch_type and not given:
        given = cluster.settings.get("defaultCapacityProviderStrategy") or ()
        launch_type = None if given else "EC2"
    if launch_type and launch_type != "FARGATE":
        raise invalid(f"The embedded AWS runs Fargate tasks only; launchType is {launch_type}.")
    if "FARGATE" not in definition.body["compatibilities"]:
        raise invalid("Task definition does not support launch_type FARGATE.")
    return launch_type, strategy(given, cluster)


def strategy(given: Sequence[Mapping[str, Any]], cluster: Cluster) -> tuple[dict[str, Any], ...]:
    """A capacity provider strategy with AWS's defaults; its providers must be the cluster's."""
    for item in given:
        if item["capacityProvider"] not in clusters.PROVIDERS:
            raise invalid(f"The specified capacity provider {item['capacityProvider']} was not found.")
    clusters.check_associated(given, cluster.settings.get("capacityProviders"))
    if given and not any(item.get("weight", 0) for item in given):
        raise invalid(
            "At least one capacity provider in a strategy must have a weight above 0."
        )  # (own words)
    if sum(item.get("base", 0) > 0 for item in given) > 1:
        raise invalid("Only one capacity provider in a strategy can have a base defined.")  # (own words)
    return tuple({"weight": 0, "base": 0, **item} for item in given)


def platform_version(given: str | None, default: str = "LATEST") -> str:
    """A Fargate platform version for Linux."""
    if given is not None and given not in PLATFORMS:
        raise invalid(f"The specified platform version does not exist: {given}")
    return given or default


def configuration(given: Mapping[str, Any] | None, before: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A deployment configuration with AWS's defaults, or merged into the previous one."""
    base = before or {
        "maximumPercent": 200,
        "minimumHealthyPercent": 100,
        "alarms": NO_ALARMS,
        "strategy": "ROLLING",
        "bakeTimeInMinutes": 0,
    }
    made = {**base, **(given or {})}
    made.setdefault("deploymentCircuitBreaker", {"enable": False, "rollback": False})
    if made["strategy"] != "ROLLING":
        raise invalid(
            f"The embedded AWS supports only the deployment strategy ROLLING, not {made['strategy']}."
        )
    for member in ("lifecycleHooks", "linearConfiguration", "canaryConfiguration"):
        if made.get(member):
            raise invalid(f"The embedded AWS does not support '{member}'.")
    for member in ("alarms", "earlySuccessCriteria"):
        if made.get(member, {}).get("enable"):
            raise invalid(f"The embedded AWS does not support '{member}' of a deployment.")
    _check_percents(made)
    return made


def _check_percents(made: Mapping[str, Any]) -> None:
    least, most = made["minimumHealthyPercent"], made["maximumPercent"]
    if not 0 <= least <= 100 or not 100 <= most <= 200:
        raise invalid(
            "minimumHealthyPercent must be between 0 and 100, maximumPercent between 100 and 200."
        )  # (own words)
    if (least, most) == (100, 100):
        raise invalid(
            "Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments."
        )


def rebalancing(given: str | None, made: Mapping[str, Any], default: str) -> str:
    """availabilityZoneRebalancing: ENABLED requires a maximum above 100 percent."""
    if given == "ENABLED" and made["maximumPercent"] <= 100:
        raise invalid(
            "Availability Zone rebalancing requires a maximumPercent greater than 100."
        )  # (own words)
    if given is not None:
        return given
    return default if made["maximumPercent"] > 100 else "DISABLED"
