"""An account's roles and policies: moto's store, corrected where AWS differs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, ClassVar

from ..moto.adapter import AwsError, IAMBackend, NotFoundException, iam_backends
from .documents import check_attached, check_inline, check_managed, check_trust

LINKED = {
    "apprunner.amazonaws.com": ("AppRunner", "aws-service-role/AppRunnerServiceRolePolicy"),
    "autoscaling.amazonaws.com": ("AutoScaling", "aws-service-role/AutoScalingServiceRolePolicy"),
    "ecs.amazonaws.com": ("ECS", "aws-service-role/AmazonECSServiceRolePolicy"),
    "ecs.application-autoscaling.amazonaws.com": (
        "ApplicationAutoScaling_ECSService",
        "aws-service-role/AWSApplicationAutoscalingECSServicePolicy",
    ),
    "elasticloadbalancing.amazonaws.com": (
        "ElasticLoadBalancing",
        "aws-service-role/AWSElasticLoadBalancingServiceRolePolicy",
    ),
    "vpcorigin.cloudfront.amazonaws.com": (
        "CloudFrontVPCOrigin",
        "aws-service-role/AWSCloudFrontVPCOriginServiceRolePolicy",
    ),
    "spot.amazonaws.com": ("EC2Spot", "aws-service-role/AWSEC2SpotServiceRolePolicy"),
}
"""Service-linked roles: the suffix after ``AWSServiceRoleFor``, and the role's policy."""


TAGS_MOST = 50


