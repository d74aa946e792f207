"""Functions run in processes of their own, forked by the standard library's fork server.

A new interpreter takes more than a second to import what a command needs, boto3 above all; a fork of one that has
imported it takes milliseconds. ``preloaded`` names what that is: nothing of the embedded AWS. Each worker of the tests
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
"""How a process ended is told once; whoever starts another one looks for it too."""


def start(work: Callable[..., None], *arguments: Any) -> ForkServerProcess:
    """Run ``work`` elsewhere: functions of a module and what can be pickled."""
    process = _CONTEXT.Process(target=work, args=arguments, daemon=True)
    with _ONE_LOOKS:
        process.start()
    return process


def code_of(process: ForkServerProcess, within: float) -> int | None:
    """What it ended with, as subprocess has it; None where it runs after so many seconds."""
    connection.wait([process.sentinel], within)
    with _ONE_LOOKS:
        return process.exitcode


def become(folder: Path, environment: Mapping[str, str], out: str, err: str) -> None:
    """Let this process be one in ``folder`` that reads nothing, and writes to the files named."""
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
