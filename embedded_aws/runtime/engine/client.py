"""A container engine, used by its command line."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from ...kernel.loopback import is_loopback_address

NAMES = ("docker", "podman")
CHOICE = "EMBEDDED_AWS_ENGINE"
"""The variable with the engine to use, instead of the first one that answers: a name or a path."""
ANSWERS_WITHIN = 30.0  # real seconds; a running daemon answers in well under one
ORDERED_WITHIN = 600.0  # real seconds; removing many containers takes a while
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}

_NEXT_STEPS = (
    (
        ("permission denied", "connect: operation not permitted"),
        "add yourself to the group that owns the socket (sudo usermod -aG docker $USER, then sign in again)",
    ),
    (
        ("no space left on device",),
        "free some disk space; `{name} system df` shows what the engine itself has",
    ),
    (
        (
            "Cannot connect to",
            "connection refused",
            "no such host",
            "unable to connect",
            "no such file or directory",
        ),
        "start it: Docker Desktop, `sudo systemctl start docker`, or `podman machine start`",
    ),
)


class EngineError(Exception):
    """An engine cannot be used, or has refused an order; the text says why, and where known the next step."""


@dataclass(frozen=True)
class Engine:
    """An engine that answers: its name, its program, the platform of its images (linux/amd64), its processors.

    ``in_machine``: it is podman's, in a virtual machine. ``limits_together``: it can put containers below another one's
    control group, so that a memory limit is that of all together.
    """

    name: str
    program: str
    platform: str = ""
    cpus: int = 1
    in_machine: bool = False
    limits_together: bool = False

    @property
    def command(self) -> list[str]:
        """The words before an order, for a shell without this process's environment."""
        chosen = os.environ.get("DOCKER_HOST") if self.name == "docker" else None
        context = os.environ.get("DOCKER_CONTEXT") if self.name == "docker" else None
        more = ["--host", chosen] if chosen else ["--context", context] if context else []
        return [self.program, *more]

    def run(
        self, *words: str, timeout: float = ORDERED_WITHIN, environment: Mapping[str, str] | None = None
    ) -> str:
        """What an order prints on its standard output; blocks. Raises EngineError.

        ``environment`` is added to that of this process.
        """
        try:
            done = subprocess.run(
                [self.program, *words],
                stdin=subprocess.DEVNULL,
                env={**os.environ, **(environment or {})},
                capture_output=True,
                text=True,
                errors="replace",
                timeout=timeout,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise EngineError(f"{self.name} {words[0]}: {error}") from error
        if done.returncode:
            raise EngineError(explained(self.name, done.stderr))
        return done.stdout.strip()

    def try_to(self, *words: str) -> str | None:
        """What an order prints; None where the engine refuses it."""
        try:
            return self.run(*words)
        except EngineError:
            return None

    def begin(
        self, *words: str, stdin: int = subprocess.DEVNULL, folder: Path | None = None
    ) -> subprocess.Popen[bytes]:
        """Start an order in a folder, whose output the caller reads; a Ctrl-C on the terminal does not reach it."""
        return subprocess.Popen(
            [self.program, *words],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
            start_new_session=True,
        )


def find() -> Engine:
    """The engine that ``CHOICE`` names, or the first one that answers. Raises EngineError, with each one's reason."""
    chosen = os.environ.get(CHOICE)
    problems = []
    for name in [chosen] if chosen else NAMES:
        try:
            return _asked(name)
        except EngineError as why:
            problems.append(str(why))
    raise EngineError("no container engine can be used here. " + " ".join(problems))


def explained(name: str, said: str) -> str:
    """An engine's complaint on one line, with the next step where it is known. Pure."""
    lines = [line for line in said.splitlines() if line and not line.startswith(("WARNING", "time="))]
    why = " ".join(lines or said.split()).removeprefix("Error response from daemon: ").removeprefix("Error: ")
    lowered = why.lower()
    steps = (step for words, step in _NEXT_STEPS if any(word.lower() in lowered for word in words))
    step = next(steps, None)
    return f"{name}: {why}" + (f"; {step.format(name=name)}" if step else "")


def elsewhere(address: str) -> str | None:
    """The other machine on which an engine at ``address`` (a URL) runs; None for this one. Pure."""
    parts = urlsplit(address)
    host = parts.hostname if parts.scheme in ("ssh", "tcp", "http", "https") else None
    return None if host in (None, "localhost", "::1") or is_loopback_address(str(host)) else host


def _asked(name: str) -> Engine:
    program = shutil.which(name)
    if program is None:
        raise EngineError(f"{name} is not installed.")
    is_podman = os.path.basename(program).startswith("podman")
    engine = Engine("podman" if is_podman else "docker", program)
    platform, cpus, in_machine, address = (_podman if is_podman else _docker)(engine)
    if host := elsewhere(address):
        raise EngineError(
            f"{name} is an engine on {host}, whose ports are not this machine's; unset DOCKER_HOST (or CONTAINER_HOST) "
            f"and use a context of this machine (docker context use default)."
        )
    system, _, architecture = platform.partition("/")
    if system != "linux":
        raise EngineError(f"{name} runs containers of {system}; switch it to Linux containers.")
    platform = f"linux/{ARCHITECTURES.get(architecture, architecture)}"
    return Engine(engine.name, program, platform, int(cpus), in_machine, _limits_together(engine))


def _limits_together(engine: Engine) -> bool:
    # Of version 2, a group with a process has no groups below it; systemd names the groups of its driver itself.
    groups = "{{.CgroupDriver}} {{.CgroupVersion}}"
    return engine.name == "docker" and engine.try_to("info", "--format", groups) == "cgroupfs 1"


def _docker(engine: Engine) -> tuple[str, str, bool, str]:
    told = engine.run(
        "info", "--format", "{{.OSType}}/{{.Architecture}} {{.NCPU}}", timeout=ANSWERS_WITHIN
    ).split()
    if len(told) != 2:  # of a daemon that does not answer, the client alone tells
        raise EngineError(explained(engine.name, engine.run("version", timeout=ANSWERS_WITHIN)))
    address = engine.try_to("context", "inspect", "--format", "{{.Endpoints.docker.Host}}")
    return told[0], told[1], False, address or ""


def _podman(engine: Engine) -> tuple[str, str, bool, str]:
    about = "{{.Host.OS}}/{{.Host.Arch}} {{.Host.CPUs}} {{.Host.Security.Rootless}} {{.Host.ServiceIsRemote}}"
    platform, cpus, rootless, remote = engine.run("info", "--format", about, timeout=ANSWERS_WITHIN).split()
    if (rootless, remote) == ("true", "false"):
        raise EngineError(
            "podman: without root its containers do not reach this machine's loopback interface; use docker, or "
            "podman as root."
        )
    return platform, cpus, remote == "true", os.environ.get("CONTAINER_HOST", "")
