"""The embedded AWS as a process: the only place that starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import NoReturn

from .aws import Aws
from .clock import Clock
from .errors import LobsterError, UsageError

# What a visitor of the embedded AWS needs besides its address; any credentials will do.
_CREDENTIALS = {"aws_access_key_id": "rehearsal", "aws_secret_access_key": "rehearsal"}
# -P: the project's own secrets.py, say, must not take the place of Python's.
_COMMAND = (sys.executable, "-P", "-m", "embedded_aws")


def become(arguments: Sequence[str]) -> NoReturn:
    """Let this process be an embedded AWS from now on."""
    os.execv(sys.executable, [*_COMMAND, *arguments])


def account(url: str, region: str, speed: float, tell: Callable[[LobsterError, float], None]) -> Aws:
    """The embedded AWS at ``url``, as the library sees it; ``speed`` is how much faster than on AWS time runs."""
    return Aws(region, clock=Clock(speed), endpoint_url=url, credentials=_CREDENTIALS, tell=tell)


def require() -> None:
    """Raises UsageError where the embedded AWS is not installed."""
    needed = ("aiohttp", "flask", "flask_cors", "moto", "psutil", "yaml")
    if missing := [name for name in needed if find_spec(name) is None]:
        raise UsageError(
            "The embedded AWS is not installed.",
            f"{', '.join(missing)} cannot be imported",
            "pip install 'lobster-tasks[embedded]'",
        )


@contextmanager
def without_the_users_aws() -> Iterator[None]:
    """Without AWS's own variables, files and proxies: nothing of a real account, and nobody else, takes part."""
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


@contextmanager
def running(speed: float, young: bool) -> Iterator[str]:
    """An embedded AWS as a process of its own for as long as the block lasts; its address.

    It ends with its standard input too, so that it does not outlive this process however that ends; Ctrl-C on
    the terminal is for this process alone, which then ends it.
    """
    command = [*_COMMAND, "--speed", str(speed), "--until-stdin-ends"]
    command += ["--young"] * young
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, process_group=0) as process:
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
