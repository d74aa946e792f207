"""Instructions are folded into stages, one handler for each keyword."""

from __future__ import annotations

import difflib
import posixpath
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from types import MappingProxyType

from ..build_secret import attributes_of
from ..errors import DockerfileError
from .lines import Instruction, Source, heredoc_mark, instructions, read, words_of_list
from .model import (
    BuildWarning,
    Command,
    Copy,
    Dockerfile,
    HealthCheck,
    Heredoc,
    MakeDirectory,
    Port,
    Stage,
    Step,
    UnexecutedInstruction,
)
from .signals import is_signal
from .spaces import fields, head_and_rest, is_number, trimmed, upper
from .words import WordError, expand, raw_words

# What BuildKit puts into the environment of an image that has none.
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
DEFAULT_SHELL = ("/bin/sh", "-c")
# Build arguments that need no ARG ("Predefined ARGs").
_PREDEFINED = frozenset({"HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"})
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ns": 1e-9}
_DURATION_PART = re.compile(r"(\d{1,9}(?:\.\d{0,9})?|\.\d{1,9})(h|ms|m|s|us|µs|μs|ns)", re.ASCII)
_DURATION = re.compile(rf"\+?(?:{_DURATION_PART.pattern}){{1,20}}", re.ASCII)
_SHORTEST = 0.001  # seconds
_MOST_RETRIES = 2**31 - 1
_NO_TRIGGERS = frozenset({"FROM", "MAINTAINER", "ONBUILD"})
_TIMES = ("start_period", "interval", "timeout", "start_interval")
_NO_STAGE = frozenset({"ARG", "FROM"})


def parse(
    text: str,
    build_args: Mapping[str, str] | None = None,
    *,
    name: str = "Dockerfile",
    platform: str = "linux/amd64",
    target: str = "",
) -> Dockerfile:
    """Read a Dockerfile; ``build_args`` are what ``--build-arg`` gives, ``name`` is how errors call the file.

    ``target`` is the name or the number of the stage that becomes the image. Raises DockerfileError with the line for
    what a builder would refuse.
    """
    reading = _Reading(read(text, name), dict(build_args or {}), _platform_arguments(platform))
    for instruction in instructions(reading.source):
        _apply(reading, instruction)
    if not reading.drafts:
        raise DockerfileError(f"{name} has no FROM.", next_step="begin it with FROM and a base image")
    unused = sorted(
        each for each in reading.given if each not in reading.declared and each.upper() not in _PREDEFINED
    )
    stages = tuple(_freeze(draft) for draft in reading.drafts)
    return Dockerfile(name, stages, tuple(unused), _target(name, stages, target))


def _target(name: str, stages: Sequence[Stage], target: str) -> int:
    """The index of the stage that becomes the image: of the latest one of that name, else the number."""
    if not target:
        return len(stages) - 1
    named = [stage.index for stage in stages if _is_called(stage, target)]
    if named:
        return named[-1]
    if is_number(target) and int(target) < len(stages):
        return int(target)
    known = ", ".join(stage.name or str(stage.index) for stage in stages)
    raise DockerfileError(f"{name} has no stage {target}.", f"its stages: {known}")


@dataclass
class _Draft:
    """A stage while its lines are read; ``variables`` are those of ENV and ARG, of which the later one counts."""

    index: int
    line: int
    base: str
    name: str | None = None
    parent: int | None = None
    platform: str | None = None
    environment: dict[str, str] = field(default_factory=lambda: {"PATH": DEFAULT_PATH})
    arguments: dict[str, str | None] = field(default_factory=dict)
    variables: dict[str, str] = field(default_factory=lambda: {"PATH": DEFAULT_PATH})
    labels: dict[str, str] = field(default_factory=dict)
    working_directory: str = "/"
    user: str = ""
    ports: tuple[Port, ...] = ()
    entry_point: Command | None = None
    command: Command | None = None
    command_is_own: bool = False
    shell: tuple[str, ...] = DEFAULT_SHELL
    stop_signal: str | None = None
    health_check: HealthCheck | None = None
    volumes: tuple[str, ...] = ()
    steps: list[Step] = field(default_factory=list)
    on_build: tuple[str, ...] = ()
    author: str = ""
    warnings: tuple[BuildWarning, ...] = ()


