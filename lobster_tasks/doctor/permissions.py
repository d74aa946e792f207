"""Simulates the permissions of the execution role with IAM's policy simulator, and describes its secrets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from ..aws import Aws
from ..definition import images, log_groups
from ..definition import secrets as sources
from ..errors import AwsCallError, LobsterError
from ..image_reference import ecr_image, repository_arn
from ..settings import ContainerSettings, Settings
from . import keys
from .check import UnknownError, refusal
from .facts import Decision, Secret
from .references import (
    account_of,
    is_here,
    is_secret,
    parameter_name,
    place_of,
    region_of,
    secret_arn,
)
from .trust import TASKS

Definition = Mapping[str, Any] | None

_PULL = ("ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
_LOG = ("logs:CreateLogStream", "logs:PutLogEvents")
_PASS = "iam:PassRole"
_NO_REPOSITORY = "RepositoryNotFoundException"
_MOST_NAMES = 50  # maximum values per filter of SSM DescribeParameters


def may_pull(aws: Aws, repository: str, role: str, definition: Definition) -> list[Decision]:
    """Whether ``role`` may pull from ``repository``, and from the other containers' repositories, whosever they
    are."""
    found = map(ecr_image, images(definition or {}).values())
    others = {each.repository_arn(aws.partition) for each in found if each}
    own = repository_arn(aws.partition, aws.region, aws.account, repository)
    token = simulate(aws, role, ("ecr:GetAuthorizationToken",), ("*",))
    pulled = sorted({own, *others})
    return token + _but_for(simulate(aws, role, _PULL, pulled), partial(_repository_policy, aws))


def may_log(aws: Aws, settings: Settings, role: str, definition: Definition) -> list[Decision]:
    """Whether ``role`` may write the log streams of the containers that log to CloudWatch Logs."""
    app = {"awslogs-group": settings.logs.group, "awslogs-stream-prefix": "ecs"}
    written = {settings.container.name: app, **log_groups(definition or {})}
    streams = [
        f"arn:{aws.partition}:logs:{options.get('awslogs-region', aws.region)}:{aws.account}:log-group:"
        f"{options['awslogs-group']}:log-stream:{options.get('awslogs-stream-prefix', 'ecs')}/{name}/task"
        for name, options in written.items()
    ]
    return simulate(aws, role, _LOG, streams)


def may_read_secrets(aws: Aws, role: str, secrets: Sequence[Secret]) -> list[Decision]:
    """Whether ``role`` may read each secret."""
    arns = _arns(secret for secret in secrets if is_secret(secret.source))
    decisions = simulate(aws, role, ("secretsmanager:GetSecretValue",), arns)
    return _but_for(decisions, partial(_secret_policy, aws))


def may_read_parameters(aws: Aws, role: str, secrets: Sequence[Secret]) -> list[Decision]:
    """Whether ``role`` may read each parameter."""
    arns = _arns(secret for secret in secrets if not is_secret(secret.source))
    return simulate(aws, role, ("ssm:GetParameters",), arns)


def may_decrypt(aws: Aws, role: str, secrets: Sequence[Secret]) -> list[Decision]:
    """Whether ``role`` may decrypt with the secrets' and parameters' own KMS keys."""
    by_service: dict[str, set[str]] = {"secretsmanager": set(), "ssm": set()}
    for each in secrets:
        if each.key:
            by_service["secretsmanager" if is_secret(each.source) else "ssm"].add(each.key)
    return [
        decision
        for service, named in by_service.items()
        for decision in _may_decrypt(aws, role, service, named)
    ]


def _may_decrypt(aws: Aws, role: str, service: str, named: Iterable[str]) -> list[Decision]:
    """The decisions on kms:Decrypt for the keys of one service, which calls KMS on behalf of the role."""
    found = [keys.describe_key(aws, role, each) for each in sorted(named)]
    own = {each.arn: each for each in found if not each.is_awss}
    via = _entry("kms:ViaService", f"{service}.{aws.region}.amazonaws.com")
    decisions = simulate(aws, role, (keys.DECRYPT,), sorted(own), via)
    return [keys.decide(each, own[each.resource], role) for each in decisions]


def may_pass(aws: Aws, roles: Sequence[str]) -> list[Decision]:
    """Whether the caller may pass the roles to ECS tasks; raises UnknownError unless it is a user or role."""
    caller = _principal(aws)
    if caller is None:
        return [Decision(_PASS, role, "allowed") for role in roles]
    return simulate(aws, caller, (_PASS,), roles, _entry("iam:PassedToService", TASKS))


def _principal(aws: Aws) -> str | None:
    """The ARN of the user or role behind the caller; None for the root user, which may do everything."""
    arn = aws.identity["Arn"]
    kind, _, name = arn.rpartition(":")[2].partition("/")
    if kind == "root":
        return None
    if kind == "assumed-role":
        role = name.partition("/")[0]
        return str(aws.call("iam:GetRole", role, RoleName=role)["Role"]["Arn"])
    if ":iam:" not in arn or kind != "user":
        raise UnknownError(f"{arn} is neither a user nor a role of IAM")
    return arn


def simulate(
    aws: Aws, principal: str, actions: Sequence[str], resources: Sequence[str], *context: Mapping[str, Any]
) -> list[Decision]:
    """IAM SimulatePrincipalPolicy of each action on each resource; empty without resources.

    Supplies the condition keys whose values are known for every such call; the simulator reports others as missing.
    Whether a user signs in with MFA is not known. One simulation has one value for each key, so the resources of each
    account and region have one of their own.
    """
    return [
        decision
        for alike in _by_owner(resources)
        for decision in _simulated(aws, principal, actions, alike, context)
    ]


def _by_owner(resources: Sequence[str]) -> list[list[str]]:
    """The resources of each account and region, in the order in which they are given."""
    found: dict[tuple[str, str], list[str]] = {}
    for each in resources:
        found.setdefault((account_of(each), region_of(each)), []).append(each)
    return list(found.values())


def _simulated(
    aws: Aws,
    principal: str,
    actions: Sequence[str],
    resources: Sequence[str],
    context: Sequence[Mapping[str, Any]],
) -> list[Decision]:
    """The decisions on resources of one account and region."""
    results = aws.pages(
        "iam:SimulatePrincipalPolicy",
        "EvaluationResults",
        principal.rpartition("/")[2],
        PolicySourceArn=principal,
        ActionNames=list(actions),
        ResourceArns=list(resources),
        ContextEntries=[*_known(aws, principal, actions, resources[0]), *context],
    )
    return [decision for each in results for decision in _decisions(each, resources)]


def _decisions(result: Mapping[str, Any], resources: Sequence[str]) -> Iterator[Decision]:
    """One decision per resource; IAM returns one result per action, whose EvalResourceName is not that of a resource.

    A refusal by an organization's policy is uncertain, because the result does not say which of its condition keys are
    missing (EvaluationResult).
    """
    action, whole = result["EvalActionName"], {"EvalResourceDecision": result["EvalDecision"], **result}
    for each in result.get("ResourceSpecificResults") or [{**whole, "EvalResourceName": resources[0]}]:
        by_organization = result.get("OrganizationsDecisionDetail", {}).get("AllowedByOrganizations", True)
        yield Decision(
            action,
            each["EvalResourceName"],
            each["EvalResourceDecision"],
            tuple(each.get("MissingContextValues", ())),
            "" if by_organization else "the organization's service control policies",
        )


def _known(aws: Aws, principal: str, actions: Sequence[str], resource: str) -> list[dict[str, Any]]:
    """Known condition keys of calls on a resource, ``*`` for none.

    The region is omitted for IAM, which has its own, and for a resource in another region.
    """
    here = region_of(resource) in ("", aws.region)
    is_iam = any(each.startswith("iam:") for each in actions)
    region = [_entry("aws:RequestedRegion", aws.region)] if here and not is_iam else []
    return [
        *region,
        _entry("aws:PrincipalAccount", aws.account),
        _entry("aws:PrincipalArn", principal),
        _entry("aws:ResourceAccount", account_of(resource) or aws.account),
        {**_entry("aws:SecureTransport", "true"), "ContextKeyType": "boolean"},
    ]


def _entry(key: str, value: str) -> dict[str, Any]:
    return {"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": "string"}


def _but_for(decisions: Sequence[Decision], who_else: Callable[[str], str]) -> list[Decision]:
    """Mark implicit denials that the resource's own policy may override ("Policy evaluation logic", same account).

    "Simulation of resource-based policies isn't supported for IAM roles": ``who_else`` names that policy, if there is
    one.
    """
    return [
        replace(each, doubt=each.doubt or who_else(each.resource))
        if each.decision == "implicitDeny"
        else each
        for each in decisions
    ]


def _repository_policy(aws: Aws, arn: str) -> str:
    """The repository's own policy in words; empty without one, and for another account's, which is not enough alone."""
    if account_of(arn) != aws.account:
        return ""
    name, absent = arn.partition(":repository/")[2], ("RepositoryPolicyNotFoundException", _NO_REPOSITORY)
    try:
        there = aws.in_region(region_of(arn))
        found = there.find("ecr:GetRepositoryPolicy", absent, name, repositoryName=name)
    except AwsCallError:
        return "the repository's own policy, which could not be read"
    return "the repository's own policy" if found else ""


def _secret_policy(aws: Aws, arn: str) -> str:
    try:
        found = aws.find(
            "secretsmanager:GetResourcePolicy", ("ResourceNotFoundException",), arn, SecretId=arn
        )
    except AwsCallError:
        return "the secret's own policy, which could not be read"
    return "the secret's own policy" if found and found.get("ResourcePolicy") else ""


def read_secrets(aws: Aws, container: ContainerSettings, definition: Definition) -> list[Secret]:
    """Whether each container's secrets exist, without their values; an error for one does not stop the others."""
    named = {**sources(definition or {}, container.name), **container.secrets}
    elsewhere = {
        name: source for name, source in named.items() if not is_here(source, aws.account, aws.region)
    }
    here = {name: source for name, source in named.items() if name not in elsewhere}
    secrets = [describe_secret(aws, name, source) for name, source in here.items() if is_secret(source)]
    parameters = {name: source for name, source in here.items() if not is_secret(source)}
    far = [
        Secret(name, source, None, secret_arn(source), unknown=f"{name} is in {place_of(source)}")
        for name, source in elsewhere.items()
    ]
    return secrets + _parameters(aws, parameters) + far


