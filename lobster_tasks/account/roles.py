"""Deletes IAM roles."""

from __future__ import annotations

from ..aws import Aws
from ..errors import AwsCallError

_ABSENT = ("NoSuchEntity",)


def delete_role(aws: Aws, role: str, about: str = "") -> None:
    """Delete the policies of a role (its name), then the role; one that no longer exists is not an error.

    ``about`` names the role for people. Raises AwsCallError, for example for a role in an instance profile.
    """
    about = about or role
    try:
        inline = aws.pages("iam:ListRolePolicies", "PolicyNames", about, RoleName=role)
        attached = aws.pages("iam:ListAttachedRolePolicies", "AttachedPolicies", about, RoleName=role)
    except AwsCallError as refused:
        if refused.code not in _ABSENT:
            raise
        return
    for name in inline:
        aws.find("iam:DeleteRolePolicy", _ABSENT, about, RoleName=role, PolicyName=name)
    for policy in attached:
        aws.find("iam:DetachRolePolicy", _ABSENT, about, RoleName=role, PolicyArn=policy["PolicyArn"])
    aws.find("iam:DeleteRole", _ABSENT, about, RoleName=role)
