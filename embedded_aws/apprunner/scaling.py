"""Auto scaling configurations: immutable, each creation of a name is its next revision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import companions
from .answers import invalid, page
from .companions import SCALING, add, default_scaling, find, latest, named
from .model import Companion, Room

DEFAULTS = {"MaxConcurrency": 100, "MinSize": 1, "MaxSize": 25}
SIZES = ("Latest", "MaxConcurrency", "MinSize", "MaxSize", "DeletedAt")

Request = Mapping[str, Any]


def create(room: Room, request: Request) -> dict[str, Any]:
    """CreateAutoScalingConfiguration."""
    default_scaling(room)
    sizes = {name: request.get(name, value) for name, value in DEFAULTS.items()}
    if sizes["MinSize"] > sizes["MaxSize"]:
        raise invalid("MinSize must not be greater than MaxSize.")
    name = request["AutoScalingConfigurationName"]
    if name == companions.DEFAULT:
        raise invalid(f"{name} is reserved and has one revision.")
    made = add(room, SCALING, name, {**sizes, "IsDefault": False}, request)
    return {"AutoScalingConfiguration": view(room, made)}


def describe(room: Room, request: Request) -> dict[str, Any]:
    """DescribeAutoScalingConfiguration: by full or partial ARN."""
    return {"AutoScalingConfiguration": view(room, _found(room, request))}


def list_summaries(room: Room, request: Request) -> dict[str, Any]:
    """ListAutoScalingConfigurations."""
    default_scaling(room)
    found = companions.listed(room, SCALING, request.get("AutoScalingConfigurationName"), request)
    shown, more = page([summary(room, one) for one in found], request)
    return {"AutoScalingConfigurationSummaryList": shown, **more}


def delete(room: Room, request: Request) -> dict[str, Any]:
    """DeleteAutoScalingConfiguration: one revision, or all of the name; never the default, nor one in use."""
    one = _found(room, request)
    revisions = named(room, SCALING, one.name) if request.get("DeleteAllRevisions") else [one]
    for each in revisions:
        if each.body["IsDefault"] or each.name == companions.DEFAULT:
            raise invalid(f"{each.arn} is the default auto scaling configuration and cannot be deleted.")
        companions.must_be_free(room, each)
    for each in revisions:
        companions.delete(each)
    return {"AutoScalingConfiguration": view(room, one)}


def list_services(room: Room, request: Request) -> dict[str, Any]:
    """ListServicesForAutoScalingConfiguration."""
    one = _found(room, request)
    arns = [service.arn for service in room.living() if service.configuration.scaling is one]
    shown, more = page(arns, request)
    return {"ServiceArnList": shown, **more}


def make_default(room: Room, request: Request) -> dict[str, Any]:
    """UpdateDefaultAutoScalingConfiguration: for services that are created from now on."""
    one = _found(room, request)
    default_scaling(room).body["IsDefault"] = False
    one.body["IsDefault"] = True
    return {"AutoScalingConfiguration": view(room, one)}


def view(room: Room, one: Companion) -> dict[str, Any]:
    """A configuration as Describe shows it."""
    newest = named(room, SCALING, one.name)[-1:]
    return {**one.body, "Latest": one in newest, "HasAssociatedService": companions.is_used(room, one)}


def summary(room: Room, one: Companion) -> dict[str, Any]:
    """A configuration as services and listings show it."""
    return {name: value for name, value in view(room, one).items() if name not in SIZES}


def _found(room: Room, request: Request) -> Companion:
    arn = request["AutoScalingConfigurationArn"]
    default_scaling(room)
    return find(room, SCALING, arn) if arn.count("/") == 3 else latest(room, SCALING, arn)