@dataclass
class _Reading:
    """One pass over a Dockerfile."""

    source: Source
    given: dict[str, str]
    platform: dict[str, str]
    globals: dict[str, str | None] = field(default_factory=dict)
    declared: set[str] = field(default_factory=set)
    drafts: list[_Draft] = field(default_factory=list)

    @property
    def draft(self) -> _Draft:
        return self.drafts[-1]

    @property
    def variables(self) -> dict[str, str]:
        """The variables of the current instruction."""
        if self.drafts:
            return self.draft.variables
        return self.platform | {name: value for name, value in self.globals.items() if value is not None}

    def expand(self, instruction: Instruction, text: str, quotes: bool = True) -> str:
        """``text`` with its variables; raises DockerfileError with the line."""
        try:
            return expand(text, self.variables, self.source.escape, quotes)
        except WordError as wrong:
            raise self.source.error(instruction.line, f"{wrong}.") from None

    def stage_named(self, name: str) -> _Draft | None:
        """The latest stage of that name; names ignore case."""
        named = [draft for draft in self.drafts if _is_called(draft, name)]
        return named[-1] if named else None


def _apply(reading: _Reading, instruction: Instruction) -> None:
    handler = _HANDLERS.get(instruction.keyword)
    if not handler:
        near = difflib.get_close_matches(instruction.keyword, list(_HANDLERS), n=1)
        hint = f"; did you mean {near[0]}?" if near else "."
        raise reading.source.error(instruction.line, f"there is no instruction {instruction.keyword}{hint}")
    if not reading.drafts and instruction.keyword not in _NO_STAGE:
        raise reading.source.error(instruction.line, f"{instruction.keyword} comes before the first FROM.")
    handler(reading, instruction)


def _from(reading: _Reading, instruction: Instruction) -> None:
    globals_only = replace(reading, drafts=[])
    words = [globals_only.expand(instruction, word) for word in fields(instruction.rest)]
    if len(words) not in (1, 3) or (len(words) == 3 and upper(words[1]) != "AS"):
        raise reading.source.error(instruction.line, "FROM takes an image, or an image AS a name.")
    if not words[0]:
        raise reading.source.error(
            instruction.line, f"FROM {instruction.rest} expands to no image name: a variable has no value."
        )
    platform = instruction.flag("platform")
    draft = _Draft(len(reading.drafts), instruction.line, words[0])
    parent = reading.stage_named(words[0]) if words[0] == words[0].lower() else None
    if not parent and _has_capitals(words[0]):
        raise reading.source.error(
            instruction.line, f"FROM {words[0]}: the name of an image or a stage must be in lower case."
        )
    if parent:
        draft = _child_of(parent, draft)
    draft.platform = globals_only.expand(instruction, platform) if platform else None
    draft.name = words[2] if len(words) == 3 else None
    reading.drafts.append(draft)
    triggers, draft.on_build = draft.on_build, ()
    for trigger in triggers:
        for each in instructions(replace(reading.source, lines=tuple(trigger.split("\n")))):
            _apply(reading, replace(each, line=instruction.line))


def _has_capitals(image: str) -> bool:
    """Whether the repository of an image reference, without its registry, has letters that none may have."""
    name = image.partition("@")[0]
    registry, slash, rest = name.partition("/")
    repository = (rest if slash and re.search(r"[.:A-Z]|^localhost$", registry) else name).partition(":")[0]
    return repository != repository.lower()


def _is_called(stage: _Draft | Stage, name: str) -> bool:
    """Whether the stage has the name, which ignores case."""
    return stage.name is not None and stage.name.lower() == name.lower()


