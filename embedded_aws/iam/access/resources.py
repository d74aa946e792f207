"""Determines the ARNs of a call's resources from its request.

An ARN in the request is used as it is if it is of the action's resource types; other members are names, from which
an ARN is built. A new resource has no id yet: its ARN contains ``*`` instead, as in AWS's own messages
(``…:security-group/*``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

from ...moto.wire import Call
from . import stored
from .reference import ActionReference, ResourceType
from .request import listed, texts

Members = Mapping[str, Any]
MAKES = ("Create", "Put", "Register", "Request", "Run")
"""Prefixes of operations that create a resource without an id."""

# Service → variable of an ARN → members of requests with its value.
NAMES: dict[str, dict[str, tuple[str, ...]]] = {
    "apprunner": {
        "AutoscalingConfigurationName": ("AutoScalingConfigurationName",),
        "ConnectionName": ("ConnectionName",),
        "ServiceName": ("ServiceName",),
    },
    "application-autoscaling": {"ResourceId": ("ResourceId",)},
    "cloudfront": {"DistributionId": ("Id", "DistributionId", "TargetDistributionId"), "Id": ("Id",)},
    "ec2": {"SecurityGroupId": ("GroupId",), "VpcId": ("VpcId",)},
    "ecr": {"RepositoryName": ("repositoryName", "repositoryNames")},
    "ecs": {
        "ClusterName": ("cluster", "clusters", "clusterName"),
        "ServiceName": ("service", "services", "serviceName"),
        "TaskDefinitionFamilyName": ("family", "taskDefinition"),
        "TaskId": ("task", "tasks"),
    },
    "elasticloadbalancing": {"LoadBalancerName": ("Name",), "TargetGroupName": ("Name",)},
    "iam": {
        "GroupNameWithPath": ("GroupName",),
        "OidcProviderName": ("Url",),
        "PolicyNameWithPath": ("PolicyName",),
        "RoleNameWithPath": ("RoleName",),
        "UserNameWithPath": ("UserName",),
    },
    "kms": {"KeyId": ("KeyId",)},
    "logs": {"LogGroupName": ("logGroupName", "logGroupIdentifier"), "LogStreamName": ("logStreamName",)},
    "route53": {"Id": ("Id", "HostedZoneId")},
    "secretsmanager": {"SecretId": ("SecretId", "Name")},
    "wafv2": {"Scope": ("Scope",), "Name": ("Name",), "Id": ("Id",)},
    "ssm": {"ParameterNameWithoutLeadingSlash": ("Name", "Names")},
}
_EC2_IDS = {
    "eni": "network-interface",
    "igw": "internet-gateway",
    "rtb": "route-table",
    "sg": "security-group",
    "sgr": "security-group-rule",
    "subnet": "subnet",
    "vpc": "vpc",
    "vpce": "vpc-endpoint",
}
# These use a log group's ARN as it is; all others use that of a log stream without a name.
_BARE_LOG_GROUPS = ("logs:TagResource", "logs:UntagResource", "logs:ListTagsForResource")


def of_call(account: str, call: Call, action: ActionReference, members: Members) -> list[str]:
    """Every ARN on which the action must be allowed; ``*`` for an action without resources."""
    found = {_as_asked(account, action, arn) for arn in _found(account, call, action, members)}
    return sorted(found) or ["*"]


def _found(account: str, call: Call, action: ActionReference, members: Members) -> Iterator[str]:
    given = dict(_given(action, members))
    yield from given
    if action.name in ("ec2:CreateTags", "ec2:DeleteTags"):
        yield from _tagged(account, call, members)
        return
    if action.name == "wafv2:GetWebACLForResource":
        yield from stored.web_acls_of(account, call.region, members["ResourceArn"])
        return
    makes = call.operation.startswith(MAKES)
    named_by_arn = () if call.service != "wafv2" else action.optional  # names are those of the required type
    for kind in (*action.required, *(each for each in action.optional if each not in named_by_arn)):
        if not any(kind.parse(arn) for arn in given) and _meant(kind, members):
            values = _values(account, call, kind, members, given)
            if kind.variables[-1] in values or (makes and kind in action.required):
                yield from _combined(account, call, kind, values)


def _given(action: ActionReference, members: Members) -> Iterator[tuple[str, dict[str, str]]]:
    """The ARNs in the request that are of the action's types, with their variables."""
    for text in texts(members):
        for kind in (*action.required, *action.optional):
            variables = kind.parse(text)
            if variables is not None:
                yield text, variables


