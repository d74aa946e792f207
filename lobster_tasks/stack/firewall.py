"""The association of an AWS WAF web ACL with the load balancer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ..aws import Aws
from ..errors import AwsCallError, RefusedError
from .load_balancing import LoadBalancer
from .resource import Attributes, Live, LiveResources, Presence, Resource, attached, attaching

_ABSENT = ("WAFNonexistentItemException",)
_KNOWN_WITHIN_SECONDS = 30.0
WEB_ACL = "web-ACL"


@dataclass(frozen=True)
class WebAclAssociation(Resource):
    """The association of a web ACL (ARN) with the load balancer; its live id is the load balancer's ARN.

    It has no tags and belongs to the load balancer's owner; a tag on an adopted load balancer records the web ACL
    that was associated. A load balancer has at most one web ACL, and associating another one replaces it. The web ACL
    itself is never created, changed or deleted. Without ``web_acl`` an existing association stays as it is.
    """

    kind: ClassVar[str] = "web-ACL-association"
    taggable: ClassVar[bool] = False
    decisive: ClassVar[frozenset[str]] = frozenset({WEB_ACL})
    load_balancer: LoadBalancer
    web_acl: str = ""

    @property
    def part_of(self) -> Resource:
        """The load balancer."""
        return self.load_balancer

    def presence(self, known: LiveResources) -> Presence:
        """Desired where the settings name a web ACL."""
        return "present" if self.web_acl else "as-found"

    def is_shared(self, live: Live) -> bool:
        """Whether it existed before the stack: on an adopted load balancer, and not associated by us."""
        return (
            self.load_balancer.is_shared(live) and live.attributes.get(WEB_ACL) not in attached(live).values()
        )

    def read(self, aws: Aws, known: LiveResources) -> Live | None:
        """GetWebACLForResource; None without a web ACL.

        Without the permission to read it and without ``web_acl``, it has no attributes: unknown is not the same as
        none, and a stack without AWS WAF does not need the permission.
        """
        balancer = known.get(self.load_balancer)
        if balancer is None:
            return None
        try:
            found = protecting(aws, balancer.id, self.label)
        except AwsCallError as refused:
            if self.web_acl:
                raise
            return Live(balancer.id, {}, balancer.tags, {"unknown": refused.why})
        return Live(balancer.id, {WEB_ACL: found}, balancer.tags) if found else None

    def desired(self, known: LiveResources) -> Attributes:
        """The web ACL, where the settings name one."""
        return {WEB_ACL: self.web_acl} if self.web_acl else {}

    def remarks(self, live: Live, known: LiveResources) -> tuple[str, ...]:
        """That the web ACL stays, where the settings name none."""
        if self.web_acl:
            return ()
        if WEB_ACL not in live.attributes:
            return (f"its web ACL cannot be read: {live.raw['unknown']}",)
        return (f"{live.attributes[WEB_ACL]} stays: load_balancer.web_acl is not set",)

    def instead(self, live: Live) -> str:
        """The next step for a web ACL that existed before on an adopted load balancer."""
        return (
            f"set load_balancer.web_acl={live.attributes[WEB_ACL]}, or disassociate it first: "
            f"aws wafv2 disassociate-web-acl --resource-arn {live.id}"
        )

    def create(self, aws: Aws, known: LiveResources) -> Live:
        """AssociateWebACL, once AWS WAF knows the load balancer. Raises RefusedError where the web ACL does not
        exist."""
        self._refuse_missing(aws)
        balancer = known[self.load_balancer]
        if balancer.adopted and (told := attaching(balancer, [self.web_acl])):
            self.load_balancer.tag(aws, balancer, told)
        asked = {"WebACLArn": self.web_acl, "ResourceArn": balancer.id}
        aws.call("wafv2:AssociateWebACL", self.label, **asked)
        return Live(balancer.id, {WEB_ACL: self.web_acl}, balancer.tags)

    def update(self, aws: Aws, live: Live, changed: frozenset[str], known: LiveResources) -> Live:
        """AssociateWebACL, which replaces the other one."""
        made = self.create(aws, known)
        self._forget(aws, live)
        return made

    def delete(self, aws: Aws, live: Live) -> None:
        """DisassociateWebACL."""
        aws.find("wafv2:DisassociateWebACL", _ABSENT, self.label, ResourceArn=live.id)
        self._forget(aws, live)

    def tag(self, aws: Aws, live: Live, tags: Mapping[str, str]) -> None:
        """Nothing: it has no tags."""

    def untag(self, aws: Aws, live: Live, names: tuple[str, ...]) -> None:
        """Nothing: it has no tags."""

    def _forget(self, aws: Aws, live: Live) -> None:
        """Remove the tag that records the replaced or disassociated web ACL."""
        told = tuple(tag for tag, arn in attached(live).items() if arn == live.attributes.get(WEB_ACL))
        if told:
            self.load_balancer.untag(aws, live, told)

    def _refuse_missing(self, aws: Aws) -> None:
        """Raise RefusedError where the web ACL does not exist; AssociateWebACL would be retried for minutes."""

        def is_there() -> bool:
            return read_web_acl(aws, self.web_acl) is not None

        if not aws.clock.poll(is_there, _KNOWN_WITHIN_SECONDS, 2):
            raise RefusedError(
                f"There is no web ACL {self.web_acl}.",
                "load_balancer.web_acl names it",
                f"aws wafv2 list-web-acls --scope REGIONAL --region {aws.region} shows which there are",
            )


def protecting(aws: Aws, resource: str, about: str = "") -> str:
    """The ARN of the web ACL that protects a load balancer or an App Runner service; empty without one.

    Raises AwsCallError: a caller without wafv2:GetWebACL is refused, whether there is a web ACL or not.
    """
    found = aws.find("wafv2:GetWebACLForResource", _ABSENT, about or resource, ResourceArn=resource)
    return str((found or {}).get("WebACL", {}).get("ARN", ""))


def read_web_acl(aws: Aws, arn: str) -> Mapping[str, Any] | None:
    """A web ACL by its ARN, or None where it does not exist."""
    found = aws.find("wafv2:GetWebACL", _ABSENT, arn, ARN=arn)
    return found["WebACL"] if found else None
