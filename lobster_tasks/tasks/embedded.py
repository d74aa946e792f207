"""Tasks around the embedded AWS. Nothing else starts it."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .command import Run, command

if TYPE_CHECKING:
    import subprocess

    from ..rehearsal import Step

_SPEED = 20.0
# What a visitor of the embedded AWS needs besides its address; any credentials will do.
_CREDENTIALS = {"aws_access_key_id": "rehearsal", "aws_secret_access_key": "rehearsal"}


@command(
    help={
        "port": "the port to listen on; 0 takes a free one",
        "speed": "AWS seconds in one real second",
        "verbose": "one line a call on stderr",
    }
)
def embedded_aws(run: Run, port: int = 4566, speed: float = 1.0, verbose: bool = False) -> int:
    """Run the embedded AWS in the foreground, for any client, until Ctrl-C."""
    _require_embedded()
    from ..embedded.__main__ import main

    arguments = ["--port", str(port), "--speed", str(speed), *(["--verbose"] if verbose else [])]
    return main(arguments)


@command(
    json=True,
    help={
        "keep": "leave everything running until Ctrl-C, with the addresses to try",
        "speed": "how much faster than AWS time runs",
    },
)
def rehearse(run: Run, keep: bool = False, speed: float = _SPEED) -> int:
    """Rehearse the whole way offline, on an embedded AWS, with this project's own settings."""
    from pathlib import Path

    from .. import report
    from ..aws import Aws
    from ..clock import Clock
    from ..rehearsal import Rehearsal, rehearse

    _require_embedded()
    settings = run.settings
    run.console.say(report.rehearsal_heading(settings.name, speed))
    rehearsal = Rehearsal(_teller(run))
    with _embedded_aws(speed) as url:
        rehearsal.add("embedded AWS up", url)
        aws = Aws(settings.region, clock=Clock(speed), endpoint_url=url, credentials=_CREDENTIALS)
        rehearse(aws, settings, Path.cwd(), rehearsal, keep=keep)
        run.console.say(report.rehearsal_end(rehearsal))
        if run.json:
            run.console.json(rehearsal.as_json())
        if keep:
            _wait(run, url, rehearsal.url)
    return 0 if rehearsal.passed else 1


def _teller(run: Run) -> Callable[[Step], None]:
    from .. import report

    def tell(step: Step) -> None:
        run.console.say(report.step(step))

    return tell


def _wait(run: Run, url: str, app: str | None) -> None:
    from .. import report

    run.console.show(report.kept(url, app))
    with contextlib.suppress(KeyboardInterrupt):
        threading.Event().wait()
    run.console.say("Ending it.")


def _require_embedded() -> None:
    from importlib.util import find_spec

    from ..errors import UsageError

    if missing := [name for name in ("aiohttp", "flask", "moto", "psutil") if find_spec(name) is None]:
        raise UsageError(
            "The embedded AWS is not installed.",
            f"{', '.join(missing)} cannot be imported",
            "pip install 'lobster-tasks[embedded]'",
        )


@contextmanager
def _embedded_aws(speed: float) -> Iterator[str]:
    """An embedded AWS as a process of its own for as long as the block lasts; its address."""
    import subprocess
    import sys

    command = [sys.executable, "-m", "lobster_tasks.embedded", "--speed", str(speed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=_environment()) as process:
        try:
            yield _address(process)
        finally:
            process.terminate()
            process.wait(timeout=30)


def _environment() -> dict[str, str]:
    """Without AWS's own variables: nothing of a real account reaches a rehearsal."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}


def _address(process: subprocess.Popen[str]) -> str:
    from ..errors import LobsterError

    assert process.stdout is not None
    line = process.stdout.readline().strip()
    if not line.startswith("AWS_ENDPOINT_URL="):
        raise LobsterError(
            "The embedded AWS did not start.", "what it said is above", "inv embedded-aws --debug"
        )
    return line.partition("=")[2]
