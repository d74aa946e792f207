"""A temporary folder of the process: blobs, unpacked images, roots of containers."""

from __future__ import annotations

import fcntl
import logging
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .removal import remove

LOG = logging.getLogger(__name__)
LOCK = ".lock"


class Scratch:
    """A folder that only this user can read. The process with its lock uses it; the next one removes unused
    folders.

    So a killed process leaves at most one folder behind, until the next embedded AWS starts.
    """

    def __init__(self, within: Path | None = None) -> None:
        parent = (within or Path(tempfile.gettempdir())) / f"lobster-embedded-aws-{os.getuid()}"
        parent.mkdir(mode=0o700, exist_ok=True)
        if parent.is_symlink() or parent.stat().st_uid != os.getuid():
            raise RuntimeError(f"{parent} belongs to somebody else; set TMPDIR to a folder of yours")
        with _locked(parent):
            _remove_unused(parent)
            self.path = Path(tempfile.mkdtemp(dir=parent)).resolve()
            self._lock = _lock(self.path)

    def close(self) -> None:
        """Remove the folder."""
        remove(self.path)
        os.close(self._lock)


def is_used(folder: Path) -> bool:
    """Whether a process, possibly of another user, has the lock of such a folder."""
    try:
        os.close(_lock(folder, wait=False))
    except FileNotFoundError:
        return False
    except OSError:  # in use, or another user's
        return True
    return False


def _lock(folder: Path, wait: bool = True) -> int:
    """Lock a folder until the file descriptor is closed; BlockingIOError if another process has the lock."""
    lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        os.close(lock)
        raise
    return lock


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    lock = _lock(folder)
    try:
        yield
    finally:
        os.close(lock)


def _remove_unused(parent: Path) -> None:
    for folder in parent.iterdir():
        if not folder.is_dir():
            continue
        try:
            lock = _lock(folder, wait=False)
        except BlockingIOError:
            continue
        except OSError as error:
            LOG.warning("%s is of no use and could not be removed: %s", folder, error)
            continue
        remove(folder)
        os.close(lock)
