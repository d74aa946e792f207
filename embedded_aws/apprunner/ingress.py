"""VPC ingress connections, from a VPC endpoint to a private service.

Source: Developer Guide, "Enabling Private endpoints for incoming traffic". A connection's DomainName resolves to
the service's own address here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..moto.adapter import ec2_backends
from . import companions, services
from .answers import invalid, page, wrong_state
from .companions import INGRESS, add, find, named
from .component import AppRunnerComponent
from .model import AppRunnerState, Companion

SECONDS = 20.0
"""AWS seconds until a connection is AVAILABLE, changed or deleted."""

Request = Mapping[str, Any]


def create(app_runner: AppRunnerComponent, state: AppRunnerState, request: Request) -> dict[str, Any]:
    """CreateVpcIngressConnection."""
    service = services.living(state, request["ServiceArn"])
    if service.status != "RUNNING":
        raise wrong_state(f"The service must be RUNNING; it is {service.status}.")
    if service.configuration.network["IngressConfiguration"].get("IsPubliclyAccessible", True):
        raise invalid("The service is publicly accessible. Make it private first.")
    name = request["VpcIngressConnectionName"]
    if named(state, INGRESS, name):
        raise invalid(f"VPC ingress connection with the provided name already exists: {name}.")
    body = {
        "ServiceArn": service.arn,
        "AccountId": state.account,
        "DomainName": service.url,
        "IngressVpcConfiguration": _endpoint(state, request),
        "Status": "PENDING_CREATION",
    }
    made = add(state, INGRESS, name, body, request)
    app_runner.later(SECONDS, lambda: made.body.update(Status="AVAILABLE"))
    return {"VpcIngressConnection": made.body}


def describe(state: AppRunnerState, request: Request) -> dict[str, Any]:
    """DescribeVpcIngressConnection."""
    return {"VpcIngressConnection": find(state, INGRESS, request["VpcIngressConnectionArn"]).body}


def list_summaries(state: AppRunnerState, request: Request) -> dict[str, Any]:
    """ListVpcIngressConnections: of one service or VPC endpoint, or all."""
    criteria = request.get("Filter", {})
    found = [one for one in named(state, INGRESS) if _matches(one, criteria)]
    shown = [{name: one.body[name] for name in ("VpcIngressConnectionArn", "ServiceArn")} for one in found]
    listed, more = page(shown, request)
    return {"VpcIngressConnectionSummaryList": listed, **more}


def update(app_runner: AppRunnerComponent, state: AppRunnerState, request: Request) -> dict[str, Any]:
    """UpdateVpcIngressConnection: changes the VPC endpoint."""
    one = _settled(state, request)
    one.body |= {"IngressVpcConfiguration": _endpoint(state, request), "Status": "PENDING_UPDATE"}
    app_runner.later(SECONDS, lambda: one.body.update(Status="AVAILABLE"))
    return {"VpcIngressConnection": one.body}


def delete(app_runner: AppRunnerComponent, state: AppRunnerState, request: Request) -> dict[str, Any]:
    """DeleteVpcIngressConnection."""
    one = _settled(state, request)
    one.body["Status"] = "PENDING_DELETION"
    app_runner.later(SECONDS, lambda: companions.delete(one, "DELETED"))
    return {"VpcIngressConnection": one.body}


def _settled(state: AppRunnerState, request: Request) -> Companion:
    one = find(state, INGRESS, request["VpcIngressConnectionArn"])
    if one.body["Status"].startswith("PENDING_"):
        raise wrong_state(f"The VPC ingress connection is in the state {one.body['Status']}.")
    return one


def _matches(one: Companion, criteria: Mapping[str, str]) -> bool:
    seen = {**one.body["IngressVpcConfiguration"], "ServiceArn": one.body["ServiceArn"]}
    return all(seen.get(name) == value for name, value in criteria.items())


def _endpoint(state: AppRunnerState, request: Request) -> dict[str, str]:
    given: dict[str, str] = request["IngressVpcConfiguration"]
    known = ec2_backends[state.account][state.region].vpc_end_points
    found = known.get(given.get("VpcEndpointId"))
    if found is None or found.vpc_id != given.get("VpcId"):
        raise invalid("The VPC endpoint does not exist in the VPC.")
    return given
