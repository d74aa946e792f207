"""Data of the account for authorization: access keys and existing resources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...moto.adapter import (
    acm_backends,
    applicationautoscaling_backends,
    ec2_backends,
    elbv2_backends,
    iam_backends,
    key_arn,
    policy_text,
    secretsmanager_backends,
    sts_backends,
    wafv2_backends,
)
from ..store import LINKED


@dataclass(frozen=True)
class Session:
    """A session of a role with temporary credentials."""

    arn: str
    role_arn: str
    policy: str | None


@dataclass(frozen=True)
class User:
    """A user: the texts of all policies, including the groups', and the boundary."""

    arn: str
    policies: tuple[str, ...]
    boundary: str | None


def find_session(account: str, access_key: str) -> Session | None:
    """The session with this access key, or None."""
    found = sts_backends[account]["aws"].get_assumed_role_from_access_key(access_key)
    return Session(found.arn, found.role_arn, found.policy or None) if found else None


def find_user(account: str, access_key: str) -> User | None:
    """The user with this access key, or None."""
    iam = iam_backends[account]["aws"]
    found = iam.get_user_from_access_key_id(access_key) if access_key else None
    if found is None:
        return None
    owners = [found, *iam.get_groups_for_user(found.name)]
    policies = [text for owner in owners for text in owner.policies.values()]
    policies += [policy_text(each) for owner in owners for each in owner.managed_policies.values()]
    boundary = iam.managed_policies.get(getattr(found, "permissions_boundary_arn", None))
    return User(found.arn, tuple(policies), policy_text(boundary) if boundary else None)


def with_path(account: str, kind: str, name: str, path: str | None) -> str:
    """A role's, user's or group's name with its path, as in its ARN; ``path`` is that of a new one."""
    iam = iam_backends[account]["aws"]
    there = {"Role": iam.roles, "User": iam.users, "Group": iam.groups}[kind].values()
    found = next((each.path for each in there if each.name == name), path or "/")
    return f"{found.lstrip('/')}{name}"


def secret_suffixed(account: str, arn: str) -> str:
    """A secret's name with its random suffix, from an ARN with or without it; ``name-*`` for a new one."""
    _, _, _, region, _, _, name = arn.split(":", 6)
    secrets = list(secretsmanager_backends[account][region].secrets.values())
    found = next((secret.arn for secret in secrets if arn == secret.arn or name == secret.name), None)
    return str(found).split(":", 6)[6] if found else f"{name}-*"


def key_id(account: str, region: str, key: str) -> str:
    """A key's id, from its id or ARN, or an alias's name or ARN."""
    return key_arn(account, region, key).rpartition("/")[2]


def web_acls_of(account: str, region: str, arn: str) -> list[str]:
    """The ARN of the web ACL that protects a resource, if any."""
    found = wafv2_backends[account][region].get_web_acl_for_resource(arn)
    return [str(found.arn)] if found else []


def vpc_of_group(account: str, region: str, group: str) -> str | None:
    """The VPC of a security group."""
    found = ec2_backends[account][region].get_security_group_from_id(group)
    return str(found.vpc_id) if found else None


def ec2_tags(account: str, region: str, id: str) -> Mapping[str, str]:
    """The tags of an EC2 resource."""
    return dict(ec2_backends[account][region].tags.get(id, {}))


def elb_tags(account: str, region: str, arn: str) -> Mapping[str, str]:
    """The tags of an Elastic Load Balancing resource."""
    return dict(elbv2_backends[account][region].tagging_service.get_tag_dict_for_resource(arn))


def role_tags(account: str, arn: str) -> Mapping[str, str]:
    """The tags of a role."""
    roles = list(iam_backends[account]["aws"].roles.values())
    found: Any = next((role for role in roles if role.arn == arn), None)
    return {tag["Key"]: tag["Value"] for tag in found.tags} if found else {}


def boundary_of(account: str, arn: str) -> str | None:
    """The ARN of a role's or user's permissions boundary."""
    iam = iam_backends[account]["aws"]
    named: list[Any] = [*list(iam.roles.values()), *list(iam.users.values())]
    found = next((each for each in named if each.arn == arn), None)
    return getattr(found, "permissions_boundary_arn", None) or None


def certificate_tags(account: str, region: str, arn: str) -> Mapping[str, str]:
    """The tags of an ACM certificate."""
    found = acm_backends[account][region]._certificates.get(arn)
    return {key: value or "" for key, value in found.tags.items()} if found else {}


def scalable_target_id(account: str, region: str, resource: str) -> str:
    """The last part of a scalable target's ARN, by its resource id; ``*`` where it does not exist."""
    targets = applicationautoscaling_backends[account][region].targets
    found = (by_id[resource].arn for by_id in list(targets.values()) if resource in by_id)
    return str(next(found, "*")).rpartition("/")[2]


def scalable_target_tags(account: str, region: str, arn: str) -> Mapping[str, str]:
    """The tags of a scalable target."""
    return dict(applicationautoscaling_backends[account][region].tags_of.get(arn, {}))


def linked_role_arn(account: str, service: str) -> str:
    """The ARN of a service-linked role."""
    name = LINKED[service][0] if service in LINKED else service.split(".")[0].capitalize()
    return f"arn:aws:iam::{account}:role/aws-service-role/{service}/AWSServiceRoleFor{name}"


def has_linked_role(account: str, service: str) -> bool:
    """Whether a service-linked role exists."""
    arn = linked_role_arn(account, service)
    return any(role.arn == arn for role in list(iam_backends[account]["aws"].roles.values()))


def ensure_linked_role(account: str, service: str) -> None:
    """Create a service-linked role if it does not exist, as services do on first use."""
    if not has_linked_role(account, service):
        iam_backends[account]["aws"].create_service_linked_role(service, "", "")
