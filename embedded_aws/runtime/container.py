"""A running container: a process group with a supervisor, its output and its end."""

from __future__ import annotations

import errno
import os
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from .command import ProcessSpec
from .interface import CannotStart, nowhere
from .waiting import longest_wait

SUPERVISOR = Path(__file__).with_name("supervisor.py")
LINE_LIMIT = 256 * 1024 - 26  # bytes; CloudWatch Logs adds 26 for each event
KILLED = 128 + signal.SIGKILL
DRAIN_SECONDS = 1.0  # real; how long output may stay open after all processes were killed
CHUNK = 64 * 1024


class LineSplitter:
    """Splits a byte stream into lines for ``log``."""

    def __init__(self, log: Callable[[str], None]) -> None:
        self._log = log
        self._rest = bytearray()

    def feed(self, data: bytes) -> None:
        """Process more bytes; complete lines are logged at once."""
        self._rest += data
        while (end := self._rest.find(b"\n")) >= 0 or len(self._rest) >= LINE_LIMIT:
            if 0 <= end <= LINE_LIMIT:
                self._emit(end, skip=1)
            else:
                self._emit(self._character_start(LINE_LIMIT), skip=0)

    def finish(self) -> None:
        """Log the rest at the end of the stream, even without a line end."""
        if self._rest:
            self._emit(len(self._rest), skip=0)

    def _character_start(self, at: int) -> int:
        for back in range(4):
            if self._rest[at - back] & 0xC0 != 0x80:
                return at - back
        return at

    def _emit(self, end: int, skip: int) -> None:
        line = self._rest[:end].decode(errors="replace")
        del self._rest[: end + skip]
        self._log(line)


class Followed:
    """A program whose end is waited for; see ``interface.Container``."""

    def __init__(self) -> None:
        self._over = threading.Event()
        self._exit_code: int | None = None

    def poll(self) -> int | None:
        """The exit status (128 + signal for one that ended it) once all output is logged; None before."""
        return self._exit_code

    def wait(self, timeout: float | None = None) -> int | None:
        """``poll()`` after the end, or after ``timeout`` real seconds."""
        self._over.wait(timeout)
        return self._exit_code


class ProcessContainer(Followed):
    """A started container; see ``interface.Container``.

    ``pid`` is the main process's; ``supervisor_pid`` is its parent's, the ancestor of every process of the container.
    ``out_of_memory`` tells whether it was killed for its memory. ``log`` is called from a thread of the container's
    own, one line at a time, and must not raise.
    """

    def __init__(self, launch: ProcessSpec, stop_signal: int, log: Callable[[str], None]) -> None:
        """Start it. ``stop_signal`` is negative if the program is not PID 1. Raises CannotStart."""
        super().__init__()
        self.out_of_memory = False
        self.launch = launch
        self._log = log
        self._lock = threading.Lock()
        self._process, self._orders, self._status = _start(launch, stop_signal)
        self.supervisor_pid = self._process.pid
        self.pid, self._fault = self._report()
        self._thread = threading.Thread(target=self._follow, name=f"container-{self.pid}", daemon=True)
        self._thread.start()

    def terminate(self) -> None:
        """Send the stop signal to the main process; as PID 1 it gets the signal only if it handles it."""
        self._order(b"T")

    def kill(self) -> None:
        """Send SIGKILL to every process of the container."""
        self._order(b"K")

    def kill_for_memory(self) -> None:
        """Kill it as the kernel kills a container above its memory limit."""
        self.out_of_memory = self._exit_code is None
        self.kill()

    def mute_and_kill(self) -> None:
        """Kill it without logging anything more."""
        self._log = nowhere
        self.kill()

    def abandon(self) -> None:
        """Kill it without logging anything more, and return when its processes have ended."""
        self.mute_and_kill()
        self._process.wait()

    def terminal(self, command: Sequence[str]) -> list[str] | None:
        """None: a process has no inside."""
        return None

    def longest_wait(self) -> float:
        """Seconds that its longest-waiting thread has waited for a processor; infinite where all have ended."""
        return longest_wait([self.supervisor_pid])

    def _order(self, order: bytes) -> None:
        with self._lock:
            if self._exit_code is None:
                try:
                    os.write(self._orders, order)
                except BrokenPipeError:  # it has ended meanwhile
                    return

    def _report(self) -> tuple[int, str | None]:
        """The main process's pid and None; or the supervisor's pid and an error, for a program that cannot be loaded.

        Raises CannotStart.
        """
        word, _, number = os.read(self._status, 64).decode().strip().partition(" ")
        if word == "pid":
            return int(number), None
        name = self.launch.name
        problem = os.strerror(int(number or errno.EIO)).lower()
        if word == "error" and int(number) in (errno.ENOENT, errno.ENOEXEC):
            return self.supervisor_pid, f"exec {name}: {problem}"
        self._process.kill()
        self._process.wait()
        self._close()
        raise CannotStart(f'exec: "{name}": {problem}', 126)

    def _follow(self) -> None:
        try:
            if self._fault:
                self._log(self._fault)
            self._drain()
        finally:
            code = self._supervisors_end()
            with self._lock:
                self.out_of_memory = self.out_of_memory and code == KILLED
                self._exit_code = 255 if self._fault else code
                self._close()
            self._over.set()

    def _drain(self) -> None:
        """Log all output until the supervisor and every writer have ended; remaining writers are ignored."""
        streams = {
            stream: LineSplitter(lambda line: self._log(line))
            for stream in (self._process.stdout, self._process.stderr)
            if stream is not None
        }
        deadline: float | None = None
        with selectors.DefaultSelector() as open_ends:
            open_ends.register(self._status, selectors.EVENT_READ, None)
            for stream, lines in streams.items():
                open_ends.register(stream, selectors.EVENT_READ, lines)
            while open_ends.get_map() and (deadline is None or time.monotonic() < deadline):
                for key, _ in open_ends.select(None if deadline is None else DRAIN_SECONDS):
                    if data := os.read(key.fd, CHUNK):
                        key.data.feed(data)
                        continue
                    open_ends.unregister(key.fileobj)
                    if key.data is None:
                        self._supervisors_end()
                        deadline = time.monotonic() + DRAIN_SECONDS
        for lines in streams.values():
            lines.finish()

    def _supervisors_end(self) -> int:
        """The supervisor's exit status; if it was killed, its clean-up is done here."""
        code = self._process.wait()
        if code < 0:
            _kill_group(self.pid)
        return code if code >= 0 else KILLED

    def _close(self) -> None:
        for end in (self._orders, self._status):
            os.close(end)
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()


def _start(launch: ProcessSpec, stop_signal: int) -> tuple[subprocess.Popen[bytes], int, int]:
    """The supervisor, the pipe with orders for it, and the pipe with its reports."""
    control, orders = os.pipe()
    status, reports = os.pipe()
    own = [sys.executable, "-I", "-S", str(SUPERVISOR), str(control), str(reports), str(stop_signal)]
    try:
        process = subprocess.Popen(
            [*own, str(launch.program), *launch.arguments],
            cwd=launch.folder,
            env=launch.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(control, reports),
            start_new_session=True,
        )
    except OSError as error:
        for end in (orders, status):
            os.close(end)
        raise CannotStart(f'exec: "{launch.name}": {error.strerror}', 126) from error
    finally:
        for end in (control, reports):
            os.close(end)
    return process, orders, status


def _kill_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # it has ended already
        return
