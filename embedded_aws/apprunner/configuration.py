"""Makes a complete configuration of a request: fills in defaults, and refuses invalid values.

Source: API Reference, CreateService and its data types.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..iam import roles
from ..moto.adapter import find_role
from . import companions
from .answers import invalid
from .model import AppRunnerState, AwsDict, Companion, Configuration

BUILD, TASKS = "build.apprunner.amazonaws.com", "tasks.apprunner.amazonaws.com"
RESERVED = "AWSAPPRUNNER"
MEMORY = {
    "256": ("512", "1024"),
    "512": ("1024",),
    "1024": ("2048", "3072", "4096"),
    "2048": ("4096", "6144"),
    "4096": ("8192", "10240", "12288"),
}
"""The supported memory (MB) for each CPU size (units)."""

HEALTH = {"Protocol": "TCP", "Interval": 5, "Timeout": 2, "HealthyThreshold": 1, "UnhealthyThreshold": 5}


def configure(
    state: AppRunnerState, request: Mapping[str, Any], before: Configuration | None = None
) -> Configuration:
    """The configuration of CreateService or UpdateService; AwsError for an invalid one.

    With ``before``, omitted members keep their values.
    """
    made = Configuration(
        source=_source(state, request["SourceConfiguration"])
        if before is None or "SourceConfiguration" in request
        else before.source,
        instance=_instance(request, before),
        health=_health(request, before),
        network=_network(state, request, before),
        scaling=_scaling(state, request, before),
        observability=_observability(state, request, before),
    )
    _check_roles(state, made)
    return made


def _source(state: AppRunnerState, given: AwsDict) -> AwsDict:
    kinds = {"ImageRepository", "CodeRepository"} & set(given)
    if len(kinds) != 1:
        raise invalid("Specify exactly one of ImageRepository and CodeRepository in SourceConfiguration.")
    if "ImageRepository" in given:
        return _image_source(state, given)
    return _code_source(state, given)


def _image_source(state: AppRunnerState, given: AwsDict) -> AwsDict:
    image = given["ImageRepository"]
    runtime = {"Port": "8080", **image.get("ImageConfiguration", {})}
    _check_runtime(runtime)
    in_ecr = image["ImageRepositoryType"] == "ECR"
    authentication = given.get("AuthenticationConfiguration", {})
    if in_ecr and "AccessRoleArn" not in authentication:
        raise invalid("Authentication configuration is invalid.")
    own = in_ecr and image["ImageIdentifier"].startswith(state.account)
    if given.get("AutoDeploymentsEnabled") and not own:
        raise invalid("Automatic deployments need an image in a private repository of this account.")
    return {
        "ImageRepository": {**image, "ImageConfiguration": runtime},
        "AutoDeploymentsEnabled": given.get("AutoDeploymentsEnabled", own),
        **({"AuthenticationConfiguration": authentication} if authentication else {}),
    }


def _code_source(state: AppRunnerState, given: AwsDict) -> AwsDict:
    code = dict(given["CodeRepository"])
    configured = code.get("CodeConfiguration")
    if configured and configured["ConfigurationSource"] == "API":
        if "CodeConfigurationValues" not in configured:
            raise invalid("CodeConfigurationValues are required when ConfigurationSource is API.")
        values = {"Port": "8080", **configured["CodeConfigurationValues"]}
        _check_runtime(values)
        code["CodeConfiguration"] = {**configured, "CodeConfigurationValues": values}
    connection = given.get("AuthenticationConfiguration", {}).get("ConnectionArn")
    if connection is None:
        raise invalid("Authentication configuration is invalid.")
    found = companions.find(state, companions.CONNECTION, connection)
    if found.body["Status"] != "AVAILABLE":
        raise invalid(f"Connection {connection} is not in AVAILABLE status.")
    return {
        "CodeRepository": {"SourceDirectory": "/", **code},
        "AutoDeploymentsEnabled": given.get("AutoDeploymentsEnabled", True),
        "AuthenticationConfiguration": given["AuthenticationConfiguration"],
    }


def _check_runtime(runtime: Mapping[str, Any]) -> None:
    port = runtime["Port"]
    if not (port.isdecimal() and 1 <= int(port) <= 65535):
        raise invalid(f"Port {port} is not valid. Specify a number from 1 to 65535.")
    named = [*runtime.get("RuntimeEnvironmentVariables", ()), *runtime.get("RuntimeEnvironmentSecrets", ())]
    if any(name.startswith(RESERVED) for name in named):
        raise invalid(f"Environment variable names with the prefix {RESERVED} are reserved.")


def _instance(request: Mapping[str, Any], before: Configuration | None) -> AwsDict:
    known = before.instance if before else {"Cpu": "1024", "Memory": "2048"}
    given = request.get("InstanceConfiguration", {})
    made = {**known, **given}
    made["Cpu"], made["Memory"] = units(made["Cpu"]), units(made["Memory"])
    if made["Memory"] not in MEMORY[made["Cpu"]]:
        raise invalid(f"Memory {made['Memory']} is not valid with Cpu {made['Cpu']}.")
    return made


def units(size: str) -> str:
    """``1 vCPU`` as ``1024``, ``2 GB`` as ``2048``; a number without a unit is unchanged."""
    number, _, unit = size.partition(" ")
    return str(int(float(number) * 1024)) if unit else number


def _health(request: Mapping[str, Any], before: Configuration | None) -> AwsDict:
    made = {**(before.health if before else HEALTH), **request.get("HealthCheckConfiguration", {})}
    if made["Protocol"] == "HTTP":
        made.setdefault("Path", "/")
    else:
        made.pop("Path", None)
    return made


def _network(state: AppRunnerState, request: Mapping[str, Any], before: Configuration | None) -> AwsDict:
    known = before.network if before else {}
    made = {
        "EgressConfiguration": {"EgressType": "DEFAULT"},
        "IngressConfiguration": {"IsPubliclyAccessible": True},
        "IpAddressType": "IPV4",
        **known,
        **request.get("NetworkConfiguration", {}),
    }
    egress = made["EgressConfiguration"]
    connector = egress.get("VpcConnectorArn")
    if (egress.get("EgressType") == "VPC") != (connector is not None):
        raise invalid("VpcConnectorArn is required when EgressType is VPC, and only then.")
    if connector is not None:
        companions.find(state, companions.CONNECTOR, connector)
    return made


def _scaling(state: AppRunnerState, request: Mapping[str, Any], before: Configuration | None) -> Companion:
    given = request.get("AutoScalingConfigurationArn")
    if given:
        return companions.latest(state, companions.SCALING, given)
    return before.scaling if before else companions.default_scaling(state)


def _observability(
    state: AppRunnerState, request: Mapping[str, Any], before: Configuration | None
) -> AwsDict | None:
    given: AwsDict | None = request.get("ObservabilityConfiguration")
    if given is None:
        return before.observability if before else None
    if not given["ObservabilityEnabled"]:
        return {"ObservabilityEnabled": False}
    arn = given.get("ObservabilityConfigurationArn")
    if arn is None:
        raise invalid("ObservabilityConfigurationArn is required when ObservabilityEnabled is true.")
    return {**given, "ObservabilityConfigurationArn": companions.latest(state, companions.TRACING, arn).arn}


def _check_roles(state: AppRunnerState, made: Configuration) -> None:
    if made.access_role and not _assumable(state, made.access_role, BUILD):
        raise invalid(f"Error in assuming access role {made.access_role}")
    if made.runtime.get("RuntimeEnvironmentSecrets") and not made.instance_role:
        raise invalid("Instance Role have to be provided if passing in RuntimeEnvironmentSecrets.")
    if made.instance_role and not _assumable(state, made.instance_role, TASKS):
        raise invalid(f"Error in assuming instance role {made.instance_role}")


def _assumable(state: AppRunnerState, arn: str, principal: str) -> bool:
    role = find_role(arn.split(":")[4], arn)
    context = {"aws:SourceAccount": state.account, "aws:SourceArn": state.arn("service/*")}
    return role is not None and roles.trusts(role, principal, context) and roles.assumable(state.plane, arn)
