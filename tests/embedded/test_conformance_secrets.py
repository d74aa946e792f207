"""What Secrets Manager and Parameter Store return, fact by fact (their API References)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

MISSING = "Secrets Manager can't find the specified secret"
MARKED = "You can't perform this operation on the secret because it was marked for deletion."


@pytest.fixture
def secrets(client: Any) -> Any:
    """Secrets Manager."""
    return client("secretsmanager")


@pytest.fixture
def ssm(client: Any) -> Any:
    """Systems Manager."""
    return client("ssm")


def refused(call: Callable[..., Any], **parameters: Any) -> tuple[str, str, int]:
    """The code, message and HTTP status that a call is refused with."""
    with pytest.raises(ClientError) as error:
        call(**parameters)
    answer = error.value.response
    return answer["Error"]["Code"], answer["Error"]["Message"], answer["ResponseMetadata"]["HTTPStatusCode"]


def test_a_secret_is_found_by_name_arn_and_partial_arn(secrets: Any) -> None:
    """SecretId: 'the ARN or name of the secret'; the ARN ends in six random characters (GetSecretValue)."""
    made = secrets.create_secret(Name="app/key", SecretString="v")
    prefix = "arn:aws:secretsmanager:us-east-2:123456789012:secret:app/key"
    assert made["ARN"].startswith(f"{prefix}-")
    assert len(made["ARN"]) == len(prefix) + 7
    for secret_id in ("app/key", made["ARN"], prefix):
        found = secrets.get_secret_value(SecretId=secret_id)
        assert (found["SecretString"], found["VersionStages"]) == ("v", ["AWSCURRENT"])
        assert found["VersionId"] == made["VersionId"]


def test_versions_are_found_by_stage_and_id(secrets: Any) -> None:
    """VersionStage, VersionId; 'both … must refer to the same version' (GetSecretValue)."""
    first = secrets.create_secret(Name="s", SecretString="one")["VersionId"]
    second = secrets.put_secret_value(SecretId="s", SecretString="two")["VersionId"]
    assert secrets.get_secret_value(SecretId="s")["SecretString"] == "two"
    assert secrets.get_secret_value(SecretId="s", VersionStage="AWSPREVIOUS")["SecretString"] == "one"
    assert secrets.get_secret_value(SecretId="s", VersionId=first)["SecretString"] == "one"
    both = {"SecretId": "s", "VersionId": second, "VersionStage": "AWSPREVIOUS"}
    assert refused(secrets.get_secret_value, **both)[0] == "InvalidRequestException"


def test_what_is_not_there_is_named(secrets: Any) -> None:
    """ResourceNotFoundException, HTTP 400: no secret, no value, no such stage, no such version."""
    code = "ResourceNotFoundException"
    assert refused(secrets.get_secret_value, SecretId="none") == (code, f"{MISSING}.", 400)
    assert refused(secrets.describe_secret, SecretId="none") == (code, f"{MISSING}.", 400)
    secrets.create_secret(Name="empty")
    text = f"{MISSING} value for staging label: AWSCURRENT"
    assert refused(secrets.get_secret_value, SecretId="empty") == (code, text, 400)
    secrets.create_secret(Name="s", SecretString="v")
    text = f"{MISSING} value for staging label: BLUE"
    assert refused(secrets.get_secret_value, SecretId="s", VersionStage="BLUE") == (code, text, 400)
    version = "12345678-1234-1234-1234-123456789012"
    text = f"{MISSING} value for VersionId: {version}"
    assert refused(secrets.get_secret_value, SecretId="s", VersionId=version) == (code, text, 400)


def test_a_secret_name_is_unique_and_checked(secrets: Any) -> None:
    """ResourceExistsException; 'alphanumeric, and /_+=.@-' (CreateSecret)."""
    secrets.create_secret(Name="s", SecretString="v")
    text = "The operation failed because the secret s already exists."
    assert refused(secrets.create_secret, Name="s", SecretString="v") == (
        "ResourceExistsException",
        text,
        400,
    )
    assert refused(secrets.create_secret, Name="a b", SecretString="v")[0] == "ValidationException"


def test_a_secret_marked_for_deletion_is_not_read(secrets: Any) -> None:
    """InvalidRequestException: 'The secret is scheduled for deletion' (GetSecretValue, CreateSecret)."""
    secrets.create_secret(Name="s", SecretString="v")
    secrets.delete_secret(SecretId="s", RecoveryWindowInDays=7)
    code = "InvalidRequestException"
    assert refused(secrets.get_secret_value, SecretId="s") == (code, MARKED, 400)
    assert refused(secrets.put_secret_value, SecretId="s", SecretString="v") == (code, MARKED, 400)
    scheduled = (
        "You can't create this secret because a secret with this name is already scheduled for deletion."
    )
    assert refused(secrets.create_secret, Name="s", SecretString="v") == (code, scheduled, 400)
    assert "DeletedDate" in secrets.describe_secret(SecretId="s")
    secrets.restore_secret(SecretId="s")
    assert secrets.get_secret_value(SecretId="s")["SecretString"] == "v"
    secrets.delete_secret(SecretId="s", ForceDeleteWithoutRecovery=True)
    assert refused(secrets.get_secret_value, SecretId="s")[0] == "ResourceNotFoundException"


def test_a_recovery_window_is_checked(secrets: Any) -> None:
    """'from 7 to 30 days' (DeleteSecret)."""
    secrets.create_secret(Name="s", SecretString="v")
    text = "The RecoveryWindowInDays value must be between 7 and 30 days (inclusive)."
    wrong = refused(secrets.delete_secret, SecretId="s", RecoveryWindowInDays=6)
    assert wrong == ("InvalidParameterException", text, 400)


def test_secrets_are_described_and_listed_without_values(secrets: Any) -> None:
    """DescribeSecret, ListSecrets."""
    tags = [{"Key": "a", "Value": "b"}]
    made = secrets.create_secret(Name="s", SecretString="v", Description="d", Tags=tags)
    found = secrets.describe_secret(SecretId="s")
    assert (found["Name"], found["Description"], found["Tags"]) == ("s", "d", tags)
    assert found["VersionIdsToStages"] == {made["VersionId"]: ["AWSCURRENT"]}
    (listed,) = secrets.list_secrets(Filters=[{"Key": "name", "Values": ["s"]}])["SecretList"]
    assert listed["ARN"] == made["ARN"]
    assert "SecretString" not in {**found, **listed}


def test_several_secrets_are_read_at_once(secrets: Any) -> None:
    """BatchGetSecretValue: values, and an error for each that has none."""
    secrets.create_secret(Name="s", SecretString="v")
    answer = secrets.batch_get_secret_value(SecretIdList=["s", "none"])
    assert [one["SecretString"] for one in answer["SecretValues"]] == ["v"]
    assert [(one["SecretId"], one["ErrorCode"]) for one in answer["Errors"]] == [
        ("none", "ResourceNotFoundException")
    ]


def test_a_parameter_is_made_once_unless_overwritten(ssm: Any) -> None:
    """ParameterAlreadyExists; Overwrite makes version 2 (PutParameter)."""
    given = {"Name": "/app/p", "Type": "String"}
    assert ssm.put_parameter(**given, Value="one")["Version"] == 1
    assert refused(ssm.put_parameter, **given, Value="two")[0] == "ParameterAlreadyExists"
    assert ssm.put_parameter(**given, Value="two", Overwrite=True)["Version"] == 2
    assert ssm.get_parameter(Name="/app/p")["Parameter"]["Value"] == "two"
    assert ssm.get_parameter(Name="/app/p:1")["Parameter"]["Value"] == "one"


@pytest.mark.parametrize("name", ["a b", "a:b", "ssm-x", "é"])
def test_parameter_names_are_checked(ssm: Any, name: str) -> None:
    """'letters, numbers and the following 3 symbols .-_' and / (PutParameter)."""
    assert refused(ssm.put_parameter, Name=name, Value="v", Type="String")[0] == "ValidationException"


@pytest.mark.parametrize("operation", ["get_parameter", "delete_parameter"])
def test_a_parameter_that_is_not_there_is_told_without_a_word(ssm: Any, operation: str) -> None:
    """ "An error occurred (ParameterNotFound) when calling the GetParameter operation: ", with nothing behind it
    (awslabs/aws-simple-cicd, issue 10; aws-solutions/aws-control-tower-customizations, pull request 68).
    """
    assert refused(getattr(ssm, operation), Name="/absent") == ("ParameterNotFound", "", 400)


def test_parameters_that_are_not_there_are_listed_as_invalid(ssm: Any) -> None:
    """InvalidParameters, not an error (GetParameters); by name and by ARN."""
    ssm.put_parameter(Name="/app/p", Value="v", Type="String")
    arn = "arn:aws:ssm:us-east-2:123456789012:parameter/app/p"
    answer = ssm.get_parameters(Names=["/app/p", "/app/none", arn.replace("/app/p", "/no")])
    assert [one["Value"] for one in answer["Parameters"]] == ["v"]
    assert answer["InvalidParameters"] == ["/app/none", "arn:aws:ssm:us-east-2:123456789012:parameter/no"]
    (found,) = ssm.get_parameters(Names=[arn])["Parameters"]
    assert (found["Value"], found["ARN"]) == ("v", arn)
    assert refused(ssm.get_parameter, Name="/app/none")[0] == "ParameterNotFound"
    assert refused(ssm.delete_parameter, Name="/app/none")[0] == "ParameterNotFound"


def test_a_secure_string_is_read_with_decryption_only(ssm: Any) -> None:
    """WithDecryption: 'Return decrypted secure string value' (GetParameter, GetParameters, …ByPath)."""
    ssm.put_parameter(Name="/app/p", Value="hidden", Type="SecureString")
    for decrypted in (True, False):
        ask = {"WithDecryption": decrypted}
        values = [
            ssm.get_parameter(Name="/app/p", **ask)["Parameter"]["Value"],
            ssm.get_parameters(Names=["/app/p"], **ask)["Parameters"][0]["Value"],
            ssm.get_parameters_by_path(Path="/app", **ask)["Parameters"][0]["Value"],
        ]
        assert [("hidden" in value) for value in values] == [decrypted] * 3


def test_a_secret_is_a_text_or_bytes(secrets: Any) -> None:
    """ "Either SecretBinary or SecretString must have a value, but not both" (API Reference); "You can't specify both a
    binary secret value and a string secret value in the same secret." (InvalidParameterException):
    the words are our own."""
    words = "You can't specify both a binary secret value and a string secret value in the same secret."
    expected = ("InvalidParameterException", words, 400)
    both = {"SecretString": "x", "SecretBinary": b"x"}
    assert refused(secrets.create_secret, Name="s", **both) == expected
    secrets.create_secret(Name="s", SecretString="x")
    assert refused(secrets.put_secret_value, SecretId="s", **both) == expected
    assert refused(secrets.update_secret, SecretId="s", **both) == expected
    secrets.put_secret_value(SecretId="s", SecretBinary=b"x")