def _meant(kind: ResourceType, members: Members) -> bool:
    """Whether a load balancer's resource type is the one of the request."""
    if not kind.name.startswith("loadbalancer"):
        return True
    prefixes = {"application": "app", "network": "net", "gateway": "gwy"}
    return kind.name == f"loadbalancer/{prefixes[members.get('Type') or 'application']}/"


def _values(
    account: str, call: Call, kind: ResourceType, members: Members, given: Mapping[str, Mapping[str, str]]
) -> dict[str, list[str]]:
    """The values in the request for a type's variables; a deployment's ARN contains its service's, too."""
    inner = [variables for variables in given.values() if call.service == "ecs"]
    found = {}
    for variable in kind.variables:
        names = _names(account, call, variable, members)
        names = names or [variables[variable] for variables in inner if variable in variables]
        if names:
            found[variable] = names
    return found


def _combined(
    account: str, call: Call, kind: ResourceType, values: Mapping[str, Sequence[str]]
) -> Iterator[str]:
    """The ARNs of all combinations."""
    general = {"Partition": "aws", "Region": call.region, "Account": account}
    for chosen in product(*values.values()):
        yield kind.fill({**general, **dict(zip(values, chosen, strict=True))})


def _names(account: str, call: Call, variable: str, members: Members) -> list[str]:
    known = NAMES.get(call.service, {}).get(variable, ())
    names = [name for member in known for name in listed(members.get(member))]
    if call.service == "application-autoscaling":
        return [stored.scalable_target_id(account, call.region, name) for name in names]
    if variable in ("RoleNameWithPath", "UserNameWithPath", "GroupNameWithPath"):
        kind = variable.removesuffix("NameWithPath")
        return [stored.with_path(account, kind, name, members.get("Path")) for name in names]
    if variable == "SecretId":
        head = f"arn:aws:secretsmanager:{call.region}:{account}:secret:"
        return [stored.secret_suffixed(account, head + name) for name in names]
    if call.service == "wafv2" and variable == "Scope":
        return ["global" if name == "CLOUDFRONT" else "regional" for name in names]
    if variable == "KeyId":
        return [stored.key_id(account, call.region, name) for name in names]
    if variable == "OidcProviderName":
        return [name.removeprefix("https://") for name in names]
    if variable == "TaskDefinitionFamilyName":
        return [name.rpartition("/")[2].partition(":")[0] for name in names]
    if call.service in ("ecs", "route53"):
        return [name.rpartition("/")[2] for name in names]
    return [name.lstrip("/") for name in names] if call.service == "ssm" else names


def _tagged(account: str, call: Call, members: Members) -> Iterator[str]:
    """ARNs for EC2's CreateTags, whose ids have the type as prefix."""
    for id in listed(members.get("Resources")):
        kind = _EC2_IDS.get(id.partition("-")[0], "*")
        yield f"arn:aws:ec2:{call.region}:{account}:{kind}/{id}"


def _as_asked(account: str, action: ActionReference, arn: str) -> str:
    if ":secret:" in arn:
        head, _, name = arn.rpartition(":secret:")
        return f"{head}:secret:{stored.secret_suffixed(account, arn)}" if "*" not in name else arn
    if action.name in _BARE_LOG_GROUPS or ":log-group:" not in arn or ":log-stream:" in arn:
        return arn
    return f"{arn.removesuffix(':*')}:log-stream:"