def _child_of(parent: _Draft, draft: _Draft) -> _Draft:
    return replace(
        parent,
        index=draft.index,
        line=draft.line,
        base=draft.base,
        parent=parent.index,
        environment=dict(parent.environment),
        arguments=dict(parent.arguments),
        variables=dict(parent.variables),
        labels=dict(parent.labels),
        command_is_own=False,
        steps=[],
    )


def _arg(reading: _Reading, instruction: Instruction) -> None:
    declared = reading.draft.arguments if reading.drafts else reading.globals
    for word in raw_words(instruction.rest, reading.source.escape):
        name, equals, default = word.partition("=")
        reading.declared.add(name)
        value = reading.expand(instruction, default) if equals else None
        if value is None and reading.drafts:
            value = reading.globals.get(name, reading.platform.get(name))
        value = declared[name] = reading.given.get(name, value)
        if value is not None and reading.drafts:
            reading.draft.variables[name] = value


def _env(reading: _Reading, instruction: Instruction) -> None:
    pairs = dict(_pairs(reading, instruction))
    reading.draft.environment |= pairs
    reading.draft.variables |= pairs


def _label(reading: _Reading, instruction: Instruction) -> None:
    reading.draft.labels |= dict(_pairs(reading, instruction))


def _pairs(reading: _Reading, instruction: Instruction) -> list[tuple[str, str]]:
    """``name=value`` pairs, or the old form with one name and the rest of the line."""
    words = raw_words(instruction.rest, reading.source.escape)
    if "=" not in words[0]:
        name, value = head_and_rest(instruction.rest)
        if not value:
            raise reading.source.error(instruction.line, f"{instruction.keyword} {words[0]} has no value.")
        return [(reading.expand(instruction, name), reading.expand(instruction, value))]
    pairs = []
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise reading.source.error(
                instruction.line, f"{instruction.keyword}: {word} is not of the form name=value."
            )
        pairs.append((reading.expand(instruction, name), reading.expand(instruction, value)))
    return pairs


def _workdir(reading: _Reading, instruction: Instruction) -> None:
    path = reading.expand(instruction, instruction.rest)
    reading.draft.working_directory = _absolute(reading.draft.working_directory, path)
    reading.draft.steps.append(
        MakeDirectory(instruction.line, reading.draft.working_directory, reading.draft.user)
    )


def _user(reading: _Reading, instruction: Instruction) -> None:
    reading.draft.user = reading.expand(instruction, instruction.rest)


def _expose(reading: _Reading, instruction: Instruction) -> None:
    ports = dict.fromkeys(reading.draft.ports)
    for word in fields(instruction.rest):
        for spec in raw_words(reading.expand(instruction, word)):
            ports |= dict.fromkeys(_ports(reading, instruction, spec))
    reading.draft.ports = tuple(ports)


# Source: moby/buildkit, convert_expose.go (``parsePort``), and Go's ``strconv.ParseInt``, which takes a sign and zeros.
_PORT_NUMBER = re.compile(r"\+?0{0,100}(\d{1,5})", re.ASCII)
_PROTOCOLS = frozenset({"tcp", "udp", "sctp"})
_MOST_PORTS = 65535


def _ports(reading: _Reading, instruction: Instruction, spec: str) -> Iterator[Port]:
    """The ports of ``[ip:][host port:]port[/protocol]``; what is the host's is ignored, with a warning."""
    *host, published, written = ["", "", *spec.split(":")]
    numbers, _, protocol = written.partition("/")
    protocol, host_address = protocol.lower() or "tcp", ":".join(host[2:])
    first, last = _port_range(reading, instruction, spec, numbers)
    if protocol not in _PROTOCOLS:
        raise reading.source.error(
            instruction.line, f"EXPOSE {spec}: {protocol} is none of tcp, udp and sctp."
        )
    if not _is_host_address(host_address):
        raise reading.source.error(instruction.line, f"EXPOSE {spec}: {host_address} is not an IP address.")
    if published:
        first_there, last_there = _port_range(reading, instruction, spec, published)
        if first != last and last - first != last_there - first_there:
            says = f"EXPOSE {spec}: {published} and {numbers} are not the same number of ports."
            raise reading.source.error(instruction.line, says)
    if published or host_address:
        says = f"EXPOSE {spec} contains a host port or address, which an image cannot set; {first} is used"
        reading.draft.warnings += (BuildWarning(instruction.line, "ExposeInvalidFormat", says),)
    for number in range(first, last + 1):
        yield Port(number, protocol)


