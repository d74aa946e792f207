"""A service that is built from source code: what ``apprunner.yaml`` says, and the Dockerfile that stands in for it.

App Runner's builds have no image that anybody could take along, and its managed runtimes no exact counterpart: the
Dockerfile is a draft, and says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .. import text_file
from ..errors import UsageError
from . import yaml_text
from .description import AwsDict
from .secrecy import hides_secret

FILE = "apprunner.yaml"
DOCKERFILE = "Dockerfile.apprunner"
_IMAGES = "public.ecr.aws/docker/library/"
# What exec takes no part in: lists and pipes, and variables in front.
_SEVERAL = re.compile(r"[&|;]|^\s*\w+=")
# Runtime (CodeConfigurationValues) -> the image that comes closest; Amazon Linux is not what most of these stand on.
_BASES: Mapping[str, str] = {
    "PYTHON_3": f"{_IMAGES}python:3.11-slim",
    "PYTHON_311": f"{_IMAGES}python:3.11-slim",
    "NODEJS_12": f"{_IMAGES}node:12-slim",
    "NODEJS_14": f"{_IMAGES}node:14-slim",
    "NODEJS_16": f"{_IMAGES}node:16-slim",
    "NODEJS_18": f"{_IMAGES}node:18-slim",
    "NODEJS_22": f"{_IMAGES}node:22-slim",
    "CORRETTO_8": f"{_IMAGES}amazoncorretto:8",
    "CORRETTO_11": f"{_IMAGES}amazoncorretto:11",
    "GO_1": f"{_IMAGES}golang:1",
    "DOTNET_6": "mcr.microsoft.com/dotnet/sdk:6.0",
    "PHP_81": f"{_IMAGES}php:8.1-cli",
    "RUBY_31": f"{_IMAGES}ruby:3.1-slim",
}


def read_source_file(source: AwsDict, folder: Path | None) -> AwsDict | None:
    """The project's ``apprunner.yaml`` in the words of CodeConfigurationValues; None where it is not what counts.

    With ``BuildCommands`` and ``PreRun`` as lists. Raises UsageError for a file that cannot be read.
    """
    code = source.get("CodeRepository", {})
    if folder is None or code.get("CodeConfiguration", {}).get("ConfigurationSource") != "REPOSITORY":
        return None
    path = folder / str(code.get("SourceDirectory", ".")).lstrip("/") / FILE
    if not path.is_file():
        return None
    try:
        text = text_file.read(path)
    except (OSError, text_file.EncodingError) as error:
        raise UsageError(f"{path} cannot be read.", str(error), f"correct {FILE}") from error
    found = yaml_text.load(text, str(path))
    return _in_api_words(found if isinstance(found, Mapping) else {})


def _in_api_words(found: Mapping[str, Any]) -> AwsDict:
    """The file's members (App Runner, "Configuration file reference"), those that are there."""
    build, run = _mapping(found.get("build")), _mapping(found.get("run"))
    commands, network = _mapping(build.get("commands")), _mapping(run.get("network"))
    told = {
        "Runtime": re.sub(r"(?<=[a-z])(?=\d)", "_", str(found.get("runtime", ""))).upper(),
        "BuildCommands": [
            text for step in ("pre-build", "build", "post-build") for text in _texts(commands.get(step))
        ],
        "PreRun": _texts(run.get("pre-run")),
        "StartCommand": str(run.get("command", "")),
        "Port": str(network.get("port", "")),
        "PortVariable": str(network.get("env", "")),
        "BuildEnvironment": _named(build.get("env"), "value"),
        "RuntimeEnvironmentVariables": _named(run.get("env"), "value"),
        "RuntimeEnvironmentSecrets": _named(run.get("secrets"), "value-from"),
    }
    return {name: value for name, value in told.items() if value}


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _texts(value: object) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else []


def _named(value: object, member: str) -> dict[str, str]:
    items = value if isinstance(value, list) else []
    return {
        str(each["name"]): str(each.get(member, ""))
        for each in items
        if isinstance(each, Mapping) and "name" in each
    }


def dockerfile(name: str, configuration: AwsDict, directory: str, build: Mapping[str, str]) -> str:
    """A draft for the service ``name``; ``build`` are variables of the build that are no secrets. Pure."""
    return "\n".join(_lines(name, configuration, directory, build)) + "\n"


def _lines(name: str, configuration: AwsDict, directory: str, build: Mapping[str, str]) -> Iterator[str]:
    runtime = str(configuration.get("Runtime", ""))
    yield f"# REVIEW: a draft for the App Runner service {name} (runtime {runtime or 'unknown'})."
    yield "# App Runner built it on Amazon Linux with more installed than this image has."
    yield f"FROM {_BASES.get(runtime, f'{_IMAGES}debian:stable-slim')}"
    yield "WORKDIR /app"
    yield f"COPY {_quoted_path(directory)} ./"
    yield from (f"ARG {each}={_quoted(value)}" for each, value in sorted(build.items()))
    yield from (_step("RUN ", command) for command in build_commands(configuration))
    yield from (_step("RUN ", command) for command in configuration.get("PreRun", ()))
    port = configuration.get("Port") or "8080"
    yield f"ENV PORT={_quoted(port)}"
    if variable := configuration.get("PortVariable"):
        yield f"ENV {variable}={_quoted(port)}"
    yield f"EXPOSE {port}"
    command = configuration.get("StartCommand")
    yield _start(command) if command else "# REVIEW: CMD, the command that starts it"


def _start(command: str) -> str:
    """With exec the program gets SIGTERM itself; of several commands it would run the first alone."""
    return _step("CMD " if _SEVERAL.search(command) else "CMD exec ", command)


def _step(instruction: str, command: str) -> str:
    """A line of the draft; a secret in it stays out."""
    if hides_secret(command):
        return f"# REVIEW: {instruction.split()[0]}, a command with something like a secret in it"
    return f"{instruction}{command}"


def build_commands(configuration: AwsDict) -> list[str]:
    """What is run to build, from the API's one command or the file's many."""
    single = configuration.get("BuildCommand")
    return [single] if single else list(configuration.get("BuildCommands", ()))


def _quoted_path(directory: str) -> str:
    inside = directory.strip("/")
    return f"{inside}/" if inside not in ("", ".") else "."


def _quoted(value: str) -> str:
    """Between the double quotes of a Dockerfile."""
    return '"' + re.sub(r'(["\\$])', r"\\\1", value.replace("\n", " ")) + '"'
