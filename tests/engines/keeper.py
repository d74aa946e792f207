"""Keeps one docker daemon for all test processes of a user, and ends it after the last one, however that ended.

A daemon takes seconds to start and has a bridge of the machine's, so there is one, with a bridge of its own: another
daemon of the machine keeps its own. A test process has a shared lock on ``users``; ``python -m tests.engines.keeper``
starts the daemon, waits for the lock alone, and ends what it has started, by its pid.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.embedded_process import PATIENCE, eventually

FOLDER = Path("/tmp") / f"lobster-tests-docker-{os.getuid()}"
"""Not below TMPDIR, which differs from run to run."""
BRIDGE, NETWORK = "lobster-tests0", "172.31.251.1/24"


class NoDaemonError(Exception):
    """The daemon ended while it started; the text is the end of its log."""


def can_start() -> bool:
    """Whether a daemon of the tests' own can be started here: by root, where there is one."""
    return os.getuid() == 0 and all(map(shutil.which, ("dockerd", "ip")))


@contextmanager
def socket() -> Iterator[str]:
    """The address of the daemon (DOCKER_HOST), which runs at least until the end of the block; NoDaemonError."""
    FOLDER.mkdir(mode=0o700, exist_ok=True)
    with _locked("users", fcntl.LOCK_SH), _locked("starting", fcntl.LOCK_EX) as starting:
        if not _answers():
            _start()
        fcntl.flock(starting, fcntl.LOCK_UN)
        yield _address()


def _start() -> None:
    words = [sys.executable, "-m", "tests.engines.keeper"]
    with (FOLDER / "log").open("wb") as log:
        keeping = subprocess.Popen(
            words,
            cwd=Path(__file__).parents[2],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    eventually(lambda: _answers() or keeping.poll() is not None)
    if keeping.poll() is not None:
        raise NoDaemonError((FOLDER / "log").read_text(errors="replace")[-2000:])
    keeping.returncode = 0  # it stays, and is nobody's to wait for


def _answers() -> bool:
    words = ["docker", "--host", _address(), "version"]
    return subprocess.run(words, capture_output=True, timeout=PATIENCE, check=False).returncode == 0


def _address() -> str:
    return f"unix://{FOLDER / 'docker.sock'}"


def _daemon() -> subprocess.Popen[bytes]:
    data = FOLDER / "daemon"
    _remove(data)
    data.mkdir()
    words = ["dockerd", "--host", _address(), "--storage-driver", "vfs"]
    words += ["--data-root", str(data / "data"), "--exec-root", str(data / "exec")]
    words += ["--pidfile", str(data / "pid"), "--default-ulimit", "nofile=20000:20000"]
    words += ["--bridge", BRIDGE]
    return subprocess.Popen(words, stdin=subprocess.DEVNULL)


def _remove(data: Path) -> None:
    """Remove what a daemon has left; one that was killed has left the mount of a network namespace."""
    for namespace in (data / "exec" / "netns").glob("*"):
        subprocess.run(["umount", "--lazy", str(namespace)], capture_output=True, check=False)
    shutil.rmtree(data, ignore_errors=True)


@contextmanager
def _bridge() -> Iterator[None]:
    _ip("link", "delete", BRIDGE)  # of a keeper that was killed
    for words in (("link", "add", BRIDGE, "type", "bridge"), ("address", "add", NETWORK, "dev", BRIDGE)):
        _ip(*words, check=True)
    _ip("link", "set", BRIDGE, "up", check=True)
    try:
        yield
    finally:
        _ip("link", "delete", BRIDGE)


def _ip(*words: str, check: bool = False) -> None:
    subprocess.run(["ip", *words], check=check)


@contextmanager
def _locked(name: str, how: int) -> Iterator[int]:
    lock = os.open(FOLDER / name, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, how)
        yield lock
    finally:
        os.close(lock)


def main() -> None:
    """Keep a daemon while there are users."""
    with _bridge():
        daemon = _daemon()
        with _locked("users", fcntl.LOCK_EX):
            daemon.send_signal(signal.SIGTERM)
            daemon.wait(timeout=PATIENCE)
            _remove(FOLDER / "daemon")


if __name__ == "__main__":
    main()
