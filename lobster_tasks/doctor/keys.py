"""Whether a role may decrypt with the KMS keys of secrets: the key policy decides, by itself or by delegating to IAM.

"Unless the key policy explicitly allows it, you cannot use IAM policies to allow access to a KMS key" (KMS Developer
Guide, "Key policies in AWS KMS"). Grants are not checked: a grant that allows the role overrides the refusal.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from fnmatch import fnmatchcase
from typing import Any

from ..aws import Aws
from ..errors import AwsCallError
from .facts import Decision
from .references import account_of, as_list

DECRYPT = "kms:Decrypt"
OWN_POLICY = "the key's own policy"
_UNREAD = f"{OWN_POLICY}, which could not be read"
_CONDITIONS = f"the conditions of {OWN_POLICY}"


class KeyAccess(Enum):
    """What a key policy decides about a role: it allows, delegates to IAM, denies, or depends on conditions."""

    IN = "in"
    IAM = "IAM"
    NOBODY = "nobody"
    PERHAPS = "perhaps"


@dataclass(frozen=True)
class KmsKey:
    """A key by its ARN (or its alias, if it could not be described); ``lets`` is None if the policy was not read."""

    arn: str
    lets: KeyAccess | None = None
    is_awss: bool = False


def describe_key(aws: Aws, role: str, named: str) -> KmsKey:
    """DescribeKey and GetKeyPolicy of a key, by the ARN of the key or of an alias."""
    absent = ("NotFoundException",)
    try:
        about = aws.find("kms:DescribeKey", absent, named, KeyId=named)
    except AwsCallError:
        return KmsKey(named)
    if about is None:
        return KmsKey(named)
    arn, of_aws = str(about["KeyMetadata"]["Arn"]), about["KeyMetadata"].get("KeyManager") == "AWS"
    if of_aws or account_of(arn) != account_of(role):
        return KmsKey(arn, is_awss=of_aws)
    try:
        found = aws.find("kms:GetKeyPolicy", absent, arn, KeyId=arn, PolicyName="default")
    except AwsCallError:
        return KmsKey(arn)
    return KmsKey(arn, key_access(json.loads(found["Policy"]), role)) if found else KmsKey(arn)


def decide(decision: Decision, key: KmsKey, role: str) -> Decision:
    """Combines IAM's decision with the key's policy. Pure.

    A key of another account needs both to allow the role, so a denial by IAM is final there.
    """
    if decision.decision == "explicitDeny":
        return decision
    if key.lets is KeyAccess.NOBODY:
        return replace(decision, decision="implicitDeny", missing=(), by=OWN_POLICY)
    if decision.decision == "allowed" or key.lets is KeyAccess.IAM:
        return decision
    if key.lets is KeyAccess.IN:
        return replace(decision, decision="allowed", missing=())
    if key.lets is None and account_of(key.arn) != account_of(role):
        return decision
    return replace(decision, doubt=decision.doubt or (_CONDITIONS if key.lets else _UNREAD))


def key_access(policy: Mapping[str, Any], role: str) -> KeyAccess:
    """What a key policy decides about a role of the key's account. Pure."""
    about = [each for each in as_list(policy.get("Statement")) if _is_about_decrypting(each)]
    everybody = {account_of(role), f"{role.rpartition(':')[0]}:root"}
    itself = [each for each in about if _names(each, {role, "*"})]
    account = [each for each in about if _names(each, everybody)]
    if any(_is_sure(each, "Deny") for each in itself):
        return KeyAccess.NOBODY
    if any(each.get("Effect") == "Deny" for each in about if each in itself or each in account):
        return KeyAccess.PERHAPS
    if any(_is_sure(each, "Allow") for each in itself):
        return KeyAccess.IN
    if any(not _is_sure(each, "Allow") for each in itself + account):
        return KeyAccess.PERHAPS
    return KeyAccess.IAM if account else KeyAccess.NOBODY


def _is_sure(statement: Mapping[str, Any], effect: str) -> bool:
    """Whether a statement has this effect without conditions or exceptions."""
    return statement.get("Effect") == effect and not (
        {"Condition", "NotPrincipal", "NotAction"} & set(statement)
    )


def _is_about_decrypting(statement: Mapping[str, Any]) -> bool:
    """Whether a statement may apply to kms:Decrypt: by name, by pattern, or by NotAction."""
    patterns = [str(each).lower() for each in as_list(statement.get("Action"))]
    return "NotAction" in statement or any(fnmatchcase(DECRYPT.lower(), each) for each in patterns)


def _names(statement: Mapping[str, Any], whom: set[str]) -> bool:
    """Whether a statement names one of these principals; a NotPrincipal may include any of them."""
    given = statement.get("Principal")
    named = as_list(given.get("AWS") if isinstance(given, Mapping) else given)
    return "NotPrincipal" in statement or not whom.isdisjoint(map(str, named))
