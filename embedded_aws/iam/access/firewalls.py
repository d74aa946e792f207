"""The permissions that AWS WAF requires on the protected resource, besides its own action.

AWS WAF Developer Guide, "How AWS WAF works with IAM", Actions that require additional permissions settings: Elastic
Load Balancing has an action without a resource, and newer ones on the load balancer. Both are required here, so that
a policy that lacks either fails. App Runner, "Associating an AWS WAF web ACL with your service", Permissions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...moto.wire import Call
from . import stored
from .query import AuthorizationQuery

# Operation → the actions on all resources, and those on the load balancer.
_BALANCER: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "AssociateWebACL": (("SetWebAcl",), ("CreateWebACLAssociation",)),
    "DisassociateWebACL": (("SetWebAcl",), ("DeleteWebACLAssociation",)),
    "GetWebACLForResource": ((), ("GetLoadBalancerWebACL",)),
}
_APP_RUNNER = {
    "AssociateWebACL": "AssociateWebAcl",
    "DisassociateWebACL": "DisassociateWebAcl",
    "GetWebACLForResource": "DescribeWebAclForService",
}


def queries(account: str, call: Call, members: Mapping[str, Any]) -> Iterator[AuthorizationQuery]:
    """The queries about associating, disassociating or reading a web ACL."""
    arn = str(members.get("ResourceArn", ""))
    if (
        call.operation == "GetWebACLForResource"
    ):  # "This call uses GetWebACL, to verify that your account has permission"
        yield from (
            AuthorizationQuery("wafv2:GetWebACL", acl)
            for acl in stored.web_acls_of(account, call.region, arn)
        )
    if ":apprunner:" in arn and call.operation in _APP_RUNNER:
        yield from _of_app_runner(call, arn, members)
    if ":loadbalancer/app/" in arn and call.operation in _BALANCER:
        everywhere, there = _BALANCER[call.operation]
        yield from (AuthorizationQuery(f"elasticloadbalancing:{action}", "*") for action in everywhere)
        yield from (AuthorizationQuery(f"elasticloadbalancing:{action}", arn) for action in there)


def _of_app_runner(call: Call, arn: str, members: Mapping[str, Any]) -> Iterator[AuthorizationQuery]:
    action = f"apprunner:{_APP_RUNNER[call.operation]}"
    yield AuthorizationQuery(action, arn)
    if call.operation == "AssociateWebACL":
        yield AuthorizationQuery(action, str(members["WebACLArn"]))
