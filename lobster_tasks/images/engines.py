"""The container engines docker and podman, used through their command lines."""

from __future__ import annotations

import base64
import os
import shutil
import subprocess
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..aws import Aws
from ..errors import LobsterError, RefusedError

_ENGINES = ("docker", "podman")
_ANSWERS_WITHIN = 15.0  # seconds; a running daemon answers in well under one
_SHOWN_ON_FAILURE = 15  # lines
_NOT_ON_THIS_MACHINE = (
    "--builder process, if the engine runs elsewhere (Docker Desktop, DOCKER_HOST) and cannot reach "
    "127.0.0.1 of this machine"
)


@dataclass(frozen=True)
class Engine:
    """An engine on this machine."""

    name: str
    program: str

    def build(
        self,
        folder: Path,
        dockerfile: str,
        reference: str,
        platform: str,
        build_args: Mapping[str, str],
        say: Callable[[str], None],
    ) -> None:
        """Build ``folder`` for ``platform`` (linux/amd64); raises LobsterError with the engine's last lines."""
        arguments = ["build", "--platform", platform, "-f", dockerfile, "-t", reference]
        for name, value in build_args.items():
            arguments += ["--build-arg", f"{name}={value}"]
        self._run([*arguments, "."], say, folder)

    def login(self, host: str, password: str, *, plain_http: bool = False) -> None:
        """Sign in to a registry's ``host`` as AWS; the password is passed on standard input and never shown."""
        words = ["login", *self._without_tls(plain_http), "--username", "AWS", "--password-stdin", host]
        done = subprocess.run(
            [self.program, *words],
            input=password,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        if done.returncode:
            said = done.stderr.replace(password, "…").strip()
            next_step = _NOT_ON_THIS_MACHINE if plain_http else ""
            raise LobsterError(f"{self.name} cannot sign in to {host}.", said, next_step)

    def push(self, reference: str, say: Callable[[str], None], *, plain_http: bool = False) -> None:
        """Push a built image; raises LobsterError with the engine's last lines."""
        self._run(["push", *self._without_tls(plain_http), reference], say)

    def _without_tls(self, plain_http: bool) -> list[str]:
        """The flags for a registry without TLS; docker needs none for this machine's own addresses."""
        return ["--tls-verify=false"] if plain_http and self.name == "podman" else []

    def _run(self, arguments: Sequence[str], say: Callable[[str], None], folder: Path | None = None) -> None:
        # Attestations would make an index of every image, which counts twice in the repository.
        environment = {**os.environ, "BUILDX_NO_DEFAULT_ATTESTATIONS": "1"}
        last: deque[str] = deque(maxlen=_SHOWN_ON_FAILURE)
        with subprocess.Popen(
            [self.program, *arguments],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        ) as process:
            for line in process.stdout or ():
                last.append(line.rstrip())
                say(line.rstrip())
        if process.returncode:
            raise LobsterError(
                f"{self.name} {arguments[0]} failed (exit {process.returncode}).", "\n".join(last)
            )


def choose(name: str) -> Engine:
    """The engine called ``name``, or for ``auto`` the first one that works.

    Raises RefusedError where there is none.
    """
    names = _ENGINES if name == "auto" else (name,)
    found = [Engine(each, program) for each in names if (program := shutil.which(each))]
    for engine in found:
        if _answers(engine):
            return engine
    raise RefusedError(
        f"There is no container engine: {_missing(names, found)}.",
        next_step="install Docker or podman and start it, or let CI build the image",
    )


@dataclass(frozen=True)
class RegistryAccess:
    """Where an engine pushes to, for 12 hours: ``registry`` is what references begin with, the host first.

    That is all of it on AWS; an embedded AWS has its own address before the registry's name.
    """

    registry: str
    password: str
    plain_http: bool

    @property
    def host(self) -> str:
        """The host for an engine's login."""
        return self.registry.partition("/")[0]


def registry_access(aws: Aws) -> RegistryAccess:
    """The access to the account's registry (ECR GetAuthorizationToken)."""
    data = aws.call("ecr:GetAuthorizationToken")["authorizationData"][0]
    token = base64.b64decode(data["authorizationToken"]).decode()
    scheme, _, registry = str(data["proxyEndpoint"]).partition("://")
    return RegistryAccess(registry, token.partition(":")[2], scheme == "http")


def _answers(engine: Engine) -> bool:
    """Whether the engine works: ``version`` also contacts the daemon, where there is one."""
    try:
        asked = subprocess.run(
            [engine.program, "version"], capture_output=True, timeout=_ANSWERS_WITHIN, check=False
        )
    except (subprocess.TimeoutExpired, OSError):
        return False
    return asked.returncode == 0


def _missing(names: Sequence[str], found: Sequence[Engine]) -> str:
    silent = {engine.name for engine in found}
    return ", ".join(
        f"{name} is installed but does not answer" if name in silent else f"{name} is not installed"
        for name in names
    )
