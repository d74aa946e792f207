"""Forks commands for whoever connects: ``python -m tests.fork_server DESCRIPTOR``, of the socket that listens.

It is told of a command by a pickle, with its streams; it says the pid, and the return code when it has ended. It
kills the command when nobody waits for that any more, and ends when its standard input does.
"""

from __future__ import annotations

import atexit
import gc
import os
import pickle
import selectors
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import NoReturn

from tests import preloaded, project  # noqa: F401


class Server:
    """Forks and reaps in one thread."""

    def __init__(self, listener: socket.socket) -> None:
        self._listener = listener
        self._clients: dict[int, socket.socket] = {}
        self._ended, self._wake = socket.socketpair()
        self._wake.setblocking(False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ, self._accept)
        self._selector.register(self._ended, selectors.EVENT_READ, self._reap)
        self._selector.register(0, selectors.EVENT_READ, self._end)
        signal.signal(signal.SIGCHLD, lambda *_: None)  # for the sake of the wakeup
        signal.set_wakeup_fd(self._wake.fileno())

    def run(self) -> NoReturn:
        """Serve until the end of standard input."""
        while True:
            for key, _ in self._selector.select():
                key.data()

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        length, streams, _, _ = socket.recv_fds(client, 4, 3)
        asked = client.recv(int.from_bytes(length), socket.MSG_WAITALL)
        pid = os.fork()
        if pid == 0:
            self._let_go(client)
            _become(asked, streams)
        with suppress(PermissionError, ProcessLookupError):  # it has done so itself
            os.setpgid(pid, pid)
        for stream in streams:
            os.close(stream)
        self._clients[pid] = client
        self._selector.register(client, selectors.EVENT_READ, lambda: self._forget(pid))
        _say(client, pid)

    def _let_go(self, client: socket.socket) -> None:
        """Keep nothing of the server's in what it has forked."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._selector.close()
        for each in (self._listener, self._ended, self._wake, client, *self._clients.values()):
            each.close()

    def _reap(self) -> None:
        self._ended.recv(4096)
        with suppress(ChildProcessError):
            while (gone := os.waitpid(-1, os.WNOHANG))[0]:
                pid, status = gone
                if client := self._clients.pop(pid, None):
                    self._selector.unregister(client)
                    _say(client, os.waitstatus_to_exitcode(status))
                    client.close()

    def _forget(self, pid: int) -> None:
        """Nobody waits for it any more; it may have been reaped since the server looked."""
        if client := self._clients.pop(pid, None):
            self._selector.unregister(client)
            client.close()
            os.kill(pid, signal.SIGKILL)

    def _end(self) -> None:
        for pid in self._clients:
            os.kill(pid, signal.SIGKILL)
        os.unlink(self._listener.getsockname())
        os.rmdir(os.path.dirname(self._listener.getsockname()))
        raise SystemExit


def _say(client: socket.socket, number: int) -> None:
    with suppress(BrokenPipeError):  # nobody waits for it
        client.sendall(b"%12d" % number)


def _become(asked: bytes, streams: Sequence[int]) -> NoReturn:
    """Do the work as the process that it finds itself in, and end as an interpreter does."""
    code = 1
    try:
        code = _code(asked, streams)
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        sys.stdout.flush()
    finally:
        os._exit(code)


def _code(asked: bytes, streams: Sequence[int]) -> int:
    """What it ends with; what is raised is shown."""
    try:
        work, *how = pickle.loads(asked)
        _set_up(streams, *how)
        return work() or 0
    except SystemExit as end:
        if isinstance(end.code, str):
            sys.stderr.write(f"{end.code}\n")
            return 1
        return end.code or 0
    except BaseException:  # noqa: BLE001 as an interpreter does
        traceback.print_exc()
        return 1


def _set_up(
    streams: Sequence[int], words: Sequence[str], folder: str, environment: Mapping[str, str]
) -> None:
    gc.disable()  # most commands are over before anything is worth collecting
    os.setpgid(0, 0)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = list(words)
    sys.stdin, sys.stdout = open(0, encoding="utf-8"), open(1, "w", encoding="utf-8")  # noqa: SIM115
    sys.stderr = open(2, "w", 1, encoding="utf-8", errors="backslashreplace")  # noqa: SIM115


if __name__ == "__main__":
    Server(socket.socket(fileno=int(sys.argv[1]))).run()
