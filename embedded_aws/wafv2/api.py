"""AWS WAF: moto's web ACLs and IP sets, which protect load balancers and App Runner services."""

from __future__ import annotations

import json
from typing import Any

from ..kernel.data_plane import DataPlane
from ..moto.adapter import ActionResult, AwsError, WAFV2Response
from .store import NO_SUCH, WafStore, invalid

CLOUDFRONT_REGION = "us-east-1"
NO_ARN = (
    "The ARN isn't valid. A valid ARN begins with arn: and includes other information separated by colons or "
    "slashes."
)
ASKED_FOR_BY_DEFAULT = "APPLICATION_LOAD_BALANCER"


class Wafv2(WAFV2Response):
    """AWS WAF. The data plane's lock is held during every operation."""

    def __init__(self, plane: DataPlane) -> None:
        super().__init__()
        self.plane = plane

    @property
    def given(self) -> dict[str, Any]:
        """The request's members."""
        found: dict[str, Any] = json.loads(self.body or "{}")
        return found

    @property
    def wafv2_backend(self) -> WafStore:
        """The web ACLs of the caller's region, or CloudFront's, which are available in us-east-1."""
        scope = self.given.get("Scope")
        if scope == "CLOUDFRONT" and self._asked_in != CLOUDFRONT_REGION:
            raise invalid("The scope is not valid.", "SCOPE_VALUE", scope)
        found: WafStore = super().wafv2_backend
        return found

    def call_action(self) -> Any:
        """Handle a request."""
        self._asked_in = self.region  # moto changes the region for CloudFront's
        with self.plane.lock:
            return super().call_action()

    def get_web_acl(self) -> ActionResult:
        """GetWebACL, by its ARN, or by name, scope and id."""
        given = self.given
        arn = str(given.get("ARN", ""))
        if given.get("Scope") == "CLOUDFRONT" or ":global/" in arn:
            self.region = "global"
        found = self.wafv2_backend.get_web_acl(arn or None, given.get("Name"), given.get("Id"))
        return ActionResult({"WebACL": found.to_dict(), "LockToken": found.lock_token})

    def get_web_acl_for_resource(self) -> ActionResult:
        """GetWebACLForResource; without the member where the resource has none."""
        arn = self.given["ResourceArn"]
        self.wafv2_backend.check_resource(arn)
        found = self.wafv2_backend.get_web_acl_for_resource(arn)
        return ActionResult({"WebACL": found.to_dict()} if found else {})

    def list_tags_for_resource(self) -> Any:
        """ListTagsForResource."""
        _check_arn(self.given["ResourceARN"])
        return super().list_tags_for_resource()

    def tag_resource(self) -> Any:
        """TagResource."""
        _check_arn(self.given["ResourceARN"])
        return super().tag_resource()

    def untag_resource(self) -> Any:
        """UntagResource."""
        _check_arn(self.given["ResourceARN"])
        return super().untag_resource()

    def list_resources_for_web_acl(self) -> ActionResult:
        """ListResourcesForWebACL, for one resource type, by default load balancers."""
        arn, kind = self.given["WebACLArn"], self.given.get("ResourceType") or ASKED_FOR_BY_DEFAULT
        if arn not in self.wafv2_backend.wacls:
            raise AwsError("WAFNonexistentItemException", NO_SUCH)
        return ActionResult({"ResourceArns": self.wafv2_backend.protected(arn, kind)})


def _check_arn(text: str) -> None:
    """Refuse what is no ARN of a resource of AWS WAF."""
    parts = text.split(":", 5)
    if len(parts) < 6 or parts[0] != "arn" or parts[2] != "wafv2" or parts[5].count("/") < 2:
        raise invalid(NO_ARN, "RESOURCE_ARN", text)
