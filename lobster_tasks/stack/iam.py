"""IAM roles of the task."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ..aws import Aws
from .resource import Attributes, Known, Live, Resource, tag_list, tags_of

_ABSENT = ("NoSuchEntity",)


@dataclass(frozen=True)
class Role(Resource):
    """A role with its trust policy, one inline policy of ours, and managed policies that the app needs.

    ``trust`` and ``policy`` are JSON texts (a frozen dataclass has no room for dicts); ``policy`` is empty for
    a role that may do nothing by itself. Policies that others attached stay, and so does a permissions boundary
    where the settings have none.
    """

    kind: ClassVar[str] = "role"
    trust: str
    policy: str
    managed: tuple[str, ...] = ()
    boundary: str = ""

    @property
    def policy_name(self) -> str:
        """The name of the inline policy that is ours."""
        return f"lobster-{self.stack}"

    def read(self, aws: Aws, known: Known) -> Live | None:
        """GetRole and, where it exists, its policies."""
        found = aws.find("iam:GetRole", _ABSENT, self.label, RoleName=self.name)
        if found is None:
            return None
        role = found["Role"]
        attributes: dict[str, Any] = {
            "trust": canonical(role["AssumeRolePolicyDocument"]),
            "policy": self._read_policy(aws),
        }
        if self.managed:
            attached = aws.pages("iam:ListAttachedRolePolicies", "AttachedPolicies", RoleName=self.name)
            ours = {policy["PolicyArn"] for policy in attached} & set(self.managed)
            attributes["managed policies"] = tuple(sorted(ours))
        if self.boundary:
            bounds = role.get("PermissionsBoundary", {})
            attributes["permissions boundary"] = bounds.get("PermissionsBoundaryArn", "")
        return Live(role["Arn"], attributes, tags_of(role.get("Tags", [])), role)

    def wanted(self, known: Known) -> Attributes:
        """Trust, inline policy, and the managed policies when there are any."""
        attributes: dict[str, Any] = {"trust": canonical(self.trust), "policy": canonical(self.policy)}
        if self.managed:
            attributes["managed policies"] = tuple(sorted(self.managed))
        if self.boundary:
            attributes["permissions boundary"] = self.boundary
        return attributes

    def describe(self, attribute: str, value: Any) -> str:
        """Policies in short: who is trusted, what is allowed."""
        if attribute == "trust":
            return _trusted(value)
        return _allowed(value) if attribute == "policy" else super().describe(attribute, value)

    def create(self, aws: Aws, known: Known) -> Live:
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
        with_it = {"trust", "permissions boundary"}
        live, rest = Live(made["Arn"], {}, self.tags), frozenset(self.wanted(known)) - with_it
        return self.update(aws, live, rest, known)

    def update(self, aws: Aws, live: Live, changed: frozenset[str], known: Known) -> Live:
        """PutRolePermissionsBoundary, UpdateAssumeRolePolicy, PutRolePolicy or DeleteRolePolicy, AttachRolePolicy."""
        if "permissions boundary" in changed:  # first: no moment in which it may do more
            bounds = {"RoleName": self.name, "PermissionsBoundary": self.boundary}
            aws.call("iam:PutRolePermissionsBoundary", self.label, **bounds)
        if "trust" in changed:
            aws.call("iam:UpdateAssumeRolePolicy", self.label, RoleName=self.name, PolicyDocument=self.trust)
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
        if "managed policies" in changed:
            for arn in self.managed:
                aws.call("iam:AttachRolePolicy", self.label, RoleName=self.name, PolicyArn=arn)
        return live

    def delete(self, aws: Aws, live: Live) -> None:
        """Its policies first: DeleteRole refuses while it has any."""
        for name in aws.pages("iam:ListRolePolicies", "PolicyNames", RoleName=self.name):
            aws.call("iam:DeleteRolePolicy", self.label, RoleName=self.name, PolicyName=name)
        for policy in aws.pages("iam:ListAttachedRolePolicies", "AttachedPolicies", RoleName=self.name):
            aws.call("iam:DetachRolePolicy", self.label, RoleName=self.name, PolicyArn=policy["PolicyArn"])
        aws.find("iam:DeleteRole", _ABSENT, self.label, RoleName=self.name)

    def tag(self, aws: Aws, live: Live, tags: Mapping[str, str]) -> None:
        """TagRole."""
        aws.call("iam:TagRole", self.label, RoleName=self.name, Tags=tag_list(tags))

    def untag(self, aws: Aws, live: Live, names: tuple[str, ...]) -> None:
        """UntagRole."""
        aws.call("iam:UntagRole", self.label, RoleName=self.name, TagKeys=list(names))

    def _read_policy(self, aws: Aws) -> str:
        found = aws.find(
            "iam:GetRolePolicy", _ABSENT, self.label, RoleName=self.name, PolicyName=self.policy_name
        )
        return canonical(found["PolicyDocument"]) if found else ""


def _trusted(policy: str) -> str:
    """The services, accounts or providers that a trust policy names."""
    principals = [statement.get("Principal", "*") for statement in _statements(policy)]
    named = [each.values() if isinstance(each, dict) else [each] for each in principals]
    return ", ".join(str(name) for names in named for name in names) or "nobody"


def _allowed(policy: str) -> str:
    actions = [statement.get("Action", []) for statement in _statements(policy)]
    count = sum(1 if isinstance(each, str) else len(each) for each in actions)
    return f"{count} actions" if count else "none"


def _statements(policy: str) -> list[dict[str, Any]]:
    statements = json.loads(policy).get("Statement", []) if policy else []
    return [statements] if isinstance(statements, dict) else statements


def canonical(document: str | Mapping[str, Any]) -> str:
    """A policy document as one JSON text in which order and one-item lists make no difference.

    IAM treats a lone string and a list of one the same, and the order of actions and resources means nothing.
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
