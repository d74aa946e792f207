"""Runs the embedded AWS in the foreground until SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import signal
import sys
import threading

from .aws import EmbeddedAws
from .pace import Pace


def main(argv: list[str] | None = None) -> int:
    """Serve until told to stop; prints ``AWS_ENDPOINT_URL=…`` once every part answers."""
    parser = argparse.ArgumentParser(prog="python -m lobster_tasks.embedded", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--speed", type=float, default=1.0, help="AWS seconds in one real second")
    parser.add_argument("--boot-allowance", type=float, default=10.0, help="real seconds a program may take")
    given = parser.parse_args(argv)
    stop = threading.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: stop.set())
    aws = EmbeddedAws(given.port, Pace(given.speed, given.boot_allowance))
    aws.start()
    sys.stdout.write(f"AWS_ENDPOINT_URL={aws.url}\n")
    sys.stdout.flush()
    stop.wait()
    aws.stop()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
