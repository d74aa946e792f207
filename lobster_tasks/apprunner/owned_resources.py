"""The resources that only one App Runner service uses, and those to keep, read from the account.

The service's description names the candidates. A candidate is kept if another App Runner service in any region uses it,
if another principal can assume the role, if a log group has deletion protection, or if this cannot be checked; the
reason is kept with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ..account import APP_RUNNER_REGIONS, delete_role, describe_app_runner_services
from ..aws import Aws
from ..doctor.check import refusal
from ..errors import AwsCallError
from ..in_parallel import in_parallel
from ..settings import Settings, TaskSettings
from . import policy_statements

AwsDict = Mapping[str, Any]
_GONE = ("ResourceNotFoundException", "NoSuchEntity")
_DEFAULT_SCALING = "DefaultConfiguration"


@dataclass(frozen=True)
class OwnedResource:
    """One resource: its kind, its name, and its ARN or other identifier."""

    kind: str
    name: str
    id: str

    @property
    def label(self) -> str:
        """``kind/name``."""
        return f"{self.kind}/{self.name}"

    @property
    def noun(self) -> str:
        """The kind in words."""
        return self.kind.replace("-", " ")


@dataclass(frozen=True)
class KeptResource:
    """A resource that is not deleted, and the reason."""

    thing: OwnedResource
    why: str


@dataclass(frozen=True)
class ReferencedResources:
    """The resources that a service's description refers to; ``name`` and ``id`` are the service's own."""

    name: str
    id: str
    arn: str
    region: str
    scaling: str
    connector: str
    observability: str
    connection: str
    roles: tuple[str, ...]

    @classmethod
    def of(cls, service: AwsDict) -> ReferencedResources:
        """From DescribeService, or from what was saved of it."""
        access = service["SourceConfiguration"].get("AuthenticationConfiguration", {})
        egress = service.get("NetworkConfiguration", {}).get("EgressConfiguration", {})
        roles = (access.get("AccessRoleArn"), service["InstanceConfiguration"].get("InstanceRoleArn"))
        return cls(
            service["ServiceName"],
            service["ServiceId"],
            service["ServiceArn"],
            service["ServiceArn"].split(":")[3],
            service["AutoScalingConfigurationSummary"]["AutoScalingConfigurationArn"],
            egress.get("VpcConnectorArn", ""),
            service.get("ObservabilityConfiguration", {}).get("ObservabilityConfigurationArn", ""),
            access.get("ConnectionArn", ""),
            tuple(dict.fromkeys(role for role in roles if role)),
        )

    @property
    def arns(self) -> frozenset[str]:
        """The ARNs that another service can refer to as well."""
        companions = (self.scaling, self.connector, self.observability, self.connection)
        return frozenset(filter(None, (*companions, *self.roles)))


@dataclass(frozen=True)
class OtherServices:
    """The other App Runner services: the ARNs that they use, and the regions that could not be read, with reasons."""

    names: tuple[str, ...] = ()
    used: Mapping[str, str] = field(default_factory=dict)
    unknown: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class OwnedResources:
    """The resources to delete, in their order, and those to keep."""

    going: tuple[OwnedResource, ...] = ()
    kept: tuple[KeptResource, ...] = ()


# A resource, and the reason to keep it; empty if it is deleted.
Classified = tuple[OwnedResource, str]


def classify(aws: Aws, settings: Settings, service: AwsDict) -> OwnedResources:
    """The resources that only this service uses, without the service itself and its ingress connections."""
    candidates = ReferencedResources.of(service)
    others, groups = in_parallel(partial(_others, aws, candidates.arn), partial(_log_groups, aws, candidates))
    companions = [*_companions(aws, candidates), *_roles(aws, settings.task, candidates)]
    judged = [(thing, own or _used(thing, candidates, others)) for thing, own in companions]
    judged += groups
    judged += _policies(aws, others)  # last, because they may have allowed the rest
    return OwnedResources(
        tuple(thing for thing, why in judged if not why),
        tuple(KeptResource(thing, why) for thing, why in judged if why),
    )


def _policies(aws: Aws, others: OtherServices) -> list[Classified]:
    """Policies with App Runner statements; they are kept while there is, or may be, another service."""
    try:
        holders = policy_statements.find(aws)
    except AwsCallError as refused:
        return [
            (OwnedResource("policy-statements", "of any policy", ""), f"not looked for: {refusal(refused)}")
        ]
    about = f"it may be about {', '.join(others.names)}" if others.names else _blind(others.unknown)
    return [(OwnedResource("policy-statements", each.name, each.id), about) for each in holders]


def _used(thing: OwnedResource, candidates: ReferencedResources, others: OtherServices) -> str:
    if thing.id in others.used:
        return f"{others.used[thing.id]} uses it too"
    here = {region: why for region, why in others.unknown.items() if region == candidates.region}
    return _blind(others.unknown if thing.kind == "role" else here)


def _blind(unknown: Mapping[str, str]) -> str:
    told = [f"{region}: {why}" for region, why in unknown.items()]
    return f"cannot check whether another service uses it: {told[0]}" if told else ""


def _others(aws: Aws, arn: str) -> OtherServices:
    """Every other service in every region; roles and policies are the same in all of them."""
    regions = dict.fromkeys((aws.region, *(APP_RUNNER_REGIONS if aws.partition == "aws" else ())))
    found = in_parallel(*(partial(_in_region, aws.in_region(region), arn) for region in regions))
    used = {each: name for one in found for each, name in one.used.items()}
    unknown = {region: why for one in found for region, why in one.unknown.items()}
    return OtherServices(tuple(name for one in found for name in one.names), used, unknown)


def _in_region(aws: Aws, arn: str) -> OtherServices:
    try:
        services = describe_app_runner_services(aws, but=arn)
    except AwsCallError as refused:
        return OtherServices(unknown={aws.region: refusal(refused)})
    names = tuple(f"{each['ServiceName']} in {aws.region}" for each in services)
    used = {
        each: name
        for service, name in zip(services, names, strict=True)
        for each in ReferencedResources.of(service).arns
    }
    return OtherServices(names, used)


def _companions(aws: Aws, candidates: ReferencedResources) -> Iterator[Classified]:
    """The companion resources that still exist, each with a reason to keep it, if it has one."""
    kinds = (
        ("auto-scaling-configuration", candidates.scaling, "AutoScalingConfiguration"),
        ("VPC-connector", candidates.connector, "VpcConnector"),
        ("observability-configuration", candidates.observability, "ObservabilityConfiguration"),
    )
    for kind, arn, shape in kinds:
        found = arn and aws.find(f"apprunner:Describe{shape}", _GONE, arn, **{f"{shape}Arn": arn})
        if not found or found[shape]["Status"] == "INACTIVE":
            continue
        body = found[shape]
        name = f"{body[f'{shape}Name']}/{body[f'{shape}Revision']}"
        own = body.get("IsDefault") or body[f"{shape}Name"] == _DEFAULT_SCALING
        yield OwnedResource(kind, name, arn), "it is the account's default" if own else ""
    if candidates.connection:
        thing = OwnedResource("connection", candidates.connection.split("/")[1], candidates.connection)
        yield thing, "a person authorised it, and only a person can create it again"


def _roles(aws: Aws, task: TaskSettings, candidates: ReferencedResources) -> Iterator[Classified]:
    """The roles of the service; those that others can assume, and the stack's own, are kept."""
    for arn in candidates.roles:
        name = arn.rpartition("/")[2]
        found = aws.find("iam:GetRole", _GONE, name, RoleName=name)
        if found is None:
            continue
        thing = OwnedResource("role", name, arn)
        principals = set(_principals(found["Role"]["AssumeRolePolicyDocument"]))
        others = sorted(principals - {"build.apprunner.amazonaws.com", "tasks.apprunner.amazonaws.com"})
        if name in (task.execution_role, task.task_role):
            yield thing, "the stack uses it"
        else:
            yield thing, f"{', '.join(others)} can assume it too" if others else ""


