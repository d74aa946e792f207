"""Operations on observability configurations, VPC connectors and connections, which take effect at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..moto.adapter import ec2_backends, find_subnet
from . import companions
from .answers import invalid, page
from .companions import CONNECTION, CONNECTOR, TRACING, add, find, latest, named
from .model import AppRunnerState, Companion

Request = Mapping[str, Any]


def create_tracing(state: AppRunnerState, request: Request) -> dict[str, Any]:
    """CreateObservabilityConfiguration."""
    body = {name: request[name] for name in ("TraceConfiguration",) if name in request}
    made = add(state, TRACING, request["ObservabilityConfigurationName"], body, request)
    return {"ObservabilityConfiguration": _tracing(state, made)}


def describe_tracing(state: AppRunnerState, request: Request) -> dict[str, Any]:
    """DescribeObservabilityConfiguration: by full or partial ARN."""
    return {"ObservabilityConfiguration": _tracing(state, _found_tracing(state, request))}


def list_tracing(state: AppRunnerState, request: Request) -> dict[str, Any]:
    """ListObservabilityConfigurations."""
    found = companions.listed(state, TRACING, request.get("ObservabilityConfigurationName"), request)
    members = [f"ObservabilityConfiguration{part}" for part in ("Arn", "Name", "Revision")]
    shown, more = page([{name: one.body[name] for name in members} for one in found], request)
    return {"ObservabilityConfigurationSummaryList": shown, **more}


def delete_tracing(state: AppRunnerState, request: Request) -> dict[str, Any]:
    """DeleteObservabilityConfiguration."""
    one = _found_tracing(state, request)
    companions.must_be_free(state, one)
    companions.delete(one)
    return {"ObservabilityConfiguration": _tracing(state, one)}


def _found_tracing(state: AppRunnerState, request: Request) -> Companion:
    arn = request["ObservabilityConfigurationArn"]
    return find(state, TRACING, arn) if arn.count("/") == 3 else latest(state, TRACING, arn)


def _tracing(state: AppRunnerState, one: Companion) -> dict[str, Any]:
    return {**one.body, "Latest": one in named(state, TRACING, one.name)[-1:]}


def create_connector(state: AppRunnerState, request: Request) -> dict[str, Any]:
    """CreateVpcConnector: subnets of one VPC, by default with its default security group."""
    name = request["VpcConnectorName"]
    if named(state, CONNECTOR, name):
        raise invalid(f"VPC connector with the provided name already exists: {name}.")
    ec2 = ec2_backends[state.account][state.region]
    subnets = [(subnet, find_subnet(ec2, subnet)) for subnet in request["Subnets"]]
    if missing := [subnet for subnet, found in subnets if found is None]:
        raise invalid(f"The subnets {missing} do not exist.")
    vpcs = {found.vpc_id for _, found in subnets}
    if len(vpcs) != 1:
        raise invalid("The subnets must be of one VPC.")
    groups = request.get("SecurityGroups") or [ec2.get_default_security_group(vpcs.pop()).id]
    _check_groups(ec2, groups)
    body = {"Subnets": request["Subnets"], "SecurityGroups": groups}
    return {"VpcConnector": add(state, CONNECTOR, name, body, request).body}


def _check_groups(ec2: Any, groups: list[str]) -> None:
    for group in groups:
        if ec2.get_security_group_from_id(group) is None:
            raise invalid(f"The security group {group} does not exist.")


def describe_connector(state: AppRunnerState, request: Request) -> dict[str, Any]:
    """DescribeVpcConnector."""
    return {"VpcConnector": find(state, CONNECTOR, request["VpcConnectorArn"]).body}


def list_connectors(state: AppRunnerState, request: Request) -> dict[str, Any]:
    """ListVpcConnectors."""
    shown, more = page([one.body for one in named(state, CONNECTOR)], request)
    return {"VpcConnectors": shown, **more}


def delete_connector(state: AppRunnerState, request: Request) -> dict[str, Any]:
    """DeleteVpcConnector."""
    one = find(state, CONNECTOR, request["VpcConnectorArn"])
    companions.must_be_free(state, one)
    companions.delete(one)
    return {"VpcConnector": one.body}


def create_connection(state: AppRunnerState, request: Request) -> dict[str, Any]:
    """CreateConnection: PENDING_HANDSHAKE until a person completes the handshake in the console."""
    name = request["ConnectionName"]
    if named(state, CONNECTION, name):
        raise invalid(f"Connection with the provided name already exists: {name}.")
    body = {"ProviderType": request["ProviderType"], "Status": "PENDING_HANDSHAKE"}
    return {"Connection": add(state, CONNECTION, name, body, request).body}


def list_connections(state: AppRunnerState, request: Request) -> dict[str, Any]:
    """ListConnections."""
    shown, more = page([one.body for one in named(state, CONNECTION, request.get("ConnectionName"))], request)
    return {"ConnectionSummaryList": shown, **more}


def delete_connection(state: AppRunnerState, request: Request) -> dict[str, Any]:
    """DeleteConnection."""
    one = find(state, CONNECTION, request["ConnectionArn"])
    companions.must_be_free(state, one)
    companions.delete(one, "DELETED")
    return {"Connection": {name: value for name, value in one.body.items() if name != "DeletedAt"}}