def describe_secret(aws: Aws, name: str, source: str) -> Secret:
    """Whether a secret of Secrets Manager exists, and its key (DescribeSecret)."""
    arn = secret_arn(source)
    try:
        found = aws.find("secretsmanager:DescribeSecret", {"ResourceNotFoundException"}, name, SecretId=arn)
    except LobsterError as error:
        return Secret(name, source, None, arn, unknown=refusal(error))
    if found is None or found.get("DeletedDate"):
        return Secret(name, source, False, arn)
    return Secret(name, source, True, found["ARN"], key_arn(arn, found.get("KmsKeyId", "")))


def key_arn(beside: str, key: str) -> str:
    """The ARN of a customer managed key in the account and region of the ARN ``beside``; empty for AWS managed keys."""
    if not key or key.startswith("alias/aws/"):
        return ""
    partition, region, account = (beside.split(":")[index] for index in (1, 3, 4))
    kind = key if key.startswith("alias/") else f"key/{key}"
    return key if key.startswith("arn:") else f"arn:{partition}:kms:{region}:{account}:{kind}"


def _parameters(aws: Aws, named: Mapping[str, str]) -> list[Secret]:
    """Whether parameters of Systems Manager exist, and their keys."""
    names = {name: parameter_name(source) for name, source in named.items()}
    prefix = f"arn:{aws.partition}:ssm:{aws.region}:{aws.account}:parameter/"
    arns = {name: prefix + names[name].lstrip("/") for name in named}
    try:
        seen = describe_parameters(aws, names.values())
    except LobsterError as error:
        unknown = refusal(error)
        return [Secret(name, source, None, arns[name], unknown=unknown) for name, source in named.items()]
    return [
        Secret(
            name, source, found is not None, arns[name], key_arn(arns[name], (found or {}).get("KeyId", ""))
        )
        for name, source in named.items()
        for found in [seen.get(names[name])]
    ]


