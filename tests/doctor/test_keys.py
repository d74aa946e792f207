"""What a KMS key's policy and IAM's answer say together."""

from __future__ import annotations

from typing import Any

import pytest

from lobster_tasks.doctor.facts import Decision
from lobster_tasks.doctor.keys import DECRYPT, OWN_POLICY, Key, Lets, decide, says

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
        ([statement(ACCOUNT)], Lets.IAM),
        ([statement({"AWS": ["123456789012"]})], Lets.IAM),
        ([statement({"AWS": [ROLE]})], Lets.IN),
        ([statement("*")], Lets.IN),
        (statement({"AWS": ROLE}, Action=["kms:Encrypt", "kms:D*"]), Lets.IN),
        ([statement({"AWS": ROLE}, Action="kms:Encrypt")], Lets.NOBODY),
        ([statement({"AWS": "arn:aws:iam::123456789012:role/other"})], Lets.NOBODY),
        ([statement({"AWS": "arn:aws:iam::999999999999:root"})], Lets.NOBODY),
        ([statement({"Service": "logs.amazonaws.com"})], Lets.NOBODY),
        ([], Lets.NOBODY),
        ([statement(ACCOUNT), statement({"AWS": ROLE}, "Deny")], Lets.NOBODY),
        ([statement(ACCOUNT), statement({"AWS": ROLE}, "Deny", Condition=WHEN)], Lets.PERHAPS),
        ([statement(ACCOUNT), statement(ACCOUNT, "Deny")], Lets.PERHAPS),
        ([statement({"AWS": "*"}, Condition=WHEN)], Lets.PERHAPS),
        ([statement(ACCOUNT), statement({"AWS": "*"}, Condition=WHEN)], Lets.PERHAPS),
        ([{"Effect": "Allow", "NotPrincipal": ACCOUNT, "Action": "*", "Resource": "*"}], Lets.PERHAPS),
        ([statement({"AWS": ROLE}, Action=None, NotAction="kms:Encrypt")], Lets.PERHAPS),
    ],
)
def test_what_a_policy_says(statements: Any, lets: Lets) -> None:
    assert says({"Statement": statements}, ROLE) is lets


DENIED = Decision(DECRYPT, KEY, "implicitDeny")
ALLOWED = Decision(DECRYPT, KEY, "allowed")
FORBIDDEN = Decision(DECRYPT, KEY, "explicitDeny")
IN_DOUBT = Decision(DECRYPT, KEY, "implicitDeny", ("aws:SourceIp",))
ELSEWHERE = Key(KEY.replace("123456789012", "999999999999"))


@pytest.mark.parametrize(
    ("decision", "key", "becomes"),
    [
        (ALLOWED, Key(KEY, Lets.IAM), ("allowed", "", "")),
        (DENIED, Key(KEY, Lets.IAM), ("implicitDeny", "", "")),
        (IN_DOUBT, Key(KEY, Lets.IAM), ("implicitDeny", "", "")),
        (DENIED, Key(KEY, Lets.IN), ("allowed", "", "")),
        (FORBIDDEN, Key(KEY, Lets.IN), ("explicitDeny", "", "")),
        (ALLOWED, Key(KEY, Lets.NOBODY), ("implicitDeny", "", OWN_POLICY)),
        (ALLOWED, Key(KEY, Lets.PERHAPS), ("allowed", "", "")),
        (DENIED, Key(KEY, Lets.PERHAPS), ("implicitDeny", f"the conditions of {OWN_POLICY}", "")),
        (DENIED, Key(KEY), ("implicitDeny", f"{OWN_POLICY}, which could not be read", "")),
        (ALLOWED, Key(KEY), ("allowed", "", "")),
        (DENIED, ELSEWHERE, ("implicitDeny", "", "")),
    ],
)
def test_what_both_say(decision: Decision, key: Key, becomes: tuple[str, str, str]) -> None:
    found = decide(decision, key, ROLE)
    assert (found.decision, found.doubt, found.by) == becomes
    assert found.missing == (() if key.lets in (Lets.NOBODY, Lets.IN) else decision.missing)
