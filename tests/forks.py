"""Commands forked from a process that has imported everything already.

A new interpreter takes most of a second to import boto3 or moto, a fork of one that has takes milliseconds. It is a
process all the same, with its own pid, group, folder, environment and streams. One such server (``fork_server``)
serves all workers of the tests, and ends with the process that started it.
"""

from __future__ import annotations

import atexit
import os
import pickle
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TextIO

ADDRESS = "LOBSTER_TESTS_FORK_SERVER"
"""The variable by which a worker knows the server that the tests have started."""

Work = Callable[[], int | None]


@dataclass(frozen=True)
class Command:
    """What a command is run with; ``streams`` are the descriptors of its stdin, stdout and stderr."""

    words: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    streams: tuple[int, int, int]


@dataclass
class Forked:
    """A process that was forked; it is killed with the process that asked for it."""

    pid: int
    _told: socket.socket
    returncode: int | None = None
    """As subprocess has it; None while it runs, or as long as nobody has asked."""

    def poll(self) -> int | None:
        """Its return code, if it has ended."""
        return self._heard(0)

    def wait(self, timeout: float | None = None) -> int:
        """Its return code; TimeoutError where it has not ended after so many seconds."""
        code = self._heard(timeout)
        if code is None:
            raise TimeoutError(f"process {self.pid} is still running after {timeout} s")
        return code

    def send_signal(self, number: int) -> None:
        """Send it a signal unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)

    def _heard(self, within: float | None) -> int | None:
        if self.returncode is None and select.select([self._told], [], [], within)[0]:
            self.returncode = int(_line(self._told))
            self._told.close()
        return self.returncode


@dataclass
class Heard(Forked):
    """A process of which both streams are heard."""

    stdout: TextIO = field(kw_only=True)
    stderr: TextIO = field(kw_only=True)


@contextmanager
def heard(work: Work, words: Sequence[str], folder: Path, environment: Mapping[str, str]) -> Iterator[Heard]:
    """Start ``work`` in the background without a terminal; it is gone after the block."""
    with open(os.devnull) as nothing, _pipe() as (out, stdout), _pipe() as (err, stderr):
        streams = nothing.fileno(), stdout.fileno(), stderr.fileno()
        process = Heard(
            **vars(fork(work, Command(words, folder, environment, streams))), stdout=out, stderr=err
        )
        stdout.close()
        stderr.close()
        try:
            yield process
        finally:
            process.kill()
            process.wait()


@contextmanager
def _pipe() -> Iterator[tuple[TextIO, TextIO]]:
    """The end that is read, and the one that is written to."""
    reading, writing = os.pipe()
    with open(reading) as reader, open(writing, "w") as writer:
        yield reader, writer


def fork(work: Work, command: Command) -> Forked:
    """Start ``work``, which finds itself run as ``command``."""
    asked = pickle.dumps((work, list(command.words), str(command.folder), dict(command.environment)))
    told = socket.socket(socket.AF_UNIX)
    told.connect(start_server())
    socket.send_fds(told, [len(asked).to_bytes(4)], command.streams)
    told.sendall(asked)
    return Forked(int(_line(told)), told)


def _line(told: socket.socket) -> bytes:
    """What the server says next; numbers have 12 characters."""
    said = told.recv(12, socket.MSG_WAITALL)
    assert said, "the fork server has ended"
    return said


@cache
def start_server() -> str:
    """Where the server listens; it is started unless this process was told of one."""
    if ADDRESS not in os.environ:
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(os.path.join(tempfile.mkdtemp(prefix="forks-"), "server"))
            listener.listen(128)
            atexit.register(_end, _started(listener.fileno()))
            os.environ[ADDRESS] = listener.getsockname()
    return os.environ[ADDRESS]


def _started(listener: int) -> subprocess.Popen[bytes]:
    """The server, which ends with its standard input."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.fork_server", str(listener)],
        cwd=Path(__file__).parents[1],
        stdin=subprocess.PIPE,
        pass_fds=[listener],
        process_group=0,  # Ctrl-C is for the tests, which end it
    )


def _end(server: subprocess.Popen[bytes]) -> None:
    server.communicate()
