"""The IAM roles of the tasks."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ..account import delete_role
from ..aws import Aws
from ..settings import REGION_TAG, STACK_TAG
from .neighbours import Neighbours
from .resource import Attributes, Live, LiveResources, Resource, attached, attaching, tag_list, tags_of

_ABSENT = ("NoSuchEntity",)
_NO_PATH = "/"
# ARNs in a role's policies that contain the stack's own region; a secret may be in any region.
_OWN_ARN = re.compile(r"arn:[a-z-]{3,16}:(?:ecs|ecr|logs):([a-z0-9-]{1,32}):")
# A Sid may contain letters and digits: Z escapes itself and the other characters of a stack's name.
_IN_A_SID = str.maketrans({"Z": "ZZ", ".": "Zd", "_": "Zu", "-": "Zh"})


@dataclass(frozen=True)
class Role(Resource):
    """A role with its trust policy, one inline policy of ours, and the managed policies that the app needs.

    ``trust`` and ``policy`` are JSON texts (dicts in a frozen dataclass would not be hashable); ``policy`` is empty
    for a role without permissions of its own. Policies that others attached stay, and so does a permissions boundary
    where the settings have none.

    Roles belong to the whole account, so this one has a tag with its stack's region. An older role without the tag is
    assigned by the region in its policies (``aws:SourceArn``), and gets the tag at the next setup. Statements are
    added to the trust policy of an adopted role, each with a ``Sid`` of ours.

    A role's ARN contains its path, and its name is unique whatever the path ("IAM identifiers"). The task definition,
    the policies and the workflows name the role without one, so a role with a path cannot take its place.
    """

    kind: ClassVar[str] = "role"
    is_global: ClassVar[bool] = True
    additions: ClassVar[frozenset[str]] = frozenset({"trust", "policy", "managed-policies", "region"})
    decisive: ClassVar[frozenset[str]] = frozenset({"permissions-boundary"})
    fixed: ClassVar[frozenset[str]] = frozenset({"path"})
    fixed_because: ClassVar[str] = (
        "IAM cannot change it, and the task definition and the policies name the role by an ARN without a path"
    )
    trust: str
    policy: str
    managed: tuple[str, ...] = ()
    boundary: str = ""

    @property
    def policy_name(self) -> str:
        """The name of our inline policy."""
        return f"lobster-{self.stack}"

    def read(self, aws: Aws, known: LiveResources) -> Live | None:
        """GetRole and, where it exists, its policies."""
        found = aws.find("iam:GetRole", _ABSENT, self.label, RoleName=self.name)
        if found is None:
            return None
        role = found["Role"]
        attributes: dict[str, Any] = {
            "path": role["Path"],
            "trust": canonical(role["AssumeRolePolicyDocument"]),
            "policy": self._read_policy(aws),
        }
        if self.managed:
            attached = aws.pages("iam:ListAttachedRolePolicies", "AttachedPolicies", RoleName=self.name)
            ours = {policy["PolicyArn"] for policy in attached} & set(self.managed)
            attributes["managed-policies"] = tuple(sorted(ours))
        if self.boundary:
            bounds = role.get("PermissionsBoundary", {})
            attributes["permissions-boundary"] = bounds.get("PermissionsBoundaryArn", "")
        tags = tags_of(role.get("Tags", []))
        if tags.get(STACK_TAG) == self.stack:
            attributes["region"] = tags.get(REGION_TAG, "")
        region = tags.get(REGION_TAG) or _region_in(attributes["trust"]) or _region_in(attributes["policy"])
        return Live(role["Arn"], attributes, tags, role, region)

    def desired(self, known: LiveResources) -> Attributes:
        """No path, trust policy, inline policy, managed policies if any, and the region tag where the role is ours."""
        attributes: dict[str, Any] = {
            "path": _NO_PATH,
            "trust": canonical(self.trust),
            "policy": canonical(self.policy),
        }
        found = known.get(self)
        if found is not None and found.stack == self.stack:
            attributes["region"] = self.region
        if self.managed:
            attributes["managed-policies"] = tuple(sorted(self.managed))
        if self.boundary:
            attributes["permissions-boundary"] = self.boundary
        return attributes

    def desired_when_adopted(self, live: Live, known: LiveResources) -> Attributes:
        """The role's own trust policy, with the missing statements of ours."""
        trust = live.raw["AssumeRolePolicyDocument"]
        theirs = [each for each in _statements(trust) if not self._is_own(each)]
        merged = canonical({**trust, "Statement": [*theirs, *self._missing(theirs)]})
        return {**super().desired_when_adopted(live, known), "trust": merged}

    def used_by(self, neighbours: Neighbours, live: Live, known: LiveResources) -> tuple[str, ...]:
        """Other families whose tasks have it, instance profiles, and other principals that it trusts."""
        operation = "iam:ListInstanceProfilesForRole"
        profiles = neighbours.aws.pages(operation, "InstanceProfiles", self.label, RoleName=self.name)
        trusted = principals(live.attributes["trust"]) - principals(self.trust)
        return (
            *neighbours.with_role(live.id),
            *(f"instance profile {each['InstanceProfileName']}" for each in profiles),
            *(f"{each}, which can assume it" for each in sorted(trusted)),
        )

    def instead(self, live: Live) -> str:
        """Another name: IAM has one role of each name, and deletes none that others may use."""
        return f"set {self.setting} to another name in invoke.yaml, and setup creates that role"

    def describe(self, attribute: str, value: Any) -> str:
        """A policy in short: the principals it trusts, or what it allows."""
        if attribute == "trust":
            return _trusted(value)
        return _allowed(value) if attribute == "policy" else super().describe(attribute, value)

    def create(self, aws: Aws, known: LiveResources) -> Live:
        """CreateRole, then its policies."""
        made = aws.call(
            "iam:CreateRole",
            self.label,
            RoleName=self.name,
            AssumeRolePolicyDocument=self.trust,
            Description=f"Made by lobster-tasks for the stack {self.stack}",
            Tags=tag_list(self.tags),
            **({"PermissionsBoundary": self.boundary} if self.boundary else {}),
        )["Role"]
        with_it = {"path", "trust", "permissions-boundary", "region"}
        live, rest = Live(made["Arn"], {}, self.tags), frozenset(self.desired(known)) - with_it
        return self.update(aws, live, rest, known)

    def update(self, aws: Aws, live: Live, changed: frozenset[str], known: LiveResources) -> Live:
        """PutRolePermissionsBoundary, UpdateAssumeRolePolicy, PutRolePolicy or DeleteRolePolicy, AttachRolePolicy."""
        if "permissions-boundary" in changed:  # first: never more permissions than these
            bounds = {"RoleName": self.name, "PermissionsBoundary": self.boundary}
            aws.call("iam:PutRolePermissionsBoundary", self.label, **bounds)
        if "trust" in changed:
            self._set_trust(
                aws, self.desired_when_adopted(live, known)["trust"] if live.adopted else self.trust
            )
        if "policy" in changed and self.policy:
            aws.call(
                "iam:PutRolePolicy",
                self.label,
                RoleName=self.name,
                PolicyName=self.policy_name,
                PolicyDocument=self.policy,
            )
        elif "policy" in changed and live.attributes.get("policy"):
            aws.call("iam:DeleteRolePolicy", self.label, RoleName=self.name, PolicyName=self.policy_name)
        if "managed-policies" in changed:
            self._attach(aws, live)
        if "region" in changed:
            self.tag(aws, live, {REGION_TAG: self.region})
        return live

    def withdraw(self, aws: Aws, live: Live, known: LiveResources) -> None:
        """Remove our statements from the trust policy, our inline policy, and the managed policies that we
        attached."""
        trust = live.raw["AssumeRolePolicyDocument"]
        kept = [each for each in _statements(trust) if not self._is_own(each)]
        if len(kept) < len(_statements(trust)):
            self._set_trust(aws, json.dumps({**trust, "Statement": kept}))
        if live.attributes.get("policy"):
            named = {"RoleName": self.name, "PolicyName": self.policy_name}
            aws.find("iam:DeleteRolePolicy", _ABSENT, self.label, **named)
        for tag, arn in attached(live).items():
            aws.find("iam:DetachRolePolicy", _ABSENT, self.label, RoleName=self.name, PolicyArn=arn)
            self.untag(aws, live, (tag,))

    def delete(self, aws: Aws, live: Live) -> None:
        """Delete the role with its policies; ``used_by`` covers other reasons for which DeleteRole refuses."""
        delete_role(aws, self.name, self.label)

    def tag(self, aws: Aws, live: Live, tags: Mapping[str, str]) -> None:
        """TagRole."""
        aws.call("iam:TagRole", self.label, RoleName=self.name, Tags=tag_list(tags))

    def untag(self, aws: Aws, live: Live, names: tuple[str, ...]) -> None:
        """UntagRole."""
        aws.call("iam:UntagRole", self.label, RoleName=self.name, TagKeys=list(names))

    def _set_trust(self, aws: Aws, document: str) -> None:
        aws.call("iam:UpdateAssumeRolePolicy", self.label, RoleName=self.name, PolicyDocument=document)

    def _attach(self, aws: Aws, live: Live) -> None:
        """Attach missing managed policies; on an adopted role, record them in tags first."""
        missing = [arn for arn in self.managed if arn not in live.attributes.get("managed-policies", ())]
        if told := attaching(live, missing):
            self.tag(aws, live, told)
        for arn in missing:
            aws.call("iam:AttachRolePolicy", self.label, RoleName=self.name, PolicyArn=arn)

    @property
    def _sid(self) -> str:
        """The prefix of our Sids, before a number; no two stacks have the same Sid."""
        end = "Zn" if self.stack[-1:].isdigit() else ""
        return f"Lobster{self.stack.translate(_IN_A_SID)}{end}"

    def _is_own(self, statement: Mapping[str, Any]) -> bool:
        sid = str(statement.get("Sid"))
        return sid.startswith(self._sid) and sid.removeprefix(self._sid).isdecimal()

    def _missing(self, theirs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The statements of our trust policy that an adopted role lacks, each with a ``Sid`` of ours."""
        ours = [each for each in _statements(self.trust) if not any(_covers(one, each) for one in theirs)]
        return [{**each, "Sid": f"{self._sid}{place}"} for place, each in enumerate(ours, 1)]

    def _read_policy(self, aws: Aws) -> str:
        found = aws.find(
            "iam:GetRolePolicy", _ABSENT, self.label, RoleName=self.name, PolicyName=self.policy_name
        )
        return canonical(found["PolicyDocument"]) if found else ""


def _region_in(document: str) -> str:
    """The region of the ARNs in a policy; empty where there is none, or more than one."""
    found = set(_OWN_ARN.findall(document))
    return found.pop() if len(found) == 1 else ""


def _covers(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> bool:
    """Whether a statement includes ours: it is the same, or the same without a condition."""
    plain = [{name: value for name, value in each.items() if name != "Sid"} for each in (theirs, ours)]
    wide = {name: value for name, value in plain[1].items() if name != "Condition"}
    return canonical(plain[0]) in (canonical(plain[1]), canonical(wide))


def _trusted(policy: str) -> str:
    """The services, accounts or providers that a trust policy names."""
    principals = [statement.get("Principal", "*") for statement in _statements(policy)]
    named = [each.values() if isinstance(each, dict) else [each] for each in principals]
    return ", ".join(str(name) for names in named for name in names) or "nobody"


def principals(policy: str) -> set[str]:
    """The principals of a policy's allowing statements, one by one."""
    allowing = (each.get("Principal", "*") for each in _statements(policy) if each.get("Effect") == "Allow")
    named = [value for each in allowing for value in (each.values() if isinstance(each, dict) else [each])]
    return {name for value in named for name in (value if isinstance(value, list) else [value])}


def _allowed(policy: str) -> str:
    actions = [statement.get("Action", []) for statement in _statements(policy)]
    count = sum(1 if isinstance(each, str) else len(each) for each in actions)
    return f"{count} actions" if count else "none"


def _statements(policy: str | Mapping[str, Any]) -> list[dict[str, Any]]:
    document = json.loads(policy) if isinstance(policy, str) and policy else policy or {}
    statements = document.get("Statement", []) if isinstance(document, Mapping) else []
    return [statements] if isinstance(statements, dict) else list(statements)


def canonical(document: str | Mapping[str, Any]) -> str:
    """A policy as JSON text in which order and one-item lists make no difference.

    IAM treats a single string like a list of one, and the order of actions and resources is irrelevant.
    """
    if not document:
        return ""
    parsed = json.loads(document) if isinstance(document, str) else document
    return json.dumps(_plain(parsed), sort_keys=True)


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        items = sorted((_plain(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
        return items[0] if len(items) == 1 else items
    return value