def _port_range(reading: _Reading, instruction: Instruction, spec: str, text: str) -> tuple[int, int]:
    """The first and the last port of ``8501`` or ``8501-8510``. Raises DockerfileError."""
    start, dash, end = text.partition("-")
    found = [_PORT_NUMBER.fullmatch(each) for each in (start, end if dash else start)]
    numbers = [int(each[1]) for each in found if each]
    if len(numbers) == 2 and numbers[0] <= numbers[1] <= _MOST_PORTS:
        return numbers[0], numbers[1]
    raise reading.source.error(instruction.line, f"EXPOSE {spec}: {text or 'an empty text'} is not a port.")


def _is_host_address(text: str) -> bool:
    """Whether it is none, or an address as Go's ``net.ParseIP`` reads it, without a zone; it may be in brackets."""
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    try:
        return not bare or ("%" not in bare and bool(ip_address(bare)))
    except ValueError:
        return False


def _entrypoint(reading: _Reading, instruction: Instruction) -> None:
    draft = reading.draft
    draft.entry_point = _command(reading, instruction)
    if not draft.command_is_own:
        draft.command = None  # "setting ENTRYPOINT will reset CMD" of the base


def _cmd(reading: _Reading, instruction: Instruction) -> None:
    reading.draft.command = _command(reading, instruction)
    reading.draft.command_is_own = True


def _command(reading: _Reading, instruction: Instruction) -> Command:
    words = words_of_list(reading.source, instruction, instruction.rest)
    shell = words is None
    started = (*reading.draft.shell, instruction.rest) if words is None else words
    return Command(instruction.line, instruction.keyword, started, shell, instruction.rest)


def _shell(reading: _Reading, instruction: Instruction) -> None:
    words = words_of_list(reading.source, instruction, instruction.rest)
    if not words:
        raise reading.source.error(instruction.line, 'SHELL takes the exec form: SHELL ["/bin/bash", "-c"].')
    reading.draft.shell = words


def _health_check(reading: _Reading, instruction: Instruction) -> None:
    kind, rest = head_and_rest(instruction.rest)
    if upper(kind) == "NONE" and not rest:
        reading.draft.health_check = HealthCheck(instruction.line, ())
        return
    if upper(kind) != "CMD" or not rest:
        raise reading.source.error(instruction.line, "HEALTHCHECK takes CMD and a command, or NONE.")
    words = words_of_list(reading.source, instruction, rest)
    if words == ():
        raise reading.source.error(instruction.line, "HEALTHCHECK CMD has no command.")
    times = {name: _seconds(reading, instruction, name.replace("_", "-")) for name in _TIMES}
    reading.draft.health_check = HealthCheck(
        line=instruction.line,
        words=words or (*reading.draft.shell, rest),
        **times,
        retries=_retries(reading, instruction),
        script=None if words else rest,
    )


def _seconds(reading: _Reading, instruction: Instruction, flag: str) -> float:
    """A duration of Go's, as in ``1m30s``; 0 where there is none. Source: ``parseOptInterval`` of BuildKit."""
    written = instruction.flag(flag) or "0"
    if not _DURATION.fullmatch(written) and written != "0":
        says = f"HEALTHCHECK --{flag}={written} is not a duration such as 30s or 1m30s."
        raise reading.source.error(instruction.line, says)
    seconds = sum(float(number) * _UNITS[unit] for number, unit in _DURATION_PART.findall(written))
    if 0 < seconds < _SHORTEST:
        raise reading.source.error(instruction.line, f"HEALTHCHECK --{flag}={written} is less than 1ms.")
    return seconds


