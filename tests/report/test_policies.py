"""Policies and their differences in words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lobster_tasks.report import policies


def document(*statements: dict[str, Any]) -> str:
    """A policy as JSON text."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: str | list[str], resource: str | list[str] = "*", **more: Any) -> dict[str, Any]:
    """One statement."""
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ("", []),
        (document(), []),
        (document(allow("s3:GetObject", "arn:b")), ["may s3:GetObject on arn:b"]),
        (document(allow(["b:Two", "a:One"], ["arn:2", "arn:1"])), ["may a:One, b:Two on arn:1, arn:2"]),
        (document(allow("a:One", "x"), allow("a:Two", "x")), ["may a:One, a:Two on x"]),
        (document(allow("a:One", ["1", "2", "3", "4", "5"])), ["may a:One on 1, 2, 3 and 2 more"]),
        (document({"Effect": "Deny", "Action": "a:One", "Resource": "x"}), ["may not a:One on x"]),
        (
            document({"Effect": "Allow", "NotAction": "a:One", "NotResource": "x"}),
            ["may all but a:One on all but x"],
        ),
        (
            document(allow("a:One", "x", Condition={"StringEquals": {"aws:SourceAccount": ["1", "2"]}})),
            ["may a:One on x where aws:SourceAccount StringEquals 1 or 2"],
        ),
        (json.dumps({"Statement": allow("a:One", "x")}), ["may a:One on x"]),
    ],
)
def test_what_a_policy_allows(policy: str, words: list[str]) -> None:
    assert policies.allowed(policy) == words


def test_whom_a_trust_policy_lets_in() -> None:
    service = {"Effect": "Allow", "Principal": {"Service": ["b", "a"]}, "Action": "sts:AssumeRole"}
    anyone = {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}
    assert policies.trusted(document(service)) == ["a", "b"]
    assert policies.trusted(document(anyone)) == ["*"]
    assert policies.allowed(document(anyone)) == ["* may sts:AssumeRole"]


def test_only_what_differs_is_told() -> None:
    now = document(allow(["a:Kept", "a:Gone"], "x"), allow("b:Same", ["1", "2"]))
    then = document(allow(["a:Kept", "a:New"], "x"), allow("b:Same", ["2", "1"]))
    assert policies.differences(now, then) == ["+ may a:New on x", "- may a:Gone on x"]
    assert policies.differences(now, now) == []
    assert policies.differences("", document(allow("a:New", "x"))) == ["+ may a:New on x"]
