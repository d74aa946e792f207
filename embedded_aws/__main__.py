"""Runs the embedded AWS in the foreground until SIGTERM or Ctrl-C, or on request until standard input ends.

Exit codes: 0 stopped as told; 2 bad arguments; 5 it cannot start here (port in use, no loopback addresses).
"""

from __future__ import annotations

import argparse
import gc
import logging
import os
import select
import signal
import socket
import sys
import traceback
import warnings
from pathlib import Path

CANNOT_START = 5
_HOW_TO_USE_IT = """\
Export that, AWS_DEFAULT_REGION, and any AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in another terminal; AWS_PROFILE
must be unset. Ctrl-C ends it, and everything in it."""


def main(argv: list[str] | None = None) -> int:
    """Serve until stopped; prints ``AWS_ENDPOINT_URL=…`` once every component answers."""
    given = _arguments(argv)
    stop = _when_told_to_stop()
    _log(given.verbose)
    _leave_the_users_aws_alone()
    gc.disable()  # starting creates a million objects that stay
    from .aws import CannotStartError, EmbeddedAws  # slow: after the arguments and the signals
    from .kernel.pace import Pace

    try:
        aws = EmbeddedAws(
            given.port, Pace(given.speed, given.boot_allowance), young=given.young, runtime=given.runtime
        )
    except CannotStartError as why:
        sys.stderr.write(f"The embedded AWS cannot start: {why}\n")
        return CANNOT_START
    aws.start()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)  # the objects of a call are freed with its answer
    gc.enable()
    sys.stdout.write(f"AWS_ENDPOINT_URL={aws.url}\n")
    if sys.stdout.isatty():
        sys.stderr.write(f"{_HOW_TO_USE_IT}\n")
    sys.stdout.flush()
    select.select([stop, *([sys.stdin] if given.until_stdin_ends else [])], [], [])
    aws.stop()
    return 0


def _when_told_to_stop() -> socket.socket:
    """A socket that becomes readable on SIGTERM or Ctrl-C.

    Any thread that receives the signal writes to it. Python's own handlers run only in the main thread, which could
    sleep for ever while it waits for one.
    """
    told, tell = socket.socketpair()
    tell.setblocking(False)
    signal.set_wakeup_fd(tell.detach())
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    return told


def _arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m embedded_aws", description="Run the embedded AWS in the foreground."
    )
    parser.add_argument("--port", type=_port, default=0, help="0, the default, chooses a free one")
    parser.add_argument("--speed", type=_positive, default=1.0, help="AWS seconds in one real second")
    parser.add_argument(
        "--boot-allowance", type=_positive, default=10.0, help="real seconds a program may take to start"
    )
    parser.add_argument("--until-stdin-ends", action="store_true", help="end when standard input closes")
    parser.add_argument("--young", action="store_true", help="start with a new AWS account")
    parser.add_argument(
        "--runtime",
        choices=("auto", "container", "process"),
        default="process",
        help="how tasks run; auto: as containers where an engine answers",
    )
    parser.add_argument("--verbose", action="store_true", help="one line on stderr for every call")
    return parser.parse_args(argv)


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise argparse.ArgumentTypeError(f"{port} is not a port: 0 to 65535")
    return port


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return number


class _OneLine(logging.Formatter):
    """Formats a record as one line: of a traceback, the error and where it was raised."""

    def format(self, record: logging.LogRecord) -> str:
        """The message, and ``Type: text (file:line)`` of the error that it is about."""
        said, error = record.getMessage(), record.exc_info and record.exc_info[1]
        if error:
            raised = traceback.extract_tb(error.__traceback__)[-1:]
            where = "".join(f" ({Path(frame.filename).name}:{frame.lineno})" for frame in raised)
            said = f"{said}: {type(error).__name__}: {error}{where}"
        return " ".join(said.split())


def _log(verbose: bool) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s") if verbose else _OneLine("%(message)s"))
    logging.basicConfig(handlers=[handler], level=logging.WARNING)
    logging.getLogger("embedded_aws").setLevel(logging.INFO if verbose else logging.WARNING)
    warnings.filterwarnings("ignore", module=r"moto\.")  # moto warns of each error code that is in no model


def _leave_the_users_aws_alone() -> None:
    """Keep the user's profiles, endpoints and credentials away from boto3 in this process."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ.update(AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull)


if __name__ == "__main__":
    raise SystemExit(main())
