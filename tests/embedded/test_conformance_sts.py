"""What STS says about who is calling (STS API Reference)."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED

from tests.embedded_process import EmbeddedProcess

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": "123456789012"}, "Action": "sts:AssumeRole"}],
}


@pytest.fixture
def role(client: Any) -> str:
    """A role's ARN."""
    made = client("iam").create_role(RoleName="deployer", AssumeRolePolicyDocument=json.dumps(TRUST))
    return str(made["Role"]["Arn"])


def caller(aws: EmbeddedProcess, credentials: dict[str, Any]) -> dict[str, Any]:
    """GetCallerIdentity with temporary credentials."""
    client = boto3.client(
        "sts",
        "us-east-2",
        endpoint_url=aws.url,
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )
    identity: dict[str, Any] = client.get_caller_identity()
    return identity


def test_the_account_is_named(client: Any) -> None:
    """GetCallerIdentity: Account, Arn, UserId; 'no permissions are required'."""
    identity = client("sts").get_caller_identity()
    assert identity["Account"] == "123456789012"
    assert ":123456789012:" in identity["Arn"]
    assert identity["UserId"]


def test_an_assumed_role_is_the_caller(aws: EmbeddedProcess, client: Any, role: str) -> None:
    """AssumeRole: temporary credentials (ASIA…), arn:aws:sts::<account>:assumed-role/<role>/<session>."""
    answer = client("sts").assume_role(RoleArn=role, RoleSessionName="deploy")
    arn = "arn:aws:sts::123456789012:assumed-role/deployer/deploy"
    assert answer["AssumedRoleUser"]["Arn"] == arn
    assert answer["Credentials"]["AccessKeyId"].startswith("ASIA")
    identity = caller(aws, answer["Credentials"])
    assert (identity["Arn"], identity["Account"]) == (arn, "123456789012")


def test_a_workflow_assumes_a_role_without_credentials(aws: EmbeddedProcess, client: Any, role: str) -> None:
    """AssumeRoleWithWebIdentity 'does not require the use of AWS security credentials'."""
    unsigned = aws.client("sts", signature_version=UNSIGNED)
    answer = unsigned.assume_role_with_web_identity(
        RoleArn=role, RoleSessionName="GitHubActions", WebIdentityToken="a.b.c"
    )
    arn = "arn:aws:sts::123456789012:assumed-role/deployer/GitHubActions"
    assert answer["AssumedRoleUser"]["Arn"] == arn
    assert caller(aws, answer["Credentials"])["Arn"] == arn
