"""Auto scaling configurations: immutable; creating one with an existing name adds a revision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import companions
from .answers import invalid, page
from .companions import SCALING, add, default_scaling, find, latest, named
from .model import AppRunnerState, Companion

DEFAULTS = {"MaxConcurrency": 100, "MinSize": 1, "MaxSize": 25}
SIZES = ("Latest", "MaxConcurrency", "MinSize", "MaxSize", "DeletedAt")

Request = Mapping[str, Any]


def create(state: AppRunnerState, request: Request) -> dict[str, Any]:
    """CreateAutoScalingConfiguration."""
    default_scaling(state)
    sizes = {name: request.get(name, value) for name, value in DEFAULTS.items()}
    if sizes["MinSize"] > sizes["MaxSize"]:
        raise invalid("MinSize must not be greater than MaxSize.")
    name = request["AutoScalingConfigurationName"]
    if name == companions.DEFAULT:
        raise invalid(f"{name} is reserved and has one revision.")
    made = add(state, SCALING, name, {**sizes, "IsDefault": False}, request)
    return {"AutoScalingConfiguration": view(state, made)}


def describe(state: AppRunnerState, request: Request) -> dict[str, Any]:
    """DescribeAutoScalingConfiguration: by full or partial ARN."""
    return {"AutoScalingConfiguration": view(state, _found(state, request))}


def list_summaries(state: AppRunnerState, request: Request) -> dict[str, Any]:
    """ListAutoScalingConfigurations."""
    default_scaling(state)
    found = companions.listed(state, SCALING, request.get("AutoScalingConfigurationName"), request)
    shown, more = page([summary(state, one) for one in found], request)
    return {"AutoScalingConfigurationSummaryList": shown, **more}


def delete(state: AppRunnerState, request: Request) -> dict[str, Any]:
    """DeleteAutoScalingConfiguration: one revision, or all; never the default, nor one in use."""
    one = _found(state, request)
    revisions = named(state, SCALING, one.name) if request.get("DeleteAllRevisions") else [one]
    for each in revisions:
        if each.body["IsDefault"] or each.name == companions.DEFAULT:
            raise invalid(f"{each.arn} is the default auto scaling configuration and cannot be deleted.")
        companions.must_be_free(state, each)
    for each in revisions:
        companions.delete(each)
    return {"AutoScalingConfiguration": view(state, one)}


def list_services(state: AppRunnerState, request: Request) -> dict[str, Any]:
    """ListServicesForAutoScalingConfiguration."""
    one = _found(state, request)
    arns = [service.arn for service in state.living() if service.configuration.scaling is one]
    shown, more = page(arns, request)
    return {"ServiceArnList": shown, **more}


def make_default(state: AppRunnerState, request: Request) -> dict[str, Any]:
    """UpdateDefaultAutoScalingConfiguration: applies to new services."""
    one = _found(state, request)
    default_scaling(state).body["IsDefault"] = False
    one.body["IsDefault"] = True
    return {"AutoScalingConfiguration": view(state, one)}


def view(state: AppRunnerState, one: Companion) -> dict[str, Any]:
    """A configuration in the shape of DescribeAutoScalingConfiguration."""
    newest = named(state, SCALING, one.name)[-1:]
    return {**one.body, "Latest": one in newest, "HasAssociatedService": companions.is_used(state, one)}


def summary(state: AppRunnerState, one: Companion) -> dict[str, Any]:
    """A configuration as in services and listings."""
    return {name: value for name, value in view(state, one).items() if name not in SIZES}


def _found(state: AppRunnerState, request: Request) -> Companion:
    arn = request["AutoScalingConfigurationArn"]
    default_scaling(state)
    return find(state, SCALING, arn) if arn.count("/") == 3 else latest(state, SCALING, arn)
