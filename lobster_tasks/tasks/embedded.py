"""Tasks around the embedded AWS."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..cli.command import Run, command, number
from ..cli.following import transferring

if TYPE_CHECKING:
    from ..embedded_process import EmbeddedAws

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

    Prints AWS_ENDPOINT_URL=… when it is ready for clients. Accepts any credentials.
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
        "speed": "how many times faster than on AWS time runs",
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
    from ..rehearsal import Rehearsal, rehearse

    embedded_process.require()
    run.console.say(report.rehearsal_heading(settings.name, times))
    rehearsal = Rehearsal(lambda step: run.console.say(report.step(step)), lambda: transferring(run))
    where = settings.region, times, young, named, run.tell_of_waiting
    with embedded_process.isolated(*where) as embedded:
        rehearsal.add("embedded AWS up", embedded.described)
        rehearse(
            *(embedded.aws, settings, Path.cwd(), rehearsal),
            from_apprunner=from_apprunner,
            keep=keep,
            builder=embedded.builder,
        )
        run.console.say(report.rehearsal_end(rehearsal))
        if run.json:
            addresses = {"aws_endpoint_url": embedded.url, "url": rehearsal.url} if keep else {}
            run.console.json(report.rehearsal_json(rehearsal, addresses))
        if keep:
            _wait(run, embedded, rehearsal.url)
    return 0 if rehearsal.passed else 1


def _wait(run: Run, embedded: EmbeddedAws, app: str | None) -> None:
    """Wait for Ctrl-C; meanwhile the certificate of a distribution's authority, if there is one, is in a file."""
    from .. import report
    from ..account import find_authority

    fronted = app if run.offline_settings.is_fronted else None
    with _in_a_file(find_authority(embedded.aws, fronted) if fronted else "") as file:
        run.console.show(report.kept(embedded.url, run.offline_settings.region, app, file))
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
