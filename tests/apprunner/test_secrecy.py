"""Which variables look like secrets, and which only sound like them."""

from __future__ import annotations

import pytest

from lobster_tasks.apprunner.secrecy import hides_secret, looks_secret


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_PASSWORD", "hunter22"),
        ("dbPassword", "hunter22"),
        ("OPENAI_API_KEY", "anything"),
        ("SECRET_KEY", "anything"),
        ("GITHUB_TOKEN", "abcd"),
        ("SENTRY_DSN", "abcdef"),
        ("X", "sk-1234567890abcdefghij"),
        ("X", "AKIAIOSFODNN7EXAMPLE"),
        ("DATABASE_URL", "postgres://app:hunter22@db/app"),
        ("X", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        ("X", "-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----"),
    ],
)
def test_secrets(name: str, value: str) -> None:
    assert looks_secret(name, value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GREETING", "Hello, World!"),
        ("DATABASE_URL", "postgres://db/app"),
        ("SECRET_ARN", "arn:aws:secretsmanager:us-east-2:123456789012:secret:shop-AbC123"),
        ("TOKEN_TTL", "3600"),
        ("TOKEN_URL", "https://example.com/Token1"),
        ("KEY_FILE", "key.pem"),
        ("MAX_TOKENS", "4096"),
        ("USE_PASSWORD", ""),
        ("MODEL", "anthropic.claude-3-5-sonnet-20241022-v2:0"),
        ("PASSWORD_FILE", "/run/secrets/Password1234567890"),
    ],
)
def test_no_secrets(name: str, value: str) -> None:
    assert not looks_secret(name, value)


@pytest.mark.parametrize(
    ("command", "hides"),
    [
        ("app --password=hunter22", True),
        ("app --api-key abcdefgh --port 1", True),
        ("API_TOKEN=abcdefgh python app.py", True),
        ("pip install --extra-index-url https://me:hunter22@example.com/simple x", True),
        ("app --key sk-1234567890abcdefghij", True),
        ("app --password=$PASSWORD", False),
        ("app --token '$TOKEN'", False),
        ("TOKEN=$OTHER python app.py", False),
        ("app --max-tokens 4096", False),
        ("app --max-tokens=4096", False),
        ("python app.py --server.port 8501", False),
    ],
)
def test_commands(command: str, hides: bool) -> None:
    assert hides_secret(command) is hides