def describe_parameters(aws: Aws, names: Iterable[str]) -> dict[str, Mapping[str, Any]]:
    """SSM DescribeParameters, which omits the values: the existing parameters by name."""
    ordered, found = sorted(set(names)), []
    for first in range(0, len(ordered), _MOST_NAMES):
        few = ordered[first : first + _MOST_NAMES]
        filters = [{"Key": "Name", "Option": "Equals", "Values": few}]
        found += aws.pages("ssm:DescribeParameters", "Parameters", ", ".join(few), ParameterFilters=filters)
    return {each["Name"]: each for each in found}


def _arns(secrets: Iterable[Secret]) -> list[str]:
    return sorted({secret.arn for secret in secrets})


def denied(decisions: Sequence[Decision]) -> list[Decision]:
    """The certain denials; raises UnknownError without a result, and if no denial is certain."""
    if not decisions:
        raise UnknownError("IAM's policy simulator returned no result")
    refused = [each for each in decisions if each.decision != "allowed"]
    sure = [each for each in refused if not each.missing and not each.doubt]
    if refused and not sure:
        doubts = {each.doubt for each in refused if each.doubt}
        keys = ", ".join(sorted({key for each in refused for key in each.missing} | doubts))
        raise UnknownError(
            f"{refused[0].action} depends on {keys}, which IAM's policy simulator does not know"
        )
    return sure
