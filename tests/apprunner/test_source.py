"""``apprunner.yaml`` in the words of App Runner's API, and the Dockerfile that is drafted from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lobster_tasks.apprunner.source import dockerfile, read_source_file
from lobster_tasks.dockerfile import parse
from lobster_tasks.errors import UsageError

from .descriptions import code_source, image_source

FILE = """\
version: 1.0
runtime: python311
build:
  commands:
    pre-build: [apt-get update]
    build:
      - pip install -r requirements.txt
  env:
    - {name: PIP_NO_CACHE, value: "1"}
run:
  runtime-version: 3.11
  pre-run: [python migrate.py]
  command: python app.py --port $PORT
  network: {port: 8501, env: APP_PORT}
  env:
    - {name: GREETING, value: hi}
  secrets:
    - {name: DB, value-from: /shop/db}
"""


def test_the_files_members_in_the_apis_words(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "apprunner.yaml").write_text(FILE)
    assert read_source_file(code_source("REPOSITORY"), tmp_path) == {
        "Runtime": "PYTHON_311",
        "BuildCommands": ["apt-get update", "pip install -r requirements.txt"],
        "PreRun": ["python migrate.py"],
        "StartCommand": "python app.py --port $PORT",
        "Port": "8501",
        "PortVariable": "APP_PORT",
        "BuildEnvironment": {"PIP_NO_CACHE": "1"},
        "RuntimeEnvironmentVariables": {"GREETING": "hi"},
        "RuntimeEnvironmentSecrets": {"DB": "/shop/db"},
    }


def test_values_are_what_is_written(tmp_path: Path) -> None:
    """YAML alone would make 3.1, 24.1, 83, true and 1350 of them."""
    (tmp_path / "app").mkdir()
    names = {"A": "24.10", "B": "0123", "C": "on", "D": "22:30"}
    lines = "".join(f"  - {{name: {name}, value: {value}}}\n" for name, value in names.items())
    (tmp_path / "app" / "apprunner.yaml").write_bytes(b"\xef\xbb\xbf" + f"run:\n  env:\n{lines}".encode())
    found = read_source_file(code_source("REPOSITORY"), tmp_path)
    assert found == {"RuntimeEnvironmentVariables": names}


@pytest.mark.parametrize("text", ["", "- a\n", "run: 1\nbuild: []\n", "run: {env: {a: b}}\n"])
def test_a_file_of_another_shape_says_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "apprunner.yaml").write_text(text)
    assert read_source_file(code_source("REPOSITORY"), tmp_path) == {}


def test_a_file_that_is_no_yaml_is_refused(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "apprunner.yaml").write_text("run: [")
    with pytest.raises(UsageError, match="cannot be read"):
        read_source_file(code_source("REPOSITORY"), tmp_path)


def test_a_file_that_does_not_count_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "apprunner.yaml").write_text("run: [")
    for source in (code_source("API"), image_source(), code_source("REPOSITORY")):
        assert read_source_file(source, tmp_path) is None
    assert read_source_file(code_source("REPOSITORY"), None) is None


def test_the_draft_is_a_dockerfile() -> None:
    told = {
        "Runtime": "RUBY_31",
        "BuildCommands": ["bundle install"],
        "PreRun": ["rake db"],
        "StartCommand": "ruby app.rb",
    }
    text = dockerfile("shop", told, "/", {"A": 'x "$y" \\'})
    (stage,) = parse(text, name="Dockerfile").stages
    assert 'ARG A="x \\"\\$y\\" \\\\"' in text
    assert stage.command is not None
    assert "COPY . ./" in text
    assert "public.ecr.aws/docker/library/ruby:3.1-slim" in text


def test_without_a_command_somebody_has_to_say_one() -> None:
    text = dockerfile("shop", {"Runtime": "COBOL_1"}, "app", {})
    assert text.endswith("# REVIEW: CMD, the command that starts it\n")
    assert "debian:stable-slim" in text


def test_a_secret_in_a_command_stays_out_of_the_draft() -> None:
    password = "hunter22"
    told = {
        "Runtime": "PYTHON_311",
        "BuildCommand": f"pip install https://me:{password}@x/y",
        "StartCommand": "app --token abcdefgh",
    }
    text = dockerfile("shop", told, "/", {})
    assert password not in text
    assert "abcdefgh" not in text
    assert "# REVIEW: RUN, a command with something like a secret in it" in text
    assert "# REVIEW: CMD, a command with something like a secret in it" in text


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ("python app.py --port $PORT", "CMD exec python app.py --port $PORT"),
        ("python migrate.py && python app.py", "CMD python migrate.py && python app.py"),
        ("A=1 python app.py", "CMD A=1 python app.py"),
    ],
)
def test_only_a_single_program_takes_the_shells_place(command: str, line: str) -> None:
    assert dockerfile("shop", {"StartCommand": command}, "/", {}).splitlines()[-1] == line
