"""GitHub's access to the account: who its tokens come from, and the role that one repository's workflows assume.

IAM User Guide, "Create an OpenID Connect (OIDC) identity provider in IAM". An account has one provider for GitHub,
whoever made it, and for all regions; it is used as it is found, and removed only by the stack that made it, when no
other role trusts it.
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
    """The OIDC provider with the host ``name``."""

    kind: ClassVar[str] = "identity-provider"
    is_global: ClassVar[bool] = True
    additions: ClassVar[frozenset[str]] = frozenset({"audience"})
    arn: str

    def presence(self, known: LiveResources) -> Presence:
        """Made where there is none; another's is used without being adopted."""
        return "as-found" if self in known else "present"

    def read(self, aws: Aws, known: LiveResources) -> Live | None:
        """GetOpenIDConnectProvider; it counts as somebody else's while other roles trust it."""
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
        """STS among its audiences, whatever else there is; the region of whoever made it, where it has none yet."""
        found = known.get(self)
        unclaimed = found is not None and found.stack == self.stack and not found.region
        return {"audience": True, **({"region": self.region} if unclaimed else {})}

    def used_by(self, neighbours: Neighbours, live: Live, known: LiveResources) -> tuple[str, ...]:
        """Roles that trust it and that are not the stack's."""
        roles: list[dict[str, Any]] = neighbours.aws.pages("iam:ListRoles", "Roles", "the roles")
        trusting = [
            role for role in roles if self.arn in json.dumps(role.get("AssumeRolePolicyDocument", ""))
        ]
        ours = {
            found.id for each, found in known.items() if isinstance(each, Role) and not each.is_shared(found)
        }
        return tuple(f"role {role['RoleName']}" for role in trusting if role["Arn"] not in ours)

    def create(self, aws: Aws, known: LiveResources) -> Live:
        """CreateOpenIDConnectProvider. "AWS secures communication … using our library of trusted root CAs", so there is
        no thumbprint."""
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
        """DeleteOpenIDConnectProvider, which succeeds when it is gone."""
        aws.call("iam:DeleteOpenIDConnectProvider", self.label, OpenIDConnectProviderArn=self.arn)

    def tag(self, aws: Aws, live: Live, tags: Mapping[str, str]) -> None:
        """Never but when it is made: whoever made it keeps it."""

    def untag(self, aws: Aws, live: Live, names: tuple[str, ...]) -> None:
        """Never adopted, so never let go."""


@dataclass(frozen=True)
class DeployRole(Role):
    """The role that the repository's workflows assume by GitHub's token."""

    provider: IdentityProvider = field(kw_only=True)
