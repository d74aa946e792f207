"""GitHub's access to the account: the OIDC provider of its tokens, and the role that one repository's workflows
assume.

IAM User Guide, "Create an OpenID Connect (OIDC) identity provider in IAM". An account has one provider for GitHub
in all regions, whoever created it. An existing one is used as it is; only the stack that created it deletes it, and
only when no other role trusts it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from ..aws import Aws
from ..settings import REGION_TAG, STACK_TAG
from .iam import Role
from .neighbours import Neighbours
from .resource import Attributes, Live, LiveResources, Presence, Resource, tag_list, tags_of

AUDIENCE = "sts.amazonaws.com"
_ABSENT = ("NoSuchEntity",)


@dataclass(frozen=True)
class IdentityProvider(Resource):
    """The OIDC provider for the host ``name``."""

    kind: ClassVar[str] = "identity-provider"
    is_global: ClassVar[bool] = True
    additions: ClassVar[frozenset[str]] = frozenset({"audience"})
    arn: str

    def presence(self, known: LiveResources) -> Presence:
        """Created where it does not exist; an existing one of others is used without being adopted."""
        return "as-found" if self in known else "present"

    def read(self, aws: Aws, known: LiveResources) -> Live | None:
        """GetOpenIDConnectProvider; while other roles trust it, it is treated as not ours."""
        found = aws.find(
            "iam:GetOpenIDConnectProvider", _ABSENT, self.label, OpenIDConnectProviderArn=self.arn
        )
        if found is None:
            return None
        tags = tags_of(found.get("Tags", []))
        attributes: dict[str, Any] = {"audience": AUDIENCE in found["ClientIDList"]}
        if tags.get(STACK_TAG) == self.stack:
            attributes["region"] = tags.get(REGION_TAG, "")
        return Live(self.arn, attributes, tags, found, tags.get(REGION_TAG, ""))

    def desired(self, known: LiveResources) -> Attributes:
        """An audience for STS, besides any others, and the region tag, where ours has none yet."""
        found = known.get(self)
        unclaimed = found is not None and found.stack == self.stack and not found.region
        return {"audience": True, **({"region": self.region} if unclaimed else {})}

    def used_by(self, neighbours: Neighbours, live: Live, known: LiveResources) -> tuple[str, ...]:
        """Roles other than the stack's that trust it."""
        roles: list[dict[str, Any]] = neighbours.aws.pages("iam:ListRoles", "Roles", "the roles")
        trusting = [
            role for role in roles if self.arn in json.dumps(role.get("AssumeRolePolicyDocument", ""))
        ]
        ours = {
            found.id for each, found in known.items() if isinstance(each, Role) and not each.is_shared(found)
        }
        return tuple(f"role {role['RoleName']}" for role in trusting if role["Arn"] not in ours)

    def create(self, aws: Aws, known: LiveResources) -> Live:
        """CreateOpenIDConnectProvider, without a thumbprint: "AWS secures communication … using our library of
        trusted root CAs"."""
        aws.call(
            "iam:CreateOpenIDConnectProvider",
            self.label,
            Url=f"https://{self.name}",
            ClientIDList=[AUDIENCE],
            Tags=tag_list(self.tags),
        )
        return Live(self.arn, {}, self.tags)

    def update(self, aws: Aws, live: Live, changed: frozenset[str], known: LiveResources) -> Live:
        """AddClientIDToOpenIDConnectProvider, TagOpenIDConnectProvider."""
        if "audience" in changed:
            which = {"OpenIDConnectProviderArn": self.arn, "ClientID": AUDIENCE}
            aws.call("iam:AddClientIDToOpenIDConnectProvider", self.label, **which)
        if "region" in changed:
            which = {"OpenIDConnectProviderArn": self.arn}
            tags = tag_list({REGION_TAG: self.region})
            aws.call("iam:TagOpenIDConnectProvider", self.label, **which, Tags=tags)
        return live

    def delete(self, aws: Aws, live: Live) -> None:
        """DeleteOpenIDConnectProvider, which succeeds also where it does not exist."""
        aws.call("iam:DeleteOpenIDConnectProvider", self.label, OpenIDConnectProviderArn=self.arn)

    def tag(self, aws: Aws, live: Live, tags: Mapping[str, str]) -> None:
        """Nothing: it is tagged only when it is created."""

    def untag(self, aws: Aws, live: Live, names: tuple[str, ...]) -> None:
        """Nothing: it is never adopted and so never released."""


@dataclass(frozen=True)
class DeployRole(Role):
    """The role that the repository's workflows assume with GitHub's token."""

    provider: IdentityProvider = field(kw_only=True)
