"""What the benchmarks share: an embedded AWS, a stop watch, medians."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent

control = requests.Session()
"""Asks an embedded AWS about itself."""
control.headers["X-Embedded-Aws"] = "benchmarks"


@contextmanager
def embedded_aws(speed: float = 20.0) -> Iterator[str]:
    """The address of an embedded AWS that runs as long as the block."""
    command = [sys.executable, "-m", "embedded_aws", "--speed", str(speed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip().partition("=")[2]
        finally:
            process.terminate()


def reset(url: str) -> None:
    """Empty it and forget its latency."""
    control.post(f"{url}/_embedded/reset", timeout=60).raise_for_status()


def environment(url: str) -> dict[str, str]:
    """What a client needs to talk to it."""
    keys = {"AWS_ACCESS_KEY_ID": "benchmark", "AWS_SECRET_ACCESS_KEY": "benchmark"}
    return {**os.environ, **keys, "AWS_ENDPOINT_URL": url, "AWS_DEFAULT_OUTPUT": "json"}


def seconds(work: Callable[[], object]) -> float:
    """How long ``work`` takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def run(command: list[str], url: str | None = None, cwd: Path = ROOT) -> None:
    """Run a command to its end, its output thrown away; an error is one. Python keeps what it has compiled."""
    where = environment(url) if url else dict(os.environ)
    where.pop("PYTHONDONTWRITEBYTECODE", None)
    subprocess.run(command, check=True, cwd=cwd, env=where, capture_output=True, stdin=subprocess.DEVNULL)


def median(times: list[float]) -> float:
    """The median, in seconds."""
    return statistics.median(times)
