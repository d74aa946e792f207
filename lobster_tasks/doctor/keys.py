"""Whether a role may decrypt with the KMS keys of secrets: the key's own policy decides, alone or by leaving it to IAM.

"Unless the key policy explicitly allows it, you cannot use IAM policies to allow access to a KMS key" (KMS Developer
Guide, "Key policies in AWS KMS"). Grants are not looked at: where one lets the role in, the refusal is overridden.
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
    """What a key's policy decides about a role: allowed by itself, left to IAM, denied, or dependent on conditions."""

    IN = "in"
    IAM = "IAM"
    NOBODY = "nobody"
    PERHAPS = "perhaps"


@dataclass(frozen=True)
class KmsKey:
    """A key by its ARN (an alias stands where it could not be looked up), and what it says; None: not read."""

    arn: str
    lets: KeyAccess | None = None
    is_awss: bool = False


def describe_key(aws: Aws, role: str, named: str) -> KmsKey:
    """A key by its ARN, or an alias's: DescribeKey, GetKeyPolicy."""
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

    A key of another account wants both, so that IAM's denial is one.
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
    """What a key's policy says about a role of the key's account. Pure."""
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
    """Whether it has this effect on everything that it is about."""
    return statement.get("Effect") == effect and not (
        {"Condition", "NotPrincipal", "NotAction"} & set(statement)
    )


def _is_about_decrypting(statement: Mapping[str, Any]) -> bool:
    """By name or pattern; what is about all but some may be."""
    patterns = [str(each).lower() for each in as_list(statement.get("Action"))]
    return "NotAction" in statement or any(fnmatchcase(DECRYPT.lower(), each) for each in patterns)


def _names(statement: Mapping[str, Any], whom: set[str]) -> bool:
    """Whether it names one of these; a NotPrincipal may include any of them."""
    given = statement.get("Principal")
    named = as_list(given.get("AWS") if isinstance(given, Mapping) else given)
    return "NotPrincipal" in statement or not whom.isdisjoint(map(str, named))
