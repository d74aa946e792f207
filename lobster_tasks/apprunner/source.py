"""A service from source code: reads ``apprunner.yaml``, and drafts a Dockerfile that replaces its build.

App Runner's builds have no image that could be reused, and its managed runtimes have no exact equivalent: the
Dockerfile is a draft, and says so.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from .. import text_file
from ..errors import UsageError
from ..foreign import one_line
from ..secrecy import hides_secret
from . import yaml_text
from .description import AwsDict
from .source_shape import MEMBERS, misshapen

FILE = "apprunner.yaml"
DOCKERFILE = "Dockerfile.apprunner"
_IMAGES = "public.ecr.aws/docker/library/"
_DEFAULT_IMAGE = f"{_IMAGES}debian:stable-slim"
DEFAULT_PORT = "8080"
# Commands for which exec does not work: lists and pipes, and variables in front.
_SEVERAL = re.compile(r"[&|;]|^\s{0,100}\w{1,100}=")
# Runtime (CodeConfigurationValues) -> the closest image, its tag for a version, and the default version; most are not
# based on Amazon Linux. No tag: the image's tags do not have such versions.
_BASES: Mapping[str, tuple[str, str, str]] = {
    "PYTHON_3": (f"{_IMAGES}python", "{}-slim", "3.11"),
    "PYTHON_311": (f"{_IMAGES}python", "{}-slim", "3.11"),
    "NODEJS_12": (f"{_IMAGES}node", "{}-slim", "12"),
    "NODEJS_14": (f"{_IMAGES}node", "{}-slim", "14"),
    "NODEJS_16": (f"{_IMAGES}node", "{}-slim", "16"),
    "NODEJS_18": (f"{_IMAGES}node", "{}-slim", "18"),
    "NODEJS_22": (f"{_IMAGES}node", "{}-slim", "22"),
    "CORRETTO_8": (f"{_IMAGES}amazoncorretto", "", "8"),
    "CORRETTO_11": (f"{_IMAGES}amazoncorretto", "", "11"),
    "GO_1": (f"{_IMAGES}golang", "{}", "1"),
    "DOTNET_6": ("mcr.microsoft.com/dotnet/sdk", "", "6.0"),
    "PHP_81": (f"{_IMAGES}php", "{}-cli", "8.1"),
    "RUBY_31": (f"{_IMAGES}ruby", "{}-slim", "3.1"),
}
_VERSION = re.compile(r"\d{1,4}(\.\d{1,6}){0,3}", re.ASCII)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}")
_ESCAPED, _ESCAPED_IN_QUOTES, _BACKSLASH = re.compile(r"[\\\"'$]"), re.compile(r'[\\"$]'), r"\\\g<0>"
_PATH = re.compile(r"[A-Za-z0-9_./@+-]{1,1024}")
# Parts of a command that a Dockerfile would interpret: a line continuation, a heredoc, a flag, a list of words.
_NO_LINE = re.compile(r"\\$|<<|^--|^\[")
# Structures over several lines, and built-ins of the shell, which exec cannot run.
_STRUCTURE = frozenset(
    (
        "if",
        "then",
        "else",
        "elif",
        "fi",
        "for",
        "while",
        "until",
        "do",
        "done",
        "case",
        "esac",
        "{",
        "}",
        "(",
        ")",
        "!",
    )
)
_BUILTINS = frozenset(
    (
        "exec",
        "exit",
        "return",
        "wait",
        "cd",
        "export",
        "set",
        "trap",
        "eval",
        "source",
        ".",
        ":",
        "true",
        "false",
        "[",
    )
)


def read_source_file(source: AwsDict, folder: Path | None) -> AwsDict | None:
    """The project's ``apprunner.yaml`` in the shape of CodeConfigurationValues; None where the service does not
    use it.

    With ``BuildCommands`` and ``PreRun`` as lists, and members that the API does not have: ``FileVersion``,
    ``RuntimeVersion``, ``PortVariable``, ``BuildEnvironment``, ``Unknown`` for names that the format does not have,
    and ``Misshapen``, sentences about what has another shape. Raises UsageError for a file that cannot be read.
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
    wrong = {"Misshapen": told} if (told := misshapen(found)) else {}
    return {**_in_api_words(_mapping(found)), **wrong}


