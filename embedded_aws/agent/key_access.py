"""Decides who may use a customer managed KMS key: its key policy allows it, or leaves it to IAM.

Source: KMS Developer Guide, "Key policies in AWS KMS" and "Default key policy". Grants are not supported.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..iam import roles
from ..iam.conditions import as_list
from ..iam.policy import Decision, decide, parsed, statements
from ..moto import adapter

DECRYPT = "kms:Decrypt"


def may_decrypt(account: str, role: str, key: str, service: str) -> bool:
    """Whether a role may decrypt with a key (both ARNs) through ``service``, which calls KMS on its behalf."""
    region = key.split(":")[3]
    context = {
        "aws:PrincipalArn": role,
        "aws:PrincipalAccount": account,
        "kms:CallerAccount": account,
        "kms:ViaService": f"{service}.{region}.amazonaws.com",
    }
    own = roles.role_allows(account, role, DECRYPT, key, context)
    text = adapter.key_policy(key)
    if text is None:
        return own.allowed
    itself = _says(text, {role}, key, context)
    everybody = _says(text, {account, f"arn:aws:iam::{account}:root"}, key, context)
    if "explicitDeny" in (own.verdict, itself.verdict, everybody.verdict):
        return False
    return (itself.allowed and own.within_boundary) or (everybody.allowed and own.allowed)


def _says(text: str, principals: set[str], key: str, context: Mapping[str, str]) -> Decision:
    """The decision of the statements about these principals, or about everybody."""
    about = [each for each in statements(parsed(text)) if {"*", *principals}.intersection(_principals(each))]
    return decide([{"Statement": about}], DECRYPT, key, context)


def _principals(statement: Mapping[str, Any]) -> Iterator[str]:
    given = statement.get("Principal", {})
    yield from as_list(given.get("AWS", []) if isinstance(given, Mapping) else given)
