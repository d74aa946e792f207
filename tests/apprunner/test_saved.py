"""The saved description holds everything but what looks like a secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from lobster_tasks.apprunner.saved import HIDDEN, load, path_of, without_secrets
from lobster_tasks.errors import UsageError

VALUE = "sk-" + "aB3" * 12


def test_variables_that_look_like_secrets_are_named_and_not_kept() -> None:
    image = {"RuntimeEnvironmentVariables": {"API_KEY": VALUE, "MODE": "production"}, "Port": "8501"}
    kept = without_secrets({"service": {"SourceConfiguration": {"ImageRepository": image}}})
    variables = kept["service"]["SourceConfiguration"]["ImageRepository"]["RuntimeEnvironmentVariables"]
    assert variables == {"API_KEY": HIDDEN, "MODE": "production"}


def test_a_command_with_a_secret_is_not_kept() -> None:
    hidden = ("serve --token letmein", "PASSWORD=letmein serve", f"serve --key {VALUE}")
    for command in hidden:
        assert without_secrets({"StartCommand": command}) == {"StartCommand": HIDDEN}
    hidden_in_url = f"pip install -i https://me:{VALUE}@example.com/ app"
    built = without_secrets({"BuildCommand": hidden_in_url})
    assert built == {"BuildCommand": HIDDEN}
    told = without_secrets({"BuildCommands": ["make", hidden[0]], "PreRun": [hidden[1]]})
    assert told == {"BuildCommands": ["make", HIDDEN], "PreRun": [HIDDEN]}


def test_what_a_build_is_told_is_kept_as_what_runs_is() -> None:
    kept = without_secrets({"source_file": {"BuildEnvironment": {"TOKEN": "letmein", "MODE": "fast"}}})
    assert kept == {"source_file": {"BuildEnvironment": {"TOKEN": HIDDEN, "MODE": "fast"}}}


def test_whatever_has_the_shape_of_a_key_is_masked() -> None:
    kept = without_secrets({"list": [VALUE], "number": 7, "none": None})
    assert VALUE not in str(kept)
    assert (kept["number"], kept["none"]) == (7, None)


def test_the_file_may_have_a_byte_order_mark(tmp_path: Path) -> None:
    path_of(tmp_path, "app").write_bytes(b'\xef\xbb\xbf{"service": {"ServiceName": "app"}}')
    assert load(tmp_path, "app") == {"ServiceName": "app"}


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[]", b'{"service": "\xff"}', b"[" * 100_000, b"9" * 5000],
    ids=lambda data: repr(data[:20]),
)
def test_a_file_that_cannot_be_read_is_told_by_its_name(tmp_path: Path, data: bytes) -> None:
    path_of(tmp_path, "app").write_bytes(data)
    with pytest.raises(UsageError, match=r"apprunner-app\.json cannot be read"):
        load(tmp_path, "app")
