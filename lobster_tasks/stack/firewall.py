"""The web ACL of AWS WAF that protects the load balancer."""

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
    """That a web ACL, by its ARN, protects the load balancer; its live id is the load balancer's ARN.

    It carries no tags and belongs to whoever owns the load balancer; on one that was adopted a tag of that tells what
    was associated. A load balancer has one web ACL at most, and associating another takes its place. The web ACL itself
    is never made, changed or deleted. Without ``web_acl`` whatever is there stays as it was found.
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
        """Where the settings name a web ACL."""
        return "present" if self.web_acl else "as-found"

    def is_shared(self, live: Live) -> bool:
        """Whether it was there before the stack: on a load balancer that was, and not associated by us."""
        return (
            self.load_balancer.is_shared(live) and live.attributes.get(WEB_ACL) not in attached(live).values()
        )

    def read(self, aws: Aws, known: LiveResources) -> Live | None:
        """GetWebACLForResource; None where there is none.

        Who cannot look, and names none, gets no attributes: what is not known is not the same as none, and who has no
        use for AWS WAF does without it.
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
        """What stays because no setting says what is to be there."""
        if self.web_acl:
            return ()
        if WEB_ACL not in live.attributes:
            return (f"its web ACL cannot be read: {live.raw['unknown']}",)
        return (f"{live.attributes[WEB_ACL]} stays: load_balancer.web_acl is not set",)

    def instead(self, live: Live) -> str:
        """It was there before, on a load balancer that was."""
        return (
            f"set load_balancer.web_acl={live.attributes[WEB_ACL]}, or disassociate it first: "
            f"aws wafv2 disassociate-web-acl --resource-arn {live.id}"
        )

    def create(self, aws: Aws, known: LiveResources) -> Live:
        """AssociateWebACL, once AWS WAF knows the load balancer. Raises RefusedError where there is no such web ACL."""
        self._refuse_missing(aws)
        balancer = known[self.load_balancer]
        if balancer.adopted and (told := attaching(balancer, [self.web_acl])):
            self.load_balancer.tag(aws, balancer, told)
        asked = {"WebACLArn": self.web_acl, "ResourceArn": balancer.id}
        aws.call("wafv2:AssociateWebACL", self.label, **asked)
        return Live(balancer.id, {WEB_ACL: self.web_acl}, balancer.tags)

    def update(self, aws: Aws, live: Live, changed: frozenset[str], known: LiveResources) -> Live:
        """The same: it takes the place of the other one."""
        made = self.create(aws, known)
        self._forget(aws, live)
        return made

    def delete(self, aws: Aws, live: Live) -> None:
        """DisassociateWebACL."""
        aws.find("wafv2:DisassociateWebACL", _ABSENT, self.label, ResourceArn=live.id)
        self._forget(aws, live)

    def tag(self, aws: Aws, live: Live, tags: Mapping[str, str]) -> None:
        """Nothing: it carries none."""

    def untag(self, aws: Aws, live: Live, names: tuple[str, ...]) -> None:
        """Nothing: it carries none."""

    def _forget(self, aws: Aws, live: Live) -> None:
        """Take off the tag that tells of the web ACL that was there."""
        told = tuple(tag for tag, arn in attached(live).items() if arn == live.attributes.get(WEB_ACL))
        if told:
            self.load_balancer.untag(aws, live, told)

    def _refuse_missing(self, aws: Aws) -> None:
        """One that was made a moment ago is known soon; AssociateWebACL would be tried for minutes."""

        def is_there() -> bool:
            return read_web_acl(aws, self.web_acl) is not None

        if not aws.clock.poll(is_there, _KNOWN_WITHIN_SECONDS, 2):
            raise RefusedError(
                f"There is no web ACL {self.web_acl}.",
                "load_balancer.web_acl names it",
                f"aws wafv2 list-web-acls --scope REGIONAL --region {aws.region} shows which there are",
            )


def protecting(aws: Aws, resource: str, about: str = "") -> str:
    """The ARN of the web ACL that protects a load balancer or an App Runner service; empty where none does.

    Raises AwsCallError: a caller without wafv2:GetWebACL is refused, and that says nothing about whether there is one.
    """
    found = aws.find("wafv2:GetWebACLForResource", _ABSENT, about or resource, ResourceArn=resource)
    return str((found or {}).get("WebACL", {}).get("ARN", ""))


def read_web_acl(aws: Aws, arn: str) -> Mapping[str, Any] | None:
    """A web ACL, or None where there is none of this ARN."""
    found = aws.find("wafv2:GetWebACL", _ABSENT, arn, ARN=arn)
    return found["WebACL"] if found else None
