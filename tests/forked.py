"""Runs functions in processes that the standard library's fork server forks.

A new interpreter takes more than a second to import what a command needs, boto3 above all; a fork of one that has
imported it takes milliseconds. ``preloaded`` imports this, and nothing of the embedded AWS. Each test worker
has a server, which ends with it.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from collections.abc import Callable, Mapping
from multiprocessing import connection
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(["tests.preloaded", "tests.project"])
_ONE_LOOKS = threading.Lock()
"""A process's exit is reported only once, and starting another process also checks for it."""


def start(work: Callable[..., None], *arguments: Any) -> ForkServerProcess:
    """Run ``work`` in a process; ``work`` and its arguments must be picklable."""
    process = _CONTEXT.Process(target=work, args=arguments, daemon=True)
    with _ONE_LOOKS:
        process.start()
    return process


def code_of(process: ForkServerProcess, within: float) -> int | None:
    """A process's exit code as in subprocess; None if it is still running after ``within`` seconds."""
    connection.wait([process.sentinel], within)
    with _ONE_LOOKS:
        return process.exitcode


def become(folder: Path, environment: Mapping[str, str], out: str, err: str) -> None:
    """Set up this process: current folder, environment, empty standard input, and output to the named files."""
    flags = {0: (os.devnull, os.O_RDONLY), 1: (out, os.O_WRONLY), 2: (err, os.O_WRONLY)}
    for number, (path, how) in flags.items():
        opened = os.open(path, how)
        os.dup2(opened, number)
        os.close(opened)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.stdin, sys.stdout = open(0, encoding="utf-8"), open(1, "w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = open(2, "w", 1, encoding="utf-8", errors="backslashreplace")  # noqa: SIM115
