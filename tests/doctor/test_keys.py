"""What a KMS key's policy and IAM's answer say together."""

from __future__ import annotations

from typing import Any

import pytest

from lobster_tasks.doctor.facts import Decision
from lobster_tasks.doctor.keys import DECRYPT, OWN_POLICY, KeyAccess, KmsKey, decide, key_access

ROLE = "arn:aws:iam::123456789012:role/path/app"
KEY = "arn:aws:kms:us-east-2:123456789012:key/1"
ACCOUNT = {"AWS": "arn:aws:iam::123456789012:root"}
WHEN = {"StringEquals": {"kms:ViaService": "secretsmanager.us-east-2.amazonaws.com"}}


def statement(principal: Any, effect: str = "Allow", **more: Any) -> dict[str, Any]:
    """A statement of a key's policy about decrypting."""
    return {"Effect": effect, "Principal": principal, "Action": "kms:*", "Resource": "*", **more}


@pytest.mark.parametrize(
    ("statements", "lets"),
    [
        ([statement(ACCOUNT)], KeyAccess.IAM),
        ([statement({"AWS": ["123456789012"]})], KeyAccess.IAM),
        ([statement({"AWS": [ROLE]})], KeyAccess.IN),
        ([statement("*")], KeyAccess.IN),
        (statement({"AWS": ROLE}, Action=["kms:Encrypt", "kms:D*"]), KeyAccess.IN),
        ([statement({"AWS": ROLE}, Action="kms:Encrypt")], KeyAccess.NOBODY),
        ([statement({"AWS": "arn:aws:iam::123456789012:role/other"})], KeyAccess.NOBODY),
        ([statement({"AWS": "arn:aws:iam::999999999999:root"})], KeyAccess.NOBODY),
        ([statement({"Service": "logs.amazonaws.com"})], KeyAccess.NOBODY),
        ([], KeyAccess.NOBODY),
        ([statement(ACCOUNT), statement({"AWS": ROLE}, "Deny")], KeyAccess.NOBODY),
        ([statement(ACCOUNT), statement({"AWS": ROLE}, "Deny", Condition=WHEN)], KeyAccess.PERHAPS),
        ([statement(ACCOUNT), statement(ACCOUNT, "Deny")], KeyAccess.PERHAPS),
        ([statement({"AWS": "*"}, Condition=WHEN)], KeyAccess.PERHAPS),
        ([statement(ACCOUNT), statement({"AWS": "*"}, Condition=WHEN)], KeyAccess.PERHAPS),
        ([{"Effect": "Allow", "NotPrincipal": ACCOUNT, "Action": "*", "Resource": "*"}], KeyAccess.PERHAPS),
        ([statement({"AWS": ROLE}, Action=None, NotAction="kms:Encrypt")], KeyAccess.PERHAPS),
    ],
)
def test_what_a_policy_says(statements: Any, lets: KeyAccess) -> None:
    assert key_access({"Statement": statements}, ROLE) is lets


DENIED = Decision(DECRYPT, KEY, "implicitDeny")
ALLOWED = Decision(DECRYPT, KEY, "allowed")
FORBIDDEN = Decision(DECRYPT, KEY, "explicitDeny")
IN_DOUBT = Decision(DECRYPT, KEY, "implicitDeny", ("aws:SourceIp",))
ELSEWHERE = KmsKey(KEY.replace("123456789012", "999999999999"))


@pytest.mark.parametrize(
    ("decision", "key", "becomes"),
    [
        (ALLOWED, KmsKey(KEY, KeyAccess.IAM), ("allowed", "", "")),
        (DENIED, KmsKey(KEY, KeyAccess.IAM), ("implicitDeny", "", "")),
        (IN_DOUBT, KmsKey(KEY, KeyAccess.IAM), ("implicitDeny", "", "")),
        (DENIED, KmsKey(KEY, KeyAccess.IN), ("allowed", "", "")),
        (FORBIDDEN, KmsKey(KEY, KeyAccess.IN), ("explicitDeny", "", "")),
        (ALLOWED, KmsKey(KEY, KeyAccess.NOBODY), ("implicitDeny", "", OWN_POLICY)),
        (ALLOWED, KmsKey(KEY, KeyAccess.PERHAPS), ("allowed", "", "")),
        (DENIED, KmsKey(KEY, KeyAccess.PERHAPS), ("implicitDeny", f"the conditions of {OWN_POLICY}", "")),
        (DENIED, KmsKey(KEY), ("implicitDeny", f"{OWN_POLICY}, which could not be read", "")),
        (ALLOWED, KmsKey(KEY), ("allowed", "", "")),
        (DENIED, ELSEWHERE, ("implicitDeny", "", "")),
    ],
)
def test_what_both_say(decision: Decision, key: KmsKey, becomes: tuple[str, str, str]) -> None:
    found = decide(decision, key, ROLE)
    assert (found.decision, found.doubt, found.by) == becomes
    assert found.missing == (() if key.lets in (KeyAccess.NOBODY, KeyAccess.IN) else decision.missing)
