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

    def login(self, registry: str, password: str) -> None:
        """Sign in to ``registry`` as AWS; the password is passed on standard input and never shown."""
        command = [self.program, "login", "--username", "AWS", "--password-stdin", registry]
        done = subprocess.run(
            command, input=password, capture_output=True, encoding="utf-8", errors="replace", check=False
        )
        if done.returncode:
            said = done.stderr.replace(password, "…").strip()
            raise LobsterError(f"{self.name} cannot sign in to {registry}.", said)

    def push(self, reference: str, say: Callable[[str], None]) -> None:
        """Push a built image; raises LobsterError with the engine's last lines."""
        self._run(["push", reference], say)

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


def password_for(aws: Aws) -> str:
    """A registry password, valid for 12 hours (ECR GetAuthorizationToken)."""
    answer = aws.call("ecr:GetAuthorizationToken")
    token = base64.b64decode(answer["authorizationData"][0]["authorizationToken"]).decode()
    return token.partition(":")[2]


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
