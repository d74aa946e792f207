"""Tasks around the embedded AWS."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..cli.command import Run, command, number
from ..cli.following import transferring

if TYPE_CHECKING:
    from ..images import Engine

_RUNTIMES = ("auto", "container", "process")


@command(
    help={
        "port": "the port to listen on; 0 chooses a free one",
        "speed": "AWS seconds in one real second",
        "young": "start with a new AWS account",
        "verbose": "print one line per call on stderr",
        "runtime": "how tasks run: process, container, or auto (as containers where docker or podman answers)",
    }
)
def embedded_aws(
    run: Run,
    port: str = "4566",
    speed: str = "1",
    young: bool = False,
    verbose: bool = False,
    runtime: str = "process",
) -> int:
    """Run an embedded AWS until Ctrl-C.

    For any client: prints AWS_ENDPOINT_URL=… when it is ready. Accepts any credentials.
    """
    arguments = ["--port", _port(port), "--speed", str(_speed(speed)), "--runtime", _runtime(runtime)]
    arguments += ["--young"] * young + ["--verbose"] * verbose

    from .. import embedded_process

    embedded_process.require()
    embedded_process.become(arguments)


@command(
    json=True,
    help={
        "from-apprunner": "start with the app on App Runner; --no-from-apprunner starts without it",
        "keep": "leave everything running until Ctrl-C, and print the addresses",
        "speed": "how much faster than on AWS time runs",
        "young": "start with a new AWS account",
        "runtime": "how tasks run: process, container, or auto (as containers where docker or podman answers)",
    },
)
def rehearse(
    run: Run,
    from_apprunner: bool = True,
    keep: bool = False,
    speed: str = "20",
    young: bool = False,
    runtime: str = "process",
) -> int:
    """Rehearse the whole migration offline.

    With this project's own settings and Dockerfile, on an embedded AWS that runs the tasks as real processes, or as
    containers of the image that docker or podman builds: the app on App Runner, set up, release, release under
    traffic, fail a release, compare, cut over, clean up, tear down. Nothing leaves this machine.
    """
    settings, times, named = run.offline_settings, _speed(speed), _runtime(runtime)

    from pathlib import Path

    from .. import embedded_process, report
    from ..account import find_authority
    from ..images import engine_for
    from ..rehearsal import Rehearsal, rehearse

    embedded_process.require()
    engine = engine_for(named)
    run.console.say(report.rehearsal_heading(settings.name, times))
    rehearsal = Rehearsal(lambda step: run.console.say(report.step(step)), lambda: transferring(run))
    program = engine.program if engine else None
    with (
        embedded_process.without_the_users_aws(),
        embedded_process.running(times, young, program) as url,
        _forgotten(engine, url),
    ):
        rehearsal.add("embedded AWS up", f"{url}, tasks are containers of {engine.name}" if engine else url)
        aws = embedded_process.account(url, settings.region, times, run.tell_of_waiting)
        builder = engine.name if engine else "process"
        how = {"from_apprunner": from_apprunner, "keep": keep}
        rehearse(aws, settings, Path.cwd(), rehearsal, builder=builder, **how)
        run.console.say(report.rehearsal_end(rehearsal))
        if run.json:
            addresses = {"aws_endpoint_url": url, "url": rehearsal.url} if keep else {}
            run.console.json(report.rehearsal_json(rehearsal, addresses))
        if keep:
            fronted = rehearsal.url if settings.is_fronted else None
            _wait(run, url, rehearsal.url, find_authority(aws, fronted) if fronted else "")
    return 0 if rehearsal.passed else 1


@contextlib.contextmanager
def _forgotten(engine: Engine | None, url: str) -> Iterator[None]:
    """After the block, the engine has no image that is named after the embedded AWS at ``url``."""
    try:
        yield
    finally:
        if engine:
            engine.forget(url.partition("://")[2])


def _wait(run: Run, url: str, app: str | None, authority: str) -> None:
    """Wait for Ctrl-C; meanwhile ``authority`` (PEM), if there is one, is in a file."""
    from .. import report

    with _in_a_file(authority) as file:
        run.console.show(report.kept(url, run.offline_settings.region, app, file))
        with contextlib.suppress(KeyboardInterrupt):
            threading.Event().wait()
    run.console.say("Stopping.")


@contextlib.contextmanager
def _in_a_file(pem: str) -> Iterator[str]:
    """The path of a file that exists for the duration of the block; empty where there is nothing to write."""
    from tempfile import NamedTemporaryFile

    if not pem:
        yield ""
        return
    with NamedTemporaryFile("w", suffix=".pem") as file:
        file.write(pem)
        file.flush()
        yield file.name


def _port(given: str) -> str:
    from ..errors import UsageError

    if not (given.isdecimal() and int(given) <= 65535):
        raise UsageError(f"--port {given} is not a port: 0 to 65535.")
    return given


def _runtime(given: str) -> str:
    from ..errors import UsageError

    if given not in _RUNTIMES:
        raise UsageError(f"--runtime {given} is not one of {', '.join(_RUNTIMES)}.")
    return given


def _speed(given: str) -> float:
    return number("speed", given, lowest=0.01)
