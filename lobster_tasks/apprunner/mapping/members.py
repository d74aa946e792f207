"""Every member of App Runner's descriptions: which rule maps it, or why it is no setting. Pure.

What is in neither table is a member that this version does not know: it is told, and never dropped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..description import Description
from .rows import RuleResult, no_equivalent

_CONFIGURATION = "AutoScalingConfiguration"
# Members that say which, when and in what state, not how.
FACTS: Mapping[str, str] = {
    **dict.fromkeys(("Service.ServiceId", "Service.ServiceArn"), "identity"),
    **dict.fromkeys(("Service.CreatedAt", "Service.UpdatedAt", "Service.DeletedAt"), "time"),
    "Service.Status": "state",
    **{
        f"{path}.{prefix}{name}": kind
        for path, prefix in (
            ("Service.AutoScalingConfigurationSummary", _CONFIGURATION),
            (_CONFIGURATION, _CONFIGURATION),
            ("VpcConnector", "VpcConnector"),
            ("ObservabilityConfiguration", "ObservabilityConfiguration"),
        )
        for name, kind in (("Arn", "identity"), ("Name", "identity"), ("Revision", "identity"))
    },
    **{
        f"{path}.{name}": kind
        for path in (
            "Service.AutoScalingConfigurationSummary",
            _CONFIGURATION,
            "VpcConnector",
            "ObservabilityConfiguration",
            "VpcIngressConnection",
            "Connection",
        )
        for name, kind in (
            *(("CreatedAt", "time"), ("DeletedAt", "time"), ("Status", "state")),
            *(("HasAssociatedService", "state"), ("IsDefault", "state"), ("Latest", "state")),
        )
    },
    "Service.ObservabilityConfiguration.ObservabilityConfigurationArn": "identity",
    "VpcIngressConnection.VpcIngressConnectionArn": "identity",
    "VpcIngressConnection.VpcIngressConnectionName": "identity",
    "VpcIngressConnection.ServiceArn": "identity",
    "VpcIngressConnection.AccountId": "identity",
    "Connection.ConnectionName": "identity",
    "Connection.ConnectionArn": "identity",
    "CustomDomains.ServiceArn": "identity",
    "CustomDomains.VpcDNSTargets[].VpcIngressConnectionArn": "identity",
    "CustomDomains.VpcDNSTargets[].VpcId": "identity",
}
# Maps whose members have names of the user's own.
MAPS = ("RuntimeEnvironmentVariables", "RuntimeEnvironmentSecrets")


def unknown_members(description: Description, known: frozenset[str]) -> RuleResult:
    """A row for each member of the description that no rule and no fact knows. Its value may be anything: not told."""
    paths = {path for root, tree in _trees(description) for path in walk(tree, root)}
    note = "App Runner has this setting, and this version of lobster-tasks does not know it"
    decide = "look it up in the App Runner API reference before you move"
    rows = [no_equivalent(path, "set", note, decide) for path in sorted(paths - known - FACTS.keys())]
    return RuleResult(tuple(rows))


def _trees(description: Description) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield "Service", description.service
    yield _CONFIGURATION, description.scaling
    yield "VpcConnector", description.connector or {}
    yield "ObservabilityConfiguration", description.observability or {}
    yield "Connection", description.connection or {}
    yield "CustomDomains", description.domains
    yield from (("VpcIngressConnection", each) for each in description.ingress)


def walk(value: Any, path: str) -> Iterator[str]:
    """The leaves of a description: ``a.b``, ``a.list[].b``, ``a.map{}``; an empty structure is none."""
    if path.rpartition(".")[2] in MAPS:
        yield f"{path}{{}}"
    elif isinstance(value, Mapping):
        for name, member in value.items():
            yield from walk(member, f"{path}.{name}")
    elif isinstance(value, list | tuple):
        for item in value:
            yield from walk(item, f"{path}[]")
    else:
        yield path
