"""Commands forked from a process that has imported everything already.

A new interpreter takes most of a second to import boto3 or moto, a fork of one that has takes milliseconds. It is a
process all the same, with its own pid, group, folder, environment and streams. Each worker of the tests has one
such server, which ends with it.
"""

from __future__ import annotations

import atexit
import gc
import multiprocessing
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from multiprocessing.reduction import DupFd
from pathlib import Path
from typing import Any

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.preloaded"])


@dataclass(frozen=True)
class Command:
    """What a command is run with; ``streams`` are the descriptors of its stdin, stdout and stderr."""

    words: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    streams: tuple[int, int, int]

    def __reduce__(self) -> tuple[Any, ...]:
        """For the way over: descriptors are sent along."""
        streams = tuple(DupFd(each) for each in self.streams)  # type: ignore[no-untyped-call]
        return _received, (list(self.words), self.folder, dict(self.environment), streams)


def fork(work: Callable[[], int | None], command: Command) -> ForkServerProcess:
    """Start ``work``, which finds itself run as ``command``."""
    process = FORKS.Process(target=_become, args=(work, command), daemon=True)
    process.start()
    return process


def _received(
    words: Sequence[str], folder: Path, environment: Mapping[str, str], streams: Sequence[Any]
) -> Command:
    stdin, stdout, stderr = (each.detach() for each in streams)
    return Command(words, folder, environment, (stdin, stdout, stderr))


def _become(work: Callable[[], int | None], command: Command) -> None:
    gc.disable()  # most commands are over before anything is worth collecting
    os.setpgid(0, 0)
    for number, stream in enumerate(command.streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(command.folder)
    os.environ.clear()
    os.environ.update(command.environment)
    sys.argv = list(command.words)
    sys.stdin, sys.stdout = open(0, encoding="utf-8"), open(1, "w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = open(2, "w", 1, encoding="utf-8", errors="backslashreplace")  # noqa: SIM115
    multiprocessing.current_process().daemon = False  # it may start what it likes
    try:
        code = work()
    finally:
        atexit._run_exitfuncs()  # multiprocessing leaves them out
    raise SystemExit(code)
