"""The embedded AWS as a process; the only place that starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from typing import NoReturn

from .aws import Aws
from .clock import Clock
from .errors import LobsterError, UsageError
from .images import Engine, engine_for

# The embedded AWS accepts any credentials.
_CREDENTIALS = {"aws_access_key_id": "rehearsal", "aws_secret_access_key": "rehearsal"}
# -P: a module of the project, such as its secrets.py, must not replace one of Python's.
_COMMAND = (sys.executable, "-P", "-m", "embedded_aws")

_ENGINE = "EMBEDDED_AWS_ENGINE"


def become(arguments: Sequence[str]) -> NoReturn:
    """Replace this process with an embedded AWS."""
    os.execv(sys.executable, [*_COMMAND, *arguments])


def account(url: str, region: str, speed: float, tell: Callable[[LobsterError, float], None]) -> Aws:
    """The embedded AWS at ``url`` as an account; ``speed`` is how much faster than on AWS time passes."""
    return Aws(region, clock=Clock(speed), endpoint_url=url, credentials=_CREDENTIALS, tell=tell)


def require() -> None:
    """Raise UsageError where the embedded AWS is not installed, or does not run on this system."""
    if os.name == "nt":
        raise UsageError(
            "The embedded AWS does not run on Windows.",
            "its tasks are processes of Linux or macOS",
            "run the same command in WSL 2 or in the dev container (.devcontainer/devcontainer.json)",
        )
    needed = ("aiohttp", "flask", "flask_cors", "moto", "psutil", "yaml")
    if missing := [name for name in needed if find_spec(name) is None]:
        raise UsageError(
            "The embedded AWS is not installed.",
            f"{', '.join(missing)} cannot be imported",
            "pip install 'lobster-tasks[embedded]'",
        )


@contextmanager
def without_the_users_aws() -> Iterator[None]:
    """Hide AWS's own variables and files, and proxies, so that no real account and no other host is involved."""
    private = [name for name in os.environ if name.startswith("AWS_") or name.lower().endswith("_proxy")]
    kept = {name: os.environ.pop(name) for name in private}
    stand_ins = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    os.environ.update(stand_ins)
    try:
        yield
    finally:
        for name in stand_ins:
            del os.environ[name]
        os.environ.update(kept)


@dataclass(frozen=True)
class EmbeddedAws:
    """A running embedded AWS: its address, the account in it, and the engine of its containers, None for
    processes."""

    url: str
    aws: Aws
    engine: Engine | None

    @property
    def builder(self) -> str:
        """What builds images for it: process, docker or podman."""
        return self.engine.name if self.engine else "process"

    @property
    def described(self) -> str:
        """Its address, and what its tasks are where they are no processes."""
        return f"{self.url}, tasks are containers of {self.engine.name}" if self.engine else self.url


@contextmanager
def isolated(
    region: str, speed: float, young: bool, runtime: str, tell: Callable[[LobsterError, float], None]
) -> Iterator[EmbeddedAws]:
    """Run an embedded AWS without the user's AWS for the duration of the block; afterwards the engine has no image
    that is named after it.

    ``runtime`` is auto, container or process. Raises RefusedError where there is no engine for containers.
    """
    engine = engine_for(runtime)
    with without_the_users_aws(), running(speed, young, engine.program if engine else None) as url:
        try:
            yield EmbeddedAws(url, account(url, region, speed, tell), engine)
        finally:
            if engine:
                engine.forget(url.partition("://")[2])


@contextmanager
def running(speed: float, young: bool, engine: str | None = None) -> Iterator[str]:
    """Run an embedded AWS as a separate process for the duration of the block; yields its address.

    Its tasks are containers of ``engine`` (a program), or processes without one.
    The process also ends when its standard input does, so it never outlives this process. Ctrl-C on the terminal
    reaches only this process, which then ends the other.
    """
    command = [*_COMMAND, "--speed", str(speed), "--until-stdin-ends"]
    command += ["--young"] * young + ["--runtime", "container"] * bool(engine)
    pipe, env = subprocess.PIPE, {**os.environ, **({_ENGINE: engine} if engine else {})}
    with subprocess.Popen(command, env=env, stdin=pipe, stdout=pipe, text=True, process_group=0) as process:
        try:
            yield _address(process)
        finally:
            process.terminate()
            process.wait(timeout=30)


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline().strip()
    if not line.startswith("AWS_ENDPOINT_URL="):
        raise LobsterError(
            "The embedded AWS did not start.", "its output is above", "inv embedded-aws --port 0"
        )
    return line.partition("=")[2]
