"""Tasks around the embedded AWS. Nothing else starts it."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .command import Run, command, number
from .following import transferring

if TYPE_CHECKING:
    import subprocess

    from ..rehearsal import Rehearsal

# What a visitor of the embedded AWS needs besides its address; any credentials will do.
_CREDENTIALS = {"aws_access_key_id": "rehearsal", "aws_secret_access_key": "rehearsal"}


@command(
    help={
        "port": "the port to listen on; 0 chooses a free one",
        "speed": "AWS seconds in one real second",
        "young": "start with a new AWS account",
        "verbose": "print one line per call on stderr",
    }
)
def embedded_aws(
    run: Run, port: str = "4566", speed: str = "1", young: bool = False, verbose: bool = False
) -> int:
    """Run an embedded AWS until Ctrl-C.

    For any client: prints AWS_ENDPOINT_URL=… when it is ready. Accepts any credentials.
    """
    arguments = ["--port", _port(port), "--speed", str(_speed(speed))]
    arguments += ["--young"] * young + ["--verbose"] * verbose
    _require_embedded()

    import sys

    # -P: the project's own secrets.py, say, must not take the place of Python's.
    os.execv(sys.executable, [sys.executable, "-P", "-m", "embedded_aws", *arguments])


@command(
    json=True,
    help={
        "from-apprunner": "start with the app on App Runner; --no-from-apprunner starts without it",
        "keep": "leave everything running until Ctrl-C, and print the addresses",
        "speed": "how much faster than on AWS time runs",
        "young": "start with a new AWS account",
    },
)
def rehearse(
    run: Run, from_apprunner: bool = True, keep: bool = False, speed: str = "20", young: bool = False
) -> int:
    """Rehearse the whole migration offline.

    With this project's own settings and Dockerfile, on an embedded AWS that runs the tasks as real processes: the
    app on App Runner, set up, release, release under traffic, fail a release, compare, cut over, clean up, tear
    down. Nothing leaves this machine.
    """
    settings, times = run.offline_settings, _speed(speed)
    _require_embedded()

    from .. import report
    from ..rehearsal import Rehearsal

    run.console.say(report.rehearsal_heading(settings.name, times))
    rehearsal = Rehearsal(lambda step: run.console.say(report.step(step)), lambda: transferring(run))
    with _without_the_users_aws(), _embedded_aws(times, young) as url:
        rehearsal.add("embedded AWS up", url)
        _tell_the_story(run, url, times, rehearsal, from_apprunner, keep)
        run.console.say(report.rehearsal_end(rehearsal))
        if run.json:
            addresses = {"aws_endpoint_url": url, "url": rehearsal.url} if keep else {}
            run.console.json(report.rehearsal_json(rehearsal, addresses))
        if keep:
            _wait(run, url, rehearsal.url)
    return 0 if rehearsal.passed else 1


def _tell_the_story(
    run: Run, url: str, speed: float, rehearsal: Rehearsal, from_apprunner: bool, keep: bool
) -> None:
    from pathlib import Path

    from ..aws import Aws
    from ..clock import Clock
    from ..rehearsal import rehearse

    settings, clock = run.offline_settings, Clock(speed)
    aws = Aws(
        settings.region, clock=clock, endpoint_url=url, credentials=_CREDENTIALS, tell=run.tell_of_waiting
    )
    rehearse(aws, settings, Path.cwd(), rehearsal, from_apprunner=from_apprunner, keep=keep)


def _wait(run: Run, url: str, app: str | None) -> None:
    from .. import report

    run.console.show(report.kept(url, run.offline_settings.region, app))
    with contextlib.suppress(KeyboardInterrupt):
        threading.Event().wait()
    run.console.say("Stopping.")


def _port(given: str) -> str:
    from ..errors import UsageError

    if not (given.isdecimal() and int(given) <= 65535):
        raise UsageError(f"--port {given} is not a port: 0 to 65535.")
    return given


def _speed(given: str) -> float:
    return number("speed", given, lowest=0.01)


def _require_embedded() -> None:
    from importlib.util import find_spec

    from ..errors import UsageError

    needed = ("aiohttp", "flask", "flask_cors", "moto", "psutil", "yaml")
    if missing := [name for name in needed if find_spec(name) is None]:
        raise UsageError(
            "The embedded AWS is not installed.",
            f"{', '.join(missing)} cannot be imported",
            "pip install 'lobster-tasks[embedded]'",
        )


@contextmanager
def _without_the_users_aws() -> Iterator[None]:
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
def _embedded_aws(speed: float, young: bool) -> Iterator[str]:
    """An embedded AWS as a process of its own for as long as the block lasts; its address.

    It ends with its standard input too, so that it does not outlive this process however that ends; Ctrl-C on
    the terminal is for this process alone, which then ends it.
    """
    import subprocess
    import sys

    command = [sys.executable, "-P", "-m", "embedded_aws", "--speed", str(speed), "--until-stdin-ends"]
    command += ["--young"] * young
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, process_group=0) as process:
        try:
            yield _address(process)
        finally:
            process.terminate()
            process.wait(timeout=30)


def _address(process: subprocess.Popen[str]) -> str:
    from ..errors import LobsterError

    assert process.stdout is not None
    line = process.stdout.readline().strip()
    if not line.startswith("AWS_ENDPOINT_URL="):
        raise LobsterError(
            "The embedded AWS did not start.", "its output is above", "inv embedded-aws --port 0"
        )
    return line.partition("=")[2]
