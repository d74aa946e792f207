"""The App Runner statements of the account's own IAM policies, which remain after the service is deleted.

Only statements about App Runner's own actions, and about passing roles to App Runner, are removed; the rest of a
policy does not change. A policy without other statements is deleted.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..aws import Aws

_GONE = ("NoSuchEntity",)
_MOST_VERSIONS = 5
_ACTION = "apprunner:"
_PASS_ROLE = "iam:passrole"
_PASSED_TO = "iam:PassedToService"
_PRINCIPAL = ".apprunner.amazonaws.com"

AwsDict = Mapping[str, Any]


@dataclass(frozen=True)
class PolicyReference:
    """A policy with App Runner statements: a managed policy, or an inline policy of an ``owner``.

    ``kind`` is managed, role, user or group; ``policy`` an ARN for a managed one, else a name.
    """

    kind: str
    owner: str
    policy: str

    @property
    def name(self) -> str:
        """The policy's name, and whose it is if it is inline."""
        short = self.policy.rpartition("/")[2]
        return short if self.kind == "managed" else f"{short} of {self.kind} {self.owner}"

    @property
    def id(self) -> str:
        """All members in one string."""
        return "|".join((self.kind, self.owner, self.policy))


def as_list(value: Any) -> list[Any]:
    """A list; IAM accepts a single value in place of a list of one."""
    return list(value) if isinstance(value, list | tuple) else [value]


def stripped(document: AwsDict) -> dict[str, Any]:
    """A policy document without its App Runner parts; ``Statement`` may then be empty. Pure."""
    kept = [made for each in as_list(document["Statement"]) if (made := _statement(each)) is not None]
    return {**document, "Statement": kept}


def _statement(statement: AwsDict) -> AwsDict | None:
    if "Action" not in statement:
        return statement
    actions = as_list(statement["Action"])
    others = [action for action in actions if not action.lower().startswith(_ACTION)]
    if not others or _passes_to_app_runner(statement, others):
        return None
    return statement if others == actions else {**statement, "Action": others}


def _passes_to_app_runner(statement: AwsDict, actions: list[str]) -> bool:
    if [action.lower() for action in actions] != [_PASS_ROLE]:
        return False
    told = [test[_PASSED_TO] for test in statement.get("Condition", {}).values() if _PASSED_TO in test]
    services = [service for each in told for service in as_list(each)]
    return bool(services) and all(service.endswith(_PRINCIPAL) for service in services)


def find(aws: Aws) -> list[PolicyReference]:
    """The account's own policies with App Runner parts (IAM GetAccountAuthorizationDetails)."""
    return [holder for holder, document in _documents(aws) if stripped(document) != _whole(document)]


def _whole(document: AwsDict) -> dict[str, Any]:
    return {**document, "Statement": as_list(document["Statement"])}


def _documents(aws: Aws) -> Iterator[tuple[PolicyReference, AwsDict]]:
    lists = (
        ("role", "RoleDetailList", "RoleName", "RolePolicyList", "Role"),
        ("user", "UserDetailList", "UserName", "UserPolicyList", "User"),
        ("group", "GroupDetailList", "GroupName", "GroupPolicyList", "Group"),
    )
    operation, about = "iam:GetAccountAuthorizationDetails", "the account's policies"
    for kind, member, owner, inline, which in lists:
        for found in aws.pages(operation, member, about, Filter=[which]):
            for policy in found.get(inline, []):
                yield PolicyReference(kind, found[owner], policy["PolicyName"]), policy["PolicyDocument"]
    for policy in aws.pages(operation, "Policies", about, Filter=["LocalManagedPolicy"]):
        current = next(each for each in policy["PolicyVersionList"] if each["IsDefaultVersion"])
        yield PolicyReference("managed", "", policy["Arn"]), current["Document"]


def remove(aws: Aws, id: str) -> None:
    """Remove the App Runner statements from the current version of one policy."""
    kind, owner, policy = id.split("|")
    if kind == "managed":
        _remove_from_managed(aws, policy)
    else:
        _remove_from_inline(aws, kind.capitalize(), owner, policy)


def _remove_from_inline(aws: Aws, kind: str, owner: str, policy: str) -> None:
    named = {f"{kind}Name": owner, "PolicyName": policy}
    found = aws.find(f"iam:Get{kind}Policy", _GONE, owner, **named)
    if found is None:
        return
    rest = stripped(found["PolicyDocument"])
    if rest["Statement"]:
        aws.call(f"iam:Put{kind}Policy", owner, **named, PolicyDocument=json.dumps(rest))
    else:
        aws.find(f"iam:Delete{kind}Policy", _GONE, owner, **named)


def _remove_from_managed(aws: Aws, arn: str) -> None:
    found = aws.find("iam:GetPolicy", _GONE, arn, PolicyArn=arn)
    if found is None:
        return
    version = found["Policy"]["DefaultVersionId"]
    answer = aws.call("iam:GetPolicyVersion", arn, PolicyArn=arn, VersionId=version)
    rest = stripped(answer["PolicyVersion"]["Document"])
    if not rest["Statement"]:
        _delete_managed(aws, arn)
        return
    versions = aws.pages("iam:ListPolicyVersions", "Versions", arn, PolicyArn=arn)
    if len(versions) >= _MOST_VERSIONS:
        oldest = min((each for each in versions if not each["IsDefaultVersion"]), key=_created)
        aws.call("iam:DeletePolicyVersion", arn, PolicyArn=arn, VersionId=oldest["VersionId"])
    aws.call(
        "iam:CreatePolicyVersion", arn, PolicyArn=arn, PolicyDocument=json.dumps(rest), SetAsDefault=True
    )


def _created(version: AwsDict) -> Any:
    return version["CreateDate"]


def _delete_managed(aws: Aws, arn: str) -> None:
    """Delete a managed policy after its attachments and its other versions."""
    for kind in ("Role", "User", "Group"):
        asked = {"PolicyArn": arn, "EntityFilter": kind}
        for each in aws.pages("iam:ListEntitiesForPolicy", f"Policy{kind}s", arn, **asked):
            named = {f"{kind}Name": each[f"{kind}Name"]}
            aws.find(f"iam:Detach{kind}Policy", _GONE, arn, PolicyArn=arn, **named)
    for version in aws.pages("iam:ListPolicyVersions", "Versions", arn, PolicyArn=arn):
        if not version["IsDefaultVersion"]:
            aws.find("iam:DeletePolicyVersion", _GONE, arn, PolicyArn=arn, VersionId=version["VersionId"])
    aws.find("iam:DeletePolicy", _GONE, arn, PolicyArn=arn)
