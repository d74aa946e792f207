"""Possible secrets are masked, and useful text is shown."""

from __future__ import annotations

import pytest

from lobster_tasks.masking import mask, mask_shapes, secret_values


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OPENAI_API_KEY", "a-plain-word"),
        ("DB_PASSWORD", "blue"),
        ("DATABASE_URL", "postgres://app:hunter2@db/app"),
        ("SENTRY_DSN", "https://abc@sentry.io/1"),
        ("SETTING", "hunter2x99y"),
        ("SETTING", "Zm9vYmFyYmF6cXV1eA=="),
    ],
)
def test_values_that_may_be_secrets(name: str, value: str) -> None:
    assert secret_values(environment({name: value})) == (value,)
    assert value not in mask(f"could not use {value} today", secret_values(environment({name: value})))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "8501"),
        ("AWS_REGION", "us-east-2"),
        ("ENVIRONMENT", "production"),
        ("LOG_LEVEL", "debug"),
        ("PYTHONUNBUFFERED", "1"),
        ("MODEL", "gpt-4o-mini"),
        ("VERSION", "v1.20.3"),
        ("HOST", "api.example.com"),
        ("FOLDER", "/app/data/files"),
        ("STREAMLIT_SERVER_HEADLESS", "true"),
        ("TOKEN_LIMIT", "4096"),
    ],
)
def test_plain_values_stay_readable(name: str, value: str) -> None:
    assert secret_values(environment({name: value})) == ()


def test_a_value_of_several_lines_is_masked_line_by_line() -> None:
    """A log has one line after the other, whatever ends them in the value."""
    for end in ("\n", "\r\n"):
        value = end.join(["{", '  "private_key": "Zm9v', "  YmFyYmF6cXV1eA==", "  plain words", '"}'])
        values = secret_values(environment({"CREDENTIALS": value}))
        assert values[0] == value
        shown = [mask(line, values) for line in value.splitlines()]
        assert shown == ["{", "  ***", "  ***", "  plain words", '"}']


def test_the_longest_value_is_masked_first() -> None:
    values = secret_values(environment({"A_KEY": "abcd", "B_KEY": "abcdefgh"}))
    assert values == ("abcdefgh", "abcd")
    assert mask("abcdefgh and abcd", values) == "*** and ***"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("key sk-proj-abcdefghijklmnopqrst refused", "key *** refused"),
        ("AKIAIOSFODNN7EXAMPLE is not valid", "*** is not valid"),
        ("ghp_16C7e42F292c6912E7710c838347Ae178B4a", "***"),
        ("cannot reach postgres://app:hunter2@db:5432/app", "cannot reach postgres://app:***@db:5432/app"),
        ("Authorization: Bearer abc.def.ghi", "Authorization: Bearer ***"),
        ("password=hunter2&x=1", "password=***&x=1"),
        ('{"api_key": "abcdef"}', '{"api_key": "***"}'),
        ("bad token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.sflKxw", "bad token ***"),
        ("ModuleNotFoundError: No module named 'pandas'", "ModuleNotFoundError: No module named 'pandas'"),
        (
            "no arn:aws:secretsmanager:us-east-2:123456789012:secret:openai-x1Y2z3",
            "no arn:aws:secretsmanager:us-east-2:123456789012:secret:openai-x1Y2z3",
        ),
    ],
)
def test_lines_of_a_log(line: str, shown: str) -> None:
    assert mask(line) == shown


def test_names_in_what_aws_says_stay() -> None:
    said = "failed to fetch secret: openai-x1Y2z3 from secrets manager"
    assert mask_shapes(said) == said
    assert mask_shapes("exec: sk-proj-abcdefghijklmnopqrst") == "exec: ***"


def environment(variables: dict[str, str]) -> dict[str, object]:
    """A task definition with these variables."""
    named = [{"name": name, "value": value} for name, value in variables.items()]
    return {"containerDefinitions": [{"name": "app", "environment": named}]}


@pytest.mark.parametrize("before", ["", "x " * 200, "a" * 4090 + " ", "b" * 100_000 + " "], ids=len)
@pytest.mark.parametrize(
    "line",
    [
        "password={}",
        '"API_KEY": "{}"',
        "Authorization: Bearer {}",
        "sk-proj-{}",
        "ghp_{}",
        "eyJhbGciOiJIUzI1NiJ9.{}.sig",
        "postgres://app:{}@db:5432/app",
        "-----BEGIN RSA PRIVATE KEY-----{}",
    ],
)
@pytest.mark.parametrize("length", [20, 3_000, 20_000, 200_000])
def test_a_secret_is_masked_whole_wherever_it_stands_and_however_long_it_is(
    line: str, before: str, length: int
) -> None:
    secret = "S3cr" * (length // 4)
    assert "S3cr" not in mask(f"{before}{line.format(secret)} and more")


def test_a_value_with_no_shape_is_masked_whole_however_long_it_is() -> None:
    value = "1-" * 5_000 + "!"
    assert secret_values(environment({"SETTING": value})) == (value,)
    assert mask(f"{'a' * 4_090} {value}", (value,)) == f"{'a' * 4_090} ***"