def _in_api_words(found: Mapping[str, Any]) -> AwsDict:
    """The existing members of the file, by the API's names (App Runner, "Configuration file reference")."""
    build, run = _mapping(found.get("build")), _mapping(found.get("run"))
    commands, network = _mapping(build.get("commands")), _mapping(run.get("network"))
    told = {
        "FileVersion": _text(found.get("version")),
        "Runtime": re.sub(r"(?<=[a-z])(?=\d)", "_", _text(found.get("runtime"))).upper(),
        "BuildCommands": [
            text for step in ("pre-build", "build", "post-build") for text in _texts(commands.get(step))
        ],
        "PreRun": _texts(run.get("pre-run")),
        "RuntimeVersion": _text(run.get("runtime-version")),
        "StartCommand": "\n".join(_texts(run.get("command"))),
        "Port": _text(network.get("port")),
        "PortVariable": _text(network.get("env")),
        "BuildEnvironment": _named(build.get("env"), "value"),
        "RuntimeEnvironmentVariables": _named(run.get("env"), "value"),
        "RuntimeEnvironmentSecrets": _named(run.get("secrets"), "value-from"),
        "Unknown": sorted(set(_leaves(found)) - set(MEMBERS)),
    }
    return {name: value for name, value in told.items() if value}


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    """The dotted names in a file, with the format's sections expanded."""
    for key, value in tree.items():
        name = f"{prefix}{key}"
        is_section = any(each.startswith(f"{name}.") for each in MEMBERS)
        if not is_section:
            yield name
        elif isinstance(value, Mapping):
            yield from _leaves(value, f"{name}.")


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _texts(value: object) -> list[str]:
    items = value if isinstance(value, list) else [value]
    return [str(each) for each in items if isinstance(each, str)]


def _named(value: object, member: str) -> dict[str, str]:
    items = value if isinstance(value, list) else []
    named = [each for each in items if isinstance(each, Mapping) and isinstance(each.get("name"), str)]
    values = {str(each["name"]): each.get(member) or "" for each in named}
    return {name: str(given) for name, given in values.items() if isinstance(given, str)}


def dockerfile(name: str, configuration: AwsDict, directory: str, build: Mapping[str, str]) -> str:
    """A draft for the service ``name``; ``build`` are build variables that are not secrets. Pure."""
    return "\n".join(_lines(name, configuration, directory, build)) + "\n"


def _lines(name: str, configuration: AwsDict, directory: str, build: Mapping[str, str]) -> Iterator[str]:
    runtime = one_line(str(configuration.get("Runtime", "")))
    yield f"# REVIEW: a draft for the App Runner service {one_line(name)} (runtime {runtime or 'unknown'})."
    yield "# App Runner built it on Amazon Linux with more installed than this image has."
    yield from _from(configuration)
    yield "WORKDIR /app"
    yield _copy(directory)
    yield from (_variable("ARG", each, value) for each, value in sorted(build.items()))
    yield from (_step("RUN", command) for command in build_commands(configuration))
    yield from (_step("RUN", command) for command in configuration.get("PreRun", ()))
    yield from _ports(configuration)
    command = configuration.get("StartCommand")
    yield _start(command) if command else "# REVIEW: CMD, the command that starts it"


def base_image(configuration: AwsDict) -> str:
    """The image of FROM, with the file's version where the image's tags have such versions."""
    image, tag, default = _BASES.get(str(configuration.get("Runtime", "")), ("", "", ""))
    if not image:
        return _DEFAULT_IMAGE
    version = str(configuration.get("RuntimeVersion", ""))
    fits = bool(tag) and _VERSION.fullmatch(version) is not None
    return f"{image}:{(tag or '{}').format(version if fits else default)}"


