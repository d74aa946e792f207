"""The content of a Dockerfile, as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Heredoc:
    """A file written in the Dockerfile itself, with the Dockerfile's line ends; ``expand`` when its name was not
    quoted."""

    name: str
    text: str
    expand: bool = True


@dataclass(frozen=True)
class Command:
    """ENTRYPOINT or CMD: ``words`` as the image holds them, ``text`` as it is written.

    The shell form's words begin with the stage's shell, ``/bin/sh -c``.
    """

    line: int
    keyword: str
    words: tuple[str, ...]
    is_shell_form: bool
    text: str


@dataclass(frozen=True)
class Port:
    """One port that the image says it listens on."""

    number: int
    protocol: str = "tcp"

    def __str__(self) -> str:
        return f"{self.number}/{self.protocol}"


@dataclass(frozen=True)
class HealthCheck:
    """HEALTHCHECK; no words is HEALTHCHECK NONE. The shell form's words begin with the stage's shell.

    ``interval``, ``timeout``, ``start_period`` and ``start_interval`` are in seconds; 0 is "not given", in ``retries``
    too.
    """

    line: int
    words: tuple[str, ...]
    start_period: float = 0.0
    interval: float = 0.0
    timeout: float = 0.0
    start_interval: float = 0.0
    retries: int = 0
    script: str | None = None
    """The shell form's text."""


@dataclass(frozen=True)
class BuildWarning:
    """A problem that a builder only warns of; ``rule`` as BuildKit's build checks call it."""

    line: int
    rule: str
    says: str


@dataclass(frozen=True)
class Copy:
    """COPY, or ADD.

    ``destination`` is absolute, and ends in a slash when it is a directory. ``stage`` (an index) or ``image`` is
    where ``--from`` points to; neither is the build context. ``files`` are those written in place.
    """

    line: int
    keyword: str
    sources: tuple[str, ...]
    destination: str
    files: tuple[Heredoc, ...] = ()
    stage: int | None = None
    image: str | None = None
    owner: str | None = None
    mode: str | None = None
    exclude: tuple[str, ...] = ()
    parents: bool = False
    unpack: bool = False


@dataclass(frozen=True)
class MakeDirectory:
    """A directory that WORKDIR creates; ``owner`` is the user at that line, empty for root."""

    line: int
    path: str
    owner: str = ""


@dataclass(frozen=True)
class UnexecutedInstruction:
    """RUN, or another instruction that needs a container; ``text`` holds the heredocs too.

    ``secrets`` are the names of the secrets that it mounts.
    """

    line: int
    keyword: str
    text: str
    working_directory: str = "/"
    secrets: tuple[str, ...] = ()


Step = Copy | MakeDirectory | UnexecutedInstruction


@dataclass(frozen=True)
class Stage:
    """One build stage: a FROM instruction and those after it.

    ``base`` is the image after FROM, or the name of the stage whose index is ``parent``; everything is inherited
    from a parent except ``steps``. ``user`` is empty where nobody sets one. ``arguments`` without a value are
    declared only. ``on_build`` are instructions for those who build on the stage or its image.
    """

    index: int
    line: int
    name: str | None
    base: str
    parent: int | None
    platform: str | None
    environment: Mapping[str, str]
    arguments: Mapping[str, str | None]
    labels: Mapping[str, str]
    working_directory: str
    user: str
    ports: tuple[Port, ...]
    entry_point: Command | None
    command: Command | None
    shell: tuple[str, ...]
    stop_signal: str | None
    health_check: HealthCheck | None
    volumes: tuple[str, ...]
    steps: tuple[Step, ...]
    on_build: tuple[str, ...] = ()
    author: str = ""
    warnings: tuple[BuildWarning, ...] = ()

    @property
    def arguments_of_process(self) -> tuple[str, ...]:
        """What is started: the entry point, then the command; the shell form of an entry point takes none."""
        entry = self.entry_point.words if self.entry_point else ()
        if self.entry_point and self.entry_point.is_shell_form:
            return entry
        return entry + (self.command.words if self.command else ())

    def arguments_with(self, command: Sequence[str] | None) -> tuple[str, ...]:
        """What is started with a command in the place of CMD; None leaves CMD."""
        if command is None:
            return self.arguments_of_process
        return (*(self.entry_point.words if self.entry_point else ()), *command)

    @property
    def unexecuted(self) -> tuple[UnexecutedInstruction, ...]:
        """The instructions of this stage alone that need a container."""
        return tuple(step for step in self.steps if isinstance(step, UnexecutedInstruction))


@dataclass(frozen=True)
class Dockerfile:
    """All stages; ``unused_arguments`` are build arguments that no ARG takes, ``target`` the index of the stage that
    becomes the image."""

    name: str
    stages: tuple[Stage, ...]
    unused_arguments: tuple[str, ...] = ()
    target: int = -1

    @property
    def final(self) -> Stage:
        """The stage that becomes the image."""
        return self.stages[self.target]

    def lineage(self, stage: Stage) -> tuple[Stage, ...]:
        """``stage`` and the stages that it is built on, the first of them first."""
        found = [stage]
        while (parent := found[-1].parent) is not None:
            found.append(self.stages[parent])
        return tuple(reversed(found))