class IamStore(IAMBackend):
    """The roles and policies of one account."""

    _managed: ClassVar[dict[tuple[str, str], list[Any]]] = {}

    def _init_aws_policies(self) -> list[Any]:
        """The 1600 AWS managed policies, parsed only once and not after each reset."""
        key = (self.account_id, self.region_name)
        if key not in self._managed:
            self._managed[key] = super()._init_aws_policies()
        for policy in self._managed[key]:
            policy.attachment_count = 0
        return list(self._managed[key])

    def create_role(
        self,
        role_name: str,
        assume_role_policy_document: str,
        path: str,
        permissions_boundary: str | None,
        description: str,
        tags: list[dict[str, str]],
        max_session_duration: str | None,
        linked_service: str | None = None,
    ) -> Any:
        """Create a role with a valid trust policy and boundary."""
        _check_new(role_name, self.roles.values(), "Role with name {} already exists.")
        check_trust(assume_role_policy_document, self._principals())
        if permissions_boundary and permissions_boundary not in self.managed_policies:
            raise NotFoundException(f"Scope ARN: {permissions_boundary} does not exist or is not attachable.")
        return super().create_role(
            role_name,
            assume_role_policy_document,
            path,
            permissions_boundary,
            description,
            tags,
            max_session_duration,
            linked_service,
        )

    def create_user(
        self, region_name: str, user_name: str, path: str = "/", tags: list[dict[str, str]] | None = None
    ) -> Any:
        """Create a user."""
        _check_new(user_name, self.users.values(), "User with name {} already exists.")
        return super().create_user(region_name, user_name, path, tags)

    def create_group(self, group_name: str, path: str = "/") -> Any:
        """Create a group."""
        _check_new(group_name, self.groups.values(), "Group with name {} already exists.")
        return super().create_group(group_name, path)

    def create_instance_profile(
        self, name: str, path: str, role_names: list[str], tags: list[dict[str, str]] | None = None
    ) -> Any:
        """Create an instance profile."""
        _check_new(name, self.instance_profiles.values(), "Instance Profile {} already exists.")
        return super().create_instance_profile(name, path, role_names, tags)

    def get_role(self, role_name: str) -> Any:
        """The role, or NoSuchEntity."""
        for role in list(self.roles.values()):
            if role.name == role_name:
                return role
        raise NotFoundException(f"The role with name {role_name} cannot be found.")

    def tag_role(self, role_name: str, tags: list[dict[str, str]]) -> None:
        """Tag a role; LimitExceeded above the limit."""
        there = {tag["Key"].lower() for tag in self.get_role(role_name).tags}
        if len(there | {tag["Key"].lower() for tag in tags}) > TAGS_MOST:
            raise AwsError("LimitExceeded", f"Cannot exceed quota for TagsPerRole: {TAGS_MOST}")
        super().tag_role(role_name, tags)

    def tag_open_id_connect_provider(self, arn: str, tags: list[dict[str, str]]) -> None:
        """As ``tag_role``, for an identity provider."""
        there = self.get_open_id_connect_provider(arn).tags
        if len({*there, *(tag["Key"].lower() for tag in tags)}) > TAGS_MOST:
            raise AwsError(
                "LimitExceeded", f"Cannot exceed quota for TagsPerOpenIDConnectProvider: {TAGS_MOST}"
            )
        super().tag_open_id_connect_provider(arn, tags)

    def delete_role(self, role_name: str) -> None:
        """Delete a role without policies and instance profiles; otherwise DeleteConflict."""
        self._of_the_users(role_name)
        super().delete_role(role_name)

    def update_assume_role_policy(self, role_name: str, policy_document: str) -> None:
        """Replace the trust policy."""
        role = self._of_the_users(role_name)
        check_trust(policy_document, self._principals())
        role.assume_role_policy_document = policy_document

    def put_role_policy(self, role_name: str, policy_name: str, policy_json: str) -> None:
        """Put an inline policy; LimitExceeded when all together are too large."""
        role = self._of_the_users(role_name)
        check_inline("role", role_name, role.policies, policy_name, policy_json)
        role.put_policy(policy_name, policy_json)

    def put_user_policy(self, user_name: str, policy_name: str, policy_json: str) -> None:
        """As ``put_role_policy``, for a user."""
        user = self.get_user(user_name)
        check_inline("user", user_name, user.policies, policy_name, policy_json)
        user.put_policy(policy_name, policy_json)

    def put_group_policy(self, group_name: str, policy_name: str, policy_json: str) -> None:
        """As ``put_role_policy``, for a group."""
        group = self.get_group(group_name)
        check_inline("group", group_name, group.policies, policy_name, policy_json)
        group.put_policy(policy_name, policy_json)

    def get_role_policy(self, role_name: str, policy_name: str) -> tuple[str, str]:
        """An inline policy's name and text, or NoSuchEntity."""
        policies = self.get_role(role_name).policies
        if policy_name not in policies:
            raise NotFoundException(f"The role policy with name {policy_name} cannot be found.")
        return policy_name, policies[policy_name]

    def attach_role_policy(self, policy_arn: str, role_name: str) -> None:
        """Attach a managed policy; does nothing when it is attached already."""
        role = self._of_the_users(role_name)
        if policy_arn not in role.managed_policies:
            check_attached("role", role.managed_policies)
            super().attach_role_policy(policy_arn, role_name)

    def attach_user_policy(self, policy_arn: str, user_name: str) -> None:
        """As ``attach_role_policy``, for a user."""
        attached = self.get_user(user_name).managed_policies
        if policy_arn not in attached:
            check_attached("user", attached)
            super().attach_user_policy(policy_arn, user_name)

    def attach_group_policy(self, policy_arn: str, group_name: str) -> None:
        """As ``attach_role_policy``, for a group."""
        attached = self.get_group(group_name).managed_policies
        if policy_arn not in attached:
            check_attached("group", attached)
            super().attach_group_policy(policy_arn, group_name)

    def detach_role_policy(self, policy_arn: str, role_name: str) -> None:
        """Detach a managed policy, or NoSuchEntity."""
        self._of_the_users(role_name)
        super().detach_role_policy(policy_arn, role_name)

    def create_policy(
        self,
        description: str,
        path: str,
        policy_document: str,
        policy_name: str,
        tags: list[dict[str, str]],
    ) -> Any:
        """Create a customer managed policy."""
        check_managed(policy_document)
        own = (
            each for each in self.managed_policies.values() if not each.arn.startswith("arn:aws:iam::aws:")
        )
        _check_new(policy_name, own, "A policy called {} already exists. Duplicate names are not allowed.")
        return super().create_policy(description, path, policy_document, policy_name, tags)

    def create_policy_version(self, policy_arn: str, policy_document: str, set_as_default: bool) -> Any:
        """Create a version of a customer managed policy, of at most five."""
        check_managed(policy_document)
        return super().create_policy_version(policy_arn, policy_document, set_as_default)

    def get_policy(self, policy_arn: str) -> Any:
        """A managed policy, or NoSuchEntity."""
        if policy_arn not in self.managed_policies:
            raise NotFoundException(f"Policy {policy_arn} does not exist or is not attachable.")
        return self.managed_policies[policy_arn]

    def delete_policy(self, policy_arn: str) -> None:
        """Delete a customer managed policy that is not attached; otherwise DeleteConflict."""
        policy = self.get_policy(policy_arn)
        if policy.attachment_count:
            raise AwsError("DeleteConflict", "Cannot delete a policy attached to entities.")
        if len(policy.versions) > 1:
            message = (
                "This policy has more than one version. Before you delete a policy, you must delete the "
                "policy's versions. The default version is deleted with the policy."
            )
            raise AwsError("DeleteConflict", message)
        super().delete_policy(policy_arn)

    def create_open_id_connect_provider(
        self, url: str, thumbprint_list: list[str], client_id_list: list[str], tags: list[dict[str, str]]
    ) -> Any:
        """Create an identity provider, at most one per URL."""
        if "://" in url and not url.startswith("https://"):
            raise AwsError(
                "InvalidInput", "Invalid Open ID Connect Provider URL. The URL must begin with https://."
            )
        arn = f"arn:aws:iam::{self.account_id}:oidc-provider/{url.removeprefix('https://')}"
        if arn in self.open_id_providers:
            raise AwsError("EntityAlreadyExists", f"Provider with url {url} already exists.")
        return super().create_open_id_connect_provider(url, thumbprint_list, client_id_list, tags)

    def add_client_id(self, arn: str, client_id: str) -> None:
        """Add an audience to a provider; does nothing where it has it already."""
        audiences = self.get_open_id_connect_provider(arn).client_id_list
        if client_id not in audiences:
            audiences.append(client_id)

    def remove_client_id(self, arn: str, client_id: str) -> None:
        """Remove an audience; does nothing where the provider does not have it."""
        audiences = self.get_open_id_connect_provider(arn).client_id_list
        if client_id in audiences:
            audiences.remove(client_id)

    def create_service_linked_role(self, service_name: str, description: str, suffix: str) -> Any:
        """Create a service-linked role, with AWS's name for it; InvalidInput where it exists."""
        name, policy = LINKED.get(service_name, (service_name.split(".")[0].capitalize(), ""))
        name = f"AWSServiceRoleFor{name}" + (f"_{suffix}" if suffix else "")
        if any(role.name == name for role in list(self.roles.values())):
            message = (
                f"Service role name {name} has been taken in this account, please try a different suffix."
            )
            raise AwsError("InvalidInput", message)
        allow = {
            "Effect": "Allow",
            "Principal": {"Service": service_name},
            "Action": "sts:AssumeRole",
        }
        trust = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
        path = f"/aws-service-role/{service_name}/"
        role = self.create_role(name, trust, path, None, description, [], "3600", service_name)
        if attached := self.managed_policies.get(f"arn:aws:iam::aws:policy/{policy}"):
            attached.attach_to(role)
        return role

    def delete_service_linked_role(self, role_name: str) -> str:
        """Delete a service-linked role with its policies; returns the id of the deletion task."""
        role = self.get_role(role_name)
        for policy in list(role.managed_policies.values()):
            policy.detach_from(role)
        role._linked_service = None
        return str(super().delete_service_linked_role(role_name))

    def _principals(self) -> set[str]:
        named = [*list(self.roles.values()), *list(self.users.values())]
        return {f"arn:aws:iam::{self.account_id}:root", *(one.arn for one in named)}

    def _of_the_users(self, role_name: str) -> Any:
        role = self.get_role(role_name)
        if role._linked_service:
            message = (
                f"Cannot perform the operation on the protected role '{role_name}' - "
                "this role is only modifiable by AWS"
            )
            raise AwsError("UnmodifiableEntity", message)
        return role


def _check_new(name: str, there: Iterable[Any], words: str) -> None:
    """EntityAlreadyExists for a name that is there, in any case."""
    if any(each.name.lower() == name.lower() for each in list(there)):
        raise AwsError("EntityAlreadyExists", words.format(name))


iam_backends.keep_in(IamStore)