def _principals(trust: AwsDict) -> Iterator[str]:
    for statement in policy_statements.as_list(trust["Statement"]):
        named = statement.get("Principal", {})
        for each in named.values() if isinstance(named, Mapping) else [named]:
            yield from policy_statements.as_list(each)


def _log_groups(aws: Aws, candidates: ReferencedResources) -> list[Classified]:
    """The service's log groups; AWS refuses to delete one with deletion protection."""
    prefix = f"/aws/apprunner/{candidates.name}/{candidates.id}/"
    found = aws.pages("logs:DescribeLogGroups", "logGroups", prefix, logGroupNamePrefix=prefix)
    return [
        (
            OwnedResource("log-group", each["logGroupName"], each["logGroupName"]),
            "it has deletion protection" if each.get("deletionProtectionEnabled") else "",
        )
        for each in found
    ]


def remove(aws: Aws, thing: OwnedResource) -> None:
    """Delete a resource; one that no longer exists is not an error."""
    _REMOVALS[thing.kind](aws, thing)


def _call(operation: str, member: str) -> Callable[[Aws, OwnedResource], None]:
    def delete(aws: Aws, thing: OwnedResource) -> None:
        aws.find(operation, _GONE, thing.name, **{member: thing.id})

    return delete


_REMOVALS: Mapping[str, Callable[[Aws, OwnedResource], None]] = {
    "auto-scaling-configuration": _call(
        "apprunner:DeleteAutoScalingConfiguration", "AutoScalingConfigurationArn"
    ),
    "VPC-connector": _call("apprunner:DeleteVpcConnector", "VpcConnectorArn"),
    "observability-configuration": _call(
        "apprunner:DeleteObservabilityConfiguration", "ObservabilityConfigurationArn"
    ),
    "role": lambda aws, thing: delete_role(aws, thing.name),
    "log-group": _call("logs:DeleteLogGroup", "logGroupName"),
    "policy-statements": lambda aws, thing: policy_statements.remove(aws, thing.id),
}
