"""Resources used by services: auto scaling and observability configurations, connectors, ingress, connections.

Each is found by its ARN; configurations also by ``…/name`` (their latest revision) and ``…/name/revision``.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from .answers import invalid, not_found, quota_exceeded, tags_of
from .model import AppRunnerState, AwsDict, Companion, now

SCALING = "autoscalingconfiguration"
TRACING = "observabilityconfiguration"
CONNECTOR = "vpcconnector"
INGRESS = "vpcingressconnection"
CONNECTION = "connection"
NAMES = {
    SCALING: "AutoScalingConfiguration",
    TRACING: "ObservabilityConfiguration",
    CONNECTOR: "VpcConnector",
    INGRESS: "VpcIngressConnection",
    CONNECTION: "Connection",
}
"""The names of the kinds, in ARNs and in shapes."""

REVISED = (SCALING, TRACING, CONNECTOR)
NAMES_MOST = {SCALING: 10, TRACING: 10, CONNECTOR: 10, CONNECTION: 10}
REVISIONS_MOST = {SCALING: 5, TRACING: 10}
"""Quotas, "App Runner service resource quotas"."""

DEFAULT = "DefaultConfiguration"
DEFAULT_ID = "00000000000000000000000000000001"


def add(
    state: AppRunnerState,
    kind: str,
    name: str,
    body: AwsDict,
    request: Mapping[str, Any],
    identity: str | None = None,
) -> Companion:
    """Add a companion, or a revision of an existing name; ``body`` contains the members of its kind."""
    shape = NAMES[kind]
    _check_quota(state, kind, name)
    revision = len(named(state, kind, name, gone=True)) + 1
    path = f"{name}/{revision}" if kind in REVISED else name
    arn = state.arn(f"{kind}/{path}/{identity or uuid.uuid4().hex}")
    head: AwsDict = {f"{shape}Arn": arn, f"{shape}Name": name}
    if kind in REVISED:
        head |= {f"{shape}Revision": revision, "Status": _spelled(kind, "ACTIVE")}
    made = Companion(
        kind, arn, name, {**head, **body, "CreatedAt": now()}, tags_of(request.get("Tags")), revision
    )
    state.companions[arn] = made
    return made


def _check_quota(state: AppRunnerState, kind: str, name: str) -> None:
    names = {one.name for one in named(state, kind)} - {DEFAULT}
    if kind in NAMES_MOST and len(names | {name}) > NAMES_MOST[kind]:
        raise quota_exceeded(f"You have reached the limit of {NAMES_MOST[kind]} for {NAMES[kind]}.")
    if kind in REVISIONS_MOST and len(named(state, kind, name)) >= REVISIONS_MOST[kind]:
        raise quota_exceeded(f"You have reached the limit of {REVISIONS_MOST[kind]} revisions for {name}.")


def named(
    state: AppRunnerState, kind: str, name: str | None = None, *, gone: bool = False
) -> list[Companion]:
    """The companions of a kind, of one name or all, oldest first; deleted ones only if ``gone``."""
    return [
        one
        for one in state.companions.values()
        if one.kind == kind and name in (None, one.name) and (gone or not one.gone)
    ]


def listed(state: AppRunnerState, kind: str, name: str | None, request: Mapping[str, Any]) -> list[Companion]:
    """The revisions for a listing: of one name or all, only the latest of each unless LatestOnly is false."""
    found = named(state, kind, name)
    newest = {one.name: one for one in found}
    return list(newest.values()) if request.get("LatestOnly", True) else found


def find(state: AppRunnerState, kind: str, arn: str) -> Companion:
    """The companion with this ARN that is not deleted; ResourceNotFoundException."""
    found = state.companions.get(arn)
    if found is None or found.kind != kind or found.gone:
        raise not_found(NAMES[kind], arn)
    return found


def latest(state: AppRunnerState, kind: str, arn: str) -> Companion:
    """The configuration of a full or partial ARN; InvalidRequestException where it does not exist."""
    if kind == SCALING:
        default_scaling(state)
    found = state.companions.get(arn)
    if found is None:
        path = arn.partition(f":{kind}/")[2].split("/")
        revisions = named(state, kind, path[0])
        if len(path) == 2:
            revisions = [one for one in revisions if str(one.revision) == path[1]]
        found = revisions[-1] if revisions and len(path) <= 2 else None
    if found is None or found.gone or found.kind != kind:
        raise invalid(f"{NAMES[kind]} with ARN {arn} does not exist or is INACTIVE.")
    return found


def default_scaling(state: AppRunnerState) -> Companion:
    """The account's default configuration, initially DefaultConfiguration."""
    if not named(state, SCALING, DEFAULT):
        body = {"MaxConcurrency": 100, "MinSize": 1, "MaxSize": 25, "IsDefault": True}
        add(state, SCALING, DEFAULT, body, {}, DEFAULT_ID)
    return next(one for one in named(state, SCALING) if one.body["IsDefault"])


def is_used(state: AppRunnerState, companion: Companion) -> bool:
    """Whether a service's configuration uses it."""
    return any(
        companion.arn
        in (
            service.configuration.scaling.arn,
            service.configuration.network["EgressConfiguration"].get("VpcConnectorArn"),
            service.configuration.source.get("AuthenticationConfiguration", {}).get("ConnectionArn"),
            (service.configuration.observability or {}).get("ObservabilityConfigurationArn"),
        )
        for service in state.living()
    )


def must_be_free(state: AppRunnerState, companion: Companion) -> None:
    """Raise InvalidRequestException while a service uses it."""
    if is_used(state, companion):
        what = NAMES[companion.kind]
        raise invalid(f"{what} {companion.arn} is in use by a service and cannot be deleted.")


def delete(companion: Companion, status: str = "INACTIVE") -> None:
    """Delete it."""
    companion.body |= {"Status": _spelled(companion.kind, status), "DeletedAt": now()}


def _spelled(kind: str, status: str) -> str:
    """A status in App Runner's spelling: lower case for auto scaling configurations, unlike in its model."""
    return status.lower() if kind == SCALING else status