def _retries(reading: _Reading, instruction: Instruction) -> int:
    written = instruction.flag("retries") or "0"
    if not is_number(written) or int(written) > _MOST_RETRIES:
        says = f"HEALTHCHECK --retries={written} is not a number from 0 to {_MOST_RETRIES}."
        raise reading.source.error(instruction.line, says)
    return int(written)


def _stop_signal(reading: _Reading, instruction: Instruction) -> None:
    signal = reading.expand(instruction, instruction.rest)
    if not is_signal(signal):
        raise reading.source.error(
            instruction.line,
            f"STOPSIGNAL {instruction.rest}: {signal or 'an empty text'} is not a Linux signal such as SIGTERM.",
        )
    reading.draft.stop_signal = signal


def _volume(reading: _Reading, instruction: Instruction) -> None:
    volumes = [reading.expand(instruction, trimmed(word)) for word in _words(reading, instruction)]
    if not volumes or not all(volumes):
        raise reading.source.error(instruction.line, f"VOLUME {instruction.rest} names no path.")
    reading.draft.volumes += tuple(volumes)


def _words(reading: _Reading, instruction: Instruction) -> tuple[str, ...]:
    """The words of a list, or those between white space."""
    words = words_of_list(reading.source, instruction, instruction.rest)
    return tuple(fields(instruction.rest)) if words is None else words


def _copy(reading: _Reading, instruction: Instruction) -> None:
    words = _words(reading, instruction)
    marks = [word for word in words if heredoc_mark(word)]
    *sources, destination = [reading.expand(instruction, word) for word in words if word not in marks] or [""]
    if not sources and not marks:
        raise reading.source.error(
            instruction.line, f"{instruction.keyword} takes a source and a destination."
        )
    stage, image = _origin(reading, instruction)
    optional = {name: instruction.flag(name) for name in ("chown", "chmod")}
    owner, mode = (reading.expand(instruction, value) if value else None for value in optional.values())
    reading.draft.steps.append(
        Copy(
            line=instruction.line,
            keyword=instruction.keyword,
            sources=tuple(sources),
            destination=_destination(reading.draft.working_directory, destination),
            files=tuple(_filled(reading, instruction, heredoc) for heredoc in instruction.heredocs),
            stage=stage,
            image=image,
            owner=owner,
            mode=mode,
            exclude=tuple(reading.expand(instruction, each) for each in instruction.all_flags("exclude")),
            parents=instruction.flag("parents") == "true",
            unpack=instruction.keyword == "ADD" and instruction.flag("unpack") != "false",
        )
    )


def _origin(reading: _Reading, instruction: Instruction) -> tuple[int | None, str | None]:
    """Where --from points to: the index of a stage, or an image."""
    origin = instruction.flag("from")
    if origin is None:
        return None, None
    if is_number(origin):
        if int(origin) >= reading.draft.index:
            raise reading.source.error(
                instruction.line, f"--from={origin}: there is no stage {origin} before this line."
            )
        return int(origin), None
    stage = reading.stage_named(origin)
    if stage is reading.draft:
        raise reading.source.error(instruction.line, f"--from={origin} is the stage that contains this line.")
    return (stage.index, None) if stage else (None, origin)


def _destination(working_directory: str, destination: str) -> str:
    path = _absolute(working_directory, destination)
    is_directory = destination.endswith("/") or posixpath.basename(destination) in (".", "..")
    return path if path == "/" or not is_directory else f"{path}/"


def _absolute(folder: str, path: str) -> str:
    """As Go's ``path.Clean``; ``normpath`` leaves two slashes at the beginning."""
    return f"/{posixpath.normpath(posixpath.join(folder, path)).lstrip('/')}"