def _from(configuration: AwsDict) -> Iterator[str]:
    version, image = str(configuration.get("RuntimeVersion", "")), base_image(configuration)
    if version and version not in image:
        yield f"# REVIEW: FROM, App Runner ran version {one_line(version)} of the runtime"
    yield f"FROM {image}"


def _copy(directory: str) -> str:
    """A COPY instruction, in JSON form where the path is not a plain word."""
    inside = directory.strip("/")
    path = f"{inside}/" if inside not in ("", ".") else "."
    if _PATH.fullmatch(path) and not path.startswith("--"):
        return f"COPY {path} ./"
    return f"COPY {json.dumps([_ESCAPED.sub(_BACKSLASH, path), './'])}"


def _variable(instruction: str, name: str, value: str) -> str:
    """An instruction that sets a variable, or a comment that says why it cannot."""
    if not _VARIABLE.fullmatch(name):
        return f"# REVIEW: {instruction}, '{one_line(name)}' is not a variable name"
    if not value.isprintable():
        return f"# REVIEW: {instruction} {name}, whose value has several lines or control characters"
    return f"{instruction} {name}={_quoted(value)}"


def port_of(configuration: AwsDict) -> str:
    """App Runner's port for requests; the default where none, or an invalid one, is given."""
    given = str(configuration.get("Port") or "")
    return given if given.isascii() and given.isdigit() and 0 < int(given[:6]) < 65536 else DEFAULT_PORT


def _ports(configuration: AwsDict) -> Iterator[str]:
    given, port = str(configuration.get("Port") or DEFAULT_PORT), port_of(configuration)
    if given != port:
        yield f"# REVIEW: EXPOSE, '{one_line(given)}' is not a port"
    yield f'ENV PORT="{port}"'
    if variable := configuration.get("PortVariable"):
        yield _variable("ENV", str(variable), port)
    yield f"EXPOSE {port}"


def _start(command: str) -> str:
    """The CMD line. With exec the program gets SIGTERM itself; of several commands only the first would run."""
    *before, last = _normal(command).split("\n")
    if _SEVERAL.search(last) or not _ends_in_a_program([*before, last]):
        return _step("CMD", command)
    return _step("CMD", "\n".join([*before, f"exec {last}"]))


def _ends_in_a_program(lines: Sequence[str]) -> bool:
    """Whether each line is a complete command, or empty, and the last one runs a program."""
    try:
        words = [shlex.split(line, comments=True) for line in lines]
    except ValueError:
        return False
    if not words[-1] or any(line.endswith(("\\", "&&", "|")) or "<<" in line for line in lines[:-1]):
        return False
    *before, last = [each[0] for each in words if each]
    return _STRUCTURE.isdisjoint([*before, last]) and last not in _BUILTINS


def _step(keyword: str, command: str) -> str:
    """A line of the draft, without secrets. A command that is not a plain line becomes JSON for the same shell."""
    command = _normal(command)
    if hides_secret(command):
        return f"# REVIEW: {keyword}, a command with something like a secret in it"
    if not command:
        return f"# REVIEW: {keyword}, an empty command"
    if one_line(command) != command or _NO_LINE.search(command):
        return f"{keyword} {json.dumps(['/bin/sh', '-c', command])}"
    return f"{keyword} {command}"


def _normal(command: str) -> str:
    """The command with a shell's line ends."""
    return command.replace("\r\n", "\n").strip()


def build_commands(configuration: AwsDict) -> list[str]:
    """The build commands, from the API's one command or the file's list."""
    single = configuration.get("BuildCommand")
    return [single] if single else list(configuration.get("BuildCommands", ()))


def _quoted(value: str) -> str:
    """A value in the double quotes of a Dockerfile."""
    return f'"{_ESCAPED_IN_QUOTES.sub(_BACKSLASH, value)}"'
