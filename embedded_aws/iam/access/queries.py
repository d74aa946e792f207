"""The authorization queries of one call: actions, each with a resource and its condition keys.

A call requires more than its own action where it tags a new resource, passes a role to a service, or creates a
service-linked role.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ...moto.wire import Call
from . import context as contexts
from . import firewalls, reference, resources, scaling, stored
from .query import AuthorizationQuery, linked_role
from .resource_tags import ResourceTags

Members = Mapping[str, Any]

# "No permissions are required" (STS API Reference, GetCallerIdentity); STS checks the others itself.
UNASKED = {"AssumeRole", "AssumeRoleWithSAML", "AssumeRoleWithWebIdentity", "GetCallerIdentity"}
PREFIXES = {"monitoring": "cloudwatch", "tagging": "tag"}
OTHER_NAMES = {
    "cloudfront:CreateDistributionWithTags": "CreateDistribution",
    "ecr:ListImageReferrers": "BatchGetImage",
}
# What creating a resource with tags requires in addition; only these services have the condition key CreateAction.
TAGGING = {
    "acm": "AddTagsToCertificate",
    "ec2": "CreateTags",
    "elasticloadbalancing": "AddTags",
    "ssm": "AddTagsToResource",
}
CREATE_ACTION = ("ec2", "ecs", "elasticloadbalancing")
IAM_TAGGING = {
    "CreateOpenIDConnectProvider": "TagOpenIDConnectProvider",
    "CreatePolicy": "TagPolicy",
    "CreateRole": "TagRole",
    "CreateUser": "TagUser",
}
# Call → where its request contains a role, and the service that the role is passed to.
PASSED: dict[str, tuple[tuple[tuple[str, ...], str], ...]] = {
    "apprunner:CreateService": (
        (
            ("SourceConfiguration", "AuthenticationConfiguration", "AccessRoleArn"),
            "build.apprunner.amazonaws.com",
        ),
        (("InstanceConfiguration", "InstanceRoleArn"), "tasks.apprunner.amazonaws.com"),
    ),
    "ecs:RegisterTaskDefinition": (
        (("executionRoleArn",), "ecs-tasks.amazonaws.com"),
        (("taskRoleArn",), "ecs-tasks.amazonaws.com"),
    ),
    "ecs:RunTask": (
        (("overrides", "executionRoleArn"), "ecs-tasks.amazonaws.com"),
        (("overrides", "taskRoleArn"), "ecs-tasks.amazonaws.com"),
    ),
}
PASSED["apprunner:UpdateService"] = PASSED["apprunner:CreateService"]
# An account's first load balancer requires the service-linked role, and these permissions ("Elastic Load Balancing
# API permissions": required permissions for the service-linked role).
LINKED = {
    "application-autoscaling:RegisterScalableTarget": "ecs.application-autoscaling.amazonaws.com",
    "cloudfront:CreateVpcOrigin": "vpcorigin.cloudfront.amazonaws.com",
    "elasticloadbalancing:CreateLoadBalancer": "elasticloadbalancing.amazonaws.com",
}
FIRST_BALANCER = ("ec2:DescribeAccountAttributes", "ec2:DescribeInternetGateways")


class Queries:
    """Determines the authorization queries of a call."""

    def __init__(self, tags: ResourceTags) -> None:
        self._tags = tags

    def of_call(self, account: str, call: Call, members: Members) -> Iterator[AuthorizationQuery]:
        """Every query about a call, in AWS's order."""
        if call.operation in UNASKED:
            return
        service = PREFIXES.get(call.service, call.service)
        operation = OTHER_NAMES.get(f"{service}:{call.operation}", call.operation)
        yield from self._about(account, call, service, operation, members)
        yield from self._tagging(account, call, service, members)
        yield from _passing(f"{service}:{operation}", members)
        yield from _linking(account, f"{service}:{operation}", members)
        if service == "application-autoscaling":
            yield from scaling.queries(account, call, members)
        if service == "wafv2":
            yield from firewalls.queries(account, call, members)

    def _about(
        self, account: str, call: Call, service: str, operation: str, members: Members
    ) -> Iterator[AuthorizationQuery]:
        if operation == "CreateServiceLinkedRole":
            yield linked_role(account, members["AWSServiceName"])
            return
        action = reference.find(service, operation)
        for resource in resources.of_call(account, call, action, members):
            context = self._context(account, call, action, resource, members)
            yield AuthorizationQuery(action.name, resource, context)

    def _tagging(
        self, account: str, call: Call, service: str, members: Members
    ) -> Iterator[AuthorizationQuery]:
        if not call.operation.startswith(resources.MAKES) or not contexts.request_tags(members):
            return
        operation = (
            IAM_TAGGING.get(call.operation) if service == "iam" else TAGGING.get(service, "TagResource")
        )
        if operation is None:
            return
        made = reference.find(service, call.operation)
        action = reference.find(service, operation)
        more = {f"{service}:CreateAction": call.operation} if service in CREATE_ACTION else {}
        # a request for a certificate has no resource
        about = made if made.required or made.optional else action
        for resource in _made(account, call, about, members):
            context = self._context(account, call, action, resource, members)
            yield AuthorizationQuery(action.name, resource, {**context, **more})

    def _context(
        self, account: str, call: Call, action: reference.ActionReference, resource: str, members: Members
    ) -> contexts.Context:
        tags = self._tags.of(account, call.region, resource)
        return contexts.of_call(account, call, action, resource, members, tags)


def _made(account: str, call: Call, made: reference.ActionReference, members: Members) -> list[str]:
    """The ARN pattern of the new resource for tagging: a listener's begins with its load balancer's."""
    if call.service == "cloudfront":  # the reference has no resource for these actions
        kind = "vpcorigin" if call.operation == "CreateVpcOrigin" else "distribution"
        return [f"arn:aws:cloudfront::{account}:{kind}/*"]
    found = resources.of_call(account, call, made, members)
    if made.name == "elasticloadbalancing:CreateListener":
        return [f"{arn.replace(':loadbalancer/', ':listener/')}/*" for arn in found]
    if made.name == "ec2:CreateSecurityGroup":
        return [arn for arn in found if ":security-group/" in arn]
    return [arn.split(":log-stream:")[0] for arn in found]


def _passing(call: str, members: Members) -> Iterator[AuthorizationQuery]:
    for path, service in PASSED.get(call, ()):
        role: Any = members
        for name in path:
            role = (role or {}).get(name)
        if role:
            yield AuthorizationQuery("iam:PassRole", str(role), {"iam:PassedToService": service})


def _linking(account: str, call: str, members: Members) -> Iterator[AuthorizationQuery]:
    service = LINKED.get(call)
    if (
        service is None
        or members.get("ServiceNamespace") not in (None, "ecs")
        or stored.has_linked_role(account, service)
    ):
        return
    if call == "elasticloadbalancing:CreateLoadBalancer":
        yield from (AuthorizationQuery(action, "*") for action in FIRST_BALANCER)
    yield linked_role(account, service)
