"""The saved description holds everything but what looks like a secret."""

from __future__ import annotations

from lobster_tasks.apprunner.saved import HIDDEN, without_secrets

VALUE = "sk-" + "aB3" * 12


def test_variables_that_look_like_secrets_are_named_and_not_kept() -> None:
    image = {"RuntimeEnvironmentVariables": {"API_KEY": VALUE, "MODE": "production"}, "Port": "8501"}
    kept = without_secrets({"service": {"SourceConfiguration": {"ImageRepository": image}}})
    variables = kept["service"]["SourceConfiguration"]["ImageRepository"]["RuntimeEnvironmentVariables"]
    assert variables == {"API_KEY": HIDDEN, "MODE": "production"}


def test_a_secret_in_a_command_is_masked() -> None:
    kept = without_secrets(
        {"StartCommand": f"serve --key {VALUE}", "list": [VALUE], "number": 7, "none": None}
    )
    assert VALUE not in str(kept)
    assert (kept["number"], kept["none"]) == (7, None)