def _filled(reading: _Reading, instruction: Instruction, heredoc: Heredoc) -> Heredoc:
    if not heredoc.expand:
        return heredoc
    return replace(heredoc, text=reading.expand(instruction, heredoc.text, quotes=False))


def _run(reading: _Reading, instruction: Instruction) -> None:
    words_of_list(reading.source, instruction, instruction.rest)  # refuses what BuildKit does
    _unexecuted(reading, instruction)


def _unexecuted(reading: _Reading, instruction: Instruction) -> None:
    text = "\n".join([instruction.rest, *(heredoc.text for heredoc in instruction.heredocs)])
    reading.draft.steps.append(
        UnexecutedInstruction(
            line=instruction.line,
            keyword=instruction.keyword,
            text=text,
            working_directory=reading.draft.working_directory,
            secrets=tuple(_mounted_secrets(reading, instruction)),
        )
    )


def _mounted_secrets(reading: _Reading, instruction: Instruction) -> Iterator[str]:
    """The names of ``RUN --mount=type=secret``: the id, else the name of the file that it becomes."""
    for flag in instruction.all_flags("mount"):
        parts = attributes_of(reading.expand(instruction, flag))
        file = next((parts[key] for key in ("target", "dst", "destination") if key in parts), "")
        if parts.get("type") == "secret" and (name := parts.get("id") or posixpath.basename(file)):
            yield name


def _on_build(reading: _Reading, instruction: Instruction) -> None:
    trigger = upper(head_and_rest(instruction.rest)[0])
    if trigger in _NO_TRIGGERS:
        raise reading.source.error(instruction.line, f"ONBUILD takes no {trigger}.")
    heredocs = (f"{heredoc.text}{heredoc.name}" for heredoc in instruction.heredocs)
    reading.draft.on_build += ("\n".join([instruction.rest, *heredocs]),)
    _unexecuted(reading, instruction)


def _maintainer(reading: _Reading, instruction: Instruction) -> None:
    reading.draft.author = instruction.rest


def _platform_arguments(platform: str) -> dict[str, str]:
    """The platform's ARGs in the global scope; the build platform is taken to be the target's."""
    system, architecture, *variant = platform.split("/")
    parts = {"PLATFORM": platform, "OS": system, "ARCH": architecture, "VARIANT": "/".join(variant)}
    return {f"{side}{part}": value for side in ("TARGET", "BUILD") for part, value in parts.items()}


def _freeze(draft: _Draft) -> Stage:
    return Stage(
        index=draft.index,
        line=draft.line,
        name=draft.name,
        base=draft.base,
        parent=draft.parent,
        platform=draft.platform,
        environment=MappingProxyType(draft.environment),
        arguments=MappingProxyType(draft.arguments),
        labels=MappingProxyType(draft.labels),
        working_directory=draft.working_directory,
        user=draft.user,
        ports=draft.ports,
        entry_point=draft.entry_point,
        command=draft.command,
        shell=draft.shell,
        stop_signal=draft.stop_signal,
        health_check=draft.health_check,
        volumes=draft.volumes,
        steps=tuple(draft.steps),
        on_build=draft.on_build,
        author=draft.author,
        warnings=draft.warnings,
    )


_HANDLERS: Mapping[str, Callable[[_Reading, Instruction], None]] = {
    "ADD": _copy,
    "ARG": _arg,
    "CMD": _cmd,
    "COPY": _copy,
    "ENTRYPOINT": _entrypoint,
    "ENV": _env,
    "EXPOSE": _expose,
    "FROM": _from,
    "HEALTHCHECK": _health_check,
    "LABEL": _label,
    "MAINTAINER": _maintainer,
    "ONBUILD": _on_build,
    "RUN": _run,
    "SHELL": _shell,
    "STOPSIGNAL": _stop_signal,
    "USER": _user,
    "VOLUME": _volume,
    "WORKDIR": _workdir,
}
